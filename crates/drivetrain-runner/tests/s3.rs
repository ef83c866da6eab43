//! A bucket of a real server, directly and through a proxy that fails.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic; clippy exempts only test functions")]

#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/seaweedfs.rs"]
mod seaweedfs;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use drivetrain_runner::store::{Direction, Key, Store};
use drivetrain_runner::{Interrupt, RunnerError, Sha256};
use proxy::{Fault, Proxy};
use seaweedfs::{BUCKET, SeaweedFs};

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn store(address: &str, prefix: &str) -> Store {
    Store::open_with(&format!("s3://{BUCKET}/{prefix}"), own(SeaweedFs::variables_for(address))).unwrap()
}

fn own(variables: Vec<(&'static str, String)>) -> impl Iterator<Item = (String, String)> {
    variables.into_iter().map(|(name, value)| (name.to_owned(), value))
}

fn content(size: usize) -> Vec<u8> {
    (0..=250_u8).cycle().take(size).collect()
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_bucket_behaves_as_a_folder_does() {
    let Some(server) = SeaweedFs::start("a_bucket_behaves_as_a_folder_does") else { return };
    let seen = Arc::new(AtomicUsize::new(0));
    let store = {
        let seen = Arc::clone(&seen);
        store(&server.address(), "a/prefix").observed_by(move |transfer| {
            assert!(transfer.done <= transfer.size);
            seen.fetch_add(usize::from(transfer.direction == Direction::Up), Ordering::Relaxed);
        })
    };
    let scratch = tempfile::tempdir().unwrap();

    // One request, exactly two parts, three parts.
    for (name, size) in [("empty", 0), ("small", 10), ("two-parts", 16 << 20), ("three-parts", (20 << 20) + 17)] {
        let bytes = content(size);
        let source = written(scratch.path(), name, &bytes);
        let put = store.put_file(&key(name), &source).unwrap();
        assert_eq!((put.size, put.sha256), (size as u64, Sha256::of(&bytes)));
        let copy = scratch.path().join("copies").join(name);
        assert_eq!(store.get_file(&key(name), &copy).unwrap(), put);
        assert!(std::fs::read(copy).unwrap() == bytes);
    }
    assert_eq!(seen.load(Ordering::Relaxed), 2 + 3);

    assert!(store.contains(&key("small")).unwrap() && !store.contains(&key("smal")).unwrap());
    let listed = store.list(&key("two-parts")).unwrap();
    assert!(listed.is_empty(), "an object is no folder of itself: {listed:?}");
    assert!(matches!(store.get_bytes(&key("no/such"), 1), Err(RunnerError::ObjectNotFound { .. })));
    assert!(matches!(store.get_bytes(&key("small"), 9), Err(RunnerError::TooLarge { .. })));

    // Sets replace what was there, and leave nothing beside.
    let (list, staging) = (key("set/published.json"), key("jobs/j/unpublished"));
    for version in ["first", "second"] {
        let files = ["set/a/1", "set/b/1"].map(|name| {
            (key(name), written(scratch.path(), &name.replace('/', "-"), format!("{version} {name}").as_bytes()))
        });
        store.put_all(&files, &staging, Some(&list)).unwrap();
        let directory = scratch.path().join(version);
        store.get_published_prefix(&key("set/a"), &directory, &list).unwrap();
        assert_eq!(std::fs::read_to_string(directory.join("1")).unwrap(), format!("{version} set/a/1"));
    }
    let keys: Vec<_> = store.list(&key("set")).unwrap().into_iter().map(|object| String::from(object.key)).collect();
    assert_eq!(keys, ["set/a/1", "set/b/1", "set/published.json"]);
    assert!(store.list(&key("jobs")).unwrap().is_empty());

    // What is not in the prefix is not in the store.
    assert!(self::store(&server.address(), "another").list(&key("set")).unwrap().is_empty());
    assert_eq!(store.describe(&key("set/a/1")), format!("s3://{BUCKET}/a/prefix/set/a/1"));

    runs_wait_for_each_other(&server);
    who_has_no_key_is_refused(&server);
}

fn runs_wait_for_each_other(server: &SeaweedFs) {
    let open = || store(&server.address(), "locked");
    let first = open().lock(&Interrupt::new(), || panic!("nobody is there")).unwrap();
    let (sender, waits) = mpsc::channel();
    let second = {
        let store = open();
        std::thread::spawn(move || store.lock(&Interrupt::new(), || sender.send(()).unwrap()).map(drop))
    };
    waits.recv().unwrap();
    assert!(!second.is_finished());
    drop(first);
    second.join().unwrap().unwrap();
    assert!(!open().contains(&key(".lock")).unwrap());
}

fn who_has_no_key_is_refused(server: &SeaweedFs) {
    let mut variables = SeaweedFs::variables_for(&server.address());
    variables.iter_mut().filter(|(name, _)| *name == "AWS_SECRET_ACCESS_KEY").for_each(|(_, value)| value.push('x'));
    let store = Store::open_with(&format!("s3://{BUCKET}"), own(variables)).unwrap();
    let error = store.put_bytes(&key("a"), vec![1]).unwrap_err();
    assert!(matches!(error, RunnerError::StoreAccess { .. }), "{error}");
    assert!(error.to_string().contains(&format!("s3://{BUCKET}/a")), "{error}");
}

#[test]
fn faults_on_the_way_are_survived_or_reported_and_never_believed() {
    let Some(server) = SeaweedFs::start("faults_on_the_way_are_survived_or_reported_and_never_believed") else {
        return;
    };
    let proxy = Proxy::start(server.address());
    let scratch = tempfile::tempdir().unwrap();
    let (direct, through) = (store(&server.address(), "faults"), store(&proxy.address(), "faults"));
    let bytes = content((9 << 20) + 5);
    let source = written(scratch.path(), "source", &bytes);
    let copy = scratch.path().join("copy");

    // One fault at any of the first requests of an upload and of a download.
    for fault in Fault::ALL {
        for request in 0..3 {
            let name = key(&format!("{fault:?}-{request}"));
            proxy.plan(request, fault);
            let put = through.put_file(&name, &source);
            proxy.plan(request, fault);
            match put {
                Ok(put) => {
                    assert_eq!(put.sha256, Sha256::of(&bytes));
                    match direct.get_bytes(&name, 1 << 30) {
                        Ok(stored) => assert!(stored == bytes, "{fault:?} in request {request}"),
                        // The server took what it should have refused: whoever reads it is told.
                        Err(error) => {
                            assert!(matches!(error, RunnerError::Corrupt { .. }), "{fault:?} in {request}: {error}");
                            direct.put_file(&name, &source).unwrap();
                        }
                    }
                }
                Err(error) => {
                    assert!(error.to_string().contains(name.as_str()), "{error}");
                    assert!(!direct.contains(&name).unwrap(), "{fault:?} in {request} left half an object: {error}");
                    direct.put_file(&name, &source).unwrap();
                }
            }
            match through.get_file(&name, &copy) {
                Ok(_) => assert!(std::fs::read(&copy).unwrap() == bytes, "{fault:?} in request {request}"),
                Err(error) => assert!(error.to_string().contains(name.as_str()), "{error}"),
            }
        }
    }
    // Nothing but one fault at a time: nearly all of it was survived.
    assert!(proxy.faults() > 20, "{} faults", proxy.faults());

    // A server that never answers as it should is reported, by object and cause.
    proxy.always(Fault::Error500);
    let error = through.get_bytes(&key("gone"), 10).unwrap_err();
    let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let text: Vec<_> = chain.map(ToString::to_string).collect();
    assert!(text[0].contains("faults/gone") && text.iter().any(|text| text.contains("500")), "{text:?}");
}
