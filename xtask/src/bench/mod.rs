//! Benchmarks: ours and the peers, in turns, in one run.

mod pipeline;
mod sample;
mod serve;

use drivetrain_runner::Interrupt;

use crate::cli::{BenchArgs, Suite};
use crate::error::Error;

/// Runs a benchmark; the text is its result.
pub(crate) fn run(args: &BenchArgs, interrupt: &Interrupt) -> Result<String, Error> {
    match &args.suite {
        Suite::Pipeline(args) => pipeline::run(args, interrupt),
        Suite::Serve(args) => serve::run(args, interrupt),
    }
}
