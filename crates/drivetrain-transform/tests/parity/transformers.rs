//! The transformers, one test each.

use drivetrain_plan::Value as Constant;
use drivetrain_transform::{DropCategory, HandleUnknown, OneHotEncoder, StandardScaler};
use serde_json::Value;

use crate::case::{Case, assert_close, cases, table};

#[test]
fn standard_scaler() {
    for case in cases("StandardScaler", 90) {
        let flag = |name: &str| case.params.get(name).and_then(Value::as_bool).unwrap_or(true);
        let scaler = StandardScaler::new().with_mean(flag("with_mean")).with_std(flag("with_std"));
        let fitted = match &case.sample_weight {
            None => case.check(Ok(scaler)),
            Some(weights) => {
                case.check_fitted(scaler.fit_weighted(&table(&case.fit), weights).map_err(|error| error.to_string()))
            }
        };
        let Some(fitted) = fitted else { continue };
        // Of a column without any value scikit-learn's scale is NaN; ours is 1, and its values come out missing all the same.
        let seen = fitted.columns().iter().enumerate().filter(|(_, column)| column.n_samples_seen > 0.0);
        for (index, column) in seen {
            for (key, found) in [
                ("n_samples_seen", column.n_samples_seen),
                ("mean", column.mean),
                ("var", column.variance),
                ("scale", column.scale),
            ] {
                let Some(expected) = case.learned(key) else { continue };
                let place = format!("{}: {key} of {}", case.name, column.name);
                assert_close(found, expected[index], 0.0, &place);
            }
        }
    }
}

#[test]
fn one_hot_encoder() {
    for case in cases("OneHotEncoder", 400) {
        let Some(fitted) = case.check(one_hot(&case)) else { continue };
        case.check_categories(fitted.columns());
        if let Some(expected) = case.learned("drop_idx") {
            let found: Vec<Option<f64>> = fitted.drop_idx().iter().map(|at| at.map(|at| at as f64)).collect();
            assert_eq!(found, expected, "{}", case.name);
        }
    }
}

fn one_hot(case: &Case) -> Result<OneHotEncoder, String> {
    let unknown = match case.params["handle_unknown"].as_str() {
        Some("error") => HandleUnknown::Error,
        Some("ignore") => HandleUnknown::Ignore,
        Some("infrequent_if_exist") => HandleUnknown::InfrequentIfExist,
        other => panic!("{}: handle_unknown {other:?}", case.name),
    };
    let drop = case.params.get("drop").map(|drop| match drop {
        Value::String(name) if name == "first" => DropCategory::First,
        Value::String(name) if name == "if_binary" => DropCategory::IfBinary,
        Value::Array(categories) => {
            let category = |value: &Value| match value {
                Value::Null => None,
                Value::String(text) => Some(Constant::String(text.clone())),
                value => value.as_i64().map(Constant::Int64),
            };
            let columns = case.fit.iter().map(|column| column.name.clone());
            DropCategory::Named(columns.zip(categories.iter().map(category)).collect())
        }
        other => panic!("{}: drop {other}", case.name),
    });
    let mut declared = case.declared_categories().into_iter();
    let (min_frequency, max_categories) = case.rarity();
    let encoder = OneHotEncoder::new().handle_unknown(unknown);
    let encoder = drop.into_iter().fold(encoder, OneHotEncoder::drop);
    let encoder = min_frequency.into_iter().fold(encoder, OneHotEncoder::min_frequency);
    let encoder = max_categories.into_iter().fold(encoder, |encoder, most| encoder.max_categories(most).unwrap());
    declared
        .try_fold(encoder, |encoder, (column, categories)| encoder.categories(column, categories))
        .map_err(|e| e.to_string())
}
