//! One endpoint that answers raw rows with predictions, beside the same model behind a Python server.

mod client;
mod server;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use drivetrain_runner::store::{Key, Store};
use drivetrain_runner::{Interrupt, JobName, RunnerError};
use serde::Deserialize;

use self::client::{Exchange, Outcome, ask, connect, load, request};
use self::server::Server;
use crate::binaries::Binary;
use crate::cli::{BuildArgs, ServeBenchArgs};
use crate::error::Error;
use crate::layout::{self, workspace_root};
use crate::python::Python;
use crate::report;
use crate::steps::{self, Predictions, Programs};

const SCRIPT: &str = "benches/serve/server.py";
const REQUIREMENTS: &str = "benches/serve/requirements.txt";
const RUN: &str = "bench";

/// A server under load, and what came of it.
#[derive(Debug)]
struct Contender {
    name: &'static str,
    server: Server,
    exchanges: Vec<Exchange>,
    resident_before: u64,
    rounds: Vec<Outcome>,
}

#[derive(Debug, Deserialize)]
struct Prediction {
    prediction: f64,
}

pub(super) fn run(args: &ServeBenchArgs, interrupt: &Interrupt) -> Result<String, Error> {
    let root = workspace_root();
    let python = Python::environment(&args.python.python, "serve", &root.join(REQUIREMENTS))?;
    let serve = Binary::Serve.build(&args.build)?;
    // What trains the models is not measured, and takes minutes to optimise.
    let build = BuildArgs { release: false, profile: None, target_dir: args.build.target_dir.clone() };
    let programs = Programs::build(&build)?;
    let folder = tempfile::tempdir().map_err(|source| Error::Write { path: std::env::temp_dir(), source })?;
    let store = Store::open(&folder.path().display().to_string())?;
    let predictions = steps::defaults(&store, RUN, &programs, interrupt)?;

    let object = |key: Key| folder.path().join(key.as_str());
    let table_of = |part: &str| Ok::<_, Error>(object(layout::bronze(part)?.join(&format!("{part}.csv"))?));
    let regressor = object(layout::regressor(&JobName::new(RUN)?)?);
    let rows = rows(table_of)?;
    let ours = Server::ours(serve.path(), &object(layout::preprocessor()?), &regressor)?;
    let work = folder.path().join("python");
    for part in ["train", "val"] {
        let (from, to) = (table_of(part)?, work.join(format!("{part}.csv")));
        let copied = fs::create_dir_all(&work).and_then(|()| fs::copy(from, &to));
        copied.map_err(|source| Error::Write { path: to, source })?;
    }
    let mut script = python.command();
    script.arg(root.join(SCRIPT)).arg(&work);
    let theirs = Server::theirs(script, std::thread::available_parallelism().map_or(1, usize::from))?;

    let mut contenders =
        [Contender::new("drivetrain", ours, &rows)?, Contender::new("FastAPI, scikit-learn", theirs, &rows)?];
    contenders[0].check(&predictions)?;
    // The first round warms up and is not counted.
    for round in 0..=args.rounds.get() {
        report::say(&format!("round {round} of {}", args.rounds));
        for contender in &mut contenders {
            if interrupt.is_requested() {
                return Err(RunnerError::Interrupted { job: RUN.to_owned() }.into());
            }
            let lasting = Duration::from_secs(args.seconds.get());
            let outcome = load(contender.server.address, &contender.exchanges, args.connections.get(), lasting);
            if round == 0 {
                contender.resident_before = contender.server.resident();
            } else {
                contender.rounds.push(outcome);
            }
        }
    }
    Ok(table(args, &contenders))
}

/// The rows of all parts without their target, the test rows last.
fn rows(path: impl Fn(&str) -> Result<PathBuf, Error>) -> Result<Vec<String>, Error> {
    let mut rows = Vec::new();
    for part in ["train", "val", "test"] {
        let path = path(part)?;
        let text = fs::read_to_string(&path).map_err(|source| Error::Read { path, source })?;
        rows.extend(text.lines().skip(1).filter_map(|line| Some(line.split_once(',')?.1.to_owned())));
    }
    Ok(rows)
}

impl Contender {
    /// Asks the server for each row once, alone: what it says then is what it must say under load.
    fn new(name: &'static str, server: Server, rows: &[String]) -> Result<Self, Error> {
        let unusable = |problem| Error::Answer { problem };
        let mut connection = connect(server.address).map_err(|error| unusable(error.to_string()))?;
        let mut exchanges = Vec::new();
        for row in rows {
            let request = request(row);
            let answer = ask(&mut connection, &request).map_err(|error| unusable(error.to_string()))?;
            if answer.status != 200 {
                return Err(unusable(format!("{name} answers {row} with status {}", answer.status)));
            }
            exchanges.push(Exchange { request, answer: answer.body });
        }
        Ok(Self { name, server, exchanges, resident_before: 0, rounds: Vec::new() })
    }

    /// Checks that the answers to the test rows are those of the pipeline's two containers.
    fn check(&self, predictions: &Predictions) -> Result<(), Error> {
        let test = self.exchanges.len().saturating_sub(predictions.rows.len());
        for (exchange, expected) in self.exchanges.iter().skip(test).zip(&predictions.rows) {
            let answer: Vec<Prediction> = serde_json::from_slice(&exchange.answer)
                .map_err(|error| Error::Answer { problem: error.to_string() })?;
            if answer.first().map(|answer| answer.prediction) != Some(expected.predicted) {
                let problem = format!("{answer:?} where the pipeline predicted {}", expected.predicted);
                return Err(Error::Answer { problem });
            }
        }
        Ok(())
    }

    /// The median over the rounds.
    fn median(&self, value: impl Fn(&Outcome) -> f64) -> f64 {
        let mut values: Vec<_> = self.rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn count(&self, value: impl Fn(&Outcome) -> usize) -> usize {
        self.rounds.iter().map(value).sum()
    }
}

fn table(args: &ServeBenchArgs, contenders: &[Contender; 2]) -> String {
    let title = format!(
        "One row a request, {} connections, {} rounds of {} s in turns: medians of the rounds",
        args.connections, args.rounds, args.seconds
    );
    let mut sides = vec![report::Side::Left];
    sides.extend([report::Side::Right; 7]);
    let header = ["", "requests/s", "p50", "p99", "requests", "wrong", "lost", "memory before, after"];
    let mut table = report::Table::new(&title, &sides).header(&header);
    let milliseconds = |contender: &Contender, share| {
        format!("{:.2} ms", contender.median(|outcome| outcome.percentile(share).as_secs_f64() * 1e3))
    };
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1 << 20));
    for contender in contenders {
        table.row([
            contender.name.to_owned(),
            format!("{:.0}", contender.median(Outcome::requests_per_second)),
            milliseconds(contender, 0.5),
            milliseconds(contender, 0.99),
            contender.count(|outcome| outcome.latencies.len()).to_string(),
            contender.count(|outcome| outcome.wrong).to_string(),
            contender.count(|outcome| outcome.lost).to_string(),
            format!("{}, {} MiB", megabytes(contender.resident_before), megabytes(contender.server.resident())),
        ]);
    }
    let [ours, theirs] = contenders;
    let ratio = ours.median(Outcome::requests_per_second) / theirs.median(Outcome::requests_per_second);
    format!("\n{}  drivetrain answers {ratio:.0} times as many requests\n", table.render(report::for_stdout()))
}
