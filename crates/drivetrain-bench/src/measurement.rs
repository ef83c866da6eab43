//! What was measured, and under which circumstances.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Machine;

/// What a process measured of one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What was done, such as `fit`.
    pub op: String,
    /// Wall time of doing it once; the median where it was done several times.
    pub seconds: f64,
    /// How often it was done.
    pub repeats: usize,
    /// Time of all threads on a processor for doing it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// How many a second, where it is that which is shown and compared; `seconds` is then what one of them took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_second: Option<f64>,
    /// The most memory that the process held beyond what it held when it began, its input included in that; of processes
    /// that were started for it, all that they held together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_bytes: Option<u64>,
    /// How often in a second of it the system took the processor away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preempted_per_second: Option<f64>,
    /// The size of what came out, such as a model on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// A number that says whether the result is right; the suite says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<f64>,
}

impl Reading {
    /// Nothing but how many a second.
    #[must_use]
    pub fn rate(op: &str, per_second: f64) -> Self {
        Self { per_second: Some(per_second), ..Self::new(op, per_second.recip()) }
    }

    /// Nothing but a wall time.
    #[must_use]
    pub fn new(op: &str, seconds: f64) -> Self {
        Self {
            op: op.to_owned(),
            seconds,
            repeats: 1,
            cpu_seconds: None,
            per_second: None,
            added_bytes: None,
            preempted_per_second: None,
            size_bytes: None,
            check: None,
        }
    }
}

/// What the same for all engines: measurements are compared within a cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// What is done.
    pub name: String,
    /// How many rows it is done to, where that varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
    /// How many threads may do it.
    pub threads: usize,
}

/// One reading of one engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Where it stands in a table.
    #[serde(flatten)]
    pub cell: Cell,
    /// Who did it.
    pub engine: String,
    /// In which turn, from 1.
    pub round: usize,
    /// What was measured.
    #[serde(flatten)]
    pub reading: Reading,
}

/// What stands before the measurements of a suite: everything that a reader needs to judge them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Short name of the suite, such as `forest`.
    pub suite: String,
    /// Its title.
    pub title: String,
    /// What is measured, in Markdown.
    pub about: String,
    /// What readers should know of single engines, such as what one cannot do.
    pub notes: Vec<String>,
    /// What the numbers called `check` are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The engine that the others are compared with.
    pub ours: String,
    /// The command that measures it again.
    pub command: String,
    /// When, in UTC.
    pub date: String,
    /// On what.
    pub machine: Machine,
    /// Names and versions of what took part.
    pub versions: BTreeMap<String, String>,
    /// Processes that wanted a processor when it began (the load average of the last minute), our own not included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_before: Option<f64>,
}
