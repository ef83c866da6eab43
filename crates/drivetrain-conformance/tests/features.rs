//! The estimators that compute new columns from nothing but the row keep every law.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use drivetrain_conformance::{Conformance, TableOptions};
use drivetrain_plan::{DataType, Field, Function, Schema};
use drivetrain_transform::{Estimator, FunctionTransformer, Pipeline, PolynomialFeatures, StandardScaler, Step, col};

fn keeps<E>(estimator: &E)
where
    E: Estimator + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static,
{
    let fields = [("float", DataType::Float64), ("integer", DataType::Int64), ("flag", DataType::Boolean)];
    let schema = Schema::new(fields.into_iter().map(|(name, dtype)| Field::new(name, dtype)).collect()).unwrap();
    for options in [
        TableOptions::default(),
        TableOptions::default().missing(0.0),
        TableOptions::default().extremes(true),
        TableOptions::default().missing(0.6),
    ] {
        if let Err(broken) = Conformance::new(&schema).tables(options.clone()).check(estimator) {
            panic!("{estimator:?} on {options:?}\n{broken}");
        }
    }
}

#[test]
fn polynomial_features() {
    keeps(&PolynomialFeatures::new());
    keeps(&PolynomialFeatures::new().degree(0));
    keeps(&PolynomialFeatures::new().degrees(2, 4).unwrap().include_bias(false));
    keeps(&PolynomialFeatures::new().degree(3).interaction_only(true));
}

#[test]
fn function_transformer() {
    for function in [Function::Log1p, Function::Sqrt, Function::Abs, Function::Clip { low: -1.0, high: 2.5 }] {
        keeps(&FunctionTransformer::new(function).unwrap());
    }
    let back = FunctionTransformer::new(Function::Log1p).unwrap().inverse_func(Function::Expm1).unwrap();
    keeps(&back);
    keeps(&Pipeline::new(vec![Step::new("log", back), Step::new("scale", StandardScaler::new())]).unwrap());
    let columns = [
        ("ratio", col("float") / col("integer")),
        ("flag", (1.0 - col("flag")) * col("float").abs().sqrt()),
        ("three", 3.0.into()),
    ];
    keeps(&FunctionTransformer::columns(columns).unwrap());
}
