//! How much memory a fit and a transform take, in a process of their own.

use std::{env, fs, hint::black_box, process::Command};

use crate::{by_hand::FEATURES, column_transformer, program, table::Lent};

/// The variable that tells a child process the number of rows of its table.
const ROWS: &str = "COLUMN_TRANSFORMER_PEAK_OF_ROWS";

/// What a child process measured, in bytes.
pub(crate) struct Peak {
    pub(crate) input: usize,
    pub(crate) output: usize,
    /// The most that the process had in memory at once, less what it had before it made its table.
    pub(crate) most: usize,
}

impl Peak {
    /// What the process took beside the table and the features, as a share of the two.
    pub(crate) fn overhead(&self) -> f64 {
        self.most as f64 / (self.input + self.output) as f64 - 1.0
    }
}

/// A figure of this process in bytes; `None` where the system does not tell.
fn status(name: &str) -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// In a child process: makes the table, fits, transforms, prints what that took. True when this is one.
pub(crate) fn serve(threads: usize) -> bool {
    let Some(n_rows) = env::var(ROWS).ok().and_then(|rows| rows.parse().ok()) else { return false };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let work = |table: &Lent| pool.install(|| program(&column_transformer(), table).apply(table).unwrap());
    // A small table brings the code into memory.
    black_box(work(&Lent::new(1000)));
    let before = status("VmRSS");
    let table = Lent::new(n_rows);
    black_box(work(&table));
    if let (Some(before), Some(peak)) = (before, status("VmHWM")) {
        println!("{} {}", table.bytes(), peak - before);
    }
    true
}

/// The memory that fitting and transforming a table of `n_rows` takes; `None` where the system does not tell.
pub(crate) fn peak(n_rows: usize) -> Option<Peak> {
    let child = Command::new(env::current_exe().ok()?).env(ROWS, n_rows.to_string()).output().ok()?;
    let printed = String::from_utf8(child.stdout).ok()?;
    let (input, peak) = printed.trim().split_once(' ')?;
    let output = n_rows * FEATURES * size_of::<f64>();
    Some(Peak { input: input.parse().ok()?, output, most: peak.parse().ok()? })
}
