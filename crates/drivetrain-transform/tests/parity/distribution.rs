//! The transformers that change the distribution of a column, one test each.

use drivetrain_plan::{Function, Table};
use drivetrain_transform::{
    BinEncoding, BinStrategy, Estimator, Fitted, KBinsDiscretizer, Moments, OutputDistribution, PowerMethod,
    PowerTransformer, QuantileTransformer,
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
fn k_bins_discretizer() {
    for case in cases("KBinsDiscretizer", 150) {
        let text = |name: &str| case.params.get(name).and_then(Value::as_str);
        let encode = if text("encode") == Some("ordinal") { BinEncoding::Ordinal } else { BinEncoding::OneHot };
        let strategy = if text("strategy") == Some("uniform") { BinStrategy::Uniform } else { BinStrategy::Quantile };
        let mut bins = KBinsDiscretizer::new().encode(encode).strategy(strategy);
        if let Some(method) = case.params.get("quantile_method") {
            bins = bins.quantile_method(serde_json::from_value(method.clone()).unwrap());
        }
        bins = match case.params.get("n_bins") {
            Some(Value::Array(numbers)) => case.fit.iter().zip(numbers).fold(bins, |bins, (column, number)| {
                bins.column_n_bins(&column.name, serde_json::from_value(number.clone()).unwrap()).unwrap()
            }),
            _ => bins.n_bins(case.count("n_bins", 5)).unwrap(),
        };
        let Some(fitted) = case.check(Ok(bins)) else { continue };
        for (column, edges) in fitted.columns().iter().zip(case.learned["bin_edges"].as_array().unwrap()) {
            let edges = edges.as_array().unwrap();
            if edges.is_empty() {
                assert_eq!(column.bin_edges, [f64::NEG_INFINITY, f64::INFINITY], "{}", case.name);
                continue;
            }
            assert_eq!(column.bin_edges.len(), edges.len(), "{}: bins of {}", case.name, column.name);
            for (found, expected) in column.bin_edges.iter().zip(edges) {
                assert_close(*found, expected.as_f64(), 1e-15, &format!("{}: edge of {}", case.name, column.name));
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
            let good =
                if found.is_finite() { found >= expected - 1e-9 * expected.abs().max(1.0) } else { ours == theirs };
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
