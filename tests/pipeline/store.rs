//! The pipeline around a bucket of a real S3 server, and runs that are killed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use drivetrain_runner::store::{Key, Store};

use crate::command::{Workplace, command};
use crate::seaweedfs::{BUCKET, SeaweedFs};

const RUN: [&str; 5] = ["pipeline", "--run-name", "first", "--n-estimators", "5"];

/// Every result in a bucket, by its key below the project.
fn results(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for part in ["data/bronze", "data/gold", "models", "predictions"] {
        for object in store.list(&Key::new(format!("auto_mpg/{part}")).unwrap()).unwrap() {
            let name = object.key.as_str().strip_prefix("auto_mpg/").unwrap().to_owned();
            found.insert(name, store.get_bytes(&object.key, 1 << 30).unwrap());
        }
    }
    found
}

/// What is there is what belongs there: results of an unfinished run of the same flags.
fn assert_whole(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    for (key, bytes) in found {
        assert!(expected.get(key) == Some(bytes), "{key} is not what a whole run writes");
    }
}

#[test]
fn a_bucket_holds_what_a_folder_holds() {
    let Some(server) = SeaweedFs::start("a_bucket_holds_what_a_folder_holds") else { return };
    let folder = Workplace::with_first_run().results();
    let location = format!("s3://{BUCKET}/a/prefix");
    let variables = SeaweedFs::variables_for(&server.address());
    let place = Workplace::in_bucket(&location, variables.clone());
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
    let store = Store::open_with(&location, variables).unwrap();

    // Killed in the middle, by which the next run has to wait for the lease to expire.
    let waiting = Instant::now();
    let mut killed = place.spawn(&RUN);
    let lock = Key::new(".lock").unwrap();
    while !store.contains(&lock).unwrap() {
        assert!(waiting.elapsed() < Duration::from_mins(5), "the run does not begin");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(150));
    killed.kill();
    assert_whole(&results(&store), &folder);

    let summary = place.succeed(&RUN);
    assert!(summary.contains(&format!("{location}/auto_mpg/models/preprocessor/model.tar.gz")), "{summary}");
    let found = results(&store);
    assert_eq!(found.keys().collect::<Vec<_>>(), folder.keys().collect::<Vec<_>>());
    assert_whole(&found, &folder);
    assert!(!store.contains(&lock).unwrap());

    // Single steps find what the others left, and notice what does not belong.
    place.succeed(&["predict"]);
    let test = Key::new("auto_mpg/data/bronze/test/test.csv").unwrap();
    store.put_bytes(&test, b"mpg,cylinders\n1,2\n".to_vec()).unwrap();
    let error = place.run(&["predict"], &[]);
    let error = String::from_utf8_lossy(&error.stderr).into_owned();
    assert!(
        error.contains(&format!("{location}/{test} is not the object")) && error.contains("run the step"),
        "{error}"
    );
}

#[test]
fn a_run_that_is_killed_leaves_whole_objects_and_can_be_run_again() {
    let expected = Workplace::with_first_run().results();
    let place = Workplace::new();
    let started = Instant::now();
    place.succeed(&RUN);
    let duration = started.elapsed();
    let place = Workplace::new();
    for eighth in 2..8 {
        let mut killed = place.spawn(&RUN);
        std::thread::sleep(duration * eighth / 8);
        killed.kill();
        let found = place.results().into_iter().filter(|(key, _)| !key.contains('#')).collect();
        assert_whole(&found, &expected);
    }
    place.succeed(&RUN);
    assert!(place.results() == expected);
}

#[test]
fn a_set_that_a_killed_run_left_half_in_place_is_refused_until_it_is_whole_again() {
    let place = Workplace::with_first_run();
    let other = Workplace::new();
    other.succeed(&["pipeline", "--run-name", "first", "--n-estimators", "5", "--seed", "7"]);
    // As if the other run had been killed after its first object.
    for (part, step) in [("data/bronze/train/train.csv", "process"), ("data/gold/train/train_feats.npy", "train")] {
        std::fs::copy(other.object(part), place.object(part)).unwrap();
        let message = place.fail(&[step, "--run-name", "second"]);
        assert!(
            message.contains(&format!("{part} is not the object")) && message.contains("published.json"),
            "{message}"
        );
        place.succeed(&RUN);
    }
    std::fs::remove_file(place.object("data/gold/train/features.json")).unwrap();
    let message = place.fail(&["train", "--run-name", "second"]);
    assert!(message.contains("features.json is missing"), "{message}");
}

#[test]
fn stores_that_cannot_be_used_say_why() {
    for (location, variables, expected) in [
        ("memory:", &[][..], "a store in memory would be gone"),
        ("s3://drivetrain", &[], "AWS_ACCESS_KEY_ID"),
        ("s3://UPPER", &[], "is not the name of a bucket"),
        ("gs://bucket", &[], "unknown URL scheme"),
        (
            "s3://drivetrain",
            &[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")],
            "AWS_ALLOW_HTTP=true",
        ),
    ] {
        let output = command(&["acquire"], location).envs(variables.iter().copied()).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(expected), "{location}: {message}");
    }
}
