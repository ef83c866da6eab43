//! Small models of every kind, and artifacts taken apart and put together again.

use std::collections::BTreeMap;

use drivetrain_artifact::{Artifact, ArtifactBuilder, Limits, Model, Pipeline, Reader, Regressor, Sha256, Training};
use drivetrain_forest::Forest;
use drivetrain_plan::{
    Categories, Column, ColumnTable, DataType, Field, Op, Plan, PlanBuilder, Schema, UnknownCategory,
};
use ndarray::Array2;
use serde_json::{Value, json};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Weight scaled, origin one-hot: three features.
pub(crate) fn plan() -> Plan {
    let fields = vec![Field::new("weight", DataType::Float64), Field::new("origin", DataType::Int64)];
    let mut builder = PlanBuilder::new(Schema::new(fields).unwrap());
    builder.push(Op::Scale { column: "weight".into(), center: 3000.0, scale: 7.0, output: "scaled".into() });
    builder.push(Op::OneHot {
        column: "origin".into(),
        categories: Categories::Int64(vec![1, 3]),
        missing: false,
        unknown: UnknownCategory::Ignore,
        outputs: vec!["first".into(), "third".into()],
    });
    builder.output("origin_1", "first").output("origin_3", "third").output("weight", "scaled");
    builder.build().unwrap()
}

/// Ten rows, the eighth and the ninth of unknown origin, the tenth of unknown weight.
pub(crate) fn rows() -> ColumnTable {
    let mut weight: Vec<f64> = (0..10).map(|i| 2950.5 + 13.0 * f64::from(i)).collect();
    weight[9] = f64::NAN;
    let origin = vec![Some(1), Some(3), Some(1), Some(1), Some(3), Some(3), Some(1), Some(2), None, Some(1)];
    ColumnTable::new(vec![("weight".into(), Column::from(weight)), ("origin".into(), Column::from(origin))]).unwrap()
}

/// Two trees on three features, in the stored form.
pub(crate) fn stored_forest() -> Value {
    json!({
        "n_features": 3,
        "n_nodes": [3, 5],
        "feature": [2, null, null, 0, 2, null, null, null],
        "value": [1.25, 18.5, 31.0, 0.5, -3.0, 22.1, 27.3, 14.9],
        "feature_importances": [0.25, 0.0, 0.75],
    })
}

pub(crate) fn forest() -> Forest {
    serde_json::from_value(stored_forest()).unwrap()
}

pub(crate) fn features() -> Array2<f64> {
    Array2::from_shape_fn((12, 3), |(i, j)| (i as f64 - 5.0) * 0.3 + j as f64)
}

pub(crate) fn names() -> Vec<String> {
    ["origin_1", "origin_3", "weight"].map(str::to_owned).to_vec()
}

pub(crate) fn regressor() -> Regressor {
    Regressor::new(forest(), names()).unwrap()
}

pub(crate) fn training() -> Training {
    Training {
        data_sha256: Some(Sha256::of(b"train.csv")),
        seed: Some(42),
        hyper_parameters: BTreeMap::from([
            ("max_depth".to_owned(), json!(null)),
            ("n_estimators".to_owned(), json!(2)),
        ]),
        metrics: BTreeMap::from([("val_rmse".to_owned(), 2.64)]),
    }
}

pub(crate) fn preprocessor_artifact() -> Artifact {
    ArtifactBuilder::preprocessor(plan(), &rows()).training(training()).build().unwrap()
}

pub(crate) fn regressor_artifact() -> Artifact {
    ArtifactBuilder::regressor(regressor(), features().view()).training(training()).build().unwrap()
}

pub(crate) fn pipeline_artifact() -> Artifact {
    let pipeline = Pipeline::new(plan(), regressor()).unwrap();
    ArtifactBuilder::pipeline(pipeline, &rows()).training(training()).build().unwrap()
}

pub(crate) fn artifacts() -> [Artifact; 3] {
    [preprocessor_artifact(), regressor_artifact(), pipeline_artifact()]
}

/// The files of an artifact, as a directory shows them.
pub(crate) fn files(artifact: &Artifact) -> Files {
    let folder = tempfile::tempdir().unwrap();
    artifact.write_dir(folder.path()).unwrap();
    let entries = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
    let name = |entry: &std::fs::DirEntry| entry.file_name().into_string().unwrap();
    entries.map(|entry| (name(&entry), std::fs::read(entry.path()).unwrap())).collect()
}

/// Reads `files` as a directory.
pub(crate) fn read_files(files: &Files) -> Result<Artifact, drivetrain_artifact::ArtifactError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    Artifact::read_dir(folder.path(), &Limits::default())
}

/// Reads `files` as a directory and gives the reason for which it was refused.
pub(crate) fn refusal(files: &Files) -> drivetrain_artifact::ArtifactError {
    reason(read_files(files).unwrap_err())
}

/// What is wrong, without the path at which it is.
pub(crate) fn reason(error: drivetrain_artifact::ArtifactError) -> drivetrain_artifact::ArtifactError {
    match error {
        drivetrain_artifact::ArtifactError::File { source, .. } => *source,
        other => other,
    }
}

/// What an error says, its causes included.
pub(crate) fn said(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Changes the manifest, as somebody would who knows the format.
pub(crate) fn edit_manifest(files: &mut Files, edit: impl FnOnce(&mut Value)) {
    let mut manifest = serde_json::from_slice(&files["manifest.json"]).unwrap();
    edit(&mut manifest);
    files.insert("manifest.json".to_owned(), serde_json::to_vec_pretty(&manifest).unwrap());
}

/// Replaces a file and records its length and digest, as somebody would who knows the format.
pub(crate) fn forge(files: &mut Files, name: &str, bytes: Vec<u8>) {
    edit_manifest(files, |manifest| {
        let records = manifest["files"].as_array_mut().unwrap();
        let record = records.iter_mut().find(|record| record["path"] == name).unwrap();
        record["bytes"] = bytes.len().into();
        record["sha256"] = Sha256::of(&bytes).to_string().into();
    });
    files.insert(name.to_owned(), bytes);
}

/// Says that the forest lies in the layout of this version.
pub(crate) fn set_forest_version(files: &mut Files, version: u32) {
    edit_manifest(files, |manifest| {
        let records = manifest["files"].as_array_mut().unwrap();
        let record = records.iter_mut().find(|record| record["kind"] == "forest").unwrap();
        record["version"] = version.into();
    });
}

pub(crate) fn reader() -> Reader {
    Reader::new()
}

/// The models are the same, bit for bit in what they answer.
pub(crate) fn assert_same_answers(a: &Model, b: &Model) {
    assert_eq!(a, b);
    if let (Some(a), Some(b)) = (a.preprocessor(), b.preprocessor()) {
        assert!(a.apply(&rows()).unwrap().bit_eq(&b.apply(&rows()).unwrap()));
    }
    if let (Some(a), Some(b)) = (a.regressor(), b.regressor()) {
        let bits = |regressor: &Regressor| -> Vec<u64> {
            regressor.forest().predict(features().view()).unwrap().into_iter().map(f64::to_bits).collect()
        };
        assert_eq!(bits(a), bits(b));
    }
}
