//! The steps, and the commands made of them.

mod acquire;
mod predict;
mod process;
mod train;

use std::time::Instant;

use drivetrain_runner::job::Platform;
use drivetrain_runner::{Interrupt, JobName, RunnerError, Timestamp};

pub(crate) use predict::{Prediction, Predictions};
pub(crate) use train::{METRICS, PARTS};

use crate::binaries::Binary;
use crate::cli::{AcquireArgs, Command, PipelineArgs, PredictArgs, ProcessArgs, RunArgs, RunName, TrainArgs};
use crate::error::Error;
use crate::report;
use crate::session::{self, Session};

/// Does what the command line asks for.
pub(crate) fn run(command: &Command, interrupt: &Interrupt) -> Result<(), Error> {
    let store = session::open_store(match command {
        Command::Pipeline(args) => &args.store,
        Command::Acquire(args) => &args.store,
        Command::Process(args) => &args.store,
        Command::Train(args) => &args.store,
        Command::Predict(args) => &args.store,
    })?;
    let platform = session::platform(&store, interrupt)?;
    let text = match command {
        Command::Pipeline(args) => pipeline(args, &platform, interrupt),
        Command::Acquire(args) => acquire(args, &platform),
        Command::Process(args) => process(args, &platform),
        Command::Train(args) => train(args, &platform),
        Command::Predict(args) => predict(args, &platform),
    }?;
    report::print(&text)
}

fn pipeline(args: &PipelineArgs, platform: &Platform<'_>, interrupt: &Interrupt) -> Result<String, Error> {
    let run = run_name(&args.run)?;
    acquire::check(&args.data.data)?;
    let jobs = Binary::Jobs.build(&args.build)?;
    let serve = Binary::Serve.build(&args.build)?;
    if interrupt.is_requested() {
        return Err(RunnerError::Interrupted { job: run.to_string() }.into());
    }
    let started = Instant::now();
    let mut session = Session::begin(platform, &run);
    acquire::run(&mut session, &jobs, &args.data, args.seed.seed)?;
    process::run(&mut session, &jobs)?;
    train::run(&mut session, &jobs, &args.forest, args.seed.seed)?;
    let predictions = predict::run(&mut session, &serve)?;
    report::pipeline(&session, &predictions, started.elapsed())
}

fn acquire(args: &AcquireArgs, platform: &Platform<'_>) -> Result<String, Error> {
    acquire::check(&args.data.data)?;
    let program = Binary::Jobs.build(&args.build)?;
    let mut session = Session::resume(platform, &run_name(&args.run)?)?;
    let job = acquire::run(&mut session, &program, &args.data, args.seed.seed)?;
    report::job(&session, &job)
}

fn process(args: &ProcessArgs, platform: &Platform<'_>) -> Result<String, Error> {
    let program = Binary::Jobs.build(&args.build)?;
    let mut session = Session::resume(platform, &run_name(&args.run)?)?;
    let job = process::run(&mut session, &program)?;
    report::job(&session, &job)
}

fn train(args: &TrainArgs, platform: &Platform<'_>) -> Result<String, Error> {
    let program = Binary::Jobs.build(&args.build)?;
    let mut session = Session::resume(platform, &run_name(&args.run)?)?;
    let training = train::run(&mut session, &program, &args.forest, args.seed.seed)?;
    report::training(&session, &training)
}

fn predict(args: &PredictArgs, platform: &Platform<'_>) -> Result<String, Error> {
    let run = match &args.run_name {
        Some(name) => name.job().clone(),
        None => predict::newest_run(platform.store())?,
    };
    let program = Binary::Serve.build(&args.build)?;
    let mut session = Session::resume(platform, &run)?;
    let predictions = predict::run(&mut session, &program)?;
    report::predictions(&session, &predictions)
}

fn run_name(args: &RunArgs) -> Result<JobName, Error> {
    match &args.run_name {
        Some(name) => Ok(name.job().clone()),
        None => Ok(RunName::by_clock(Timestamp::now())?.job().clone()),
    }
}
