//! All engines in turns: A B C, A B C, ...

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use drivetrain_bench::results::Results;
use drivetrain_bench::{Measurement, Task, Workload};
use drivetrain_runner::{Interrupt, RunnerError};

use super::engines::Engine;
use super::peers::Peers;
use super::run::About;
use super::{OURS, versions};
use crate::cli::TurnsArgs;
use crate::error::Error;
use crate::layout::workspace_root;
use crate::report;

/// What a suite measures, and what is said of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) about: About,
    /// By how much the checks of others may differ from ours, relative, where all compute the same.
    pub(super) tolerance: Option<f64>,
    pub(super) engines: &'static [Engine],
    /// Smaller ones first.
    pub(super) workloads: Vec<Workload>,
    pub(super) threads: Vec<usize>,
}

impl Plan {
    /// Measures all of it.
    pub(super) fn run(self, args: &TurnsArgs, interrupt: &Interrupt) -> Result<Results, Error> {
        let wanted = |engine: &&Engine| {
            engine.name == OURS || args.engines.is_empty() || args.engines.iter().any(|name| name == engine.name)
        };
        let engines: Vec<Engine> = self.engines.iter().filter(wanted).copied().collect();
        if let Some(unknown) = args.engines.iter().find(|name| self.engines.iter().all(|engine| engine.name != **name))
        {
            let known = self.engines.iter().map(|engine| engine.name).collect();
            return Err(Error::NoSuchEngine { name: unknown.clone(), suite: self.about.suite, known });
        }
        let peers = Peers::build(&engines, &args.python)?;
        let mut results = Results { run: self.about.begin(versions::of(&engines, &peers)), measurements: Vec::new() };
        if let Some(warning) = drivetrain_bench::Summary::new(&results).warnings().first() {
            report::say(&format!("warning: {warning}"));
        }
        let mut slow = BTreeMap::new();
        for threads in &self.threads {
            for workload in &self.workloads {
                let turns = Turns { peers: &peers, args, interrupt, workload: *workload, threads: *threads };
                let engines = engines.iter().filter(|engine| engine.takes(workload, *threads));
                turns.run(&engines.collect::<Vec<_>>(), &mut slow, &mut results)?;
            }
        }
        if let Some(tolerance) = self.tolerance {
            let found = differences(&results, tolerance);
            for difference in &found {
                report::say(&format!("warning: {difference}"));
            }
            results.run.notes.extend(found);
        }
        Ok(results)
    }
}

/// The turns of one cell.
struct Turns<'a> {
    peers: &'a Peers,
    args: &'a TurnsArgs,
    interrupt: &'a Interrupt,
    workload: Workload,
    threads: usize,
}

impl Turns<'_> {
    /// `slow` has the engines that took too long for a kind of work, and the fewest rows for which they did.
    fn run(
        &self,
        engines: &[&Engine],
        slow: &mut BTreeMap<(&'static str, String), usize>,
        results: &mut Results,
    ) -> Result<(), Error> {
        let task = |engine: &str| Task {
            engine: engine.to_owned(),
            threads: self.threads,
            folder: data_folder(),
            workload: self.workload,
        };
        self.peers.write_data(&task(OURS))?;
        let cell = self.workload.cell(self.threads);
        let rounds = self.args.rounds();
        let mut failed = BTreeSet::new();
        for round in 1..=rounds {
            report::say(&format!(
                "{}, {} rows, {} threads: round {round} of {rounds}",
                cell.name,
                self.workload.rows(),
                self.threads
            ));
            for engine in engines {
                if self.interrupt.is_requested() {
                    return Err(RunnerError::Interrupted { job: "bench".to_owned() }.into());
                }
                let kind = (engine.name, cell.name.clone());
                let is_slow = slow.get(&kind).is_some_and(|rows| *rows <= self.workload.rows());
                if is_slow || failed.contains(engine.name) {
                    continue;
                }
                let started = Instant::now();
                match self.peers.run(engine, &task(engine.name)) {
                    Ok(readings) => results.measurements.extend(readings.into_iter().map(|reading| Measurement {
                        cell: cell.clone(),
                        engine: engine.name.to_owned(),
                        round,
                        reading,
                    })),
                    Err(error) if engine.name == OURS => return Err(error),
                    Err(error) => {
                        report::say(&format!("warning: {error}"));
                        results.run.notes.push(format!("{error}."));
                        failed.insert(engine.name);
                    }
                }
                if engine.name != OURS && started.elapsed() > Duration::from_secs(self.args.patience) {
                    let note = format!(
                        "{} took more than {} s for {}, {} rows, and got no more turns with as many rows.",
                        engine.name,
                        self.args.patience,
                        cell.name,
                        self.workload.rows()
                    );
                    report::say(&note);
                    results.run.notes.push(note);
                    slow.insert(kind, self.workload.rows());
                }
            }
        }
        Ok(())
    }
}

/// Where tables are kept between runs.
fn data_folder() -> PathBuf {
    workspace_root().join("target").join("bench").join("data")
}

/// Engines whose checks are not ours.
fn differences(results: &Results, tolerance: f64) -> Vec<String> {
    let mut found = Vec::new();
    for one in &results.measurements {
        let same =
            |other: &&Measurement| other.engine == OURS && other.cell == one.cell && other.reading.op == one.reading.op;
        let ours = results.measurements.iter().find(same).and_then(|ours| ours.reading.check);
        if let (Some(theirs), Some(ours)) = (one.reading.check, ours)
            && (theirs - ours).abs() > tolerance * ours.abs()
        {
            let text =
                format!("{} gives other numbers in {}: {theirs} where ours give {ours}.", one.engine, one.cell.name);
            if !found.contains(&text) {
                found.push(text);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use drivetrain_bench::{Cell, Reading};

    use super::*;

    #[test]
    fn other_numbers_are_told_of_once() {
        let measurement = |engine: &str, check| Measurement {
            cell: Cell { name: "c".into(), rows: None, threads: 1 },
            engine: engine.into(),
            round: 1,
            reading: Reading { check, ..Reading::new("fit", 1.0) },
        };
        let run = About::default().begin(std::collections::BTreeMap::new());
        let checks = [(OURS, Some(1.0)), ("a", Some(1.0 + 1e-12)), ("b", Some(1.1)), ("b", Some(1.1)), ("c", None)];
        let measurements = checks.map(|(engine, check)| measurement(engine, check)).to_vec();
        let found = differences(&Results { run, measurements }, 1e-9);
        assert_eq!(found, ["b gives other numbers in c: 1.1 where ours give 1."]);
    }
}
