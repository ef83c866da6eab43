//! The steps, and the commands made of them.

mod acquire;
mod evaluate;
mod predict;
mod process;
mod report;
mod train;

use std::time::{Instant, SystemTime};

use drivetrain_evaluate::Evaluation;
use drivetrain_runner::store::Store;
use drivetrain_runner::{Interrupt, JobName, Program, RunnerError};

pub(crate) use evaluate::PREFIX as EVALUATION_PREFIX;
pub(crate) use predict::{Models, Prediction, Predictions};
pub(crate) use train::{METRICS, PARTS};

use crate::bench;
use crate::binaries::Binary;
use crate::cli::{
    AcquireArgs, BuildArgs, Command, CompareArgs, DEFAULT_SEED, DataArgs, EvaluateArgs, EvaluationArgs, ForestArgs,
    HostsArgs, JobArgs, PipelineArgs, PredictArgs, ReportArgs, ReportCommand, RunName, StoreArgs, TrainArgs,
};
use crate::clients;
use crate::error::Error;
use crate::experiments;
use crate::image;
use crate::parity;
use crate::progress::Progress;
use crate::report as summary;
use crate::reproduction::Original;
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

/// One evaluation, for measuring it.
pub(crate) fn evaluation(
    store: &Store,
    run: &str,
    program: &Program,
    args: &EvaluationArgs,
    interrupt: &Interrupt,
) -> Result<Evaluation, Error> {
    let platform = session::platform(store, interrupt)?;
    let mut session = Session::begin(&platform, &JobName::new(run)?, Progress::silent());
    Ok(evaluate::run(&mut session, program, args, DEFAULT_SEED)?.0)
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

/// What every command works in.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    store: &'a Store,
    interrupt: &'a Interrupt,
    progress: &'a Progress,
}

impl Place<'_> {
    /// Builds a program and does something with it for a run, continuing its record, while nobody else works in the store.
    fn resume(
        self,
        run: &JobName,
        (binary, build): (Binary, &BuildArgs),
        work: impl FnOnce(&mut Session<'_>, &Program) -> Result<String, Error>,
    ) -> Result<String, Error> {
        let platform = session::platform(self.store, self.interrupt)?;
        let program = binary.build(build)?;
        let _lock = session::lock(self.store, self.interrupt)?;
        work(&mut Session::resume(&platform, run, self.progress)?, &program)
    }

    /// The run of that name, or else the one trained last.
    fn trained_run(self, name: Option<&RunName>) -> Result<JobName, Error> {
        name.map_or_else(|| predict::newest_run(self.store), |name| Ok(name.job().clone()))
    }
}

/// Does what the command line asks for.
pub(crate) fn run(command: &Command, interrupt: &Interrupt) -> Result<(), Error> {
    let progress = Progress::new();
    let open = |args: &StoreArgs| session::open_store(args, interrupt, &progress);
    let within = |args: &StoreArgs, work: &dyn Fn(Place<'_>) -> Result<String, Error>| {
        work(Place { store: &open(args)?, interrupt, progress: &progress })
    };
    let text = match command {
        Command::Pipeline(args) => within(&args.job.store, &|place| pipeline(args, place)),
        Command::Acquire(args) => within(&args.job.store, &|place| acquire(args, place)),
        Command::Process(args) => within(&args.store, &|place| process(args, place)),
        Command::Train(args) => within(&args.job.store, &|place| train(args, place)),
        Command::Predict(args) => within(&args.store, &|place| predict(args, place)),
        Command::Report(args) => match &args.compare {
            Some(ReportCommand::Compare(args)) => within(&args.store, &|place| compare(args, place)),
            None => within(&args.store, &|place| report(args, place)),
        },
        Command::Evaluate(args) => within(&args.job.store, &|place| evaluate(args, place)),
        Command::Experiments(args) => experiments::run(args, open),
        Command::Bench(args) => bench::run(args, interrupt),
        Command::Parity(args) => parity::run(args),
        Command::Image(args) => image::run(args),
        Command::Clients(args) => clients::run(args, interrupt),
    }?;
    summary::print(&text)
}

fn pipeline(args: &PipelineArgs, place: Place<'_>) -> Result<String, Error> {
    let Place { store, interrupt, progress } = place;
    let run = args.job.run()?;
    let original = args.reproduce.as_ref().map(|of| Original::of(store, of.job(), &run)).transpose()?;
    let reproduced = original.as_ref().map(Original::pipeline).transpose()?;
    let (data, forest, seed) = match &reproduced {
        Some((data, forest, seed)) => (data, forest, *seed),
        None => (&args.data, &args.forest, args.seed.seed),
    };
    acquire::check(&data.data)?;
    let programs = Programs::build(&args.job.build)?;
    if interrupt.is_requested() {
        return Err(RunnerError::Interrupted { job: run.to_string() }.into());
    }
    let platform = session::platform(store, interrupt)?;
    let _lock = session::lock(store, interrupt)?;
    let started = Instant::now();
    let mut session = Session::begin(&platform, &run, progress.clone());
    let predictions = all(&mut session, &programs, data, (forest, args.hosts), seed)
        .map_err(|error| tracking::failed(&mut session, "pipeline", error))?;
    let page = report::run(&mut session, &programs.jobs);
    let elapsed = started.elapsed();
    // Models and predictions are there, with a page or without one.
    let page = match page {
        Ok(page) => page,
        Err(error) => {
            let error = tracking::failed(&mut session, "pipeline", error);
            summary::print(&summary::pipeline(&session, &predictions, None, elapsed)?)?;
            return Err(error);
        }
    };
    tracking::publish(&mut session, "pipeline")?;
    let text = summary::pipeline(&session, &predictions, Some(&page), elapsed)?;
    match original {
        Some(original) => Ok(format!("{text}{}", original.check(&session.record, &[""])?)),
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

fn acquire(args: &AcquireArgs, place: Place<'_>) -> Result<String, Error> {
    acquire::check(&args.data.data)?;
    place.resume(&args.job.run()?, (Binary::Jobs, &args.job.build), |session, program| {
        let job = acquire::run(session, program, &args.data, args.seed.seed)?;
        summary::job(session, &job)
    })
}

fn process(args: &JobArgs, place: Place<'_>) -> Result<String, Error> {
    place.resume(&args.run()?, (Binary::Jobs, &args.build), |session, program| {
        let job = process::run(session, program)?;
        summary::job(session, &job)
    })
}

fn train(args: &TrainArgs, place: Place<'_>) -> Result<String, Error> {
    place.resume(&args.job.run()?, (Binary::Jobs, &args.job.build), |session, program| {
        let training = train::run(session, program, &args.forest, args.hosts, args.seed.seed)
            .map_err(|error| tracking::failed(session, "train", error))?;
        tracking::publish(session, "train")?;
        summary::training(session, &training)
    })
}

fn evaluate(args: &EvaluateArgs, place: Place<'_>) -> Result<String, Error> {
    let run = args.job.run()?;
    let original = args.reproduce.as_ref().map(|of| Original::of(place.store, of.job(), &run)).transpose()?;
    let reproduced = original.as_ref().map(Original::evaluation).transpose()?;
    let (plan, seed) = match &reproduced {
        Some((plan, seed)) => (plan, *seed),
        None => (&args.evaluation, args.seed.seed),
    };
    acquire::check(&plan.data)?;
    place.resume(&run, (Binary::Jobs, &args.job.build), |session, program| {
        let (evaluation, stored) = evaluate::run(session, program, plan, seed)
            .map_err(|error| tracking::failed(session, "evaluate", error))?;
        tracking::publish(session, "evaluate")?;
        let text = summary::evaluation(session, &evaluation, &stored);
        match original {
            Some(original) => Ok(format!("{text}{}", original.check(&session.record, &["evaluations/", "data/raw/"])?)),
            None => Ok(text),
        }
    })
}

fn predict(args: &PredictArgs, place: Place<'_>) -> Result<String, Error> {
    let run = place.trained_run(args.run_name.as_ref())?;
    place.resume(&run, (Binary::Serve, &args.build), |session, program| {
        let predictions = predict::run(session, program)?;
        summary::predictions(session, &predictions)
    })
}

fn report(args: &ReportArgs, place: Place<'_>) -> Result<String, Error> {
    let run = place.trained_run(args.run_name.as_ref())?;
    place.resume(&run, (Binary::Jobs, &args.build), |session, program| {
        let page = report::run(session, program)?;
        Ok(summary::page(session, &page))
    })
}

fn compare(args: &CompareArgs, place: Place<'_>) -> Result<String, Error> {
    let run = RunName::by_clock(SystemTime::now())?.job().with_suffix("compare")?;
    place.resume(&run, (Binary::Jobs, &args.build), |session, program| {
        let page = report::compare(session, program, args.first.job(), args.second.job())?;
        Ok(summary::page(session, &page))
    })
}
