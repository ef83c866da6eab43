//! What a run found, as one web page that a person looks at.
//!
//! [`Report`] is plain data, JSON as it stands; [`Report::to_html`] draws it: one file with everything in it, for light and
//! dark screens, wide and narrow ones, and for readers that cannot see: every chart has a description and its numbers
//! in a table. [`compare`] draws two runs beside each other.
//!
//! ```
//! use drivetrain_report::{Model, Report, Score};
//!
//! let score = Score { name: "rmse".into(), value: 2.6, interval: Some((2.1, 3.2)) };
//! let report = Report {
//!     title: "Fuel consumption".into(),
//!     run: "first".into(),
//!     models: vec![Model { name: "random forest".into(), scores: vec![score] }],
//!     ..Report::default()
//! };
//! let page = report.to_html()?;
//! assert!(page.starts_with("<!DOCTYPE html>") && page.contains("random forest"));
//! # Ok::<(), drivetrain_report::ReportError>(())
//! ```

mod chart;
mod compare;
mod error;
mod page;
mod report;

pub use compare::compare;
pub use error::ReportError;
pub use report::{
    Artifact, Calibration, ColumnProfile, Data, Dependence, Importance, Level, Model, Prediction, Previous, Report,
    Score, Step,
};
