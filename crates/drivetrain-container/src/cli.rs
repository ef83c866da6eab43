//! The command line: which job, with which flags, and what becomes of its errors.
//!
//! A job that fails prints its error to stderr, outermost first and one cause per line, leaves the same text where the
//! platform looks for it, and ends with exit code 1. A command line that cannot be understood ends with 2.

use std::{
    any::Any,
    collections::BTreeMap,
    ffi::OsString,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{
    Error,
    environment::{Paths, SageMakerEnv},
    failure::{self, FailureFile},
    logging,
};

/// The exit code of a command line that cannot be understood.
const USAGE: u8 = 2;

/// What every job's help ends with.
const ENVIRONMENT_HELP: &str = "\
Directories:
  Every path is below /opt/ml, where the SageMaker platform puts a job's inputs and
  collects its outputs. Set SAGEMAKER_BASE_DIR to run a job in a directory of your own:

    export SAGEMAKER_BASE_DIR=/tmp/job

Exit codes:
  0  done
  1  failed; why is on stderr, and in output/failure (train) or output/message
     (acquire, process) below the base directory
  2  the command line cannot be understood

Log lines go to stderr; RUST_LOG selects them (RUST_LOG=debug, RUST_LOG=warn).";

/// From a table of cars to predictions of their fuel consumption, one job at a time.
///
/// Each subcommand is a job in the sense of Amazon SageMaker: it finds its inputs in fixed directories, leaves its
/// outputs in others and knows nothing of where they come from or go to. Run in order, the outputs of one moved to the
/// inputs of the next, they make a pipeline.
#[derive(Debug, Parser)]
#[command(name = "drivetrain", version, arg_required_else_help = true, after_long_help = ENVIRONMENT_HELP)]
struct Cli {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Fetch a data set, verify it and split it into train.csv, val.csv and test.csv
    #[cfg(feature = "process")]
    #[command(after_long_help = ENVIRONMENT_HELP)]
    Acquire(crate::jobs::acquire::AcquireArgs),

    /// Fit the preprocessing pipeline on the training rows and turn both parts into feature matrices
    #[cfg(feature = "process")]
    #[command(after_long_help = ENVIRONMENT_HELP)]
    Process(crate::jobs::process::ProcessArgs),

    /// Train a random forest on feature matrices and evaluate it
    #[cfg(feature = "train")]
    #[command(after_long_help = ENVIRONMENT_HELP)]
    Train(crate::jobs::train::TrainArgs),

    /// Answer GET /ping and POST /invocations with a preprocessor, a regressor or both
    #[cfg(feature = "serve")]
    #[command(after_long_help = ENVIRONMENT_HELP)]
    Serve(crate::serve::ServeArgs),
}

/// Answer `GET /ping` and `POST /invocations` with a preprocessor, a regressor or both.
///
/// This is `drivetrain serve` as a program of its own, for images that do nothing else.
#[cfg(feature = "serve")]
#[derive(Debug, Parser)]
#[command(name = "drivetrain-serve", version, after_long_help = ENVIRONMENT_HELP)]
struct ServeCli {
    /// The word with which the platform starts a serving container
    #[arg(value_name = "serve", value_parser = ["serve"], hide_possible_values = true)]
    verb: Option<String>,

    #[command(flatten)]
    args: crate::serve::ServeArgs,
}

impl Job {
    fn run(&self, env: &SageMakerEnv, stdout: &mut dyn Write) -> Result<(), Error> {
        match self {
            #[cfg(feature = "process")]
            Self::Acquire(args) => crate::jobs::acquire::run(args, env, stdout),
            #[cfg(feature = "process")]
            Self::Process(args) => crate::jobs::process::run(args, env, stdout),
            #[cfg(feature = "train")]
            Self::Train(args) => crate::jobs::train::run(args, env, stdout),
            #[cfg(feature = "serve")]
            Self::Serve(args) => crate::serve::run(args, env, stdout),
        }
    }
}

/// The variables of this process; those that are not Unicode are left out.
#[must_use]
pub fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Runs the job that the command line names: the program `drivetrain`.
pub fn run(arguments: impl IntoIterator<Item = OsString>, variables: BTreeMap<String, String>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let verb = arguments.get(1).and_then(|verb| verb.to_str()).unwrap_or_default();
    let failure_file = failure_file(verb, &SageMakerEnv::locate(&variables));
    match Cli::try_parse_from(&arguments) {
        Ok(cli) => supervise(variables, failure_file.as_ref(), |env| cli.job.run(env, &mut std::io::stdout())),
        Err(error) => refuse(&error, failure_file.as_ref()),
    }
}

/// Runs the serve job: the program `drivetrain-serve`.
#[cfg(feature = "serve")]
pub fn run_serve(arguments: impl IntoIterator<Item = OsString>, variables: BTreeMap<String, String>) -> ExitCode {
    match ServeCli::try_parse_from(arguments) {
        Ok(cli) => supervise(variables, None, |env| crate::serve::run(&cli.args, env, &mut std::io::stdout())),
        Err(error) => refuse(&error, None),
    }
}

/// Where the platform looks for the explanation of a job of this name.
fn failure_file(verb: &str, paths: &Paths) -> Option<FailureFile> {
    match verb {
        "acquire" | "process" => Some(FailureFile::processing(paths)),
        "train" => Some(FailureFile::training(paths)),
        _ => None,
    }
}

/// Runs a job and reports how it ended.
fn supervise(
    variables: BTreeMap<String, String>,
    failure_file: Option<&FailureFile>,
    job: impl FnOnce(&SageMakerEnv) -> Result<(), Error>,
) -> ExitCode {
    logging::init(&variables);
    if let Some(file) = failure_file
        && let Err(error) = file.clear()
    {
        tracing::warn!("cannot remove {} of an earlier job: {error}", file.path().display());
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| job(&SageMakerEnv::load(variables)?)));
    let explanation = match outcome {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => failure::explain(&error),
        Err(panic) => format!("internal error: {}", panic_message(panic.as_ref())),
    };
    eprintln!("error: {explanation}");
    report(failure_file, &explanation);
    ExitCode::FAILURE
}

/// Prints what clap has to say: help and version to stdout, a wrong command line to stderr.
fn refuse(error: &clap::Error, failure_file: Option<&FailureFile>) -> ExitCode {
    // There is nobody left to tell when the terminal is gone.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    report(failure_file, &error.to_string());
    ExitCode::from(USAGE)
}

fn report(failure_file: Option<&FailureFile>, explanation: &str) {
    if let Some(file) = failure_file
        && let Err(error) = file.write(explanation)
    {
        eprintln!("warning: cannot write {}: {error}", file.path().display());
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn variables(base: &std::path::Path) -> BTreeMap<String, String> {
        let set = [("SAGEMAKER_BASE_DIR", base.display().to_string()), ("RUST_LOG", "off".to_owned())];
        set.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn run_in(base: &std::path::Path, arguments: &[&str]) -> ExitCode {
        run(arguments.iter().map(OsString::from), variables(base))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
        #[cfg(feature = "serve")]
        ServeCli::command().debug_assert();
    }

    #[cfg(feature = "serve")]
    #[test]
    fn the_serving_program_takes_the_platforms_word() {
        for arguments in
            [&["drivetrain-serve"][..], &["drivetrain-serve", "serve"], &["drivetrain-serve", "--port", "1"]]
        {
            assert!(ServeCli::try_parse_from(arguments).is_ok(), "{arguments:?}");
        }
        assert!(ServeCli::try_parse_from(["drivetrain-serve", "train"]).is_err());
    }

    #[cfg(feature = "train")]
    #[test]
    fn a_failed_training_job_says_why_in_its_failure_file() {
        let base = tempfile::tempdir().unwrap();
        let failure = base.path().join("output/failure");
        assert_eq!(run_in(base.path(), &["drivetrain", "train"]), ExitCode::FAILURE);
        let text = std::fs::read_to_string(&failure).unwrap();
        assert!(text.contains("train_feats.npy"), "{text}");
        assert_eq!(run_in(base.path(), &["drivetrain", "train", "--n-estimators", "many"]), ExitCode::from(USAGE));
        let text = std::fs::read_to_string(&failure).unwrap();
        assert!(text.contains("--n-estimators"), "{text}");
        assert!(!base.path().join("model").exists());
    }

    #[cfg(feature = "process")]
    #[test]
    fn a_failed_processing_job_says_why_in_its_message_file() {
        let base = tempfile::tempdir().unwrap();
        assert_eq!(run_in(base.path(), &["drivetrain", "process"]), ExitCode::FAILURE);
        let text = std::fs::read_to_string(base.path().join("output/message")).unwrap();
        assert!(text.contains("train.csv"), "{text}");
        assert!(!base.path().join("processing").exists());
    }

    #[test]
    fn a_panic_is_reported_like_an_error() {
        let base = tempfile::tempdir().unwrap();
        let file = FailureFile::training(&Paths::new(base.path()));
        let code = supervise(variables(base.path()), Some(&file), |_| panic!("impossible"));
        assert_eq!(code, ExitCode::FAILURE);
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "internal error: impossible");
    }

    #[test]
    fn asking_for_the_version_is_no_error() {
        let base = tempfile::tempdir().unwrap();
        assert_eq!(run_in(base.path(), &["drivetrain", "--version"]), ExitCode::SUCCESS);
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
    }
}
