//! Hyper-parameters as the platform hands them over.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::read_json;
use crate::Error;

/// Keys that belong to the toolkits and not to the algorithm.
const TOOLKIT_PREFIX: &str = "sagemaker_";
const TUNING_METRIC: &str = "_tuning_objective_metric";

/// Decoded hyper-parameters by name.
///
/// The platform stores every value as a string, and its clients fill that string in three ways: plainly (`rf`, `True`),
/// as JSON (`"rf"`, `true`), or as JSON for all but strings. All three decode to the same value. Keys that start with
/// `sagemaker_`, and `_tuning_objective_metric`, are instructions to the toolkits and are left out.
///
/// ```
/// use std::collections::BTreeMap;
/// use drivetrain_container::environment::Hyperparameters;
/// use serde_json::json;
///
/// let decoded = |text: &str| {
///     Hyperparameters::decode(BTreeMap::from([("bootstrap".to_owned(), json!(text))]))
///         .get("bootstrap")
///         .cloned()
/// };
/// assert_eq!(decoded("True"), Some(json!(true)));
/// assert_eq!(decoded("true"), Some(json!(true)));
/// assert_eq!(decoded("\"sqrt\""), decoded("sqrt"));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hyperparameters {
    values: BTreeMap<String, Value>,
}

impl Hyperparameters {
    /// Decodes the content of a hyper-parameters file.
    #[must_use]
    pub fn decode(encoded: BTreeMap<String, Value>) -> Self {
        let values = encoded
            .into_iter()
            .filter(|(name, _)| !name.starts_with(TOOLKIT_PREFIX) && name != TUNING_METRIC)
            .map(|(name, value)| match value {
                Value::String(text) => (name, decode_text(text)),
                other => (name, other),
            })
            .collect();
        Self { values }
    }

    /// Reads a hyper-parameters file; no file is no hyper-parameters.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read, [`Error::ParseConfig`] when it is not a JSON object.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Ok(Self::decode(read_json(path)?.unwrap_or_default()))
    }

    /// The value called exactly `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// A string reads as JSON where it is JSON, as Python's booleans where it is one, otherwise as itself.
pub(super) fn decode_text(text: String) -> Value {
    match text.as_str() {
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        _ => serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn decode(value: Value) -> Hyperparameters {
        Hyperparameters::decode(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn three_encodings_decode_alike() {
        let plain =
            decode(json!({"n-estimators": "200", "max-features": "sqrt", "bootstrap": "True", "max-depth": "None"}));
        let quoted = decode(
            json!({"n-estimators": "200", "max-features": "\"sqrt\"", "bootstrap": "true", "max-depth": "\"None\""}),
        );
        let mixed =
            decode(json!({"n-estimators": "200", "max-features": "sqrt", "bootstrap": "true", "max-depth": "None"}));
        assert_eq!(plain, quoted);
        assert_eq!(plain, mixed);
        assert_eq!(plain.get("n-estimators"), Some(&json!(200)));
        assert_eq!(plain.get("bootstrap"), Some(&json!(true)));
        assert_eq!(plain.get("max-features"), Some(&json!("sqrt")));
    }

    #[test]
    fn toolkit_keys_are_left_out() {
        let decoded = decode(json!({
            "sagemaker_program": "\"train.py\"", "_tuning_objective_metric": "val:rmse", "random-state": "7"
        }));
        assert_eq!(decoded.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["random-state"]);
    }

    #[test]
    fn a_hand_written_file_may_hold_bare_values() {
        assert_eq!(decode(json!({"n-estimators": 5})).get("n-estimators"), Some(&json!(5)));
    }

    #[test]
    fn a_file_that_is_no_object_is_refused_by_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hyperparameters.json");
        assert_eq!(Hyperparameters::read(&path).unwrap(), Hyperparameters::default());
        std::fs::write(&path, "[1, 2]").unwrap();
        let error = Hyperparameters::read(&path).unwrap_err();
        assert!(error.to_string().contains("hyperparameters.json"), "{error}");
    }

    proptest! {
        #[test]
        fn any_value_survives_its_json_encoding(number: i64, text: String, flag: bool) {
            for value in [json!(number), json!(text), json!(flag), json!([number, flag])] {
                let decoded = decode(json!({"a": value.to_string()}));
                prop_assert_eq!(decoded.get("a"), Some(&value));
            }
        }
    }
}
