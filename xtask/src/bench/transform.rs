//! The column transformer.

use drivetrain_bench::Workload;
use drivetrain_bench::results::Results;
use drivetrain_runner::Interrupt;

use super::engines;
use super::run::About;
use super::turns::Plan;
use crate::cli::TransformBenchArgs;
use crate::error::Error;

const ABOUT: &str = "\
A table of eight columns of numbers and two of four categories becomes sixteen features: numbers are scaled to mean 0 and
standard deviation 1, categories are one-hot encoded. In the second table one number in a hundred is missing and is imputed
by the mean of its column first. *By hand* is a loop over this one table, with its shape built in; *copying the output* is
what any engine has to do at least.";

const NOTES: &[&str] = &[
    "drivetrain and by hand take columns: floats, and category codes with a dictionary.",
    "featrs takes and gives a polars data frame, with missing numbers as null and categories as strings.",
    "smartcore has no column transformer and no imputer: its encoder goes over a row-major matrix with the codes in it, its \
     scaler over a column-major matrix of the numbers, and the scaled numbers are put into the encoder's result.",
    "datarust takes row-major matrices of numbers and of strings. Its column transformer cannot impute and scale the same \
     column, so with missing numbers a pipeline scales them and the column transformer only encodes.",
    "linfa has no encoder and no imputer: it scales the eight numbers only.",
    "scikit-learn takes a pandas data frame with category columns; in *scikit-learn, array* one float64 array that has the \
     codes in it.",
];

pub(super) fn run(args: &TransformBenchArgs, interrupt: &Interrupt) -> Result<Results, Error> {
    let mut rows = if args.turns.quick { vec![10_000, 100_000] } else { args.rows.clone() };
    rows.sort_unstable();
    let cell = |missing| rows.iter().map(move |rows| Workload::Transform { rows: *rows, missing }).collect::<Vec<_>>();
    let plan = Plan {
        about: About {
            suite: "transform",
            title: "Column transformer",
            text: ABOUT,
            notes: NOTES,
            check: Some("mean size"),
        },
        tolerance: Some(1e-9),
        engines: engines::TRANSFORM,
        workloads: [cell(false), cell(true)].concat(),
        threads: args.threads.clone(),
    };
    plan.run(&args.turns, interrupt)
}
