//! One value of a request, and what it is as a value of a typed column.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Above this magnitude not every integer is a float.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// A value as the request holds it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// JSON's `null`.
    Missing,
    /// JSON's `true` and `false`.
    Boolean(bool),
    /// A JSON number without fraction or exponent.
    Integer(i64),
    /// Any other JSON number.
    Float(f64),
    /// A CSV field or a JSON string.
    Text(Cow<'a, str>),
    /// A JSON array or object where a value should be.
    Nested,
}

/// What a cell should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected(pub(super) &'static str);

impl Cell<'_> {
    /// A finite float; NaN where missing.
    pub(super) fn float(&self) -> Result<f64, Expected> {
        const EXPECTED: Expected = Expected("a finite number");
        match self {
            Self::Missing => Ok(f64::NAN),
            Self::Integer(value) => Ok(*value as f64),
            Self::Float(value) => Some(*value).filter(|value| value.is_finite()).ok_or(EXPECTED),
            Self::Text(text) if is_missing(text) => Ok(f64::NAN),
            Self::Text(text) => text.trim().parse().ok().filter(|value: &f64| value.is_finite()).ok_or(EXPECTED),
            Self::Boolean(_) | Self::Nested => Err(EXPECTED),
        }
    }

    /// An integer, also when it is written as `70.0`.
    pub(super) fn integer(&self) -> Result<Option<i64>, Expected> {
        const EXPECTED: Expected = Expected("a whole number");
        match self {
            Self::Missing => Ok(None),
            Self::Integer(value) => Ok(Some(*value)),
            Self::Float(value) => whole(*value).map(Some).ok_or(EXPECTED),
            Self::Text(text) if is_missing(text) => Ok(None),
            Self::Text(text) => {
                let text = text.trim();
                let value = text.parse().ok().or_else(|| text.parse().ok().and_then(whole));
                value.map(Some).ok_or(EXPECTED)
            }
            Self::Boolean(_) | Self::Nested => Err(EXPECTED),
        }
    }

    /// A boolean, as JSON, Python or SQL write it.
    pub(super) fn boolean(&self) -> Result<Option<bool>, Expected> {
        const EXPECTED: Expected = Expected("true or false");
        match self {
            Self::Missing => Ok(None),
            Self::Boolean(value) => Ok(Some(*value)),
            Self::Text(text) if is_missing(text) => Ok(None),
            Self::Text(text) if text.trim().eq_ignore_ascii_case("true") => Ok(Some(true)),
            Self::Text(text) if text.trim().eq_ignore_ascii_case("false") => Ok(Some(false)),
            _ => Err(EXPECTED),
        }
    }

    /// Text as it stands; only the empty text is missing, since `?` and `nan` can be categories.
    pub(super) fn text(&self) -> Result<Option<String>, Expected> {
        match self {
            Self::Missing => Ok(None),
            Self::Text(text) if text.is_empty() => Ok(None),
            Self::Text(text) => Ok(Some(text.to_string())),
            _ => Err(Expected("text")),
        }
    }
}

/// Whether a text stands for a missing number or boolean.
fn is_missing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text == "?" || text.eq_ignore_ascii_case("nan")
}

fn whole(value: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "within the range in which floats hold integers exactly")]
    (value.trunc() == value && value.abs() <= EXACT_INTEGERS).then_some(value as i64)
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) => f.write_str(text),
            Self::Nested => f.write_str("a nested array or object"),
        }
    }
}

impl<'de> Deserialize<'de> for Cell<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, true, false or null")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Cell::Missing)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Cell::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Cell::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Cell::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Nested)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Cell<'_> {
        Cell::Text(Cow::Borrowed(text))
    }

    #[test]
    fn missing_is_written_in_several_ways() {
        for missing in ["", " ", "?", "NaN", "nan"] {
            assert!(text(missing).float().unwrap().is_nan(), "{missing:?}");
            assert_eq!(text(missing).integer(), Ok(None), "{missing:?}");
            assert_eq!(text(missing).boolean(), Ok(None), "{missing:?}");
        }
        assert_eq!(text("").text(), Ok(None));
        assert_eq!(text("?").text(), Ok(Some("?".to_owned())));
    }

    #[test]
    fn whole_numbers_may_carry_a_point() {
        assert_eq!(text("70.0").integer(), Ok(Some(70)));
        assert_eq!(Cell::Float(-3.0).integer(), Ok(Some(-3)));
        assert!(text("70.5").integer().is_err());
        assert!(Cell::Float(1e300).integer().is_err());
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in ["abc", "1,5", "inf", "-Infinity", "1e999", "0x10", "8 cylinders"] {
            assert!(text(wrong).float().is_err(), "{wrong}");
            assert!(text(wrong).integer().is_err(), "{wrong}");
        }
        assert!(Cell::Boolean(true).float().is_err());
        assert!(Cell::Nested.integer().is_err());
        assert!(Cell::Integer(1).text().is_err());
    }

    proptest! {
        #[test]
        fn numbers_read_back_bit_for_bit(float in proptest::num::f64::NORMAL, integer: i64) {
            prop_assert_eq!(text(&float.to_string()).float().unwrap().to_bits(), float.to_bits());
            prop_assert_eq!(text(&integer.to_string()).integer(), Ok(Some(integer)));
        }

        #[test]
        fn json_and_csv_agree(float in proptest::num::f64::NORMAL) {
            let text = serde_json::to_string(&float).unwrap();
            let json: Cell<'_> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(json.float().unwrap().to_bits(), float.to_bits());
        }
    }
}
