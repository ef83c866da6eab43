//! Whole programs in turns: ours as it is used, and a Python script that does the same work.

use std::fs;
use std::time::Instant;

use drivetrain_bench::results::Results;
use drivetrain_bench::{Cell, Measurement, MemoryWatch, Reading, children_cpu_time};
use drivetrain_runner::store::Store;
use drivetrain_runner::{Interrupt, RunnerError};

use super::run::About;
use super::{OURS, versions};
use crate::cli::TurnsArgs;
use crate::error::Error;
use crate::layout::workspace_root;
use crate::python::Python;
use crate::report;

const THEIRS: &str = "pandas and scikit-learn";
const REQUIREMENTS: &str = "benches/pipeline/requirements.txt";
const PACKAGES: [&str; 3] = ["pandas", "scikit-learn", "joblib"];
/// What is done over and over by both.
const WORK: &str = "all steps";

/// What is compared, and what is said of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) about: About,
    /// What is done, as a row of a table is called.
    pub(super) cell: String,
    pub(super) script: &'static str,
    /// What the script is told besides the raw file.
    pub(super) flags: Vec<String>,
}

/// What a program says of its work.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// A number by which the result can be judged.
    pub(super) check: Option<f64>,
    /// What it measured itself.
    pub(super) readings: Vec<Reading>,
}

impl Plan {
    /// Measures `ours`, which does the work in the store that it gets, beside the script, whose check `judge` finds in what
    /// it prints.
    pub(super) fn run(
        self,
        args: &TurnsArgs,
        interrupt: &Interrupt,
        ours: impl Fn(&Store) -> Result<Outcome, Error>,
        judge: impl Fn(&str) -> Option<f64>,
    ) -> Result<Results, Error> {
        let root = workspace_root();
        let requirements = root.join(REQUIREMENTS);
        let python = Python::environment(&args.python.python, "pipeline", &requirements)?;
        let data = root.join("data").join("auto-mpg.data");
        let script = || {
            let mut command = python.command();
            command.arg(root.join(self.script)).arg(&data).args(&self.flags);
            let check = judge(&crate::tool::output(&mut command)?);
            Ok::<_, Error>(Outcome { check, ..Outcome::default() })
        };
        let mut results = Results {
            run: self.about.begin(versions::with_packages(&requirements, &PACKAGES)),
            measurements: Vec::new(),
        };
        let cell = Cell { name: self.cell.clone(), rows: None, threads: results.run.machine.cores };
        let rounds = args.rounds();
        // The first round fills the caches of both and is not counted.
        for round in 0..=rounds {
            if interrupt.is_requested() {
                return Err(RunnerError::Interrupted { job: "bench".to_owned() }.into());
            }
            report::say(&format!("{}: round {round} of {rounds}", self.about.suite));
            let measured = [(OURS, timed(|| in_a_store(&ours))?), (THEIRS, timed(script)?)];
            let readings =
                measured.into_iter().flat_map(|(engine, readings)| readings.into_iter().map(move |of| (engine, of)));
            let measurement = |(engine, reading): (&str, Reading)| Measurement {
                cell: cell.clone(),
                engine: engine.to_owned(),
                round,
                reading,
            };
            if round > 0 {
                results.measurements.extend(readings.map(measurement));
            }
        }
        Ok(results)
    }
}

/// The wall time of some work, and the time on processors and the memory of the processes that it starts; then what it
/// measured itself.
fn timed(work: impl FnOnce() -> Result<Outcome, Error>) -> Result<Vec<Reading>, Error> {
    let (cpu, memory) = (children_cpu_time(), MemoryWatch::of_children());
    let started = Instant::now();
    let outcome = work()?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = cpu.zip(children_cpu_time()).map(|(before, after)| after.saturating_sub(before).as_secs_f64());
    let all =
        Reading { cpu_seconds: cpu, added_bytes: memory.peak(), check: outcome.check, ..Reading::new(WORK, seconds) };
    Ok([vec![all], outcome.readings].concat())
}

/// Does some work in a store that goes away.
fn in_a_store(work: impl Fn(&Store) -> Result<Outcome, Error>) -> Result<Outcome, Error> {
    let scratch = workspace_root().join("target").join("bench");
    let unwritable = |source| Error::Write { path: scratch.clone(), source };
    fs::create_dir_all(&scratch).map_err(unwritable)?;
    let folder = tempfile::tempdir_in(&scratch).map_err(unwritable)?;
    work(&Store::open(&folder.path().display().to_string())?)
}
