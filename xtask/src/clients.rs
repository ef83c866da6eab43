//! The platform's own clients, and what they make of the jobs.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use drivetrain_runner::Interrupt;
use drivetrain_runner::store::Store;

use crate::cli::ClientsArgs;
use crate::error::Error;
use crate::layout::workspace_root;
use crate::python::Python;
use crate::report;
use crate::steps::{self, Programs};

const RUN: &str = "clients";
/// The variable by which tests find the S3 server.
const WEED: &str = "DRIVETRAIN_WEED";

/// A generation of the SageMaker Python SDK: they do not fit into one environment.
#[derive(Debug, Clone, Copy)]
enum Generation {
    Second,
    Third,
}

impl Generation {
    /// What its environment, its requirements and its script are called by.
    fn name(self) -> &'static str {
        match self {
            Self::Second => "version2",
            Self::Third => "version3",
        }
    }

    fn environment(self, base: &str) -> Result<Python, Error> {
        let requirements = file(&format!("requirements-{}.txt", self.name()));
        Python::environment(base, self.name(), &requirements)
    }

    fn script(self) -> PathBuf {
        file(&format!("{}.py", self.name()))
    }
}

fn file(name: &str) -> PathBuf {
    workspace_root().join("tests").join("clients").join(name)
}

/// Runs the pipeline, then the clients, which compare what they get with what it kept.
pub(crate) fn run(args: &ClientsArgs, interrupt: &Interrupt) -> Result<String, Error> {
    let second = Generation::Second.environment(&args.python.python)?;
    let third = Generation::Third.environment(&args.python.python)?;
    if args.only_install {
        return Ok(variables(&second, &third));
    }
    let programs = Programs::build(&args.build)?;
    // Not in the workspace: local mode refuses to mount what lies below some home directories.
    let folder = tempfile::tempdir().map_err(|source| Error::Write { path: std::env::temp_dir(), source })?;
    let store = Store::open(&folder.path().display().to_string())?;
    steps::defaults(&store, RUN, &programs, interrupt)?;

    let weed = second.installed("weed");
    let mut agree = true;
    for (generation, python) in [(Generation::Second, &second), (Generation::Third, &third)] {
        report::say(&format!("driving the jobs with boto3 and the SageMaker Python SDK, {}", generation.name()));
        // All of them have their say.
        agree &= script(generation, python, folder.path(), &weed, &programs, args)?;
    }
    if agree { Ok("the clients agree with the pipeline\n".to_owned()) } else { Err(Error::Clients) }
}

/// Runs a generation's script; whether it met what it expects.
fn script(
    generation: Generation,
    python: &Python,
    store: &Path,
    weed: &Path,
    programs: &Programs,
    args: &ClientsArgs,
) -> Result<bool, Error> {
    let mut command = python.command();
    command.arg(generation.script()).arg(store).arg(RUN).arg(programs.jobs().path()).args(&args.image);
    let program = command.get_program().into();
    let status =
        command.env(WEED, weed).stdin(Stdio::null()).status().map_err(|source| Error::Start { program, source })?;
    Ok(status.success())
}

/// What a shell must evaluate for other tests to find what is installed: `NumPy`, an S3 server, `MLflow`.
fn variables(second: &Python, third: &Python) -> String {
    let line = |name: &str, path: &Path| {
        // A quote ends the quoted text, stands on its own, and begins it anew.
        format!("export {name}='{}'\n", path.display().to_string().replace('\'', r"'\''"))
    };
    line("DRIVETRAIN_PYTHON", second.interpreter())
        + &line(WEED, &second.installed("weed"))
        + &line("DRIVETRAIN_MLFLOW", third.interpreter())
}
