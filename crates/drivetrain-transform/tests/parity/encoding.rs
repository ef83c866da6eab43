//! The encoders of categories, and what they have in common.

use drivetrain_plan::{Categories, UnknownValue};
use drivetrain_transform::{EncodedColumn, Estimator, MinFrequency, OrdinalEncoder, TargetEncoder};
use serde_json::Value;

use crate::case::{Case, assert_close, cases, table};

impl Case {
    /// The categories that the parameters declare, by column.
    pub(crate) fn declared_categories(&self) -> Vec<(&str, Categories)> {
        let declared = self.params.get("categories").and_then(Value::as_array).into_iter().flatten();
        let read = |categories: &Value| match categories[0] {
            Value::String(_) => Categories::String(serde_json::from_value(categories.clone()).unwrap()),
            _ => Categories::Int64(serde_json::from_value(categories.clone()).unwrap()),
        };
        self.fit.iter().zip(declared).map(|(column, categories)| (column.name.as_str(), read(categories))).collect()
    }

    /// The learned categories; a missing one is `null` and the last.
    pub(crate) fn check_categories(&self, columns: &[EncodedColumn]) {
        let learned = self.learned["categories"].as_array().unwrap();
        assert_eq!(columns.len(), learned.len(), "{}", self.name);
        for (column, expected) in columns.iter().zip(learned) {
            let known: Vec<&Value> = expected.as_array().unwrap().iter().filter(|value| !value.is_null()).collect();
            let has_missing = known.len() < expected.as_array().unwrap().len();
            assert_eq!(column.missing, has_missing, "{}: {}", self.name, column.name);
            let found = serde_json::to_value(&column.categories).unwrap();
            let found = found.as_object().unwrap().values().next().unwrap().as_array().unwrap();
            assert_eq!(found.iter().collect::<Vec<_>>(), known, "{}: {}", self.name, column.name);
        }
        let Some(learned) = self.learned["infrequent_categories"].as_array() else { return };
        for ((column, expected), categories) in
            columns.iter().zip(learned).zip(self.learned["categories"].as_array().unwrap())
        {
            let rare = column.infrequent.iter().map(|position| &categories[*position]);
            let expected = expected.as_array().into_iter().flatten();
            assert!(rare.eq(expected), "{}: {:?} of {}", self.name, column.infrequent, column.name);
        }
    }

    /// What makes categories too rare.
    pub(crate) fn rarity(&self) -> (Option<MinFrequency>, Option<usize>) {
        let minimum = self.params.get("min_frequency").map(|value| match value.as_u64() {
            Some(rows) => MinFrequency::count(usize::try_from(rows).unwrap()).unwrap(),
            None => MinFrequency::fraction(value.as_f64().unwrap()).unwrap(),
        });
        (minimum, self.params.get("max_categories").map(|value| serde_json::from_value(value.clone()).unwrap()))
    }
}

#[test]
fn ordinal_encoder() {
    for case in cases("OrdinalEncoder", 130) {
        // A parameter that is NaN stands in the file as null.
        let number = |name: &str| case.params.get(name).map(|value| value.as_f64().unwrap_or(f64::NAN));
        let unknown = number("unknown_value").map_or(UnknownValue::Error, UnknownValue::Value);
        let encoder = OrdinalEncoder::new()
            .handle_unknown(unknown)
            .encoded_missing_value(number("encoded_missing_value").unwrap_or(f64::NAN));
        let (min_frequency, max_categories) = case.rarity();
        let encoder = min_frequency.into_iter().fold(encoder, OrdinalEncoder::min_frequency);
        let encoder = max_categories.into_iter().fold(encoder, |encoder, most| encoder.max_categories(most).unwrap());
        let mut declared = case.declared_categories().into_iter();
        let encoder =
            declared.try_fold(encoder, |encoder, (column, categories)| encoder.categories(column, categories));
        let Some(fitted) = case.check(encoder.map_err(|error| error.to_string())) else { continue };
        case.check_categories(fitted.columns());
    }
}

#[test]
fn target_encoder() {
    for case in cases("TargetEncoder", 50) {
        let mut declared = case.declared_categories().into_iter();
        let encoder = declared
            .try_fold(TargetEncoder::new(), |encoder, (column, categories)| encoder.categories(column, categories))
            .unwrap();
        let smooth = case.params.get("smooth").and_then(Value::as_f64);
        let encoder = smooth.into_iter().fold(encoder, |encoder, smooth| encoder.smooth(smooth).unwrap());
        let Some(fitted) = case.check(Ok(encoder.clone())) else { continue };
        let columns: Vec<EncodedColumn> = fitted.columns().iter().map(|column| column.column.clone()).collect();
        case.check_categories(&columns);
        let close = |found: f64, expected: &Value, what: &str| {
            assert_close(found, expected.as_f64(), case.atol, &format!("{}: {what}", case.name));
        };
        close(fitted.target_mean(), &case.learned["target_mean"][0], "target_mean");
        for (column, expected) in fitted.columns().iter().zip(case.learned["encodings"].as_array().unwrap()) {
            let expected = expected.as_array().unwrap();
            assert_eq!(column.encodings.len(), expected.len(), "{}", case.name);
            column.encodings.iter().zip(expected).for_each(|(found, expected)| close(*found, expected, "encoding"));
        }
        let Some(expected) = case.learned["fit_transform"].as_array() else { continue };
        let folds = serde_json::from_value(case.learned["cv"].clone()).unwrap();
        let encoder = encoder.shuffle(false).cv(folds).unwrap();
        let crossed = encoder.fit_transform(&table(&case.fit), case.y.as_deref()).unwrap();
        assert_eq!(crossed.n_rows(), expected.len(), "{}", case.name);
        for (found, expected) in crossed.values().rows().into_iter().zip(expected) {
            let expected = expected.as_array().unwrap();
            found.iter().zip(expected).for_each(|(found, expected)| close(*found, expected, "fit_transform"));
        }
    }
}
