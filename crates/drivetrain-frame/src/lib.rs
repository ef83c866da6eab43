//! The bridge between polars data frames and Drivetrain tables.
//!
//! [`FrameTable`] makes a [`DataFrame`](polars::frame::DataFrame) readable by every estimator and plan;
//! [`to_data_frame`] and [`matrix_to_data_frame`] go the other way. With the feature `lazy` the module `lazy` makes plans
//! part of polars queries, and fits on queries, also where the data is larger than memory. This is the only crate of the
//! workspace whose API names polars, so it re-exports the version it is built with.
//!
//! ```
//! use drivetrain_frame::{FrameTable, polars::prelude::*};
//! use drivetrain_plan::Plan;
//! # use drivetrain_plan::Table;
//!
//! let frame = df!["weight" => [3504.0, 3693.0], "origin" => [1_i64, 1]]?;
//! let table = FrameTable::new(&frame)?;
//! let plan = Plan::identity(table.schema().clone())?;
//! assert_eq!(plan.apply(&table)?.values().row(1).to_vec(), [3693.0, 1.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod export;
#[cfg(feature = "lazy")]
pub mod lazy;
mod table;

pub use error::FrameError;
pub use export::{matrix_to_data_frame, to_data_frame};
pub use polars;
pub use table::FrameTable;
