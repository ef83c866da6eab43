//! The platform's own clients, and what they make of the jobs.

use std::process::Stdio;

use drivetrain_runner::Interrupt;
use drivetrain_runner::store::Store;

use crate::cli::ClientsArgs;
use crate::error::Error;
use crate::layout::workspace_root;
use crate::python::Python;
use crate::report;
use crate::steps::{self, Programs};

const SCRIPT: &str = "tests/clients/main.py";
const REQUIREMENTS: &str = "tests/clients/requirements.txt";
const RUN: &str = "clients";

/// Runs the pipeline, then the clients, which compare what they get with what it kept.
pub(crate) fn run(args: &ClientsArgs, interrupt: &Interrupt) -> Result<String, Error> {
    let root = workspace_root();
    let python = Python::environment(&args.python.python, "clients", &root.join(REQUIREMENTS))?;
    let programs = Programs::build(&args.build)?;
    // Not in the workspace: local mode refuses to mount what lies below some home directories.
    let folder = tempfile::tempdir().map_err(|source| Error::Write { path: std::env::temp_dir(), source })?;
    let store = Store::open(&folder.path().display().to_string())?;
    steps::defaults(&store, RUN, &programs, interrupt)?;

    report::say("driving the jobs with boto3 and the SageMaker Python SDK");
    let mut script = python.command();
    script.arg(root.join(SCRIPT)).arg(folder.path()).arg(RUN).arg(programs.jobs().path()).args(&args.image);
    let program = script.get_program().into();
    let status = script.stdin(Stdio::null()).status().map_err(|source| Error::Start { program, source })?;
    if status.success() { Ok("the clients agree with the pipeline\n".to_owned()) } else { Err(Error::Clients) }
}
