//! What can go wrong with schemas, tables, plans and their application.

use std::fmt;

use thiserror::Error;

use crate::{DataType, ExtensionError};

/// A schema that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// Two columns share a name.
    #[error("column `{column}` appears twice")]
    DuplicateColumn {
        /// The name.
        column: String,
    },
    /// A type name that means nothing.
    #[error(
        "unknown data type `{name}`; known are boolean, int64, float64, string, categorical[int64] and categorical[string]"
    )]
    UnknownDataType {
        /// The name found.
        name: String,
    },
}

/// A table that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The column names are not a schema.
    #[error("the columns do not form a table")]
    Schema(#[from] SchemaError),
    /// Two columns differ in length.
    #[error("column `{column}` has {found} rows where the columns before it have {expected}")]
    Ragged {
        /// The column that differs.
        column: String,
        /// Rows of the columns before it.
        expected: usize,
        /// Rows of this column.
        found: usize,
    },
}

/// A plan that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// An operation or an output reads a column that nothing before it provides.
    #[error("{reader} reads column `{column}`, which is neither an input nor computed before it")]
    UnknownColumn {
        /// Who reads.
        reader: String,
        /// The column.
        column: String,
    },
    /// An operation writes a column that exists already.
    #[error("{writer} writes column `{column}`, which exists already")]
    ColumnWrittenTwice {
        /// Who writes.
        writer: String,
        /// The column.
        column: String,
    },
    /// Two outputs share a name.
    #[error("two outputs are called `{name}`; prefix the names or rename one")]
    DuplicateOutput {
        /// The name.
        name: String,
    },
    /// An operation reads a column whose type it does not take.
    #[error("{reader} cannot read column `{column}` of type {found}; it takes {expected}")]
    ColumnType {
        /// Who reads.
        reader: String,
        /// The column.
        column: String,
        /// What it takes.
        expected: String,
        /// What the column is.
        found: DataType,
    },
    /// A constant of an operation is not usable.
    #[error("{operation} on column `{column}`: {reason}")]
    Constant {
        /// The operation.
        operation: String,
        /// The column it works on.
        column: String,
        /// What is wrong.
        reason: String,
    },
    /// Plans to be chained do not fit together.
    #[error("the second plan does not take what the first one gives")]
    Chain(#[source] SchemaMismatch),
}

/// A column whose type is not the one recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMismatch {
    /// The column.
    pub column: String,
    /// The type recorded at fit.
    pub expected: DataType,
    /// The type found.
    pub found: DataType,
}

/// How a table's schema differs from the one recorded at fit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Error)]
pub struct SchemaMismatch {
    /// Columns that are needed and absent.
    pub missing: Vec<String>,
    /// Columns of another type.
    pub retyped: Vec<ColumnMismatch>,
    /// Columns that were not there at fit, where those are refused.
    pub extra: Vec<String>,
    /// The number of columns at fit.
    pub expected_columns: usize,
    /// The number of columns found.
    pub found_columns: usize,
}

impl SchemaMismatch {
    /// Whether nothing differs that matters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.retyped.is_empty() && self.extra.is_empty()
    }
}

impl fmt::Display for SchemaMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        write!(f, "the table has {} columns where {} were fitted", self.found_columns, self.expected_columns)?;
        if !self.missing.is_empty() {
            write!(f, "; missing: {}", names(&self.missing))?;
        }
        if !self.extra.is_empty() {
            write!(f, "; not expected: {}", names(&self.extra))?;
        }
        for ColumnMismatch { column, expected, found } in &self.retyped {
            write!(f, "; `{column}` is {found}, not {expected}")?;
        }
        Ok(())
    }
}

/// A table that a plan cannot be applied to.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The table's columns are not the ones recorded at fit.
    #[error("the table does not fit the plan")]
    Schema(#[source] SchemaMismatch),
    /// A column's length or type is not what its table says.
    #[error(
        "table column `{column}` is {found_dtype} with {found_rows} rows; its table announces {dtype} with {rows} rows"
    )]
    Table {
        /// The column.
        column: String,
        /// The rows announced.
        rows: usize,
        /// The type announced.
        dtype: DataType,
        /// The rows found.
        found_rows: usize,
        /// The type found.
        found_dtype: DataType,
    },
    /// A value that was not among the categories at fit.
    #[error("column `{column}`, row {row}: unknown category `{value}`")]
    UnknownCategory {
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
        /// The value.
        value: String,
    },
    /// A number that stands for no category.
    #[error("column `{column}`, row {row}: {value} stands for no category")]
    UnknownCode {
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
        /// The number.
        value: f64,
    },
    /// A missing value where those are refused.
    #[error("column `{column}`, row {row} is missing; at fit no value of the column was")]
    Missing {
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
    },
    /// A buffer of the wrong length.
    #[error("the buffer holds {found} numbers; {rows} rows of {columns} features need {}", rows * columns)]
    BufferLength {
        /// The rows of the table.
        rows: usize,
        /// The outputs of the plan.
        columns: usize,
        /// The length of the buffer.
        found: usize,
    },
    /// An output that cannot stand in a feature matrix.
    #[error("output `{name}` is {dtype}; only boolean, int64 and float64 can stand in a feature matrix")]
    NotNumeric {
        /// The output.
        name: String,
        /// Its type.
        dtype: DataType,
    },
    /// The plan uses an extension that the registry does not hold.
    #[error("the plan needs extension `{kind}` version {version}, which is not registered")]
    MissingExtension {
        /// The extension's kind.
        kind: String,
        /// The version of its state.
        version: u32,
    },
    /// An extension failed.
    #[error("extension `{kind}` failed")]
    Extension {
        /// The extension's kind.
        kind: String,
        /// Why.
        #[source]
        source: ExtensionError,
    },
    /// An extension did not return the columns it announced.
    #[error("extension `{kind}` returned {found}; its plan announces {expected}")]
    ExtensionOutput {
        /// The extension's kind.
        kind: String,
        /// What the plan announces.
        expected: String,
        /// What came back.
        found: String,
    },
    /// The result does not form a table.
    #[error("the outputs do not form a table")]
    Output(#[source] TableError),
}
