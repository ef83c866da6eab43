use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;
use crate::metrics::Metric as Scraped;
use crate::record::{Failure, StepRecord};
use crate::{JobName, Timestamp};

fn run(store: &Store) -> Run {
    Run::of(store, &project(), &record(store), &[]).unwrap()
}

fn project() -> Key {
    Key::new("demo").unwrap()
}

fn record(store: &Store) -> RunRecord {
    let mut record = RunRecord::new(JobName::new("first").unwrap(), Timestamp::from_unix_seconds(100));
    record.ended = Some(Timestamp::from_unix_seconds(103));
    record.parameters.insert("max-depth".into(), "none".into());
    record.metrics.push(Scraped { name: "val:rmse".into(), value: 2.5 });
    record.series.insert("random forest rmse".into(), vec![2.0, 3.0]);
    record.tags.insert("drivetrain.version".into(), "0.1.0".into());
    let log = Key::new("demo/jobs/first/log.txt").unwrap();
    let stored = store.put_bytes(&log, b"line\n".to_vec()).unwrap();
    record.artifacts.insert("models/m.tar.gz".into(), stored);
    record.set_step(StepRecord { name: "train".into(), seconds: 0.5, log: Some(log) });
    record.set_step(StepRecord { name: "gone".into(), seconds: 0.5, log: Some(Key::new("demo/none").unwrap()) });
    record
}

#[test]
fn a_run_lies_in_the_store_as_mlflow_lays_it_out() {
    let store = Store::in_memory().unwrap();
    let run = run(&store);
    assert!(run.id().len() == 32 && run.id().bytes().all(|digit| digit.is_ascii_hexdigit()));
    let folder = write(&store, &run).unwrap();
    let read = |name: &str| String::from_utf8(store.get_bytes(&folder.join(name).unwrap(), 1 << 20).unwrap()).unwrap();
    assert_eq!(read("params/max-depth"), "none");
    assert_eq!(read("metrics/val_rmse"), "103000 2.5 0\n");
    assert_eq!(read("metrics/random_forest_rmse"), "103000 2.0 0\n103000 3.0 1\n");
    assert_eq!(read("metrics/seconds_train"), "103000 0.5 0\n");
    assert_eq!(read("tags/mlflow.runName"), "first");
    assert_eq!(read("tags/sha256.models_m.tar.gz").len(), 64);
    assert_eq!(read("artifacts/logs/train.txt"), "line\n");
    let meta = read("meta.yaml");
    assert!(meta.contains("status: 3\n") && meta.contains("start_time: 100000\n"), "{meta}");
    // Written again, it is still one run.
    assert_eq!(write(&store, &run).unwrap(), folder);
}

#[test]
fn a_run_that_did_not_end_well_is_marked_and_keeps_its_log() {
    let store = Store::in_memory().unwrap();
    let log = Key::new("demo/jobs/first/log.txt").unwrap();
    let mut record = record(&store);
    store.put_bytes(&log, b"it broke\n".to_vec()).unwrap();
    let step = StepRecord { name: "train".into(), seconds: 0.5, log: Some(log) };
    for (interrupted, status) in [(false, "status: 4\n"), (true, "status: 5\n")] {
        record.failure = Some(Failure { error: "x".repeat(9_000), interrupted, step: Some(step.clone()) });
        let folder = write(&store, &Run::of(&store, &project(), &record, &[]).unwrap()).unwrap();
        let read =
            |name: &str| String::from_utf8(store.get_bytes(&folder.join(name).unwrap(), 1 << 20).unwrap()).unwrap();
        assert!(read("meta.yaml").contains(status), "{}", read("meta.yaml"));
        assert_eq!(read("tags/drivetrain.error"), "x".repeat(5_000));
        assert_eq!(read("tags/mlflow.note.content").len(), 5_000);
        assert_eq!(read("artifacts/logs/train.txt"), "it broke\n");
        assert_eq!(read("params/max-depth"), "none");
    }
}

#[test]
fn a_run_written_again_keeps_nothing_it_no_longer_has() {
    let store = Store::in_memory().unwrap();
    let mut record = record(&store);
    record.failure = Some(Failure { error: "no".into(), interrupted: false, step: None });
    record.parameters.insert("search".into(), "20".into());
    let folder = write(&store, &Run::of(&store, &project(), &record, &[]).unwrap()).unwrap();
    record.failure = None;
    record.parameters.remove("search");
    record.metrics.clear();
    record.steps.clear();
    write(&store, &Run::of(&store, &project(), &record, &[]).unwrap()).unwrap();
    let left: Vec<_> = store
        .list(&folder)
        .unwrap()
        .into_iter()
        .filter_map(|object| Some(object.key.below(&folder)?.to_owned()))
        .collect();
    let expected = [
        "artifacts/logs/train.txt",
        "artifacts/run.json",
        "meta.yaml",
        "metrics/random_forest_rmse",
        "params/max-depth",
        "tags/drivetrain.version",
        "tags/mlflow.runName",
        "tags/mlflow.source.type",
        "tags/sha256.models_m.tar.gz",
    ];
    assert_eq!(left, expected);
}

#[test]
fn a_server_that_is_not_there_or_refuses_is_named() {
    let store = Store::in_memory().unwrap();
    let run = run(&store);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut socket, _) = listener.accept().unwrap();
            let _ = socket.read(&mut [0; 4096]).unwrap();
            let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nConnection: close\r\n\r\nno way";
            socket.write_all(answer.as_bytes()).unwrap();
        }
    });
    let error = send(&uri, &run).unwrap_err().to_string();
    server.join().unwrap();
    assert!(error.contains(&uri) && error.contains("status 403") && error.contains("no way"), "{error}");
    let error = send(&uri, &run).unwrap_err().to_string();
    assert!(error.contains("experiments/create"), "{error}");
    assert!(send("sqlite:///x.db", &run).unwrap_err().to_string().contains("only http:// is spoken"));
}

#[test]
fn a_server_that_is_slow_with_every_call_is_not_waited_for_call_after_call() {
    let store = Store::in_memory().unwrap();
    let run = run(&store);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    // Each call is answered as it should be, after a while; nobody waits for the thread.
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = calls.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 1 << 14]).unwrap();
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::thread::sleep(std::time::Duration::from_millis(200));
            let body = r#"{"experiment_id": "1", "run": {"info": {"run_id": "2"}}}"#;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = socket.write_all(format!("{head}{body}").as_bytes());
        }
    });
    // Eight calls would be made.
    let error = rest::send_within(std::time::Duration::from_millis(500), &uri, &run).unwrap_err().to_string();
    assert!(error.contains("takes too long"), "{error}");
    assert!((1..8).contains(&calls.load(std::sync::atomic::Ordering::Relaxed)));
}
