//! Jobs as processes: signals, closed pipes, exit codes, failure files.

#![cfg(all(unix, feature = "process", feature = "train"))]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use drivetrain_artifact::{Artifact, Limits, ndarray::Array2, npy};
use drivetrain_container::stop::EXIT_WITH_STDIN;

fn job(base: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drivetrain"));
    command.args(arguments).env("SAGEMAKER_BASE_DIR", base).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// An acquisition that is in the middle of a download which never ends.
fn downloading(base: &Path, set_up: impl FnOnce(&mut Command) -> &mut Command) -> (Child, TcpListener) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/auto-mpg.data", listener.local_addr().unwrap());
    let child = set_up(&mut job(base, &["acquire", "--data", &url])).spawn().unwrap();
    let (stream, _) = listener.accept().unwrap();
    // The request is here, so the job runs.
    assert!(BufReader::new(&stream).lines().map_while(Result::ok).any(|line| line.is_empty()));
    // The connection stays open for as long as the process lives.
    std::mem::forget(stream);
    (child, listener)
}

fn message(base: &Path) -> String {
    fs::read_to_string(base.join("output/message")).unwrap()
}

#[test]
fn a_job_obeys_sigterm_and_says_so() {
    let base = tempfile::tempdir().unwrap();
    let (mut child, _listener) = downloading(base.path(), |command| command);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(message(base.path()), "stopped before it was done (SIGTERM)");
    assert!(!base.path().join("processing").exists());
}

/// A training job that a real signal stops in the middle.
#[test]
fn training_obeys_sigterm_and_keeps_the_trees_it_has() {
    let base = tempfile::tempdir().unwrap();
    let rows = Array2::from_shape_fn((2000, 6), |(row, column)| ((row * (column + 3)) % 97) as f64);
    for (channel, file) in [("train", "train_feats.npy"), ("val", "val_feats.npy")] {
        let directory = base.path().join("input/data").join(channel);
        fs::create_dir_all(&directory).unwrap();
        npy::write(directory.join(file), rows.view()).unwrap();
    }
    let mut child = job(base.path(), &["train", "--n-estimators", "1000000"]).stderr(Stdio::piped()).spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    // The first sign of life comes after some seconds of growing.
    let mut lines = log.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("of 1000000 trees grown")));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<_> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("told to stop: keeping the")), "{rest:?}");
    assert!(!base.path().join("output/failure").exists());

    let stopped = Artifact::read_dir(base.path().join("model"), &Limits::default()).unwrap();
    let n_trees = stopped.model().regressor().unwrap().forest().n_trees();
    assert!((1..1_000_000).contains(&n_trees));
    let whole = job(base.path(), &["train", "--n-estimators", &n_trees.to_string()]).status().unwrap();
    assert!(whole.success());
    assert_eq!(Artifact::read_dir(base.path().join("model"), &Limits::default()).unwrap(), stopped);
}

#[test]
fn a_job_ends_with_whoever_started_it() {
    let base = tempfile::tempdir().unwrap();
    let (mut child, _listener) =
        downloading(base.path(), |command| command.stdin(Stdio::piped()).env(EXIT_WITH_STDIN, "1"));
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(message(base.path()), "stopped before it was done (end of stdin)");
}

#[test]
fn a_job_that_fails_with_stderr_closed_still_leaves_its_explanation() {
    let base = tempfile::tempdir().unwrap();
    for (arguments, file, code) in [
        (&["train"][..], "output/failure", 1),
        (&["process"], "output/message", 1),
        (&["train", "--n-estimators", "many"], "output/failure", 2),
    ] {
        let mut child = job(base.path(), arguments).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{arguments:?}");
        assert!(!fs::read_to_string(base.path().join(file)).unwrap().is_empty(), "{arguments:?}");
        fs::remove_file(base.path().join(file)).unwrap();
    }
}
