//! Writers that are killed: what they leave is whole, readers notice what does not belong together, and doing it again
//! mends it.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic; clippy exempts only test functions")]

#[path = "support/seaweedfs.rs"]
mod seaweedfs;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use drivetrain_runner::store::{Key, Store};
use drivetrain_runner::{RunnerError, Sha256};
use seaweedfs::{BUCKET, SeaweedFs};

/// The variables that tell [`a_writer_to_be_killed`] where to write what.
const LOCATION: &str = "DRIVETRAIN_TEST_LOCATION";
const VERSION: &str = "DRIVETRAIN_TEST_VERSION";
/// Many small objects, so that putting them in their places takes a while, and one of several parts.
const SMALL: usize = 24;
const LARGE: usize = (9 << 20) + 1;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn list() -> Key {
    key("set/published.json")
}

/// The files of a version, and the objects they become.
fn files(version: &str, folder: &Path) -> Vec<(Key, PathBuf)> {
    let file = |index: usize| {
        let name = format!("object-{index}");
        let path = folder.join(&name);
        let mut bytes = format!("{version} {name} ").into_bytes();
        bytes.resize(if index == SMALL / 2 { LARGE } else { 2_000 }, b'.');
        std::fs::write(&path, bytes).unwrap();
        (key(&format!("set/{name}")), path)
    };
    (0..SMALL).map(file).collect()
}

fn write(store: &Store, version: &str) {
    let folder = tempfile::tempdir().unwrap();
    store.put_all(&files(version, folder.path()), &key("staging"), Some(&list())).unwrap();
}

/// Writes a version, as it is told to.
#[test]
#[ignore = "the process that the tests kill"]
fn a_writer_to_be_killed() {
    write(&Store::open(&std::env::var(LOCATION).unwrap()).unwrap(), &std::env::var(VERSION).unwrap());
}

/// Kills writers of ever new versions after `kills` different times.
fn killed_writers(location: &str, variables: &[(&'static str, String)], kills: u32) {
    let own = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let store = Store::open_with(location, own).unwrap();
    let spawn = |version: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_writer_to_be_killed", "--ignored"])
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env(LOCATION, location)
            .env(VERSION, version)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let started = Instant::now();
    assert!(spawn("0").wait().unwrap().success());
    let duration = started.elapsed();

    let (mut mixed, mut before) = (0, "0".to_owned());
    for round in 1..=kills {
        let version = round.to_string();
        let mut writer = spawn(&version);
        std::thread::sleep(duration * round / kills);
        writer.kill().unwrap();
        writer.wait().unwrap();
        mixed += u32::from(!check(&store, &[&before, &version]));
        write(&store, &version);
        assert!(check(&store, &[&version]));
        before = version;
    }
    println!("{location}: {mixed} of {kills} killed writers left a mixed set");
}

/// Every object is that of one of the versions; whether they are those of a single one, which the publication must know.
fn check(store: &Store, versions: &[&str]) -> bool {
    let folders: Vec<_> = versions.iter().map(|_| tempfile::tempdir().unwrap()).collect();
    let expected: Vec<Vec<_>> = versions
        .iter()
        .zip(&folders)
        .map(|(version, folder)| {
            let digest = |(_, path): (Key, PathBuf)| Sha256::of(&std::fs::read(path).unwrap());
            files(version, folder.path()).into_iter().map(digest).collect()
        })
        .collect();
    let found: Vec<_> = (0..SMALL).map(|index| store.stat(&key(&format!("set/object-{index}"))).unwrap()).collect();
    for (index, object) in found.iter().enumerate() {
        assert!(expected.iter().any(|version| version[index] == object.sha256), "{} is not whole", object.key);
    }
    let is_one =
        expected.iter().any(|version| found.iter().zip(version).all(|(object, digest)| object.sha256 == *digest));
    match store.publication(&list()).unwrap().check_folder(store, &key("set"), &found) {
        Ok(()) => assert!(is_one, "a mixed set passed for a publication"),
        Err(error) => assert!(matches!(error, RunnerError::NotAsPublished { .. }), "{error}"),
    }
    assert_eq!(store.list(&key("set")).unwrap().len(), SMALL + 1);
    is_one
}

#[test]
fn a_killed_writer_leaves_whole_objects_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    killed_writers(folder.path().to_str().unwrap(), &[], 6);
    let left: Vec<_> = folder.path().join("set").read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), SMALL + 1, "{left:?}");
}

#[test]
fn a_killed_writer_leaves_whole_objects_in_a_bucket() {
    let Some(server) = SeaweedFs::start("a_killed_writer_leaves_whole_objects_in_a_bucket") else { return };
    let variables = SeaweedFs::variables_for(&server.address());
    killed_writers(&format!("s3://{BUCKET}/killed"), &variables, 5);
}
