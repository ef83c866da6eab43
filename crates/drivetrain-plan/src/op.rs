//! The operations that a plan consists of.

mod check;
mod reader;
mod renamed;

use serde::{Deserialize, Serialize};

use crate::{Categories, DataType, Field, Function, Value};

/// One operation: reads named, typed columns and writes new ones, each row from that row alone.
///
/// The set is small and closed; [`Op::Extension`] is the one way out of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Op {
    /// Changes the type and keeps the values, missing ones included. Never loses anything: integers and text
    /// become categories and back, booleans and integers become floats, booleans integers.
    Cast {
        /// The column read.
        column: String,
        /// The new type.
        to: DataType,
        /// The column written.
        output: String,
    },
    /// `left (operator) right` in `f64`, missing (NaN) where either is missing.
    Arithmetic {
        /// What is done.
        operator: Operator,
        /// The left operand.
        left: Operand,
        /// The right operand.
        right: Operand,
        /// The `float64` column written.
        output: String,
    },
    /// `(column - center) / scale` in `f64`, missing where the column is missing.
    Scale {
        /// The numeric column read.
        column: String,
        /// What is subtracted; finite, or NaN where nothing was learned, and then everything is missing.
        center: f64,
        /// What is then divided by; finite and not 0.
        scale: f64,
        /// The `float64` column written.
        output: String,
    },
    /// Replaces missing values by a constant.
    Impute {
        /// The column read.
        column: String,
        /// The constant, of the column's type; a `float64` constant turns a numeric column to `float64`.
        value: Value,
        /// The column written.
        output: String,
    },
    /// One `float64` column per category: 1 in the column of the row's category, 0 elsewhere.
    OneHot {
        /// The column read.
        column: String,
        /// The categories, in output order.
        categories: Categories,
        /// Whether missing is a category; it then comes last.
        missing: bool,
        /// What happens to any other value.
        unknown: UnknownCategory,
        /// The columns written, one per category.
        outputs: Vec<String>,
    },
    /// A function of one number, row by row.
    Function {
        /// What is computed.
        function: Function,
        /// The column read: numeric, or of any type for [`Function::IsMissing`].
        column: String,
        /// The `float64` column written.
        output: String,
    },
    /// One number per category, looked up.
    Encode {
        /// The column read.
        column: String,
        /// The categories.
        categories: Categories,
        /// The number of each category.
        values: Vec<f64>,
        /// The number of a missing value; without one, missing is unknown.
        missing: Option<f64>,
        /// What happens to any other value.
        unknown: UnknownValue,
        /// The `float64` column written.
        output: String,
    },
    /// Divides the numbers of each row by their norm; a row whose norm is below 10 times the machine epsilon stays as
    /// it is.
    Normalize {
        /// The norm.
        norm: Norm,
        /// The numeric columns that make up the row.
        columns: Vec<String>,
        /// The `float64` columns written, one per column read.
        outputs: Vec<String>,
    },
    /// The position of the largest number of each row, the first of several: what a one-hot row stands for. Missing
    /// where none is above 0 or one is missing.
    ArgMax {
        /// The numeric columns that make up the row.
        columns: Vec<String>,
        /// The `float64` column written.
        output: String,
    },
    /// The category that a number stands for: what [`Op::Encode`] undoes.
    Decode {
        /// The numeric column read.
        column: String,
        /// The categories.
        categories: Categories,
        /// The number of each category, none twice.
        values: Vec<f64>,
        /// The number of a missing value, NaN included; without one, a missing number stands for nothing.
        missing: Option<f64>,
        /// What happens to a number that stands for nothing; ignored, it becomes missing.
        unknown: UnknownCategory,
        /// The type of the column written, one that takes the categories.
        to: DataType,
        /// The column written.
        output: String,
    },
    /// Refuses rows in which one of some columns is missing. Writes nothing, and runs whatever the outputs depend on.
    RefuseMissing {
        /// The columns looked at, of any type.
        columns: Vec<String>,
    },
    /// Code that the reader brings along, found by `kind` in a [`Registry`](crate::Registry).
    Extension {
        /// The name in the registry.
        kind: String,
        /// The version of `state`.
        version: u32,
        /// What the extension learned, in its own encoding.
        state: Vec<u8>,
        /// The columns read.
        columns: Vec<String>,
        /// The columns written.
        outputs: Vec<Field>,
    },
}

/// A binary operation on floats (IEEE 754: division by zero gives an infinity or NaN).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operator {
    /// `left + right`
    Add,
    /// `left - right`
    Subtract,
    /// `left * right`
    Multiply,
    /// `left / right`
    Divide,
}

impl Operator {
    pub(crate) const fn symbol(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '*',
            Self::Divide => '/',
        }
    }

    pub(crate) fn compute(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
        }
    }
}

/// What an arithmetic operation works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operand {
    /// A numeric column.
    Column(String),
    /// A finite constant.
    Constant(f64),
}

/// What one-hot encoding does with a value that is not among its categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum UnknownCategory {
    /// It is an error that names column, row and value.
    #[default]
    Error,
    /// All columns of the row are 0.
    Ignore,
}

/// What encoding by numbers does with a value that is not among its categories.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum UnknownValue {
    /// It is an error that names column, row and value.
    #[default]
    Error,
    /// It becomes this number, or missing where that is NaN.
    Value(f64),
}

/// A norm of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// The sum of magnitudes.
    L1,
    /// The square root of the sum of squares.
    #[default]
    L2,
    /// The largest magnitude.
    Max,
}

impl Norm {
    /// What the numbers of a row are divided by: their norm, NaN where one of them is, or 1 where it is below 10 times the
    /// machine epsilon.
    ///
    /// ```
    /// use drivetrain_plan::Norm;
    ///
    /// assert_eq!(Norm::L2.divisor([3.0, -4.0].into_iter()), 5.0);
    /// assert_eq!(Norm::L2.divisor([0.0, 0.0].into_iter()), 1.0);
    /// ```
    pub fn divisor(self, row: impl Iterator<Item = f64> + Clone) -> f64 {
        match self.of(row) {
            norm if norm < 10.0 * f64::EPSILON => 1.0,
            norm => norm,
        }
    }

    /// The norm of numbers; NaN where one of them is.
    fn of(self, row: impl Iterator<Item = f64> + Clone) -> f64 {
        match self {
            Self::L1 => row.map(f64::abs).sum(),
            Self::L2 => row.map(|value| value * value).sum::<f64>().sqrt(),
            Self::Max => row.map(f64::abs).fold(0.0, |largest, value| {
                if value.is_nan() || largest.is_nan() { f64::NAN } else { largest.max(value) }
            }),
        }
    }
}

impl Op {
    /// The operation's name, as it is serialised.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Cast { .. } => "cast",
            Self::Arithmetic { .. } => "arithmetic",
            Self::Scale { .. } => "scale",
            Self::Impute { .. } => "impute",
            Self::OneHot { .. } => "one_hot",
            Self::Function { .. } => "function",
            Self::Encode { .. } => "encode",
            Self::Normalize { .. } => "normalize",
            Self::ArgMax { .. } => "arg_max",
            Self::Decode { .. } => "decode",
            Self::RefuseMissing { .. } => "refuse_missing",
            Self::Extension { .. } => "extension",
        }
    }

    /// Whether it runs for the sake of its errors, although no output depends on it.
    pub(crate) const fn is_check(&self) -> bool {
        matches!(self, Self::RefuseMissing { .. })
    }

    /// The columns read.
    #[must_use]
    pub fn reads(&self) -> Vec<&str> {
        match self {
            Self::Cast { column, .. }
            | Self::Scale { column, .. }
            | Self::Impute { column, .. }
            | Self::Function { column, .. }
            | Self::Encode { column, .. }
            | Self::Decode { column, .. }
            | Self::OneHot { column, .. } => vec![column],
            Self::Arithmetic { left, right, .. } => [left, right]
                .into_iter()
                .filter_map(|operand| match operand {
                    Operand::Column(column) => Some(column.as_str()),
                    Operand::Constant(_) => None,
                })
                .collect(),
            Self::Normalize { columns, .. }
            | Self::ArgMax { columns, .. }
            | Self::RefuseMissing { columns }
            | Self::Extension { columns, .. } => columns.iter().map(String::as_str).collect(),
        }
    }

    /// The columns written.
    #[must_use]
    pub fn writes(&self) -> Vec<&str> {
        match self {
            Self::Cast { output, .. }
            | Self::Arithmetic { output, .. }
            | Self::Scale { output, .. }
            | Self::Function { output, .. }
            | Self::Encode { output, .. }
            | Self::Decode { output, .. }
            | Self::ArgMax { output, .. }
            | Self::Impute { output, .. } => vec![output],
            Self::RefuseMissing { .. } => Vec::new(),
            Self::OneHot { outputs, .. } | Self::Normalize { outputs, .. } => {
                outputs.iter().map(String::as_str).collect()
            }
            Self::Extension { outputs, .. } => outputs.iter().map(|field| field.name.as_str()).collect(),
        }
    }
}
