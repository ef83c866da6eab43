//! One endpoint that answers raw rows with predictions, beside the same model behind a Python server.

mod client;
mod contender;
mod server;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use drivetrain_bench::results::Results;
use drivetrain_bench::{Cell, Measurement, Run};
use drivetrain_runner::store::{Key, Store};
use drivetrain_runner::{Interrupt, JobName, RunnerError};

use self::client::Lasting;
use self::contender::Contender;
use self::server::Server;
use super::run::About;
use super::{OURS, versions};
use crate::binaries::Binary;
use crate::cli::{BuildArgs, ServeBenchArgs};
use crate::error::Error;
use crate::layout::{self, workspace_root};
use crate::python::Python;
use crate::report;
use crate::steps::{self, Programs};

const SCRIPT: &str = "benches/serve/server.py";
const REQUIREMENTS: &str = "benches/serve/requirements.txt";
const RUN: &str = "bench";
const THEIRS: &str = "FastAPI, scikit-learn";
const PACKAGES: [&str; 4] = ["fastapi", "uvicorn", "pandas", "scikit-learn"];
/// A turn of work for a look.
const QUICK: Duration = Duration::from_secs(1);
/// The most requests that warm a server up.
const WARM_UP: usize = 10_000;

const ABOUT: &str = "\
The model of the pipeline, preprocessing and all, answers `POST /invocations`: a raw row as CSV in, its prediction as JSON out,
over connections that are kept, each of which waits for its answer before it asks again. Ours is `drivetrain-serve
--preprocessor`, theirs the same model behind FastAPI and uvicorn with as many processes as there are processors. Both write no
line per request. The client compares every answer with the one that the server gave when it was asked alone, and ours with the
predictions of the pipeline; *wrong or lost* counts the others. Client and servers share the machine.";

pub(super) fn run(args: &ServeBenchArgs, interrupt: &Interrupt) -> Result<Results, Error> {
    let root = workspace_root();
    let beside = wanted(&args.turns.engines)?;
    let mut results = Results { run: describe(beside), measurements: Vec::new() };
    let python = || Python::environment(&args.turns.python.python, "serve", &root.join(REQUIREMENTS));
    let python = beside.then(python).transpose()?;
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
    let cores = results.run.machine.cores;
    let ours = Contender::new(OURS, Server::ours(serve.path(), &object(layout::preprocessor()?), &regressor)?, &rows)?;
    ours.check(&predictions)?;
    let mut contenders = vec![ours];
    if let Some(python) = python {
        let work = folder.path().join("python");
        for part in ["train", "val"] {
            let (from, to) = (table_of(part)?, work.join(format!("{part}.csv")));
            let copied = fs::create_dir_all(&work).and_then(|()| fs::copy(from, &to));
            copied.map_err(|source| Error::Write { path: to, source })?;
        }
        let mut script = python.command();
        script.arg(root.join(SCRIPT)).arg(&work);
        contenders.push(Contender::new(THEIRS, Server::theirs(script, cores)?, &rows)?);
    }

    let cell =
        Cell { name: format!("one row a request, {} connections", args.connections), rows: None, threads: cores };
    let rounds = args.turns.rounds();
    // The first round warms up and is not counted.
    for round in 0..=rounds {
        report::say(&format!("serve: round {round} of {rounds}"));
        for contender in &mut contenders {
            if interrupt.is_requested() {
                return Err(RunnerError::Interrupted { job: RUN.to_owned() }.into());
            }
            let lasting = lasting(args, round == 0);
            let readings = contender.turn(args.connections.get(), lasting, round > 0)?;
            results.measurements.extend(readings.into_iter().map(|reading| Measurement {
                cell: cell.clone(),
                engine: contender.name().to_owned(),
                round,
                reading,
            }));
        }
    }
    results.run.notes.extend(contenders.iter().map(Contender::story));
    Ok(results)
}

/// Whether the Python server takes part: unless only ours is asked for.
fn wanted(engines: &[String]) -> Result<bool, Error> {
    let known = vec![OURS, THEIRS];
    match engines.iter().find(|engine| !known.contains(&engine.as_str())) {
        Some(name) => Err(Error::NoSuchEngine { name: name.clone(), suite: "serve", known }),
        None => Ok(engines.is_empty() || engines.iter().any(|engine| engine == THEIRS)),
    }
}

/// How long a turn is.
fn lasting(args: &ServeBenchArgs, warm_up: bool) -> Lasting {
    match args.requests {
        Some(requests) if warm_up => Lasting::Requests(requests.get().min(WARM_UP)),
        Some(requests) => Lasting::Requests(requests.get()),
        None if args.turns.quick => Lasting::Time(QUICK),
        None => Lasting::Time(Duration::from_secs(args.seconds.get())),
    }
}

fn describe(beside: bool) -> Run {
    let packages: &[&str] = if beside { &PACKAGES } else { &[] };
    let about = About { suite: "serve", title: "Serving", text: ABOUT, notes: &[], check: Some("wrong or lost") };
    about.begin(versions::with_packages(&workspace_root().join(REQUIREMENTS), packages))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_can_be_asked_for_alone() {
        let wanted = |names: &[&str]| wanted(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert!(wanted(&[]).unwrap() && wanted(&[THEIRS]).unwrap() && !wanted(&[OURS]).unwrap());
        let error = wanted(&["flask"]).unwrap_err().to_string();
        assert!(error.contains("`flask`") && error.contains(THEIRS), "{error}");
    }
}
