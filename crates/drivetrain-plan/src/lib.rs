//! A fitted pipeline as data.
//!
//! scikit-learn persists a fitted pipeline as code by name, so it loads only where the same classes are importable.
//! Here a fitted pipeline is a [`Plan`]: a program over named, typed columns in a small closed set of operations
//! ([`Op`]). It serialises, compares, prints and runs without the crate that fitted it.
//!
//! * [`Table`] is what a plan reads: anything that has a [`Schema`] and hands out [`Column`]s.
//!   [`ColumnTable`] is the owned implementation.
//! * [`Plan`] is validated when it is built and when it is deserialised; a `Plan` value always runs.
//! * [`Program`] is a plan made ready for repeated use, with names resolved and lookups prepared.
//! * [`Matrix`] is the result: `f64`, row-major, with feature names.
//!
//! Every operation computes each row from that row alone, so splitting a table into chunks, permuting its rows or
//! changing the number of threads never changes a bit of the result.
//!
//! ```
//! use drivetrain_plan::{Column, ColumnTable, DataType, Field, Op, Operand, Operator, PlanBuilder, Schema};
//!
//! let schema = Schema::new(vec![Field::new("model year", DataType::Int64)])?;
//! let mut builder = PlanBuilder::new(schema);
//! builder.push(Op::Arithmetic {
//!     operator: Operator::Subtract,
//!     left: Operand::Constant(82.0),
//!     right: Operand::Column("model year".into()),
//!     output: "age".into(),
//! });
//! builder.output("age", "age");
//! let plan = builder.build()?;
//!
//! let cars = ColumnTable::new(vec![("model year".into(), Column::from(vec![70_i64, 82]))])?;
//! let features = plan.apply(&cars)?;
//! assert_eq!(features.feature_names(), ["age"]);
//! assert_eq!(features.values().column(0).to_vec(), [12.0, 0.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod categories;
mod column;
mod display;
mod dtype;
mod error;
mod extension;
mod function;
mod matrix;
mod op;
mod plan;
mod program;
mod row_blocks;
mod schema;
mod table;
mod unknown;
mod wiring;

pub use builder::PlanBuilder;
pub use categories::{Categories, Value};
pub use column::{CategoricalColumn, Column, Int64Column, StringColumn};
pub use dtype::{CategoryType, DataType};
pub use error::{ApplyError, ColumnMismatch, PlanError, SchemaError, SchemaMismatch, TableError};
pub use extension::{ExtensionError, ExtensionKind, ExtensionOp, Registry};
pub use function::{Function, normal_quantile};
pub use matrix::Matrix;
pub use ndarray;
pub use op::{Norm, Op, Operand, Operator, UnknownCategory, UnknownValue};
pub use plan::{ExtraColumns, Output, Plan};
pub use program::Program;
pub use row_blocks::{RowBlock, RowBlocks};
pub use schema::{Field, Schema};
pub use table::{ColumnTable, SelectedTable, Table};
pub use unknown::{UnknownCategories, UnknownInColumn};
