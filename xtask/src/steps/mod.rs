//! The steps, and the commands made of them.

mod acquire;
mod evaluate;
mod predict;
mod process;
mod train;

use std::time::{Instant, SystemTime};

use drivetrain_runner::store::Store;
use drivetrain_runner::{Interrupt, JobName, Program, RunnerError};

pub(crate) use predict::{Models, Prediction, Predictions};
pub(crate) use train::{METRICS, PARTS};

use crate::bench;
use crate::binaries::Binary;
use crate::cli::{
    AcquireArgs, BuildArgs, Command, DataArgs, EvaluateArgs, ForestArgs, PipelineArgs, PredictArgs, ProcessArgs,
    RunArgs, RunName, TrainArgs,
};
use crate::error::Error;
use crate::experiments::{self, Reproduction};
use crate::parity;
use crate::progress::Progress;
use crate::report;
use crate::session::{self, Session};
use crate::tracking;

/// The built job binaries.
#[derive(Debug)]
pub(crate) struct Programs {
    jobs: Program,
    serve: Program,
}

impl Programs {
    pub(crate) fn build(args: &BuildArgs) -> Result<Self, Error> {
        Ok(Self { jobs: Binary::Jobs.build(args)?, serve: Binary::Serve.build(args)? })
    }
}

/// Does what the command line asks for.
pub(crate) fn run(command: &Command, interrupt: &Interrupt) -> Result<(), Error> {
    let store = |args| session::open_store(args);
    let text = match command {
        Command::Pipeline(args) => pipeline(args, &store(&args.store)?, interrupt),
        Command::Acquire(args) => acquire(args, &store(&args.store)?, interrupt),
        Command::Process(args) => process(args, &store(&args.store)?, interrupt),
        Command::Train(args) => train(args, &store(&args.store)?, interrupt),
        Command::Predict(args) => predict(args, &store(&args.store)?, interrupt),
        Command::Evaluate(args) => evaluate(args, &store(&args.store)?, interrupt),
        Command::Experiments(args) => experiments::run(args),
        Command::Bench(args) => bench::run(args, interrupt),
        Command::Parity(args) => parity::run(args),
    }?;
    report::print(&text)
}

fn pipeline(args: &PipelineArgs, store: &Store, interrupt: &Interrupt) -> Result<String, Error> {
    let run = run_name(&args.run)?;
    let reproduction = args.reproduce.as_ref().map(|of| Reproduction::of(store, of.job(), &run)).transpose()?;
    let (data, forest, seed) = match &reproduction {
        Some(reproduction) => (&reproduction.data, &reproduction.forest, reproduction.seed),
        None => (&args.data, &args.forest, args.seed.seed),
    };
    acquire::check(&data.data)?;
    let programs = Programs::build(&args.build)?;
    if interrupt.is_requested() {
        return Err(RunnerError::Interrupted { job: run.to_string() }.into());
    }
    let platform = session::platform(store, interrupt)?;
    let _lock = session::lock(store, interrupt)?;
    let started = Instant::now();
    let mut session = Session::begin(&platform, &run, Progress::new());
    let predictions = all(&mut session, &programs, data, forest, seed)?;
    let elapsed = started.elapsed();
    tracking::publish(&mut session, "pipeline")?;
    let text = report::pipeline(&session, &predictions, elapsed)?;
    match reproduction {
        Some(reproduction) => Ok(format!("{text}{}", reproduction.check(&session.record)?)),
        None => Ok(text),
    }
}

/// The four steps in order.
pub(crate) fn all(
    session: &mut Session<'_>,
    programs: &Programs,
    data: &DataArgs,
    forest: &ForestArgs,
    seed: u64,
) -> Result<Predictions, Error> {
    acquire::run(session, &programs.jobs, data, seed)?;
    process::run(session, &programs.jobs)?;
    train::run(session, &programs.jobs, forest, seed)?;
    predict::run(session, &programs.serve)
}

fn acquire(args: &AcquireArgs, store: &Store, interrupt: &Interrupt) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    acquire::check(&args.data.data)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?)?;
    let job = acquire::run(&mut session, &program, &args.data, args.seed.seed)?;
    report::job(&session, &job)
}

fn process(args: &ProcessArgs, store: &Store, interrupt: &Interrupt) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?)?;
    let job = process::run(&mut session, &program)?;
    report::job(&session, &job)
}

fn train(args: &TrainArgs, store: &Store, interrupt: &Interrupt) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?)?;
    let training = train::run(&mut session, &program, &args.forest, args.seed.seed)?;
    tracking::publish(&mut session, "train")?;
    report::training(&session, &training)
}

fn evaluate(args: &EvaluateArgs, store: &Store, interrupt: &Interrupt) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    acquire::check(&args.data)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?)?;
    let (evaluation, stored) = evaluate::run(&mut session, &program, args)?;
    tracking::publish(&mut session, "evaluate")?;
    Ok(report::evaluation(&session, &evaluation, &stored))
}

fn predict(args: &PredictArgs, store: &Store, interrupt: &Interrupt) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    let run = match &args.run_name {
        Some(name) => name.job().clone(),
        None => predict::newest_run(store)?,
    };
    let program = Binary::Serve.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run)?;
    let predictions = predict::run(&mut session, &program)?;
    report::predictions(&session, &predictions)
}

fn run_name(args: &RunArgs) -> Result<JobName, Error> {
    match &args.run_name {
        Some(name) => Ok(name.job().clone()),
        None => Ok(RunName::by_clock(SystemTime::now())?.job().clone()),
    }
}
