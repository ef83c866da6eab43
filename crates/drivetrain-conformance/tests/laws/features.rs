//! The estimators that compute new columns from nothing but the row keep every law.

use drivetrain_plan::Function;
use drivetrain_transform::{FunctionTransformer, Pipeline, PolynomialFeatures, StandardScaler, Step, col};

use crate::{keeps, numbers};

#[test]
fn polynomial_features() {
    keeps(&PolynomialFeatures::new(), &numbers());
    keeps(&PolynomialFeatures::new().degree(0), &numbers());
    keeps(&PolynomialFeatures::new().degrees(2, 4).unwrap().include_bias(false), &numbers());
    keeps(&PolynomialFeatures::new().degree(3).interaction_only(true), &numbers());
}

#[test]
fn function_transformer() {
    for function in [Function::Log1p, Function::Sqrt, Function::Abs, Function::Clip { low: -1.0, high: 2.5 }] {
        keeps(&FunctionTransformer::new(function).unwrap(), &numbers());
    }
    let back = FunctionTransformer::new(Function::Log1p).unwrap().inverse_func(Function::Expm1).unwrap();
    keeps(&back, &numbers());
    let pipeline = Pipeline::new(vec![Step::new("log", back), Step::new("scale", StandardScaler::new())]).unwrap();
    keeps(&pipeline, &numbers());
    let columns = [
        ("ratio", col("float") / col("integer")),
        ("flag", (1.0 - col("flag")) * col("float").abs().sqrt()),
        ("three", 3.0.into()),
    ];
    keeps(&FunctionTransformer::columns(columns).unwrap(), &numbers());
}
