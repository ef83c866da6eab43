//! What can go wrong between polars and tables.

use drivetrain_plan::{ApplyError, PlanError, SchemaError};
use polars::error::PolarsError;
use thiserror::Error;

/// A data frame that is not a table, or a table that is not a data frame.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A column has a type that tables do not have.
    #[error(
        "column `{column}` is {dtype}, which is neither boolean, integer, float, string nor categorical; cast it first"
    )]
    UnsupportedType {
        /// The column.
        column: String,
        /// Its polars type.
        dtype: String,
    },
    /// The column names do not form a schema.
    #[error("the data frame's columns do not form a schema")]
    Schema(#[from] SchemaError),
    /// A table does not hand out a column that its schema lists.
    #[error("the table has no column `{column}` although its schema lists it")]
    AbsentColumn {
        /// The column.
        column: String,
    },
    /// A plan cannot be applied to a lazy frame.
    #[error("the plan cannot be applied to the frame")]
    Apply(#[from] ApplyError),
    /// An operation of a plan cannot stand alone.
    #[error("an operation of the plan cannot run in a query")]
    Plan(#[from] PlanError),
    /// polars refused the columns.
    #[error("polars refused the columns")]
    Polars(#[from] PolarsError),
}
