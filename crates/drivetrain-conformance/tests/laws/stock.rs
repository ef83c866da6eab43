//! The stock estimators keep every law.

use drivetrain_plan::{CategoryType, DataType, Field, Schema, UnknownCategory, Value};
use drivetrain_transform::{
    AnyEstimator, Block, ColumnTransformer, DtypeClass, OneHotEncoder, Pipeline, Remainder, SimpleImputer,
    StandardScaler, Step, make_column_selector,
};

use crate::{everything, keeps, numbers};

#[test]
fn standard_scaler() {
    keeps(&StandardScaler::new(), &numbers());
    keeps(&StandardScaler::new().with_mean(false), &numbers());
    keeps(&StandardScaler::new().with_std(false), &numbers());
}

#[test]
fn simple_imputer() {
    keeps(&SimpleImputer::mean(), &numbers());
    keeps(&SimpleImputer::median().keep_empty_features(true), &numbers());
    let texts = Schema::new(vec![Field::new("text", DataType::Categorical(CategoryType::String))]).unwrap();
    let fill = SimpleImputer::constant(Value::String("none".into()));
    keeps(&Pipeline::new(vec![Step::new("fill", fill), Step::new("encode", OneHotEncoder::new())]).unwrap(), &texts);
}

#[test]
fn one_hot_encoder() {
    keeps(&OneHotEncoder::new(), &everything());
    keeps(&OneHotEncoder::new().handle_unknown(UnknownCategory::Ignore), &everything());
}

#[test]
fn column_transformer_and_nested_pipeline() {
    let numbers =
        Pipeline::new(vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())]);
    let encode = OneHotEncoder::new().handle_unknown(UnknownCategory::Ignore);
    let text = [DtypeClass::Category, DtypeClass::String];
    let columns = ColumnTransformer::new(vec![
        Block::new("text", encode, make_column_selector().dtype_include(text)),
        Block::passthrough("as it is", ["flag"]),
        Block::drop("away", ["integer"]),
    ])
    .unwrap()
    .remainder(Remainder::Estimator(AnyEstimator::new(numbers.unwrap())));
    keeps(&columns, &everything());
}
