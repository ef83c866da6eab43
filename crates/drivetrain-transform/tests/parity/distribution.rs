//! The transformers that change the distribution of a column, one test each.

use drivetrain_transform::{OutputDistribution, QuantileTransformer};
use serde_json::Value;

use crate::case::{Case, assert_close, cases};

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
