//! The transformers that scale or select columns, one test each.

use drivetrain_plan::Norm;
use drivetrain_transform::{
    Estimator, MaxAbsScaler, MinMaxScaler, Normalizer, ParameterError, RobustScaler, VarianceThreshold,
};
use serde_json::Value;

use crate::case::{Case, assert_close, cases};

impl Case {
    fn pair(&self, name: &str, default: (f64, f64)) -> (f64, f64) {
        self.params.get(name).map_or(default, |value| serde_json::from_value(value.clone()).unwrap())
    }

    /// The columns' learned numbers, by scikit-learn's names.
    fn check_learned(&self, found: &[(&str, Vec<f64>)], atol: f64) {
        for (key, found) in found {
            let Some(expected) = self.learned(key) else { continue };
            assert_eq!(found.len(), expected.len(), "{}: {key}", self.name);
            for (column, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert_close(*found, expected, atol, &format!("{}: {key} of column {column}", self.name));
            }
        }
    }
}

fn built<E: Estimator>(estimator: Result<E, ParameterError>) -> Result<E, String> {
    estimator.map_err(|error| error.to_string())
}

#[test]
fn min_max_scaler() {
    for case in cases("MinMaxScaler", 40) {
        let (low, high) = case.pair("feature_range", (0.0, 1.0));
        let scaler = MinMaxScaler::new().clip(case.flag("clip", false)).feature_range(low, high);
        let Some(fitted) = case.check(built(scaler)) else { continue };
        let columns = fitted.columns().iter();
        case.check_learned(
            &[
                ("data_min", columns.clone().map(|column| column.data_min).collect()),
                ("data_max", columns.clone().map(|column| column.data_max).collect()),
            ],
            0.0,
        );
        // Of a column without any value scikit-learn's scale is NaN; ours is not used.
        let known = columns.filter(|column| !column.data_min.is_nan()).count();
        if known == fitted.columns().len() {
            let columns = fitted.columns().iter();
            case.check_learned(
                &[
                    ("scale", columns.clone().map(|column| column.scale).collect()),
                    ("min", columns.map(|column| column.min).collect()),
                ],
                0.0,
            );
        }
    }
}

#[test]
fn max_abs_scaler() {
    for case in cases("MaxAbsScaler", 15) {
        let Some(fitted) = case.check(Ok(MaxAbsScaler::new())) else { continue };
        let columns = fitted.columns().iter();
        case.check_learned(
            &[
                ("max_abs", columns.clone().map(|column| column.max_abs).collect()),
                ("scale", columns.map(|column| column.scale).collect()),
            ],
            0.0,
        );
    }
}

#[test]
fn robust_scaler() {
    for case in cases("RobustScaler", 60) {
        let (low, high) = case.pair("quantile_range", (25.0, 75.0));
        let scaler = RobustScaler::new()
            .with_centering(case.flag("with_centering", true))
            .with_scaling(case.flag("with_scaling", true))
            .unit_variance(case.flag("unit_variance", false))
            .quantile_range(low, high);
        let Some(fitted) = case.check(built(scaler)) else { continue };
        let columns = fitted.columns().iter();
        case.check_learned(
            &[
                ("center", columns.clone().map(|column| column.center).collect()),
                ("scale", columns.map(|column| column.scale).collect()),
            ],
            0.0,
        );
    }
}

#[test]
fn normalizer() {
    for case in cases("Normalizer", 30) {
        let norm = match case.params["norm"].as_str() {
            Some("l1") => Norm::L1,
            Some("l2") => Norm::L2,
            Some("max") => Norm::Max,
            other => panic!("{}: norm {other:?}", case.name),
        };
        case.check(Ok(Normalizer::new().norm(norm)));
    }
}

#[test]
fn variance_threshold() {
    for case in cases("VarianceThreshold", 30) {
        let threshold = case.params.get("threshold").and_then(Value::as_f64).unwrap_or(0.0);
        let Some(fitted) = case.check(built(VarianceThreshold::new().threshold(threshold))) else { continue };
        // What rounding leaves of the variance of a constant is nobody's promise.
        case.check_learned(&[("variances", fitted.variances().to_vec())], 1e-30);
    }
}
