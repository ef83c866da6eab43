//! The custom transformer and the stock pipeline keep every law, like anybody's estimator.

use drivetrain_autompg::{AutoMpgFeatures, PipelineOptions, feature_schema, pipeline};
use drivetrain_conformance::{Conformance, TableOptions};
use drivetrain_plan::UnknownCategory;

#[test]
fn custom_transformer() {
    let schema = feature_schema().unwrap();
    Conformance::new(&schema).tables(TableOptions::default().missing(0.2)).check(&AutoMpgFeatures::new(90)).unwrap();
}

#[test]
fn stock_pipeline() {
    let schema = feature_schema().unwrap();
    for handle_unknown in [UnknownCategory::Ignore, UnknownCategory::Error] {
        let options = PipelineOptions { handle_unknown, ..PipelineOptions::default() };
        Conformance::new(&schema).check(&pipeline(&options).unwrap()).unwrap();
    }
}
