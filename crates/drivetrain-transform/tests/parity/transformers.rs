//! The transformers, one test each.

use drivetrain_plan::UnknownCategory;
use drivetrain_transform::{OneHotEncoder, StandardScaler};
use serde_json::Value;

use crate::case::{Case, assert_close, cases};

#[test]
fn standard_scaler() {
    for case in cases("StandardScaler", 20) {
        let flag = |name: &str| case.params.get(name).and_then(Value::as_bool).unwrap_or(true);
        let scaler = StandardScaler::new().with_mean(flag("with_mean")).with_std(flag("with_std"));
        let Some(fitted) = case.check(Ok(scaler)) else { continue };
        // Of a column without any value scikit-learn's scale is NaN; ours is 1, and its values come out missing all the same.
        let seen = fitted.columns().iter().enumerate().filter(|(_, column)| column.n_samples_seen > 0);
        for (index, column) in seen {
            for (key, found) in [("mean", column.mean), ("var", column.variance), ("scale", column.scale)] {
                let Some(expected) = case.learned(key) else { continue };
                let place = format!("{}: {key} of {}", case.name, column.name);
                assert_close(found, expected[index], 0.0, &place);
            }
        }
    }
}

#[test]
fn one_hot_encoder() {
    for case in cases("OneHotEncoder", 20) {
        let Some(fitted) = case.check(one_hot(&case)) else { continue };
        case.check_categories(fitted.columns());
    }
}

fn one_hot(case: &Case) -> Result<OneHotEncoder, String> {
    let unknown = match case.params["handle_unknown"].as_str() {
        Some("error") => UnknownCategory::Error,
        Some("ignore") => UnknownCategory::Ignore,
        other => panic!("{}: handle_unknown {other:?}", case.name),
    };
    let mut declared = case.declared_categories().into_iter();
    let encoder = OneHotEncoder::new().handle_unknown(unknown);
    declared
        .try_fold(encoder, |encoder, (column, categories)| encoder.categories(column, categories))
        .map_err(|e| e.to_string())
}
