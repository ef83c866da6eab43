//! The transformers of missing values, one test each.

use drivetrain_plan::Value as Constant;
use drivetrain_transform::{IndicatedFeatures, MissingIndicator, SimpleImputer, Strategy};
use serde_json::Value;

use crate::case::{assert_close, cases};

#[test]
fn simple_imputer() {
    for case in cases("SimpleImputer", 40) {
        let fill_value = case.params.get("fill_value").map_or(Constant::Int64(0), |value| match value {
            Value::String(text) => Constant::String(text.clone()),
            value => value.as_i64().map_or_else(|| Constant::Float64(value.as_f64().unwrap()), Constant::Int64),
        });
        let strategy = match case.params["strategy"].as_str() {
            Some("mean") => Strategy::Mean,
            Some("median") => Strategy::Median,
            Some("most_frequent") => Strategy::MostFrequent,
            Some("constant") => Strategy::Constant(fill_value),
            other => panic!("{}: strategy {other:?}", case.name),
        };
        let imputer = SimpleImputer::new(strategy)
            .keep_empty_features(case.flag("keep_empty_features", false))
            .add_indicator(case.flag("add_indicator", false));
        let Some(fitted) = case.check(Ok(imputer)) else { continue };
        for (column, expected) in fitted.columns().iter().zip(case.learned["statistics"].as_array().unwrap()) {
            let place = format!("{}: statistic of {}", case.name, column.name);
            let found = match &column.statistic {
                Some(Constant::String(found)) => {
                    assert_eq!(Some(found.as_str()), expected.as_str(), "{place}");
                    continue;
                }
                Some(Constant::Int64(value)) => *value as f64,
                Some(Constant::Float64(value)) => *value,
                Some(Constant::Boolean(value)) => f64::from(u8::from(*value)),
                None => f64::NAN,
            };
            assert_close(found, expected.as_f64(), case.atol, &place);
        }
    }
}

#[test]
fn missing_indicator() {
    for case in cases("MissingIndicator", 18) {
        let features = match case.params.get("features").and_then(Value::as_str) {
            Some("all") => IndicatedFeatures::All,
            _ => IndicatedFeatures::MissingOnly,
        };
        let indicator = MissingIndicator::new().features(features).error_on_new(case.flag("error_on_new", true));
        let Some(fitted) = case.check(Ok(indicator)) else { continue };
        let position = |name: &String| case.fit.iter().position(|column| column.name == *name);
        let found: Vec<_> = fitted.features().iter().map(|name| position(name).unwrap()).collect();
        assert_eq!(serde_json::to_value(found).unwrap(), case.learned["features"], "{}", case.name);
    }
}
