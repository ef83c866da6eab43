//! What a process is asked to do.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Cell;

/// What one process does: it gets this as JSON, the only argument, and prints its readings.
///
/// ```
/// use drivetrain_bench::{Task, Workload};
///
/// let json = r#"{"engine":"rafor","threads":1,"folder":"data",
///     "workload":{"suite":"forest","rows":20000,"trees":20,"max_depth":10,"max_features":null}}"#;
/// let task: Task = serde_json::from_str(json)?;
/// assert_eq!(task.workload.cell(1).name, "depth 10, all features, 20 trees");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Who does the work.
    pub engine: String,
    /// How many threads it may use.
    pub threads: usize,
    /// Where the input data is.
    pub folder: PathBuf,
    /// The work.
    pub workload: Workload,
}

/// A piece of work that several engines can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "suite", rename_all = "snake_case")]
pub enum Workload {
    /// Scale eight numbers and one-hot encode two columns of four categories: sixteen features.
    Transform {
        /// Rows of the table.
        rows: usize,
        /// Whether one number in a hundred is missing, and is imputed by the mean first.
        missing: bool,
    },
    /// Grow a random forest on twenty columns and predict with it.
    Forest {
        /// Rows of the training table.
        rows: usize,
        /// Trees of the forest.
        trees: usize,
        /// The most splits between root and leaf; none for no limit.
        max_depth: Option<usize>,
        /// Columns looked at for each split; none for all.
        max_features: Option<usize>,
    },
    /// Write a fitted model to a file and load it.
    Artifact {
        /// Rows that the model is fitted on.
        rows: usize,
        /// Trees of the forest; without any the model is the fitted column transformer alone.
        trees: usize,
    },
}

impl Workload {
    /// The name of the suite that it belongs to.
    #[must_use]
    pub const fn suite(&self) -> &'static str {
        match self {
            Self::Transform { .. } => "transform",
            Self::Forest { .. } => "forest",
            Self::Artifact { .. } => "artifact",
        }
    }

    /// Rows of the table that it works on.
    #[must_use]
    pub const fn rows(&self) -> usize {
        match *self {
            Self::Transform { rows, .. } | Self::Forest { rows, .. } | Self::Artifact { rows, .. } => rows,
        }
    }

    /// Where its readings stand in a table.
    #[must_use]
    pub fn cell(&self, threads: usize) -> Cell {
        Cell { name: self.to_string(), rows: Some(self.rows()), threads }
    }
}

/// What is done, without the number of rows.
impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Transform { missing: false, .. } => f.write_str("scale, one-hot"),
            Self::Transform { missing: true, .. } => f.write_str("impute, scale, one-hot"),
            Self::Forest { trees, max_depth, max_features, .. } => {
                match max_depth {
                    Some(depth) => write!(f, "depth {depth}, ")?,
                    None => f.write_str("full depth, ")?,
                }
                match max_features {
                    Some(count) => write!(f, "{count} features a split, ")?,
                    None => f.write_str("all features, ")?,
                }
                write!(f, "{trees} trees")
            }
            Self::Artifact { trees: 0, .. } => f.write_str("column transformer"),
            Self::Artifact { trees, .. } => write!(f, "forest of {trees} trees"),
        }
    }
}
