//! Hosts as threads of one process, and strangers among them.

use std::{
    fs,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
    time::Instant,
};

use drivetrain_artifact::{Artifact, Limits, npy};
use drivetrain_forest::FitOptions;
use tempfile::TempDir;

use super::{
    super::{TrainArgs, features::Features, run, tests},
    wire::{ALIVE, Answer, TREES},
    *,
};
use crate::stop::Stop;

const HYPERPARAMETERS: &str = r#"{"n-estimators": "9", "random-state": "3"}"#;

/// A job of several hosts, each with a directory of its own.
struct Job {
    hosts: Vec<String>,
    directories: Vec<TempDir>,
    port: u16,
    timeout: u16,
}

impl Job {
    fn new(n_hosts: usize) -> Self {
        let hosts: Vec<_> = (1..=n_hosts).map(|number| format!("algo-{number}")).collect();
        let directories: Vec<_> = hosts.iter().map(|_| tempfile::tempdir().unwrap()).collect();
        for (host, directory) in hosts.iter().zip(&directories) {
            tests::lay_out(directory.path(), HYPERPARAMETERS);
            let config = serde_json::json!({ "current_host": host, "hosts": hosts });
            fs::write(directory.path().join("input/config/resourceconfig.json"), config.to_string()).unwrap();
        }
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        Self { hosts, directories, port, timeout: 60 }
    }

    fn base(&self, host: usize) -> &Path {
        self.directories[host].path()
    }

    fn env(&self, host: usize) -> SageMakerEnv {
        let variables = [
            (SageMakerEnv::BASE_DIR, self.base(host).display().to_string()),
            (HOSTS, format!("algo-1=127.0.0.1:{}", self.port)),
            (HOSTS_TIMEOUT, self.timeout.to_string()),
        ];
        SageMakerEnv::load(variables.map(|(name, value)| (name.to_owned(), value)).into()).unwrap()
    }

    fn run(&self, host: usize, stop: &Stop) -> Result<(), Error> {
        run(&TrainArgs::default(), &self.env(host), stop, &mut Vec::new())
    }

    /// Runs the hosts of these numbers beside the main one, and what else there is to do.
    fn run_with(&self, others: &[usize], stranger: impl FnOnce(&Self)) -> Vec<Result<(), Error>> {
        thread::scope(|scope| {
            let hosts = [0].iter().chain(others).map(|&host| scope.spawn(move || self.run(host, &Stop::default())));
            let hosts: Vec<_> = hosts.collect();
            stranger(self);
            hosts.into_iter().map(|host| host.join().unwrap()).collect()
        })
    }

    fn model(&self) -> Sha256 {
        Artifact::read_dir(self.base(0).join("model"), &Limits::default()).unwrap().model_id()
    }

    /// What a host of this number says of itself.
    fn hello(&self, host: usize) -> Hello {
        let regressor = RandomForestRegressor::builder().n_estimators(9).random_state(3).build().unwrap();
        let train = Features::read(&self.base(host).join("input/data/train"), "train_feats.npy").unwrap();
        let data = Sha256::of_file(train.path()).unwrap();
        Cluster::new(&self.env(host)).unwrap().hello(host, &regressor, data).unwrap()
    }

    /// The first `n_trees` that a host of this number grows.
    fn trees(&self, host: usize, n_trees: usize) -> Vec<u8> {
        let regressor = RandomForestRegressor::builder().n_estimators(n_trees).random_state(3).build().unwrap();
        let train = Features::read(&self.base(host).join("input/data/train"), "train_feats.npy").unwrap();
        let options = FitOptions::new().first_tree(self.hello(host).first_tree);
        rmp_serde::to_vec_named(&regressor.fit_with(train.x(), &train.y(), options).unwrap()).unwrap()
    }

    fn connect(&self) -> TcpStream {
        loop {
            // The main host may not listen yet.
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                return stream;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Says hello, and what is answered.
    fn greet(&self, hello: &Hello) -> (TcpStream, Answer) {
        let stream = self.connect();
        hello.write(&stream).unwrap();
        let answer = Answer::read(&stream).unwrap();
        (stream, answer)
    }
}

/// The model of a single host.
fn expected() -> Sha256 {
    let one = Job::new(1);
    one.run(0, &Stop::default()).unwrap();
    one.model()
}

fn assert_only_the_main_host_wrote(job: &Job) {
    for host in 1..job.hosts.len() {
        assert!(!job.base(host).join("model").exists() && !job.base(host).join("output").exists());
    }
}

fn refusal(answer: Answer) -> String {
    match answer {
        Answer::Refused(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_tree_is_grown_once() {
    let job = Job::new(1);
    let mut cluster = Cluster::new(&job.env(0)).unwrap();
    for n_hosts in 1..6 {
        cluster.hosts = vec![String::new(); n_hosts];
        for n_trees in 1..20 {
            let shares: Vec<_> = (0..n_hosts).flat_map(|host| cluster.share(host, n_trees)).collect();
            assert_eq!(shares, (0..n_trees).collect::<Vec<_>>());
            assert!(!cluster.share(0, n_trees).is_empty());
        }
    }
}

#[test]
fn hosts_are_found_as_the_variables_say() {
    let base = tempfile::tempdir().unwrap();
    let cluster = |set: &[(&str, &str)]| {
        let base = (SageMakerEnv::BASE_DIR, base.path().to_str().unwrap());
        let variables = set.iter().chain([&base]).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Cluster::new(&SageMakerEnv::load(variables.collect()).unwrap())
    };
    let plain = cluster(&[]).unwrap();
    assert!(plain.is_one_host() && plain.is_main());
    assert_eq!((plain.main_address(), plain.own_address()), ("algo-1:29517".to_owned(), "0.0.0.0:29517".to_owned()));
    assert_eq!(cluster(&[(PORT, "1234")]).unwrap().main_address(), "algo-1:1234");
    let mapped = cluster(&[(HOSTS, "algo-1=[::1]:5,algo-2=localhost:6")]).unwrap();
    assert_eq!((mapped.main_address(), mapped.own_address()), ("[::1]:5".to_owned(), "[::1]:5".to_owned()));
    for (name, value) in
        [(PORT, "70000"), (HOSTS_TIMEOUT, "soon"), (HOSTS, "algo-1"), (HOSTS, "a=b:1,=b:1"), (HOSTS, "a=:")]
    {
        let error = cluster(&[(name, value)]).unwrap_err();
        assert!(matches!(&error, Error::Variable { name: of, .. } if of == name), "{error}");
    }
}

#[test]
fn several_hosts_make_the_model_of_one() {
    let expected = expected();
    for n_hosts in [2, 3, 12] {
        let job = Job::new(n_hosts);
        let others: Vec<_> = (1..n_hosts).collect();
        for outcome in job.run_with(&others, |_| {}) {
            outcome.unwrap();
        }
        assert_eq!(job.model(), expected);
        assert_only_the_main_host_wrote(&job);
    }
}

#[test]
fn a_host_that_does_not_come_is_done_without() {
    let mut job = Job::new(3);
    job.timeout = 1;
    job.run_with(&[2], |_| {}).into_iter().for_each(Result::unwrap);
    assert_eq!(job.model(), expected());
}

#[test]
fn a_host_with_other_data_or_parameters_is_refused_and_done_without() {
    let job = Job::new(3);
    let path = job.base(1).join("input/data/train/train_feats.npy");
    npy::write(path, tests::matrix(80, 1).view()).unwrap();
    let config = job.base(2).join("input/config/hyperparameters.json");
    fs::write(config, r#"{"n-estimators": "9", "random-state": "4"}"#).unwrap();
    let outcomes = job.run_with(&[1, 2], |_| {});
    outcomes[0].as_ref().unwrap();
    for (outcome, reason) in outcomes[1..].iter().zip(["training data has the sha256", "parameters are"]) {
        let error = outcome.as_ref().unwrap_err();
        assert!(matches!(error, Error::HostRefused { host, reason: why } if host == "algo-1" && why.contains(reason)));
    }
    assert_eq!(job.model(), expected());
    assert_only_the_main_host_wrote(&job);
}

#[test]
fn strangers_are_sent_away_and_change_nothing() {
    let job = Job::new(2);
    let outcomes = job.run_with(&[], |job| {
        // Had one of them come before the host itself, the main host would not wait for it: its trees are soon grown.
        let (stream, answer) = job.greet(&job.hello(1));
        assert_eq!(answer, Answer::Go);
        let with = |edit: fn(&mut Hello)| {
            let mut hello = job.hello(1);
            edit(&mut hello);
            refusal(job.greet(&hello).1)
        };
        assert_eq!(with(|hello| hello.host = "algo-3".to_owned()), "it is none of the job's hosts");
        assert!(with(|hello| hello.version.push('x')).starts_with("it runs version"));
        assert!(with(|hello| hello.first_tree = 0).starts_with("it grows 4 trees from number 0"));
        assert_eq!(refusal(job.greet(&job.hello(0)).1), "a host of this name has come already");

        // Something else than a host, and one that says more than it may.
        for words in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"DTTREES\x02\0\0\0\0", b"DTTREES\x01\xff\xff\xff\xff"] {
            let mut stream = job.connect();
            stream.write_all(words).unwrap();
            // Hung up on: with or without a reset, as bytes were left unread or not.
            assert!(matches!(stream.read(&mut [0; 8]), Ok(0) | Err(_)));
        }

        assert_eq!(refusal(job.greet(&job.hello(1)).1), "a host of this name has come already");
        wire::write_trees(&job.trees(1, 4), &stream).unwrap();
        assert_eq!(Answer::read(&stream).unwrap(), Answer::Taken);
    });
    outcomes.into_iter().for_each(Result::unwrap);
    assert_eq!(job.model(), expected());
}

/// Greets as a host should, sends something else than its trees, and is refused or hung up on; the main host makes do.
fn assert_does_without(answered: &str, send: impl FnOnce(&Job, &TcpStream) -> io::Result<()>) {
    let job = Job::new(2);
    let outcomes = job.run_with(&[], |job| {
        let (stream, answer) = job.greet(&job.hello(1));
        assert_eq!(answer, Answer::Go);
        send(job, &stream).unwrap();
        match Answer::read(&stream) {
            Ok(answer) => assert!(refusal(answer).contains(answered)),
            Err(_) => assert_eq!(answered, ""),
        }
    });
    outcomes.into_iter().for_each(Result::unwrap);
    assert_eq!(job.model(), expected());
}

#[test]
fn trees_that_cannot_be_those_of_the_host_are_refused() {
    assert_does_without("trees of 3 features, not 4 of 3", |job, stream| wire::write_trees(&job.trees(1, 5), stream));
    assert_does_without("", |_, stream| {
        wire::write_trees(b"no forest", stream).and_then(|()| stream.shutdown(std::net::Shutdown::Write))
    });
    assert_does_without("another sha256", |job, mut stream| {
        let mut bytes = Vec::new();
        wire::write_trees(&job.trees(1, 4), &mut bytes)?;
        *bytes.last_mut().unwrap() ^= 1;
        stream.write_all(&bytes)
    });
    assert_does_without("are possible", |_, mut stream| {
        stream.write_all(&[&[TREES], &u64::MAX.to_le_bytes()[..]].concat())
    });
    // Cut off in the middle; nothing at all; a word that means nothing.
    assert_does_without("", |job, mut stream| {
        let mut bytes = Vec::new();
        wire::write_trees(&job.trees(1, 4), &mut bytes)?;
        stream.write_all(&bytes[..bytes.len() / 2])?;
        stream.shutdown(std::net::Shutdown::Write)
    });
    assert_does_without("", |_, stream| stream.shutdown(std::net::Shutdown::Write));
    assert_does_without("", |_, mut stream| stream.write_all(&[77]));
}

#[test]
fn a_host_that_lives_but_is_never_done_is_done_without() {
    let mut job = Job::new(2);
    job.timeout = 1;
    let outcomes = job.run_with(&[], |job| {
        let (mut stream, _) = job.greet(&job.hello(1));
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < Duration::from_mins(1));
            stream.write_all(&[ALIVE]).unwrap();
            match Answer::read(&stream).unwrap() {
                Answer::Alive => thread::sleep(Duration::from_millis(10)),
                answer => break assert_eq!(answer, Answer::NotNeeded),
            }
        }
    });
    outcomes.into_iter().for_each(Result::unwrap);
    assert_eq!(job.model(), expected());
}

#[test]
fn trees_of_a_host_that_was_told_to_stop_are_kept_and_the_others_grown() {
    let job = Job::new(2);
    let outcomes = job.run_with(&[], |job| {
        let (stream, _) = job.greet(&job.hello(1));
        wire::write_trees(&job.trees(1, 2), &stream).unwrap();
        assert_eq!(Answer::read(&stream).unwrap(), Answer::Taken);
    });
    outcomes.into_iter().for_each(Result::unwrap);
    assert_eq!(job.model(), expected());
}

#[test]
fn those_who_connect_and_say_nothing_do_not_keep_the_main_host() {
    let mut job = Job::new(2);
    job.timeout = 1;
    let outcomes = job.run_with(&[], |job| {
        let idle: Vec<_> = (0..40).map(|_| job.connect()).collect();
        while !job.base(0).join("model/manifest.json").exists() {
            thread::sleep(Duration::from_millis(10));
        }
        drop(idle);
    });
    outcomes.into_iter().for_each(Result::unwrap);
    assert_eq!(job.model(), expected());
}

#[test]
fn a_main_host_that_is_told_to_stop_keeps_the_trees_from_the_front() {
    let job = Job::new(3);
    let stop = Stop::default();
    thread::scope(|scope| {
        let main = scope.spawn(|| job.run(0, &stop));
        let (_growing, answer) = job.greet(&job.hello(1));
        assert_eq!(answer, Answer::Go);
        let (stream, _) = job.greet(&job.hello(2));
        wire::write_trees(&job.trees(2, 3), &stream).unwrap();
        assert_eq!(Answer::read(&stream).unwrap(), Answer::Taken);
        // It has its own trees, or some of them, and those of the third host; none of the second.
        thread::sleep(Duration::from_millis(300));
        stop.request("SIGTERM");
        main.join().unwrap().unwrap();
    });
    let artifact = Artifact::read_dir(job.base(0).join("model"), &Limits::default()).unwrap();
    let n_trees = artifact.model().regressor().unwrap().forest().n_trees();
    assert!((1..=3).contains(&n_trees), "{n_trees}");
    let one = Job::new(1);
    let config = format!(r#"{{"n-estimators": "{n_trees}", "random-state": "3"}}"#);
    fs::write(one.base(0).join("input/config/hyperparameters.json"), config).unwrap();
    one.run(0, &Stop::default()).unwrap();
    assert_eq!(job.model(), one.model());
}

#[test]
fn without_a_main_host_the_others_fail_and_say_so() {
    let mut job = Job::new(2);
    job.timeout = 0;
    let error = job.run(1, &Stop::default()).unwrap_err();
    let address = format!("127.0.0.1:{}", job.port);
    assert_eq!(error.to_string(), format!("cannot reach the main host algo-1 at {address} within 0 s"));

    // One that says go and is gone.
    job.timeout = 60;
    let listener = TcpListener::bind(&address).unwrap();
    thread::scope(|scope| {
        let other = scope.spawn(|| job.run(1, &Stop::default()));
        let (stream, _) = listener.accept().unwrap();
        Hello::read(&stream).unwrap();
        Answer::Go.write(&stream).unwrap();
        drop(stream);
        let error = other.join().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "lost the main host algo-1 before it had the trees of this one");
    });
    assert_only_the_main_host_wrote(&job);
}

#[test]
fn a_host_that_is_told_to_stop_sends_what_it_has() {
    let job = Job::new(2);
    let config = job.base(1).join("input/config/hyperparameters.json");
    fs::write(config, r#"{"n-estimators": "900000"}"#).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", job.port)).unwrap();
    let stop = Stop::default();
    thread::scope(|scope| {
        let other = scope.spawn(|| job.run(1, &stop));
        let (mut stream, _) = listener.accept().unwrap();
        let hello = Hello::read(&stream).unwrap();
        assert_eq!((hello.first_tree, hello.n_trees), (450_000, 450_000));
        Answer::Go.write(&stream).unwrap();
        let bytes = loop {
            match wire::array(&stream).unwrap() {
                [ALIVE] => Answer::Alive.write(&mut stream).unwrap(),
                [TREES] => break wire::read_trees(&stream, 1 << 30).unwrap(),
                [other] => panic!("{other}"),
            }
            // Some trees are grown by the second beat.
            thread::sleep(Duration::from_millis(50));
            stop.request("SIGTERM");
        };
        let forest: drivetrain_forest::Forest = rmp_serde::from_slice(&bytes).unwrap();
        assert!((1..450_000).contains(&forest.n_trees()));
        let regressor = RandomForestRegressor::builder().n_estimators(forest.n_trees()).build().unwrap();
        let train = Features::read(&job.base(1).join("input/data/train"), "train_feats.npy").unwrap();
        let options = FitOptions::new().first_tree(450_000);
        assert_eq!(regressor.fit_with(train.x(), &train.y(), options).unwrap(), forest);
        Answer::Taken.write(&stream).unwrap();
        other.join().unwrap().unwrap();
    });
    assert_only_the_main_host_wrote(&job);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let job = Job::new(2);
    let address = format!("127.0.0.1:{}", job.port);
    let _taken = TcpListener::bind(&address).unwrap();
    let error = job.run(0, &Stop::default()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {address} for the trees of the other hosts"));
}
