//! The steps, and the commands made of them.

mod acquire;
mod evaluate;
mod predict;
mod process;
mod report;
mod train;

use std::time::{Instant, SystemTime};

use drivetrain_runner::store::Store;
use drivetrain_runner::{Interrupt, JobName, Program, RunnerError};

pub(crate) use predict::{Models, Prediction, Predictions};
pub(crate) use train::{METRICS, PARTS};

use crate::bench;
use crate::binaries::Binary;
use crate::cli::{
    AcquireArgs, BuildArgs, Command, CompareArgs, DEFAULT_SEED, DataArgs, EvaluateArgs, ForestArgs, HostsArgs,
    PipelineArgs, PredictArgs, ProcessArgs, ReportArgs, ReportCommand, RunArgs, RunName, StoreArgs, TrainArgs,
};
use crate::clients;
use crate::error::Error;
use crate::experiments::{self, Reproduction};
use crate::image;
use crate::parity;
use crate::progress::Progress;
use crate::report as summary;
use crate::session::{self, Session};
use crate::tracking;

/// One run of the pipeline with its defaults, for measuring it or for comparing with it.
pub(crate) fn defaults(
    store: &Store,
    run: &str,
    programs: &Programs,
    interrupt: &Interrupt,
) -> Result<Predictions, Error> {
    let platform = session::platform(store, interrupt)?;
    let mut session = Session::begin(&platform, &JobName::new(run)?, Progress::silent());
    all(&mut session, programs, &DataArgs::default(), (&ForestArgs::default(), HostsArgs::default()), DEFAULT_SEED)
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
    let store = |args: &StoreArgs| session::open_store(args, interrupt, &progress);
    let text = match command {
        Command::Pipeline(args) => pipeline(args, &store(&args.store)?, interrupt, &progress),
        Command::Acquire(args) => acquire(args, &store(&args.store)?, interrupt, &progress),
        Command::Process(args) => process(args, &store(&args.store)?, interrupt, &progress),
        Command::Train(args) => train(args, &store(&args.store)?, interrupt, &progress),
        Command::Predict(args) => predict(args, &store(&args.store)?, interrupt, &progress),
        Command::Report(args) => match &args.compare {
            Some(ReportCommand::Compare(args)) => compare(args, &store(&args.store)?, interrupt, &progress),
            None => report(args, &store(&args.store)?, interrupt, &progress),
        },
        Command::Evaluate(args) => evaluate(args, &store(&args.store)?, interrupt, &progress),
        Command::Experiments(args) => experiments::run(args, store),
        Command::Bench(args) => bench::run(args, interrupt),
        Command::Parity(args) => parity::run(args),
        Command::Image(args) => image::run(args),
        Command::Clients(args) => clients::run(args, interrupt),
    }?;
    summary::print(&text)
}

fn pipeline(args: &PipelineArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
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
    let mut session = Session::begin(&platform, &run, progress.clone());
    let predictions = all(&mut session, &programs, data, (forest, args.hosts), seed)?;
    let page = report::run(&mut session, &programs.jobs);
    let elapsed = started.elapsed();
    tracking::publish(&mut session, "pipeline")?;
    let text = summary::pipeline(&session, &predictions, page.as_ref().ok(), elapsed)?;
    // Models and predictions are there, with a page or without one.
    if let Err(error) = page {
        summary::print(&text)?;
        return Err(error);
    }
    match reproduction {
        Some(reproduction) => Ok(format!("{text}{}", reproduction.check(&session.record)?)),
        None => Ok(text),
    }
}

/// From the raw file to the predictions, in order.
fn all(
    session: &mut Session<'_>,
    programs: &Programs,
    data: &DataArgs,
    (forest, hosts): (&ForestArgs, HostsArgs),
    seed: u64,
) -> Result<Predictions, Error> {
    acquire::run(session, &programs.jobs, data, seed)?;
    process::run(session, &programs.jobs)?;
    train::run(session, &programs.jobs, forest, hosts, seed)?;
    predict::run(session, &programs.serve)
}

fn acquire(args: &AcquireArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    acquire::check(&args.data.data)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?, progress)?;
    let job = acquire::run(&mut session, &program, &args.data, args.seed.seed)?;
    summary::job(&session, &job)
}

fn process(args: &ProcessArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?, progress)?;
    let job = process::run(&mut session, &program)?;
    summary::job(&session, &job)
}

fn train(args: &TrainArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?, progress)?;
    let training = train::run(&mut session, &program, &args.forest, args.hosts, args.seed.seed)?;
    tracking::publish(&mut session, "train")?;
    summary::training(&session, &training)
}

fn evaluate(args: &EvaluateArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    acquire::check(&args.data)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run_name(&args.run)?, progress)?;
    let (evaluation, stored) = evaluate::run(&mut session, &program, args)?;
    tracking::publish(&mut session, "evaluate")?;
    Ok(summary::evaluation(&session, &evaluation, &stored))
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
    summary::predictions(&session, &predictions)
}

fn report(args: &ReportArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    let run = match &args.run_name {
        Some(name) => name.job().clone(),
        None => predict::newest_run(store)?,
    };
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let mut session = Session::resume(&platform, &run, progress)?;
    let page = report::run(&mut session, &program)?;
    Ok(summary::page(&session, &page))
}

fn compare(args: &CompareArgs, store: &Store, interrupt: &Interrupt, progress: &Progress) -> Result<String, Error> {
    let platform = session::platform(store, interrupt)?;
    let program = Binary::Jobs.build(&args.build)?;
    let _lock = session::lock(store, interrupt)?;
    let name = RunName::by_clock(SystemTime::now())?.job().with_suffix("compare")?;
    let mut session = Session::begin(&platform, &name, progress.clone());
    let page = report::compare(&mut session, &program, args.first.job(), args.second.job())?;
    Ok(summary::page(&session, &page))
}

fn run_name(args: &RunArgs) -> Result<JobName, Error> {
    match &args.run_name {
        Some(name) => Ok(name.job().clone()),
        None => Ok(RunName::by_clock(SystemTime::now())?.job().clone()),
    }
}
