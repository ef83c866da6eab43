//! Benchmarks: ours and the peers, in turns, in one run.
//!
//! Each suite gives [`Results`](drivetrain_bench::results::Results); what is done with them, [`output`] does for all.

mod artifact;
mod engines;
mod evaluate;
mod forest;
mod output;
mod peers;
mod pipeline;
mod programs;
mod run;
mod serve;
mod transform;
mod turns;
mod versions;

use drivetrain_runner::Interrupt;

use crate::cli::{
    ArtifactBenchArgs, BenchArgs, ForestBenchArgs, ProgramBenchArgs, ServeBenchArgs, Suite, TransformBenchArgs,
};
use crate::error::Error;

/// The name of ours among the engines.
const OURS: &str = "drivetrain";

/// Runs a benchmark, keeps its measurements and writes the page; the text is its tables.
pub(crate) fn run(args: &BenchArgs, interrupt: &Interrupt) -> Result<String, Error> {
    match &args.suite {
        Suite::Pipeline(args) => output::keep(&pipeline::run(args, interrupt)?, &args.turns),
        Suite::Evaluate(args) => output::keep(&evaluate::run(args, interrupt)?, &args.turns),
        Suite::Transform(args) => output::keep(&transform::run(args, interrupt)?, &args.turns),
        Suite::Forest(args) => output::keep_some(&forest::run(args, interrupt)?, &args.turns, !args.has_all_cells()),
        Suite::Artifact(args) => output::keep(&artifact::run(args, interrupt)?, &args.turns),
        Suite::Serve(args) => output::keep(&serve::run(args, interrupt)?, &args.turns),
        Suite::All(args) => all(args, interrupt),
        Suite::Report(args) => output::page(args.out.as_deref()),
    }
}

fn all(args: &ProgramBenchArgs, interrupt: &Interrupt) -> Result<String, Error> {
    let turns = || args.turns.clone();
    let suites = [
        Suite::Pipeline(args.clone()),
        Suite::Evaluate(args.clone()),
        Suite::Transform(TransformBenchArgs::with_turns(turns())),
        Suite::Forest(ForestBenchArgs::with_turns(turns())),
        Suite::Artifact(ArtifactBenchArgs::with_turns(turns())),
        Suite::Serve(ServeBenchArgs::with_turns(turns(), args.build.clone())),
    ];
    suites.into_iter().map(|suite| run(&BenchArgs { suite }, interrupt)).collect()
}
