//! The whole pipeline beside a Python script of the same steps.

use std::fs;
use std::time::Instant;

use drivetrain_runner::store::Store;
use drivetrain_runner::{Interrupt, RunnerError};

use super::sample::Sample;
use crate::cli::PipelineBenchArgs;
use crate::error::Error;
use crate::layout::workspace_root;
use crate::python::Python;
use crate::report;
use crate::steps::{self, Predictions, Programs};

const SCRIPT: &str = "benches/pipeline/reference.py";
const REQUIREMENTS: &str = "benches/pipeline/requirements.txt";
const DATA: &str = "data/auto-mpg.data";

pub(super) fn run(args: &PipelineBenchArgs, interrupt: &Interrupt) -> Result<String, Error> {
    let root = workspace_root();
    let python = Python::environment(&args.python.python, "pipeline", &root.join(REQUIREMENTS))?;
    let programs = Programs::build(&args.build)?;

    let mut ours = Sample::default();
    let mut theirs = Sample::default();
    let mut ready = Sample::default();
    // The first round fills the caches of both and is not counted.
    for round in 0..=args.rounds.get() {
        if interrupt.is_requested() {
            return Err(RunnerError::Interrupted { job: "bench".to_owned() }.into());
        }
        report::say(&format!("round {round} of {}", args.rounds));
        let started = Instant::now();
        let predictions = once(&programs, interrupt)?;
        let elapsed = started.elapsed();
        let started = Instant::now();
        python.script(&root.join(SCRIPT), &[&root.join(DATA)])?;
        if round > 0 {
            ours.push(elapsed);
            theirs.push(started.elapsed());
            predictions.containers.iter().for_each(|container| ready.push(container.start_up));
        }
    }

    let mut table = report::Table::new(
        &format!("The whole pipeline, {} rounds in turns", args.rounds),
        &[report::Side::Left, report::Side::Right, report::Side::Right, report::Side::Right],
    )
    .header(&["", "median", "fastest", "slowest"]);
    let mut row = |name: &str, cells: [String; 3]| table.row(std::iter::once(name.to_owned()).chain(cells));
    row("drivetrain, 4 jobs and 2 servers", ours.cells(1.0, "s"));
    row("pandas and scikit-learn, 1 process", theirs.cells(1.0, "s"));
    row("a server answers /ping after", ready.cells(1e3, "ms"));
    let ratio = theirs.median() / ours.median();
    Ok(format!("\n{}  drivetrain is {ratio:.1} times as fast\n", table.render(report::for_stdout())))
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
