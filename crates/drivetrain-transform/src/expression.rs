//! Formulas over columns.

use std::ops::{Add, Div, Mul, Sub};

use drivetrain_plan::{DataType, Function, Op, Operand, Operator, PlanBuilder};
use serde::{Deserialize, Serialize};

use crate::arithmetic;

/// A number computed from the columns of a row: plain data, written like arithmetic.
///
/// As in numpy, a division by zero is infinite or missing, a logarithm or square root of a negative number is missing,
/// and the logarithm of 0 is negative infinity. Whatever is computed from a missing value is missing.
///
/// ```
/// use drivetrain_transform::col;
///
/// let age = 82.0 - col("model year");
/// let power_to_weight = (col("horsepower") / col("weight")).log1p();
/// assert_ne!(age, power_to_weight);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Expression {
    /// The value of a boolean, `int64` or `float64` column.
    Column(String),
    /// The same finite number in every row.
    Constant(f64),
    /// An operation on two numbers.
    Arithmetic {
        /// What is done.
        operator: Operator,
        /// The left operand.
        left: Box<Expression>,
        /// The right operand.
        right: Box<Expression>,
    },
    /// A function of a number.
    Function {
        /// What is computed.
        function: Function,
        /// Of what.
        of: Box<Expression>,
    },
}

/// The value of the column called `name`.
pub fn col(name: impl Into<String>) -> Expression {
    Expression::Column(name.into())
}

impl Expression {
    /// `function` of this.
    #[must_use]
    pub fn apply(self, function: Function) -> Self {
        Self::Function { function, of: Box::new(self) }
    }

    /// The value without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        self.apply(Function::Abs)
    }

    /// The square root; missing below 0.
    #[must_use]
    pub fn sqrt(self) -> Self {
        self.apply(Function::Sqrt)
    }

    /// e to the power of this.
    #[must_use]
    pub fn exp(self) -> Self {
        self.apply(Function::Exp)
    }

    /// The natural logarithm; missing below 0.
    #[must_use]
    pub fn log(self) -> Self {
        self.apply(Function::Log)
    }

    /// The natural logarithm of 1 more than this, exact near 0; missing below -1.
    #[must_use]
    pub fn log1p(self) -> Self {
        self.apply(Function::Log1p)
    }

    /// The nearest value from `low` to `high`.
    #[must_use]
    pub fn clip(self, low: f64, high: f64) -> Self {
        self.apply(Function::Clip { low, high })
    }

    /// The columns that it reads, in the order in which they appear.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Column(name) => vec![name],
            Self::Constant(_) => Vec::new(),
            Self::Arithmetic { left, right, .. } => left.columns().into_iter().chain(right.columns()).collect(),
            Self::Function { of, .. } => of.columns(),
        }
    }

    /// Appends what computes it; intermediate columns are called like `name`.
    fn operand(&self, builder: &mut PlanBuilder, name: &str) -> Operand {
        match self {
            Self::Column(column) => Operand::Column(column.clone()),
            Self::Constant(value) => Operand::Constant(*value),
            Self::Arithmetic { operator, left, right } => {
                let (left, right) = (left.operand(builder, name), right.operand(builder, name));
                Operand::Column(arithmetic::compute(builder, *operator, left, right, name))
            }
            Self::Function { function, of } => {
                let column = match of.operand(builder, name) {
                    Operand::Column(column) => column,
                    Operand::Constant(value) => arithmetic::constant(builder, value, name),
                };
                let output = builder.fresh(name);
                builder.push(Op::Function { function: function.clone(), column, output: output.clone() });
                Operand::Column(output)
            }
        }
    }

    /// Appends what computes it and gives the `float64` column that holds it.
    pub(crate) fn lower(&self, builder: &mut PlanBuilder, name: &str) -> String {
        match self.operand(builder, name) {
            Operand::Constant(value) => arithmetic::constant(builder, value, name),
            Operand::Column(column) if matches!(self, Self::Column(_)) => {
                let output = builder.fresh(name);
                builder.push(Op::Cast { column, to: DataType::Float64, output: output.clone() });
                output
            }
            Operand::Column(column) => column,
        }
    }
}

impl From<f64> for Expression {
    fn from(value: f64) -> Self {
        Self::Constant(value)
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $operator:expr) => {
        impl<R: Into<Expression>> $trait<R> for Expression {
            type Output = Expression;

            fn $method(self, right: R) -> Expression {
                let (left, right) = (Box::new(self), Box::new(right.into()));
                Expression::Arithmetic { operator: $operator, left, right }
            }
        }

        impl $trait<Expression> for f64 {
            type Output = Expression;

            fn $method(self, right: Expression) -> Expression {
                Expression::Constant(self).$method(right)
            }
        }
    };
}

operator!(Add, add, Operator::Add);
operator!(Sub, sub, Operator::Subtract);
operator!(Mul, mul, Operator::Multiply);
operator!(Div, div, Operator::Divide);
