//! The steps, and the commands made of them.

mod acquire;
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
    AcquireArgs, BuildArgs, Command, DEFAULT_SEED, DataArgs, ForestArgs, PipelineArgs, PredictArgs, ProcessArgs,
    RunArgs, RunName, TrainArgs,
};
use crate::clients;
use crate::error::Error;
use crate::image;
use crate::parity;
use crate::progress::Progress;
use crate::report;
use crate::session::{self, Session};

/// One run of the pipeline with its defaults, for measuring it or for comparing with it.
pub(crate) fn defaults(
    store: &Store,
    run: &str,
    programs: &Programs,
    interrupt: &Interrupt,
) -> Result<Predictions, Error> {
    let platform = session::platform(store, interrupt)?;
    let mut session = Session::begin(&platform, &JobName::new(run)?, Progress::silent());
    all(&mut session, programs, &DataArgs::default(), &ForestArgs::default(), DEFAULT_SEED)
}

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

    /// The one that runs every job.
    pub(crate) const fn jobs(&self) -> &Program {
        &self.jobs
    }
}

/// Does what the command line asks for.
pub(crate) fn run(command: &Command, interrupt: &Interrupt) -> Result<(), Error> {
    let progress = Progress::new();
    let store = |args| session::open_store(args, interrupt, &progress);
    let text = match command {
        Command::Pipeline(args) => pipeline(args, &store(&args.store)?, interrupt, &progress),
        Command::Acquire(args) => acquire(args, &store(&args.store)?, interrupt, &progress),
        Command::Process(args) => process(args, &store(&args.store)?, interrupt, &progress),
        Command::Train(args) => train(args, &store(&args.store)?, interrupt, &progress),
        Command::Predict(args) => predict(args, &store(&args.store)?, interrupt, &progress),
        Command::Bench(args) => bench::run(args, interrupt),
        Command::Parity(args) => parity::run(args),
        Command::Image(args) => image::run(args),
        Command::Clients(args) => clients::run(args, interrupt),
    }?;
    report::print(&text)
}

fn pipeline(args: &PipelineArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let run = run_name(&args.run)?;
    acquire::check(&args.data.data)?;
    let programs = Programs::build(&args.build)?;
    if interrupt.is_requested() {
        return Err(RunnerError::Interrupted { job: run.to_string() }.into());
    }
    let platform = session::platform(store, interrupt)?;
    let _lock = session::lock(store, interrupt)?;
    let started = Instant::now();
    let mut session = Session::begin(&platform, &run, progress.clone());
    let predictions = all(&mut session, &programs, &args.data, &args.forest, args.seed.seed)?;
    report::pipeline(&session, &predictions, started.elapsed())
}

/// The four steps in order.
fn all(
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

fn acquire(args: &AcquireArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    acquire::check(&args.data.data)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?, progress)?;
    let job = acquire::run(&mut session, &program, &args.data, args.seed.seed)?;
    report::job(&session, &job)
}

fn process(args: &ProcessArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?, progress)?;
    let job = process::run(&mut session, &program)?;
    report::job(&session, &job)
}

fn train(args: &TrainArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?, progress)?;
    let training = train::run(&mut session, &program, &args.forest, args.seed.seed)?;
    report::training(&session, &training)
}

fn predict(args: &PredictArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    let run = match &args.run_name {
        Some(name) => name.job().clone(),
        None => predict::newest_run(store)?,
    };
    let program = Binary::Serve.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run, progress)?;
    let predictions = predict::run(&mut session, &program)?;
    report::predictions(&session, &predictions)
}

fn run_name(args: &RunArgs) -> Result<JobName, Error> {
    match &args.run_name {
        Some(name) => Ok(name.job().clone()),
        None => Ok(RunName::by_clock(SystemTime::now())?.job().clone()),
    }
}
