//! Training on several hosts, each a process, some of which are killed.

#![cfg(all(unix, feature = "train"))]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

use drivetrain_artifact::{Artifact, Limits, Sha256, ndarray::Array2, npy};
use tempfile::TempDir;

/// A job of several hosts, each with a directory of its own.
struct Job {
    hosts: Vec<String>,
    directories: Vec<TempDir>,
    address: String,
}

impl Job {
    fn new(n_hosts: usize, n_trees: usize) -> Self {
        let hosts: Vec<_> = (1..=n_hosts).map(|number| format!("algo-{number}")).collect();
        let rows = Array2::from_shape_fn((1500, 5), |(row, column)| ((row * (column + 3)) % 97) as f64);
        let lay_out = |host: &String| {
            let directory = tempfile::tempdir().unwrap();
            for (channel, file) in [("train", "train_feats.npy"), ("val", "val_feats.npy")] {
                let channel = directory.path().join("input/data").join(channel);
                fs::create_dir_all(&channel).unwrap();
                npy::write(channel.join(file), rows.view()).unwrap();
            }
            let config = directory.path().join("input/config");
            fs::create_dir_all(&config).unwrap();
            let quoted: Vec<_> = hosts.iter().map(|host| format!("\"{host}\"")).collect();
            let resources = format!(r#"{{"current_host": "{host}", "hosts": [{}]}}"#, quoted.join(", "));
            fs::write(config.join("resourceconfig.json"), resources).unwrap();
            fs::write(config.join("hyperparameters.json"), format!(r#"{{"n-estimators": "{n_trees}"}}"#)).unwrap();
            directory
        };
        let directories = hosts.iter().map(lay_out).collect();
        let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().to_string();
        Self { hosts, directories, address }
    }

    fn base(&self, host: usize) -> &Path {
        self.directories[host].path()
    }

    fn start(&self, host: usize) -> Child {
        Command::new(env!("CARGO_BIN_EXE_drivetrain"))
            .arg("train")
            .env("SAGEMAKER_BASE_DIR", self.base(host))
            .env("DRIVETRAIN_HOSTS", format!("{}={}", self.hosts[0], self.address))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn model(&self) -> Sha256 {
        Artifact::read_dir(self.base(0).join("model"), &Limits::default()).unwrap().model_id()
    }
}

/// The log of a host, after the line that says this.
fn after(child: &mut Child, text: &str) -> BufReader<ChildStderr> {
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the log ended without `{text}`");
    }
    log
}

fn rest(log: BufReader<ChildStderr>) -> String {
    log.lines().map_while(Result::ok).collect::<Vec<_>>().join("\n")
}

fn one_host(n_trees: usize) -> Sha256 {
    let one = Job::new(1, n_trees);
    assert!(one.start(0).wait_with_output().unwrap().status.success());
    one.model()
}

#[test]
fn two_and_three_processes_make_the_model_of_one() {
    let expected = one_host(40);
    for n_hosts in [2, 3] {
        let job = Job::new(n_hosts, 40);
        // The main host comes last.
        let hosts: Vec<_> = (0..n_hosts).rev().map(|host| job.start(host)).collect();
        for host in hosts {
            let output = host.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(job.model(), expected);
    }
}

#[test]
fn the_trees_of_a_host_that_is_killed_are_grown_by_the_main_one() {
    let job = Job::new(2, 1000);
    let (mut main, mut other) = (job.start(0), job.start(1));
    let other_log = after(&mut other, "growing a share");
    other.kill().unwrap();
    other.wait().unwrap();
    drop(other_log);
    let log = rest(BufReader::new(main.stderr.take().unwrap()));
    assert_eq!(main.wait().unwrap().code(), Some(0), "{log}");
    assert!(log.contains("lost host \"algo-2\"") && log.contains("growing trees 500 to 999 of algo-2 here"), "{log}");
    assert_eq!(job.model(), one_host(1000));
}

#[test]
fn a_host_whose_main_host_is_killed_fails_and_says_why() {
    let job = Job::new(2, 1_000_000);
    let (mut main, mut other) = (job.start(0), job.start(1));
    let log = after(&mut other, "growing a share");
    main.kill().unwrap();
    main.wait().unwrap();
    let log = rest(log);
    assert_eq!(other.wait().unwrap().code(), Some(1), "{log}");
    let failure = fs::read_to_string(job.base(1).join("output/failure")).unwrap();
    assert!(failure.starts_with("lost the main host algo-1 before it had the trees of this one"), "{failure}");
    assert!(!job.base(1).join("model").exists());
}
