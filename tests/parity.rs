//! The Auto MPG features: the committed rows through our pipeline and through scikit-learn's.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{fs, path::PathBuf};

use drivetrain_artifact::npy;
use drivetrain_autompg::{BUNDLED, MISSING, PipelineOptions, TARGET, pipeline, raw_schema};
use drivetrain_dataset::{Description, SplitOptions, TrailingText, acquire, read_csv, to_csv};
use drivetrain_frame::{FrameTable, polars::frame::DataFrame};
use drivetrain_plan::{Column, Table};
use drivetrain_transform::{Estimator, Fitted};
use ndarray::Array2;
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../data/fixtures", name].iter().collect()
}

fn bronze(part: &str) -> DataFrame {
    read_csv(fixture(&format!("auto-mpg/bronze/{part}.csv")), &raw_schema().unwrap()).unwrap()
}

fn gold(part: &str) -> Array2<f64> {
    npy::read(fixture(&format!("auto-mpg/gold/{part}_feats.npy"))).unwrap()
}

fn expected() -> Value {
    serde_json::from_slice(&fs::read(fixture("auto-mpg/expected.json")).unwrap()).unwrap()
}

#[test]
fn the_rows_are_those_that_acquisition_makes() {
    let description = Description::new("auto-mpg", raw_schema().unwrap()).unwrap();
    let description = description.missing_marker(MISSING).unwrap().trailing_text(TrailingText::AfterTab);
    let frame = acquire(&description.bundled(BUNDLED), &"bundled".parse().unwrap()).unwrap().frame;
    let options = SplitOptions {
        seed: 42,
        train_fraction: "0.8".parse().unwrap(),
        test_rows: std::num::NonZeroUsize::new(10).unwrap(),
    };
    let parts = options.split(&frame).unwrap();
    for (part, frame) in [("train", &parts.train), ("val", &parts.validation), ("test", &parts.test)] {
        let committed = fs::read(fixture(&format!("auto-mpg/bronze/{part}.csv"))).unwrap();
        assert_eq!(to_csv(frame).unwrap(), committed, "{part}");
    }
}

#[test]
fn the_features_are_those_of_scikit_learn() {
    let train = bronze("train");
    let features = train.drop(TARGET).unwrap();
    let fitted = pipeline(&PipelineOptions::default()).unwrap();
    let fitted = fitted.fit(&FrameTable::new(&features).unwrap(), None).unwrap();
    let names: Vec<String> = serde_json::from_value(expected()["feature_names"].clone()).unwrap();
    assert_eq!(names.len(), 13);

    for part in ["train", "val", "test"] {
        let rows = bronze(part);
        let target = FrameTable::new(&rows).unwrap();
        let target = target.column(TARGET).as_ref().and_then(Column::to_f64).unwrap().into_owned();
        let features = rows.drop(TARGET).unwrap();
        let found = fitted.transform(&FrameTable::new(&features).unwrap()).unwrap();
        assert_eq!(found.feature_names(), names, "{part}");

        let expected = gold(part);
        assert_eq!(expected.dim(), (rows.height(), 14), "{part}");
        assert_eq!(expected.column(0).to_vec(), target, "{part}");
        for ((row, column), value) in found.values().indexed_iter() {
            let place = format!("{part}, row {row}, {}", names[column]);
            let expected = expected[(row, column + 1)];
            assert!(
                (value - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{place}: {value:e}, not {expected:e}"
            );
        }
    }
}
