//! Whatever numbers a model holds, writing and reading changes no bit of its answers.

use drivetrain_artifact::{ArtifactBuilder, Pipeline, Regressor};
use drivetrain_forest::Forest;
use drivetrain_plan::{Column, ColumnTable, DataType, Field, Op, Plan, PlanBuilder, Schema};
use ndarray::Array2;
use proptest::{num::f64, prelude::*};
use serde_json::json;

use crate::fixtures::*;

/// A plan of one scaled column.
fn scaled(center: f64, scale: f64) -> Plan {
    let mut builder = PlanBuilder::new(Schema::new(vec![Field::new("x", DataType::Float64)]).unwrap());
    builder.push(Op::Scale { column: "x".into(), center, scale, output: "y".into() });
    builder.output("feature", "y");
    builder.build().unwrap()
}

/// A forest of one tree with one split.
fn stump(threshold: f64, left: f64, right: f64) -> Forest {
    serde_json::from_value(json!({
        "n_features": 1,
        "n_nodes": [3],
        "feature": [0, null, null],
        "value": [threshold, left, right],
        "feature_importances": [1.0],
    }))
    .unwrap()
}

fn table(values: &[f64]) -> ColumnTable {
    ColumnTable::new(vec![("x".into(), Column::from(values.to_vec()))]).unwrap()
}

fn finite() -> impl Strategy<Value = f64> {
    f64::NORMAL | f64::SUBNORMAL | f64::ZERO
}

proptest! {
    #[test]
    fn a_preprocessor_answers_as_before(
        center in finite(),
        scale in f64::NORMAL,
        values in prop::collection::vec(f64::ANY, 1..20),
    ) {
        let (plan, rows) = (scaled(center, scale), table(&values));
        let artifact = ArtifactBuilder::preprocessor(plan.clone(), &rows).build().unwrap();
        let back = reader().read_tar_gz_bytes(&artifact.to_tar_gz_bytes().unwrap()).unwrap();
        prop_assert_eq!(&back, &artifact);
        let read = back.model().preprocessor().unwrap();
        prop_assert!(read.apply(&rows).unwrap().bit_eq(&plan.apply(&rows).unwrap()));
    }

    #[test]
    fn a_regressor_answers_as_before(
        threshold in finite(),
        leaves in (-1e100..1e100, -1e100..1e100),
        values in prop::collection::vec(finite(), 1..20),
    ) {
        let forest = stump(threshold, leaves.0, leaves.1);
        let features = Array2::from_shape_vec((values.len(), 1), values).unwrap();
        let regressor = Regressor::new(forest.clone(), vec!["feature".into()]).unwrap();
        let artifact = ArtifactBuilder::regressor(regressor, features.view()).build().unwrap();
        let back = reader().read_tar_gz_bytes(&artifact.to_tar_gz_bytes().unwrap()).unwrap();
        prop_assert_eq!(&back, &artifact);
        let read = back.model().regressor().unwrap().forest();
        prop_assert_eq!(read.predict(features.view()).unwrap(), forest.predict(features.view()).unwrap());
    }

    #[test]
    fn a_pipeline_is_its_parts_in_a_row(values in prop::collection::vec(-1e3..1e3, 1..20)) {
        let (plan, rows) = (scaled(3.0, 7.0), table(&values));
        let regressor = Regressor::new(stump(0.5, 10.0, 20.0), vec!["feature".into()]).unwrap();
        let pipeline = Pipeline::new(plan, regressor).unwrap();
        let artifact = ArtifactBuilder::pipeline(pipeline, &rows).build().unwrap();
        let back = reader().read_tar_gz_bytes(&artifact.to_tar_gz_bytes().unwrap()).unwrap();
        let features = back.model().preprocessor().unwrap().apply(&rows).unwrap();
        let predictions = back.model().regressor().unwrap().forest().predict(features.values()).unwrap();
        let expected: Vec<f64> = values.iter().map(|x| if (x - 3.0) / 7.0 <= 0.5 { 10.0 } else { 20.0 }).collect();
        prop_assert_eq!(predictions, expected);
    }
}
