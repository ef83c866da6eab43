//! The whole pipeline beside a Python script of the same steps.

use std::fs;
use std::time::Instant;

use drivetrain_bench::results::Results;
use drivetrain_bench::{Cell, Machine, Measurement, Reading, Run, children_cpu_time};
use drivetrain_runner::store::Store;
use drivetrain_runner::{Interrupt, RunnerError};

use super::turns::{command_line, today};
use super::{OURS, versions};
use crate::cli::PipelineBenchArgs;
use crate::error::Error;
use crate::layout::workspace_root;
use crate::python::Python;
use crate::report;
use crate::steps::{self, Predictions, Programs};

const SCRIPT: &str = "benches/pipeline/reference.py";
const REQUIREMENTS: &str = "benches/pipeline/requirements.txt";
const DATA: &str = "data/auto-mpg.data";
const THEIRS: &str = "pandas and scikit-learn";
const PACKAGES: [&str; 3] = ["pandas", "scikit-learn", "joblib"];

const ABOUT: &str = "\
The Auto MPG data from the raw file to predictions of the test rows: parse, split, fit and apply the preprocessing, grow a
forest of 100 trees, save both models, load them and predict. Ours is what `cargo xtask pipeline` does once it is built, without
the report: three jobs and two servers, each a process of its own. Theirs is one process that does the same steps and imports its libraries once.";

pub(super) fn run(args: &PipelineBenchArgs, interrupt: &Interrupt) -> Result<Results, Error> {
    let root = workspace_root();
    let requirements = root.join(REQUIREMENTS);
    let python = Python::environment(&args.turns.python.python, "pipeline", &requirements)?;
    let programs = Programs::build(&args.build)?;
    let pinned = fs::read_to_string(&requirements).unwrap_or_default();
    let mut results = Results { run: describe(&pinned), measurements: Vec::new() };
    let rounds = args.turns.rounds();
    // The first round fills the caches of both and is not counted.
    for round in 0..=rounds {
        if interrupt.is_requested() {
            return Err(RunnerError::Interrupted { job: "bench".to_owned() }.into());
        }
        report::say(&format!("pipeline: round {round} of {rounds}"));
        let mut measured = Vec::new();
        let (predictions, ours) = timed(|| once(&programs, interrupt))?;
        measured.push((OURS, ours));
        let ready = predictions.containers.iter().map(|container| container.start_up.as_secs_f64());
        measured.extend(ready.map(|seconds| (OURS, Reading::new("a server answers /ping", seconds))));
        let ((), theirs) = timed(|| python.script(&root.join(SCRIPT), &[&root.join(DATA)]))?;
        measured.push((THEIRS, theirs));
        let cell = Cell { name: "Auto MPG".to_owned(), rows: None, threads: results.run.machine.cores };
        let measurement = |(engine, reading): (&str, Reading)| Measurement {
            cell: cell.clone(),
            engine: engine.to_owned(),
            round,
            reading,
        };
        if round > 0 {
            results.measurements.extend(measured.into_iter().map(measurement));
        }
    }
    Ok(results)
}

fn describe(requirements: &str) -> Run {
    let mut versions = versions::ours();
    let pinned = PACKAGES.iter().filter_map(|name| Some(((*name).to_owned(), versions::pinned(requirements, name)?)));
    versions.extend(pinned);
    Run {
        suite: "pipeline".to_owned(),
        title: "The whole pipeline".to_owned(),
        about: ABOUT.to_owned(),
        notes: Vec::new(),
        check: None,
        ours: OURS.to_owned(),
        command: command_line(),
        date: today(),
        machine: Machine::this(),
        versions,
        load_before: Machine::load(),
    }
}

/// Wall time, and the time that the processes it started spent on processors.
fn timed<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<(T, Reading), Error> {
    let cpu = children_cpu_time();
    let started = Instant::now();
    let result = work()?;
    let reading = Reading::new("all steps", started.elapsed().as_secs_f64());
    let cpu = cpu.zip(children_cpu_time()).map(|(before, after)| after.saturating_sub(before).as_secs_f64());
    Ok((result, Reading { cpu_seconds: cpu, ..reading }))
}

/// One run of the pipeline, with its defaults, in a store that goes away.
fn once(programs: &Programs, interrupt: &Interrupt) -> Result<Predictions, Error> {
    let work = workspace_root().join("target").join("bench");
    let unwritable = |source| Error::Write { path: work.clone(), source };
    fs::create_dir_all(&work).map_err(unwritable)?;
    let folder = tempfile::tempdir_in(&work).map_err(unwritable)?;
    let store = Store::open(&folder.path().display().to_string())?;
    steps::defaults(&store, "bench", programs, interrupt)
}
