//! Models on disk.

use drivetrain_bench::Workload;
use drivetrain_bench::results::Results;
use drivetrain_runner::Interrupt;

use super::engines;
use super::run::About;
use super::turns::Plan;
use crate::cli::ArtifactBenchArgs;
use crate::error::Error;

const ABOUT: &str = "\
A fitted column transformer and a forest of full depth are written to a file and loaded. Ours is `model.tar.gz`: compressed,
with checksums, and with probe rows that are computed again at loading and compared bit for bit; it is whole on the disk before
the clock stops. joblib and bincode write what is in memory and check nothing; joblib's pickles load only where the same
versions of the same packages are.";

const NOTES: &[&str] = &["rafor has no transformers. scikit-learn's models are what joblib writes."];

pub(super) fn run(args: &ArtifactBenchArgs, interrupt: &Interrupt) -> Result<Results, Error> {
    let (rows, trees) = if args.turns.quick { (2_000, 10) } else { (args.rows.get(), args.trees.get()) };
    let plan = Plan {
        about: About {
            suite: "artifact",
            title: "Models on disk",
            text: ABOUT,
            notes: NOTES,
            check: Some("features or trees"),
        },
        tolerance: Some(0.0),
        engines: engines::ARTIFACT,
        workloads: vec![Workload::Artifact { rows, trees: 0 }, Workload::Artifact { rows, trees }],
        threads: vec![1],
    };
    plan.run(&args.turns, interrupt)
}
