//! Making artifacts: what is recorded, what is refused, and that the bytes are always the same.

use std::{collections::BTreeMap, sync::Arc};

use drivetrain_artifact::{
    ArtifactBuilder, ArtifactError, FileKind, Limits, ModelKind, Pipeline, Producer, Reader, Regressor, Sha256,
    Training,
};
use drivetrain_plan::{
    Column, ColumnTable, DataType, ExtensionError, ExtensionKind, ExtensionOp, Field, Op, Plan, PlanBuilder, Registry,
    Schema,
};
use ndarray::{Array2, Axis, Slice};

use crate::fixtures::*;

#[test]
fn the_manifest_says_what_the_artifact_holds() {
    let artifact = pipeline_artifact();
    let manifest = artifact.manifest();
    assert_eq!(manifest.format, "drivetrain-artifact");
    assert_eq!((manifest.format_version, manifest.model), (3, ModelKind::Pipeline));
    assert_eq!(manifest.input_schema, *plan().inputs());
    assert_eq!(manifest.features, names());
    assert_eq!(manifest.training, training());
    assert_eq!(manifest.producer.versions["drivetrain-artifact"], env!("CARGO_PKG_VERSION"));
    let files = files(&artifact);
    assert_eq!(files.len(), 4);
    for record in &manifest.files {
        assert_eq!((record.bytes, record.sha256), (files[&record.path].len() as u64, Sha256::of(&files[&record.path])));
    }
    let kinds: Vec<_> = manifest.files.iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [FileKind::Plan, FileKind::Forest, FileKind::Probe]);
    assert_eq!(artifact.model_id(), Sha256::of(&files["manifest.json"]));
}

#[test]
fn a_regressor_takes_its_features_as_floats() {
    let artifact = regressor_artifact();
    let schema = &artifact.manifest().input_schema;
    assert_eq!(schema.names().collect::<Vec<_>>(), names());
    assert!(schema.fields().iter().all(|field| field.dtype == DataType::Float64));
}

#[test]
fn a_regressor_names_the_preprocessor_whose_features_it_takes() {
    let (features, id) = (features(), preprocessor_artifact().model_id());
    let named = regressor().with_preprocessor_id(id);
    let artifact = ArtifactBuilder::regressor(named, features.view()).training(training()).build().unwrap();
    let back = reader().read_tar_gz_bytes(&artifact.to_tar_gz_bytes().unwrap()).unwrap();
    assert_eq!(back.model().regressor().unwrap().preprocessor_id(), Some(id));
    assert_eq!(back.manifest().preprocessor_id, Some(id));
    assert_ne!(back.model_id(), regressor_artifact().model_id());
    assert_eq!(regressor_artifact().manifest().preprocessor_id, None);
    assert_eq!(preprocessor_artifact().manifest().preprocessor_id, None);
}

#[test]
fn the_same_model_always_becomes_the_same_bytes() {
    for (first, second) in artifacts().into_iter().zip(artifacts()) {
        assert_eq!(first.to_tar_gz_bytes().unwrap(), second.to_tar_gz_bytes().unwrap());
        assert_eq!(first.model_id(), second.model_id());
    }
}

#[test]
fn the_id_follows_everything_that_is_recorded() {
    let rows = rows();
    let build = |training| ArtifactBuilder::preprocessor(plan(), &rows).training(training).build().unwrap();
    let base = build(training());
    let seed = build(Training { seed: Some(43), ..training() });
    let metrics = build(Training { metrics: BTreeMap::new(), ..training() });
    let producer =
        ArtifactBuilder::preprocessor(plan(), &rows).training(training()).producer(Producer::new("x", "1")).build();
    assert_eq!(base.model_id(), build(training()).model_id());
    for other in [seed, metrics, producer.unwrap()] {
        assert_ne!(base.model_id(), other.model_id());
    }
}

#[test]
fn a_probe_needs_rows_that_the_model_can_answer() {
    let no_rows = ColumnTable::new(vec![
        ("weight".into(), Column::from(Vec::<f64>::new())),
        ("origin".into(), Column::from(Vec::<i64>::new())),
    ]);
    let error = ArtifactBuilder::preprocessor(plan(), &no_rows.unwrap()).build().unwrap_err();
    assert!(matches!(error, ArtifactError::EmptyProbe), "{error:?}");

    let other = ColumnTable::new(vec![("length".into(), Column::from(vec![1.0]))]).unwrap();
    let error = ArtifactBuilder::preprocessor(plan(), &other).build().unwrap_err();
    assert!(matches!(error, ArtifactError::Plan { .. }), "{error:?}");

    let features = features();
    let error =
        ArtifactBuilder::regressor(regressor(), features.slice_axis(Axis(0), Slice::from(..0))).build().unwrap_err();
    assert!(matches!(error, ArtifactError::EmptyProbe), "{error:?}");
    for wrong in [Array2::zeros((3, 4)), Array2::from_elem((1, 3), f64::NAN)] {
        let error = ArtifactBuilder::regressor(regressor(), wrong.view()).build().unwrap_err();
        assert!(matches!(error, ArtifactError::Forest { .. }), "{error:?}");
    }
}

#[test]
fn missing_values_survive_in_the_probe() {
    let weight = ColumnTable::new(vec![
        ("weight".into(), Column::from(vec![f64::NAN, 3007.0])),
        ("origin".into(), Column::from(vec![None, Some(1_i64)])),
    ]);
    let artifact = ArtifactBuilder::preprocessor(plan(), &weight.unwrap()).build().unwrap();
    let back = reader().read_tar_gz_bytes(&artifact.to_tar_gz_bytes().unwrap()).unwrap();
    assert_eq!(back, artifact);
}

#[test]
fn regressor_and_pipeline_check_the_feature_names() {
    let error = Regressor::new(forest(), names()[1..].to_vec()).unwrap_err();
    assert!(matches!(error, ArtifactError::FeatureCount { names: 2, features: 3 }), "{error:?}");
    let error = Regressor::new(forest(), vec!["a".into(), "b".into(), "a".into()]).unwrap_err();
    assert!(matches!(error, ArtifactError::FeatureNames { .. }), "{error:?}");

    let reversed = Regressor::new(forest(), names().into_iter().rev().collect()).unwrap();
    let error = Pipeline::new(plan(), reversed).unwrap_err();
    assert_eq!(error.to_string(), "feature 0 is `origin_1` from the preprocessor, but `weight` for the regressor");
    let narrow = Plan::identity(Schema::new(vec![Field::new("origin_1", DataType::Float64)]).unwrap()).unwrap();
    let error = Pipeline::new(narrow, regressor()).unwrap_err();
    assert_eq!(error.to_string(), "feature 1 is absent from the preprocessor, but `origin_3` for the regressor");
}

#[test]
fn what_the_reader_would_refuse_is_not_built() {
    let rows = rows();
    let limits = Limits { max_plan_bytes: 10, ..Limits::default() };
    let error = ArtifactBuilder::preprocessor(plan(), &rows).reader(Reader::new().limits(limits)).build().unwrap_err();
    assert!(matches!(error, ArtifactError::TooLarge { limit: 10, .. }), "{error:?}");

    let training = Training { metrics: BTreeMap::from([("r2".to_owned(), f64::NEG_INFINITY)]), ..training() };
    let error = ArtifactBuilder::preprocessor(plan(), &rows).training(training).build().unwrap_err();
    assert!(matches!(&error, ArtifactError::NonFiniteMetric { name, .. } if name == "r2"), "{error:?}");
}

/// Doubles one column.
#[derive(Debug)]
struct Double;

impl ExtensionOp for Double {
    fn apply(&self, inputs: &[Column<'_>], _: usize) -> Result<Vec<Column<'static>>, ExtensionError> {
        let values = inputs[0].to_f64().ok_or("not numeric")?;
        Ok(vec![Column::from(values.iter().map(|value| 2.0 * value).collect::<Vec<_>>())])
    }
}

impl ExtensionKind for Double {
    fn load(&self, _: u32, _: &[u8]) -> Result<Arc<dyn ExtensionOp>, ExtensionError> {
        Ok(Arc::new(Double))
    }
}

#[test]
fn a_plan_with_an_extension_is_built_and_read_by_those_who_know_it() {
    let mut builder = PlanBuilder::new(Schema::new(vec![Field::new("weight", DataType::Float64)]).unwrap());
    builder.push(Op::Extension {
        kind: "double".into(),
        version: 1,
        state: vec![],
        columns: vec!["weight".into()],
        outputs: vec![Field::new("doubled", DataType::Float64)],
    });
    builder.output("doubled", "doubled");
    let plan = builder.build().unwrap();
    let rows = rows();
    let knowing = Reader::new().registry(Registry::new().with("double", Double));

    let error = ArtifactBuilder::preprocessor(plan.clone(), &rows).build().unwrap_err();
    assert!(matches!(error, ArtifactError::Plan { .. }), "{error:?}");
    let artifact = ArtifactBuilder::preprocessor(plan, &rows).reader(knowing.clone()).build().unwrap();
    let bytes = artifact.to_tar_gz_bytes().unwrap();
    assert_eq!(knowing.read_tar_gz_bytes(&bytes).unwrap(), artifact);
    let error = reader().read_tar_gz_bytes(&bytes).unwrap_err();
    assert!(matches!(error, ArtifactError::Plan { .. }), "{error:?}");
}
