//! Artifacts of every released version of the format, which stay readable for ever.
//!
//! One tarball per version and kind of model lies in `golden/`. They are never rewritten once a version is released: a
//! change that makes these tests fail needs a new version of the format or of a file's kind, with the code that reads
//! the old one.

use std::{collections::BTreeMap, fs, path::PathBuf};

use drivetrain_artifact::{Artifact, ArtifactBuilder, FORMAT_VERSION, Limits, Pipeline, Producer, Regressor, Sha256};

use crate::fixtures::*;

fn path(version: u32, kind: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/artifact/golden", &format!("v{version}-{kind}.tar.gz")].iter().collect()
}

/// The regressor of the fixtures with everything that a version of the format can say of it.
fn regressor_of(version: u32) -> Regressor {
    if version < 2 { regressor() } else { regressor().with_preprocessor_id(Sha256::of(b"preprocessor")) }
}

/// The fixtures as far as a version of the format can hold them, as artifacts of today, of a producer that does not
/// change with the release.
fn todays(version: u32) -> [Artifact; 3] {
    let producer = || Producer { name: "golden".to_owned(), versions: BTreeMap::new() };
    let (rows, features) = (rows(), features());
    [
        ArtifactBuilder::preprocessor(plan(), &rows),
        ArtifactBuilder::regressor(regressor_of(version), features.view()),
        ArtifactBuilder::pipeline(Pipeline::new(plan(), regressor_of(version)).unwrap(), &rows),
    ]
    .map(|builder| builder.training(training()).producer(producer()).build().unwrap())
}

#[test]
fn every_released_version_is_read_and_answers_as_it_did() {
    for version in 1..=FORMAT_VERSION {
        for today in todays(version) {
            let kind = today.model().kind().to_string();
            let golden = Artifact::read_tar_gz(path(version, &kind), &Limits::default()).unwrap();
            assert_same_answers(golden.model(), today.model());
            let (golden, today) = (golden.manifest(), today.manifest());
            assert_eq!((golden.format_version, golden.preprocessor_id), (FORMAT_VERSION, today.preprocessor_id));
            assert_eq!((&golden.producer, &golden.training), (&today.producer, &today.training));
        }
    }
}

#[test]
fn the_current_version_is_still_written_byte_for_byte() {
    for today in todays(FORMAT_VERSION) {
        let kind = today.model().kind().to_string();
        let golden = Artifact::read_tar_gz(path(FORMAT_VERSION, &kind), &Limits::default()).unwrap();
        assert_eq!(files(&golden), files(&today), "{kind}");
    }
}

#[test]
#[ignore = "writes the tarballs of a version that is not released yet"]
fn write_the_current_version() {
    fs::create_dir_all(path(FORMAT_VERSION, "").parent().unwrap()).unwrap();
    for today in todays(FORMAT_VERSION) {
        today.write_tar_gz(path(FORMAT_VERSION, &today.model().kind().to_string())).unwrap();
    }
}
