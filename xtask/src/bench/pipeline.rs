//! The whole pipeline beside a Python script of the same steps.

use drivetrain_bench::Reading;
use drivetrain_bench::results::Results;
use drivetrain_runner::Interrupt;
use drivetrain_runner::store::Store;

use super::programs::{Outcome, Plan};
use super::run::About;
use crate::cli::ProgramBenchArgs;
use crate::error::Error;
use crate::steps::{self, Programs};

const ABOUT: &str = "\
The Auto MPG data from the raw file to predictions of the test rows: parse, split, fit and apply the preprocessing, grow a
forest of 100 trees, save both models, load them and predict. Ours is what `cargo xtask pipeline` does once it is built, without
the report: three jobs and two servers, each a process of its own. Theirs is one process that does the same steps and imports its libraries once.";

pub(super) fn run(args: &ProgramBenchArgs, interrupt: &Interrupt) -> Result<Results, Error> {
    let programs = Programs::build(&args.build)?;
    let plan = Plan {
        about: About { suite: "pipeline", title: "The whole pipeline", text: ABOUT, notes: &[], check: None },
        cell: "Auto MPG".to_owned(),
        script: "benches/pipeline/reference.py",
        flags: Vec::new(),
    };
    let ours = |store: &Store| {
        let predictions = steps::defaults(store, "bench", &programs, interrupt)?;
        let ready = predictions.containers.iter().map(|container| container.start_up.as_secs_f64());
        let readings = ready.map(|seconds| Reading::new("a server answers /ping", seconds)).collect();
        Ok(Outcome { check: None, readings })
    };
    plan.run(&args.turns, interrupt, ours, |_| None)
}
