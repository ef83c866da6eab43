//! What puts estimators together keeps every law.

use drivetrain_plan::{DataType, Field, Schema};
use drivetrain_transform::{
    Block, Branch, ColumnTransformer, FeatureUnion, IndicatedFeatures, MissingIndicator, Pipeline, SimpleImputer,
    StandardScaler, Step, make_column_selector,
};

use crate::keeps;

#[test]
fn feature_union_in_a_pipeline_and_columns_by_predicate() {
    let marked = MissingIndicator::new().features(IndicatedFeatures::All);
    let scaled = Pipeline::new(vec![
        Step::new("impute", SimpleImputer::median().keep_empty_features(true)),
        Step::new("scale", StandardScaler::new()),
    ]);
    let union = FeatureUnion::new(vec![
        Branch::new("scaled", scaled.unwrap()),
        Branch::passthrough("same"),
        Branch::drop("off"),
        Branch::new("gaps", marked),
    ]);
    let short = make_column_selector().predicate("is short", |field| field.name.len() < 5);
    let columns =
        ColumnTransformer::new(vec![Block::new("short", union.unwrap(), short), Block::passthrough("flag", ["flag"])]);
    let pipeline = Pipeline::new(vec![Step::new("columns", columns.unwrap())]).unwrap();
    let fields =
        [("a", DataType::Float64), ("two", DataType::Int64), ("flag", DataType::Boolean), ("unused", DataType::String)];
    let schema = Schema::new(fields.into_iter().map(|(name, dtype)| Field::new(name, dtype)).collect()).unwrap();
    keeps(&pipeline, &schema);
}
