//! The laws every estimator keeps, as property tests that anyone runs on their own.
//!
//! scikit-learn states what an estimator must do in its `check_estimator`; here are those laws that hold for any
//! estimator, checked on random tables. A failure names the law, says what happened, and shows the smallest tables
//! that were found to break it.
//!
//! ```
//! use drivetrain_conformance::check_estimator;
//! use drivetrain_plan::{DataType, Field, Schema};
//! use drivetrain_transform::StandardScaler;
//!
//! let schema = Schema::new(vec![Field::new("height", DataType::Float64), Field::new("count", DataType::Int64)])?;
//! check_estimator(&StandardScaler::new(), &schema)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Conformance`] sets which laws are checked, the number of cases and what the tables look like; [`Law::check`] checks one
//! law on two given tables; [`tables`] and [`plans`] are the strategies to use in property tests of one's own.

mod check;
mod conformance;
mod law;
mod observed;
mod plans;
mod show;
mod strategy;

pub use conformance::{Conformance, LawBroken, check_estimator};
pub use drivetrain_plan;
pub use drivetrain_transform;
pub use law::Law;
pub use plans::plans;
pub use proptest;
pub use show::show;
pub use strategy::{TableOptions, tables};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
