//! The training job in a directory tree of its own.

use std::{fs, path::Path};

use drivetrain_artifact::{Limits, Model, npy};
use drivetrain_plan::ndarray::Array2;

use super::*;
use crate::jobs::{FEATURES_FILE, FeatureDescription};

/// y = 3 a - b with a touch of c, on a small grid.
pub(super) fn matrix(rows: usize, offset: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, 4), |(row, column)| {
        let row = row * 7 + offset;
        let (a, b, c) = ((row % 11) as f64, (row % 5) as f64, (row % 3) as f64);
        [3.0 * a - b + 0.1 * c, a, b, c][column]
    })
}

pub(super) fn lay_out(base: &Path, hyperparameters: &str) {
    for (channel, file, rows, offset) in [("train", "train_feats.npy", 80, 0), ("val", "val_feats.npy", 20, 3)] {
        let directory = base.join("input/data").join(channel);
        fs::create_dir_all(&directory).unwrap();
        npy::write(directory.join(file), matrix(rows, offset).view()).unwrap();
        let description = FeatureDescription {
            names: ["a", "b", "c"].map(str::to_owned).to_vec(),
            preprocessor: Some(Sha256::of(b"preprocessor")),
        };
        fs::write(directory.join(FEATURES_FILE), serde_json::to_vec(&description).unwrap()).unwrap();
    }
    fs::create_dir_all(base.join("input/config")).unwrap();
    fs::write(base.join("input/config/hyperparameters.json"), hyperparameters).unwrap();
}

fn train(base: &Path, args: &TrainArgs) -> Result<String, Error> {
    train_until(base, args, &Stop::default())
}

fn train_until(base: &Path, args: &TrainArgs, stop: &Stop) -> Result<String, Error> {
    let variables = BTreeMap::from([("SAGEMAKER_BASE_DIR".to_owned(), base.display().to_string())]);
    let mut stdout = Vec::new();
    run(args, &SageMakerEnv::load(variables)?, stop, &mut stdout)?;
    Ok(String::from_utf8(stdout).unwrap())
}

#[test]
fn a_training_job_leaves_model_and_metrics() {
    let base = tempfile::tempdir().unwrap();
    lay_out(base.path(), r#"{"n-estimators": "12", "random-state": "5"}"#);
    let stdout = train(base.path(), &TrainArgs::default()).unwrap();

    let metrics: Value =
        serde_json::from_slice(&fs::read(base.path().join("output/data/metrics.json")).unwrap()).unwrap();
    let expected: Vec<String> = ["mae", "mse", "rmse", "r2"]
        .iter()
        .map(|name| {
            let value = |part: &str| metrics[part][name].as_f64().unwrap();
            format!("train_{name}={:?};  val_{name}={:?};", value("train"), value("val"))
        })
        .collect();
    assert_eq!(stdout.lines().collect::<Vec<_>>(), expected);
    assert!(metrics["val"]["r2"].as_f64().unwrap() > 0.9, "{metrics}");

    let artifact = Artifact::read_dir(base.path().join("model"), &Limits::default()).unwrap();
    assert!(matches!(artifact.model(), Model::Regressor(regressor) if regressor.forest().n_trees() == 12));
    assert_eq!(artifact.manifest().features, ["a", "b", "c"]);
    assert_eq!(artifact.manifest().preprocessor_id, Some(Sha256::of(b"preprocessor")));
    let training = &artifact.manifest().training;
    assert_eq!(training.seed, Some(5));
    assert_eq!(training.hyper_parameters["n_estimators"], 12);
    assert_eq!(Some(training.metrics["val_rmse"]), metrics["val"]["rmse"].as_f64());
    let data = Sha256::of_file(base.path().join("input/data/train/train_feats.npy")).unwrap();
    assert_eq!(training.data_sha256, Some(data));
}

#[test]
fn the_same_job_twice_gives_the_same_model() {
    let ids = [(); 2].map(|()| {
        let base = tempfile::tempdir().unwrap();
        lay_out(base.path(), r#"{"n-estimators": "8"}"#);
        train(base.path(), &TrainArgs::default()).unwrap();
        Artifact::read_dir(base.path().join("model"), &Limits::default()).unwrap().model_id()
    });
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_job_that_fails_leaves_neither_model_nor_metrics() {
    let base = tempfile::tempdir().unwrap();
    lay_out(base.path(), "{}");
    let path = base.path().join("input/data/val/val_feats.npy");
    let mut broken = matrix(20, 3);
    broken[[4, 2]] = f64::NAN;
    npy::write(&path, broken.view()).unwrap();
    let error = train(base.path(), &TrainArgs::default()).unwrap_err();
    assert!(error.to_string().contains("row 4, column 2 (`b`) is NaN"), "{error}");

    npy::write(&path, Array2::zeros((20, 3)).view()).unwrap();
    let description = FeatureDescription {
        names: vec!["a".to_owned(), "b".to_owned()],
        preprocessor: Some(Sha256::of(b"preprocessor")),
    };
    fs::write(path.with_file_name(FEATURES_FILE), serde_json::to_vec(&description).unwrap()).unwrap();
    let error = train(base.path(), &TrainArgs::default()).unwrap_err();
    assert!(matches!(error, Error::WidthMismatch { train_columns: 4, val_columns: 3, .. }), "{error}");

    fs::write(&path, b"\x93NUMPY\x01").unwrap();
    let error = train(base.path(), &TrainArgs::default()).unwrap_err();
    assert!(error.to_string().contains("val_feats.npy"), "{error}");
    assert!(!base.path().join("model").exists() && !base.path().join("output").exists());
}

#[test]
fn a_shard_of_the_rows_is_not_taken_for_all_of_them() {
    let base = tempfile::tempdir().unwrap();
    lay_out(base.path(), "{}");
    let config = base.path().join("input/config");
    fs::write(config.join("resourceconfig.json"), r#"{"current_host": "a", "hosts": ["a", "b"]}"#).unwrap();
    fs::write(config.join("inputdataconfig.json"), r#"{"train": {"S3DistributionType": "ShardedByS3Key"}, "val": {}}"#)
        .unwrap();
    let error = train(base.path(), &TrainArgs::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "channel `train` is sharded over 2 hosts, each of which needs all rows: use FullyReplicated"
    );
    assert!(!base.path().join("model").exists());
}

#[test]
fn a_job_that_is_stopped_before_the_first_tree_leaves_nothing() {
    let base = tempfile::tempdir().unwrap();
    lay_out(base.path(), "{}");
    let stop = Stop::default();
    stop.request("SIGTERM");
    let error = train_until(base.path(), &TrainArgs::default(), &stop).unwrap_err();
    assert!(matches!(error, Error::Stopped { reason: "SIGTERM" }), "{error}");
    assert!(!base.path().join("model").exists() && !base.path().join("output").exists());
}
