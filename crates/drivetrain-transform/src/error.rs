//! What can go wrong when estimators are built, fitted and applied.

use std::num::NonZeroUsize;

use drivetrain_plan::{ApplyError, DataType, PlanError};
use thiserror::Error;

/// Parameters that no estimator can have.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// A step or block name that is empty, contains `__` or appears twice.
    #[error("step name `{name}`: {reason}")]
    StepName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A pipeline without steps.
    #[error("a pipeline needs at least one step")]
    NoSteps,
    /// A pattern that is not a regular expression.
    #[error("`{pattern}` is not a regular expression")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What the parser says.
        #[source]
        source: regex::Error,
    },
    /// A parameter outside of its range.
    #[error("{name} is {value}: expected {expected}")]
    OutOfRange {
        /// The parameter, by scikit-learn's name.
        name: &'static str,
        /// The value given.
        value: String,
        /// The values allowed.
        expected: &'static str,
    },
    /// A function whose constants make no sense, or formulas of the same name.
    #[error("the functions do not form a plan")]
    Function {
        /// Why.
        #[source]
        source: PlanError,
    },
    /// An inverse of something that can have none.
    #[error("{estimator} cannot have an inverse")]
    NoInverse {
        /// What cannot have one.
        estimator: &'static str,
    },
    /// Declared categories that repeat or cannot be compared.
    #[error("column `{column}`: category `{category}` is declared twice or cannot be compared")]
    RepeatedCategory {
        /// The column.
        column: String,
        /// The category.
        category: String,
    },
}

impl ParameterError {
    pub(crate) fn at_least_1(name: &'static str, value: usize) -> Result<NonZeroUsize, Self> {
        let expected = "a number of at least 1";
        NonZeroUsize::new(value).ok_or_else(|| Self::OutOfRange { name, value: value.to_string(), expected })
    }
}

/// Data that an estimator cannot be fitted on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FitError {
    /// There is nothing to learn from.
    #[error("cannot fit on {rows} rows and {columns} columns; at least 1 of each is needed")]
    Empty {
        /// The rows found.
        rows: usize,
        /// The columns found.
        columns: usize,
    },
    /// The target has another length than the table.
    #[error("the target has {found} values for {rows} rows")]
    TargetLength {
        /// The rows of the table.
        rows: usize,
        /// The values of the target.
        found: usize,
    },
    /// The estimator needs a target.
    #[error("{estimator} needs a target")]
    NoTarget {
        /// The estimator.
        estimator: &'static str,
    },
    /// A value of the target is missing or infinite.
    #[error("the target of row {row} is {value}, which is not finite")]
    TargetNotFinite {
        /// The row, counted from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// There are more or fewer sample weights than rows.
    #[error("there are {found} sample weights for {rows} rows")]
    SampleWeights {
        /// The rows of the table.
        rows: usize,
        /// The weights.
        found: usize,
    },
    /// A sample weight is negative or not finite.
    #[error("the sample weight of row {row} is {value}; it must be finite and at least 0")]
    SampleWeight {
        /// The row, counted from 0.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// There are fewer rows than the estimator can be fitted on.
    #[error("{estimator} needs at least {needed} rows; there are {rows}")]
    TooFewRows {
        /// The estimator.
        estimator: &'static str,
        /// The rows found.
        rows: usize,
        /// The smallest number of rows.
        needed: usize,
    },
    /// A table does not hand out a column that its schema lists.
    #[error("the table has no column `{column}` of type {dtype} although its schema lists it")]
    AbsentColumn {
        /// The column.
        column: String,
        /// Its type in the schema.
        dtype: DataType,
    },
    /// A column is not numeric.
    #[error("column `{column}` is {dtype}; {estimator} takes boolean, int64 and float64")]
    NotNumeric {
        /// The estimator.
        estimator: &'static str,
        /// The column.
        column: String,
        /// Its type.
        dtype: DataType,
    },
    /// A value is infinite.
    #[error("column `{column}`, row {row}: {value} is not finite")]
    NotFinite {
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A value outside of what the estimator is defined on.
    #[error("column `{column}`, row {row}: {estimator} cannot take {value}; it takes {expected}")]
    OutOfDomain {
        /// The estimator.
        estimator: &'static str,
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
        /// The value.
        value: f64,
        /// The values it takes.
        expected: &'static str,
    },
    /// A value is missing.
    #[error("column `{column}`, row {row}: {estimator} cannot take a missing value")]
    MissingValue {
        /// The estimator.
        estimator: &'static str,
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
    },
    /// All values of a column are equal.
    #[error("column `{column}` is constant, which {estimator} cannot take")]
    Constant {
        /// The estimator.
        estimator: &'static str,
        /// The column.
        column: String,
    },
    /// No column is left of what was to be transformed.
    #[error("{estimator} leaves nothing: {reason}")]
    NothingKept {
        /// The estimator.
        estimator: &'static str,
        /// Why.
        reason: String,
    },
    /// The output would be larger than any table should be.
    #[error("{estimator} would multiply more than {limit} factors in all; take fewer columns or a smaller degree")]
    TooManyFactors {
        /// The estimator.
        estimator: &'static str,
        /// The largest number of factors of all products together.
        limit: u64,
    },
    /// A constant cannot stand in a column.
    #[error("column `{column}` is {dtype}, where {value} cannot stand")]
    FillValue {
        /// The column.
        column: String,
        /// Its type.
        dtype: DataType,
        /// The constant.
        value: String,
    },
    /// A value is not among the declared categories.
    #[error("column `{column}`, row {row}: `{value}` is not among the declared categories")]
    UnknownCategory {
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
        /// The value.
        value: String,
    },
    /// Declared categories have another type than their column.
    #[error("column `{column}` is {dtype}, but its declared categories are of another type")]
    CategoryType {
        /// The column.
        column: String,
        /// Its type.
        dtype: DataType,
    },
    /// A number that is to stand for unknown or missing values stands for a category.
    #[error("column `{column}`: {name} is {value}, which stands for a category already")]
    CodeTaken {
        /// The column.
        column: String,
        /// The parameter, by scikit-learn's name.
        name: &'static str,
        /// The number.
        value: f64,
    },
    /// A category that is to be left out cannot be.
    #[error("column `{column}`: cannot drop {category}: {reason}")]
    DropCategory {
        /// The column.
        column: String,
        /// The category.
        category: String,
        /// Why not.
        reason: &'static str,
    },
    /// A specification names columns that are not there.
    #[error("{reader} names columns that are not there: {}", columns.join(", "))]
    UnknownColumns {
        /// What names them.
        reader: String,
        /// The names.
        columns: Vec<String>,
    },
    /// A step of a pipeline or a block of a column transformer failed.
    #[error("step `{step}` failed")]
    Step {
        /// The step's name.
        step: String,
        /// Why.
        #[source]
        source: Box<FitError>,
    },
    /// An estimator cannot be fitted in parts.
    #[error("{estimator} cannot be fitted in parts: {reason}")]
    NotInParts {
        /// The estimator, or the step or block that holds it.
        estimator: String,
        /// Why.
        reason: &'static str,
    },
    /// The rows are needed once more.
    #[error("another pass over the rows is needed")]
    AnotherPass,
    /// Parts of a fit do not belong together.
    #[error("parts of a fit do not belong together: {reason}")]
    Merge {
        /// Why.
        reason: &'static str,
    },
    /// A source of chunks failed.
    #[error("a chunk of the rows could not be read")]
    Chunk(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The result of a step could not be computed for the next one.
    #[error("the output of the step could not be computed")]
    Transform(#[from] TransformError),
    /// What was learned does not form a plan.
    #[error("what was learned does not form a plan")]
    Plan(#[from] PlanError),
    /// A failure of an estimator from outside of this crate.
    #[error("{estimator} could not be fitted")]
    Other {
        /// The estimator.
        estimator: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Data that a fitted estimator cannot transform.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransformError {
    /// What was learned does not form a plan.
    #[error("what was learned does not form a plan")]
    Plan(#[from] PlanError),
    /// The plan could not be applied.
    #[error("the plan could not be applied")]
    Apply(#[from] ApplyError),
    /// There is no way back from the output to the input.
    #[error("there is no way back from the output to the input")]
    NoInverse,
}
