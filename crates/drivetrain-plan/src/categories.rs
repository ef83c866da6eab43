//! Constants that a plan carries: single values and lists of categories.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::DataType;

/// A single constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// A boolean.
    Boolean(bool),
    /// An integer.
    Int64(i64),
    /// A float.
    Float64(f64),
    /// Text.
    String(String),
}

impl Value {
    /// The type of the column that this value can stand in.
    #[must_use]
    pub const fn dtype(&self) -> DataType {
        match self {
            Self::Boolean(_) => DataType::Boolean,
            Self::Int64(_) => DataType::Int64,
            Self::Float64(_) => DataType::Float64,
            Self::String(_) => DataType::String,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Int64(value) => write!(f, "{value}"),
            Self::Float64(value) => write!(f, "{value:?}"),
            Self::String(value) => write!(f, "{value:?}"),
        }
    }
}

/// An ordered list of distinct categories of one type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Categories {
    /// Booleans.
    Boolean(Vec<bool>),
    /// Integers.
    Int64(Vec<i64>),
    /// Floats, none of them NaN.
    Float64(Vec<f64>),
    /// Texts.
    String(Vec<String>),
}

impl Categories {
    /// The number of categories.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Boolean(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::Float64(values) => values.len(),
            Self::String(values) => values.len(),
        }
    }

    /// Whether there is no category.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Category `index` as scikit-learn writes it into a feature name; floats as Python prints them.
    #[must_use]
    pub fn label(&self, index: usize) -> Option<String> {
        match self {
            Self::Boolean(values) => values.get(index).map(|value| if *value { "True" } else { "False" }.to_owned()),
            Self::Int64(values) => values.get(index).map(ToString::to_string),
            Self::Float64(values) => values.get(index).map(|value| python_float(*value)),
            Self::String(values) => values.get(index).cloned(),
        }
    }

    /// The first category that appears twice or is NaN, as text.
    #[must_use]
    pub fn first_repeated(&self) -> Option<String> {
        fn repeated<T: Ord>(values: impl Iterator<Item = T>) -> Option<usize> {
            let mut seen = BTreeSet::new();
            values.into_iter().position(|value| !seen.insert(value))
        }
        let index = match self {
            Self::Boolean(values) => repeated(values.iter()),
            Self::Int64(values) => repeated(values.iter()),
            Self::Float64(values) => match values.iter().position(|value| value.is_nan()) {
                Some(index) => Some(index),
                None => repeated(values.iter().map(|value| float_key(*value))),
            },
            Self::String(values) => repeated(values.iter()),
        };
        index.and_then(|index| self.label(index))
    }

    /// Whether columns of type `dtype` take these categories.
    #[must_use]
    pub const fn matches(&self, dtype: DataType) -> bool {
        use crate::CategoryType;
        matches!(
            (self, dtype),
            (Self::Boolean(_), DataType::Boolean)
                | (Self::Int64(_), DataType::Int64 | DataType::Categorical(CategoryType::Int64))
                | (Self::Float64(_), DataType::Float64)
                | (Self::String(_), DataType::String | DataType::Categorical(CategoryType::String))
        )
    }
}

/// Bits that are equal exactly when two non-NaN floats are equal: negative zero is zero.
pub(crate) fn float_key(value: f64) -> u64 {
    if value == 0.0 { 0 } else { value.to_bits() }
}

/// A float as Python's `repr` writes it: shortest digits, an exponent below 1e-4 and from 1e16 on.
fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    let text = value.to_string();
    if text.contains('.') { text } else { text + ".0" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float_labels_are_pythons() {
        let labels =
            [(1.0, "1.0"), (0.1, "0.1"), (1e16, "1e+16"), (1.5e-5, "1.5e-05"), (-2.5, "-2.5"), (1e-100, "1e-100")];
        for (value, label) in labels {
            assert_eq!(python_float(value), label);
        }
        assert_eq!(python_float(123_456_789.0), "123456789.0");
    }

    #[test]
    fn repetitions_are_found() {
        assert_eq!(Categories::Int64(vec![3, 1, 3]).first_repeated().as_deref(), Some("3"));
        assert_eq!(Categories::Float64(vec![0.0, -0.0]).first_repeated().as_deref(), Some("-0.0"));
        assert_eq!(Categories::Float64(vec![1.0, f64::NAN]).first_repeated().as_deref(), Some("nan"));
        assert_eq!(Categories::String(vec!["a".into(), "b".into()]).first_repeated(), None);
    }
}
