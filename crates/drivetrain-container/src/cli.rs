//! The command line: which job, with which flags, and what becomes of its errors.
//!
//! A job that fails prints its error to stderr, outermost first and one cause per line, leaves the same text where the
//! platform looks for it, and ends with exit code 1. A command line that cannot be understood ends with 2.

use std::{
    any::Any,
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};

use crate::{
    Error,
    environment::{Paths, SageMakerEnv},
    failure::{self, FailureFile},
    logging,
    stop::Stop,
};

/// The exit code of a command line that cannot be understood.
const USAGE: u8 = 2;

/// How long a job may take to obey a request to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long a training job may take to finish the trees it has begun, and to write them; the platform gives 120 s.
const TRAINING_GRACE: Duration = Duration::from_secs(100);

/// What every job's help ends with.
const ENVIRONMENT_HELP: &str = "\
Directories:
  Every path is below /opt/ml, where the SageMaker platform puts a job's inputs and
  collects its outputs. Set SAGEMAKER_BASE_DIR to run a job in a directory of your own:

    export SAGEMAKER_BASE_DIR=/tmp/job

Stopping:
  SIGTERM, SIGINT and SIGHUP end acquire, process, evaluate, report and compare within
  seconds, leaving none of their outputs. Training grows the trees that it has begun,
  writes a model of those there are and ends well; without any it fails. Serving
  finishes what it has begun. With DRIVETRAIN_EXIT_WITH_STDIN=1 the end of stdin does
  the same.

Hosts:
  Of the hosts in input/config/resourceconfig.json the first by name does the work of
  every job but train and serve. In training each grows its share of the trees and
  sends it there: the model is the one that a single host makes, byte for byte, also
  when others are lost. They find each other by name, and by the variables
    DRIVETRAIN_PORT           the port of the first host [default: 29517]
    DRIVETRAIN_HOSTS          host=address:port,... for names that do not resolve
    DRIVETRAIN_HOSTS_TIMEOUT  seconds to wait for one another [default: 180]

Exit codes:
  0  done
  1  failed; why is on stderr, and in output/failure (train) or output/message
     (every other job) below the base directory
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

    /// Cross-validate the random forest beside its baselines, and look into it
    #[cfg(feature = "evaluate")]
    #[command(after_long_help = ENVIRONMENT_HELP)]
    Evaluate(crate::jobs::evaluate::EvaluateArgs),

    /// Look into a trained model and draw a web page of what is found
    #[cfg(feature = "report")]
    #[command(after_long_help = ENVIRONMENT_HELP)]
    Report(crate::jobs::report::ReportArgs),

    /// Draw a web page of two reports side by side
    #[cfg(feature = "report")]
    #[command(after_long_help = ENVIRONMENT_HELP)]
    Compare(crate::jobs::report::CompareArgs),

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
    fn run(&self, env: &SageMakerEnv, stop: &Stop, stdout: &mut dyn Write) -> Result<(), Error> {
        match self {
            #[cfg(feature = "serve")]
            Self::Serve(args) => crate::serve::run(args, env, stop, stdout),
            // Its other hosts help.
            #[cfg(feature = "train")]
            Self::Train(args) => crate::jobs::train::run(args, env, stop, stdout),
            #[cfg(feature = "process")]
            _ if !env.hosts().is_main() => {
                // Two hosts that write the same objects would overwrite each other's.
                tracing::info!("{} leaves the work to {}", env.hosts().current, env.hosts().main());
                Ok(())
            }
            #[cfg(feature = "process")]
            Self::Acquire(args) => crate::jobs::acquire::run(args, env, stop, stdout),
            #[cfg(feature = "process")]
            Self::Process(args) => crate::jobs::process::run(args, env, stop, stdout),
            #[cfg(feature = "evaluate")]
            Self::Evaluate(args) => crate::jobs::evaluate::run(args, env, stop, stdout),
            #[cfg(feature = "report")]
            Self::Report(args) => crate::jobs::report::run(args, env, stop, stdout),
            #[cfg(feature = "report")]
            Self::Compare(args) => crate::jobs::report::run_compare(args, env, stop, stdout),
        }
    }
}

/// Runs the job that the command line names: the program `drivetrain`.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let variables: BTreeMap<_, _> = variables.into_iter().collect();
    let verb = arguments.get(1).and_then(|verb| verb.to_str()).unwrap_or_default();
    let failure_file = failure_file(
        verb,
        &SageMakerEnv::locate(variables.get(OsStr::new(SageMakerEnv::BASE_DIR)).map(OsString::as_os_str)),
    );
    match Cli::try_parse_from(&arguments) {
        Ok(cli) => {
            let job = |env: &SageMakerEnv, stop: &Stop| cli.job.run(env, stop, &mut std::io::stdout());
            let grace = if verb == "train" { TRAINING_GRACE } else { GRACE };
            supervise(variables, failure_file.as_ref(), grace, job)
        }
        Err(error) => refuse(&error, failure_file.as_ref()),
    }
}

/// Runs the serve job: the program `drivetrain-serve`.
#[cfg(feature = "serve")]
pub fn run_serve(
    arguments: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    match ServeCli::try_parse_from(arguments) {
        Ok(cli) => {
            let job = |env: &SageMakerEnv, stop: &Stop| crate::serve::run(&cli.args, env, stop, &mut std::io::stdout());
            supervise(variables.into_iter().collect(), None, GRACE, job)
        }
        Err(error) => refuse(&error, None),
    }
}

/// Where the platform looks for the explanation of a job of this name; serving has no such place.
fn failure_file(verb: &str, paths: &Paths) -> Option<FailureFile> {
    match verb {
        "acquire" | "process" | "evaluate" | "report" | "compare" => Some(FailureFile::processing(paths)),
        "train" => Some(FailureFile::training(paths)),
        _ => None,
    }
}

/// Runs a job and reports how it ended.
fn supervise(
    variables: BTreeMap<OsString, OsString>,
    failure_file: Option<&FailureFile>,
    grace: Duration,
    job: impl FnOnce(&SageMakerEnv, &Stop) -> Result<(), Error>,
) -> ExitCode {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let variables = unicode(variables)?;
        logging::init(&variables);
        if let Some(file) = failure_file
            && let Err(error) = file.clear()
        {
            tracing::warn!("cannot remove {} of an earlier job: {error}", file.path().display());
        }
        let stop = Stop::watching(&variables);
        if let Some(file) = failure_file {
            end_late(&stop, file.clone(), grace);
        }
        job(&SageMakerEnv::load(variables)?, &stop)
    }));
    let explanation = match outcome {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => failure::explain(&error),
        Err(panic) => format!("internal error: {}", panic_message(panic.as_ref())),
    };
    fail(failure_file, &explanation)
}

/// Ends the process some time after a stop was asked for, in case the job is in the middle of something that cannot be
/// left, such as a slow download; but not while it writes, which is soon over, and after which it stops by itself.
fn end_late(stop: &Stop, failure_file: FailureFile, grace: Duration) {
    let stop = stop.clone();
    let watch = move || {
        let reason = stop.wait();
        std::thread::sleep(grace);
        let _idle = stop.busy();
        fail(Some(&failure_file), &failure::explain(&Error::Stopped { reason }));
        std::process::exit(1);
    };
    if let Err(error) = std::thread::Builder::new().name("stop".to_owned()).spawn(watch) {
        tracing::warn!("cannot watch the time after a stop: {error}");
    }
}

/// The variables as text. Those that no job asks for may be what they like.
fn unicode(variables: BTreeMap<OsString, OsString>) -> Result<BTreeMap<String, String>, Error> {
    let mut texts = BTreeMap::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => {
                texts.insert(name, value);
            }
            Err(value) if name.starts_with("SM_") || name.starts_with("SAGEMAKER_") => {
                return Err(Error::VariableEncoding { name, value });
            }
            Err(_) => {}
        }
    }
    Ok(texts)
}

/// Prints what clap has to say: help and version to stdout, a wrong command line to stderr.
fn refuse(error: &clap::Error, failure_file: Option<&FailureFile>) -> ExitCode {
    if error.use_stderr() {
        explain_to_platform(failure_file, &error.to_string());
    }
    // There is nobody left to tell when the terminal is gone.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}

/// Says why a job failed: to the platform first, since stderr may be closed.
fn fail(failure_file: Option<&FailureFile>, explanation: &str) -> ExitCode {
    explain_to_platform(failure_file, explanation);
    failure::say(&format!("error: {explanation}"));
    ExitCode::FAILURE
}

fn explain_to_platform(failure_file: Option<&FailureFile>, explanation: &str) {
    if let Some(file) = failure_file
        && let Err(error) = file.write(explanation)
    {
        failure::say(&format!("warning: cannot write {}: {error}", file.path().display()));
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

    fn variables(base: &std::path::Path) -> BTreeMap<OsString, OsString> {
        [("SAGEMAKER_BASE_DIR".into(), base.into()), ("RUST_LOG".into(), "off".into())].into()
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
        let code = supervise(variables(base.path()), Some(&file), GRACE, |_, _| panic!("impossible"));
        assert_eq!(code, ExitCode::FAILURE);
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "internal error: impossible");
    }

    #[test]
    fn a_job_that_was_told_to_stop_says_so() {
        let base = tempfile::tempdir().unwrap();
        let file = FailureFile::processing(&Paths::new(base.path()));
        let code =
            supervise(variables(base.path()), Some(&file), GRACE, |_, _| Err(Error::Stopped { reason: "SIGTERM" }));
        assert_eq!(code, ExitCode::FAILURE);
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "stopped before it was done (SIGTERM)");
    }

    #[cfg(feature = "process")]
    #[test]
    fn a_host_that_is_not_the_main_one_leaves_processing_to_it() {
        let base = tempfile::tempdir().unwrap();
        let config = base.path().join("config");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("resourceconfig.json"), r#"{"current_host": "b", "hosts": ["a", "b"]}"#).unwrap();
        assert_eq!(run_in(base.path(), &["drivetrain", "process"]), ExitCode::SUCCESS);
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 1);
    }

    #[cfg(all(unix, feature = "train"))]
    #[test]
    fn a_base_directory_that_is_not_unicode_is_refused_where_it_is() {
        use std::os::unix::ffi::OsStringExt;

        let parent = tempfile::tempdir().unwrap();
        let base = parent.path().join(OsString::from_vec(b"m\xffl".to_vec()));
        std::fs::create_dir(&base).unwrap();
        assert_eq!(run_in(&base, &["drivetrain", "train"]), ExitCode::FAILURE);
        let text = std::fs::read_to_string(base.join("output/failure")).unwrap();
        assert!(text.contains("variable SAGEMAKER_BASE_DIR is not Unicode"), "{text}");
    }

    #[test]
    fn asking_for_the_version_is_no_error() {
        let base = tempfile::tempdir().unwrap();
        assert_eq!(run_in(base.path(), &["drivetrain", "--version"]), ExitCode::SUCCESS);
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
    }
}
