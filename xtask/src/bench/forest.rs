//! The random forest.

use drivetrain_bench::Workload;
use drivetrain_bench::results::Results;
use drivetrain_runner::Interrupt;

use super::engines;
use super::run::About;
use super::turns::Plan;
use crate::cli::{ForestBenchArgs, ForestCell};
use crate::error::Error;

/// A third of the table's columns.
const A_THIRD: usize = 6;

const ABOUT: &str = "\
A random forest for regression is grown on a table of twelve continuous and eight gridded columns, and predicts up to 20,000
rows that it has not seen: all in one call, then single ones. The test error shows that all solve the same task; *size* is the
model in the engine's own form on disk. The rows of the tables are those that the forest is grown on.";

const NOTES: &[&str] = &[
    "biosphere and datarust have no form on disk. smartcore's and rafor's is bincode's, scikit-learn's is joblib's, and ours \
     the whole artifact with checksums and probe rows, compressed.",
    "smartcore and datarust use one thread; they, biosphere and the Python engines predict matrices only, so a single row \
     becomes one.",
    "rafor computes in float32.",
    "scikit-learn-intelex and LightGBM look at 256 and 255 bins per column instead of every value; LightGBM samples without \
     replacement and splits the best leaf first.",
];

pub(super) fn run(args: &ForestBenchArgs, interrupt: &Interrupt) -> Result<Results, Error> {
    let quick = args.turns.quick;
    let mut rows = if quick { vec![2_500, 5_000] } else { args.rows.clone() };
    rows.sort_unstable();
    let trees = if quick { 10 } else { args.trees.get() };
    let cells = args.cells().into_iter().flat_map(|cell| {
        let (max_depth, max_features) = shape(cell);
        rows.iter().map(move |rows| Workload::Forest { rows: *rows, trees, max_depth, max_features })
    });
    let plan = Plan {
        about: About { suite: "forest", title: "Random forest", text: ABOUT, notes: NOTES, check: Some("test RMSE") },
        tolerance: None,
        engines: engines::FOREST,
        workloads: cells.collect(),
        threads: args.threads.clone(),
    };
    plan.run(&args.turns, interrupt)
}

/// The depth and the number of features for each split, none for no limit.
const fn shape(cell: ForestCell) -> (Option<usize>, Option<usize>) {
    match cell {
        ForestCell::Full => (None, None),
        ForestCell::Depth10 => (Some(10), None),
        ForestCell::FullThird => (None, Some(A_THIRD)),
        ForestCell::Depth10Third => (Some(10), Some(A_THIRD)),
    }
}
