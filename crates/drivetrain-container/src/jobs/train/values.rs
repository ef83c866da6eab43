//! The values of hyper-parameters, in every way that clients and tuners write them.

use std::{error::Error as StdError, fmt, str::FromStr};

/// A text that is no value of its hyper-parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidValue {
    expected: &'static str,
}

impl InvalidValue {
    const WHOLE: Self = Self { expected: "a whole number" };
    const BOOLEAN: Self = Self { expected: "true or false" };
    const MAX_DEPTH: Self = Self { expected: "a whole number or none" };
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl StdError for InvalidValue {}

/// A whole number, also when it is written as `5.0`: tuners hand every number over as a float.
pub(in crate::jobs) fn whole<T: FromStr>(text: &str) -> Result<T, InvalidValue> {
    let whole = text.split_once('.').filter(|(_, rest)| !rest.is_empty() && rest.bytes().all(|digit| digit == b'0'));
    whole.map_or(text, |(digits, _)| digits).parse().map_err(|_| InvalidValue::WHOLE)
}

/// A boolean, as Rust, JSON or Python write it.
pub(super) fn boolean(text: &str) -> Result<bool, InvalidValue> {
    match text {
        "true" | "True" => Ok(true),
        "false" | "False" => Ok(false),
        _ => Err(InvalidValue::BOOLEAN),
    }
}

/// scikit-learn's `max_depth`: a number of splits, or `none` for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaxDepth(pub Option<usize>);

impl FromStr for MaxDepth {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `null` is what JSON calls Python's None.
        match text.to_ascii_lowercase().as_str() {
            "none" | "null" => Ok(Self(None)),
            number => whole(number).map(|depth| Self(Some(depth))).map_err(|_| InvalidValue::MAX_DEPTH),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_carry_a_point() {
        assert_eq!(whole::<usize>("5"), Ok(5));
        assert_eq!(whole::<usize>("5.0"), Ok(5));
        assert_eq!(whole::<u64>("18446744073709551615"), Ok(u64::MAX));
        for wrong in ["5.5", "5.", ".0", "-1", "five", "", "1e3"] {
            assert_eq!(whole::<usize>(wrong), Err(InvalidValue::WHOLE), "{wrong}");
        }
        assert_eq!("7.00".parse(), Ok(MaxDepth(Some(7))));
        assert_eq!("None".parse(), Ok(MaxDepth(None)));
        assert_eq!("deep".parse::<MaxDepth>(), Err(InvalidValue::MAX_DEPTH));
    }

    #[test]
    fn booleans_are_written_in_two_ways() {
        assert_eq!(["true", "True", "false", "False"].map(boolean), [Ok(true), Ok(true), Ok(false), Ok(false)]);
        assert_eq!(boolean("yes"), Err(InvalidValue::BOOLEAN));
    }
}
