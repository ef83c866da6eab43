//! The transformers that change the distribution of a column, one test each.

use drivetrain_plan::{Function, Table};
use drivetrain_transform::{
    Estimator, Fitted, Moments, OutputDistribution, PowerMethod, PowerTransformer, QuantileTransformer,
};
use serde_json::Value;

use crate::case::{Case, assert_close, cases, table};

impl Case {
    pub(crate) fn count(&self, name: &str, default: usize) -> usize {
        self.params.get(name).map_or(default, |value| serde_json::from_value(value.clone()).unwrap())
    }
}

#[test]
fn quantile_transformer() {
    for case in cases("QuantileTransformer", 90) {
        let distribution = match case.params.get("output_distribution").and_then(Value::as_str) {
            None => OutputDistribution::Uniform,
            Some("normal") => OutputDistribution::Normal,
            other => panic!("{}: output_distribution {other:?}", case.name),
        };
        let transformer = QuantileTransformer::new().output_distribution(distribution);
        let transformer = transformer.n_quantiles(case.count("n_quantiles", 1000)).map_err(|error| error.to_string());
        let Some(fitted) = case.check(transformer) else { continue };
        for (index, expected) in case.learned["quantiles"].as_array().unwrap().iter().enumerate() {
            for (column, expected) in fitted.columns().iter().zip(expected.as_array().unwrap()) {
                let place = format!("{}: quantile {index} of {}", case.name, column.name);
                assert_close(column.quantiles[index], expected.as_f64(), 0.0, &place);
            }
        }
    }
}

#[test]
fn power_transformer() {
    for case in cases("PowerTransformer", 90) {
        let method = match case.params.get("method").and_then(Value::as_str) {
            None => PowerMethod::YeoJohnson,
            Some("box-cox") => PowerMethod::BoxCox,
            other => panic!("{}: method {other:?}", case.name),
        };
        let transformer = PowerTransformer::new().method(method).standardize(case.flag("standardize", true));
        if case.name.starts_with("all missing") {
            // scikit-learn refuses a column without values here, other than in its scalers; we keep it missing.
            let fitted = transformer.fit(&table(&case.fit), None).unwrap();
            let output = fitted.transform(&table(&case.fit)).unwrap();
            assert!(output.column("empty").unwrap().iter().all(|value| value.is_nan()), "{}", case.name);
            continue;
        }
        let Some(fitted) = case.check(Ok(transformer)) else { continue };
        let input = table(&case.fit);
        for (column, expected) in fitted.columns().iter().zip(case.learned("lambdas").unwrap()) {
            let values = input.column(&column.name).unwrap().to_f64().unwrap().into_owned();
            let values: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
            let (ours, theirs) = (column.lambda, expected.unwrap());
            let [found, expected] = [ours, theirs].map(|lambda| log_likelihood(method, lambda, &values));
            // Where the numbers are constant there is no likelihood, and lambda must be the same.
            let good = if found.is_finite() { found >= expected - 1e-9 * expected.abs().max(1.0) } else { ours == theirs };
            assert!(good, "{}: lambda {ours} is worse than {theirs}: {found} < {expected}", case.name);
        }
    }
}

/// The logarithm of the likelihood of what comes out under the normal distribution, but for a constant.
fn log_likelihood(method: PowerMethod, lambda: f64, values: &[f64]) -> f64 {
    let (function, shift) = match method {
        PowerMethod::BoxCox => (Function::BoxCox { lambda }, 0.0),
        _ => (Function::YeoJohnson { lambda }, 1.0),
    };
    let transformed: Vec<f64> = values.iter().map(|value| function.compute(*value)).collect();
    let jacobian: f64 = values.iter().map(|value| value.signum() * (value.abs() + shift).ln()).sum();
    -0.5 * values.len() as f64 * Moments::of(&transformed).variance().ln() + (lambda - 1.0) * jacobian
}
