//! The record of a run, where others look for one: in `MLflow`'s layout in the store, and on a server.

use drivetrain_runner::Timestamp;
use drivetrain_runner::mlflow::{self, Run};
use drivetrain_runner::store::Key;

use crate::error::Error;
use crate::layout;
use crate::report;
use crate::session::Session;
use crate::sources::{git, rustc};

/// The variable that names the server, as `MLflow`'s own programs read it.
const SERVER: &str = "MLFLOW_TRACKING_URI";

/// Completes the record of a run of `command` that failed, and shares it; the error is handed back.
///
/// What cannot be recorded is told of on stderr: it is not what went wrong first.
pub(crate) fn failed(session: &mut Session<'_>, command: &str, error: Error) -> Error {
    let recorded = session.fail(&error).and_then(|()| publish(session, command));
    if let Err(problem) = recorded {
        report::say(&format!("the failure is not recorded: {}", report::explain(&problem)));
    }
    error
}

/// Completes the record of a run of `command`, and shares it.
///
/// A server that cannot be reached is told of on stderr, and does not fail the run.
pub(crate) fn publish(session: &mut Session<'_>, command: &str) -> Result<(), Error> {
    let tags = [
        ("mlflow.source.name", Some(format!("cargo xtask {command}"))),
        ("drivetrain.version", Some(env!("CARGO_PKG_VERSION").to_owned())),
        ("drivetrain.platform", Some(format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS))),
        ("drivetrain.rustc", rustc()),
        ("mlflow.source.git.commit", git(&["rev-parse", "HEAD"])),
        ("mlflow.source.git.branch", git(&["rev-parse", "--abbrev-ref", "HEAD"])),
        ("drivetrain.git.changed", git(&["status", "--porcelain"]).map(|changed| (!changed.is_empty()).to_string())),
    ];
    let known = tags.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    session.record.tags.extend(known);
    session.record.ended = Some(Timestamp::now());
    let project = layout::project()?;
    session.record.save(session.store(), &project)?;

    let evaluation = layout::evaluation(session.run())?.join("evaluation.json")?;
    let page = layout::report(session.run())?;
    let files: [(&str, &Key); 2] = [("evaluation.json", &evaluation), ("report.html", &page)];
    let run = Run::of(session.store(), &project, &session.record, &files)?;
    mlflow::write(session.store(), &run)?;
    if let Some(uri) = std::env::var(SERVER).ok().filter(|uri| !uri.is_empty())
        && let Err(error) = mlflow::send(&uri, &run)
    {
        report::say(&format!("{error}; the run is recorded in the store alone"));
    }
    Ok(())
}
