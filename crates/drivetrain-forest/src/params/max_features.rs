//! How many features a split may choose from.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ForestError;

/// The number of features drawn at every split, with the meaning of scikit-learn's `max_features`.
///
/// Written and read as a string: `all`, `sqrt`, `log2`, a whole number (a count) or a number with a
/// point (a share of the features).
///
/// ```
/// use drivetrain_forest::MaxFeatures;
///
/// let third: MaxFeatures = "0.33".parse()?;
/// assert_eq!(third.resolve(9), 2);
/// assert_eq!("3".parse::<MaxFeatures>()?.resolve(9), 3);
/// assert_eq!("1.0".parse::<MaxFeatures>()?, MaxFeatures::All);
/// # Ok::<(), drivetrain_forest::ForestError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MaxFeatures {
    /// Every feature: the default of scikit-learn's regressor.
    #[default]
    All,
    /// The square root of the number of features, rounded down.
    Sqrt,
    /// The logarithm to base two of the number of features, rounded down.
    Log2,
    /// A share of the features, rounded down.
    Fraction(FeatureFraction),
    /// A fixed number; all features where there are fewer.
    Count(NonZeroUsize),
}

impl MaxFeatures {
    const EXPECTED: &'static str = "all, sqrt, log2, a whole number of at least 1, or a fraction above 0 and up to 1.0";

    /// A share of the features; `1.0` is [`MaxFeatures::All`].
    ///
    /// # Errors
    /// If `fraction` is not above 0 and up to 1.
    pub fn fraction(fraction: f64) -> Result<Self, ForestError> {
        // Only the exact number one means all.
        if fraction.to_bits() == 1.0_f64.to_bits() {
            return Ok(Self::All);
        }
        FeatureFraction::new(fraction).map(Self::Fraction)
    }

    /// A fixed number of features.
    ///
    /// # Errors
    /// If `count` is 0.
    pub fn count(count: usize) -> Result<Self, ForestError> {
        NonZeroUsize::new(count).map(Self::Count).ok_or_else(|| Self::refuse("0"))
    }

    /// The number of features out of `n_features` this stands for: at least 1, at most all of them.
    #[must_use]
    pub fn resolve(self, n_features: usize) -> usize {
        let wanted = match self {
            Self::All => n_features,
            Self::Sqrt => n_features.isqrt(),
            Self::Log2 => n_features.checked_ilog2().map_or(0, |log| log as usize),
            Self::Fraction(fraction) => fraction.of(n_features),
            Self::Count(count) => count.get(),
        };
        wanted.clamp(1, n_features.max(1))
    }

    fn refuse(value: &str) -> ForestError {
        ForestError::InvalidParameter { name: "max_features", value: value.to_owned(), expected: Self::EXPECTED }
    }
}

impl fmt::Display for MaxFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Sqrt => f.write_str("sqrt"),
            Self::Log2 => f.write_str("log2"),
            Self::Fraction(fraction) => write!(f, "{}", fraction.get()),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

impl FromStr for MaxFeatures {
    type Err = ForestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            // Python's word, and JSON's for it.
            "all" | "none" | "None" | "null" => return Ok(Self::All),
            "sqrt" => return Ok(Self::Sqrt),
            "log2" => return Ok(Self::Log2),
            _ => {}
        }
        let parsed = if let Ok(count) = text.parse::<usize>() {
            Self::count(count)
        } else if let Ok(fraction) = text.parse::<f64>() {
            Self::fraction(fraction)
        } else {
            return Err(Self::refuse(text));
        };
        // The caller's own spelling belongs in the message.
        parsed.map_err(|_| Self::refuse(text))
    }
}

impl TryFrom<String> for MaxFeatures {
    type Error = ForestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MaxFeatures> for String {
    fn from(value: MaxFeatures) -> Self {
        value.to_string()
    }
}

/// A share of the features, above 0 and below 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct FeatureFraction(f64);

impl FeatureFraction {
    /// Takes a share above 0 and below 1; the whole is [`MaxFeatures::All`].
    ///
    /// # Errors
    /// If `fraction` lies outside.
    pub fn new(fraction: f64) -> Result<Self, ForestError> {
        if fraction > 0.0 && fraction < 1.0 {
            Ok(Self(fraction))
        } else {
            Err(MaxFeatures::refuse(&fraction.to_string()))
        }
    }

    /// The share.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count is rounded down to a count no larger"
    )]
    fn of(self, n_features: usize) -> usize {
        (self.0 * n_features as f64) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_features_are_those_of_scikit_learn() {
        let resolve = |text: &str, n| text.parse::<MaxFeatures>().unwrap().resolve(n);
        assert_eq!(resolve("all", 9), 9);
        assert_eq!(resolve("sqrt", 9), 3);
        assert_eq!(resolve("sqrt", 8), 2);
        assert_eq!(resolve("log2", 9), 3);
        assert_eq!(resolve("log2", 1), 1);
        assert_eq!(resolve("0.33", 9), 2);
        assert_eq!(resolve("0.01", 9), 1);
        assert_eq!(resolve("1", 9), 1);
        assert_eq!(resolve("12", 9), 9);
    }

    #[test]
    fn anything_else_is_refused_in_the_callers_words() {
        for text in ["", "0", "-1", "0.0", "1.5", "NaN", "inf", "auto", "All", "3 "] {
            let error = text.parse::<MaxFeatures>().unwrap_err().to_string();
            let start = format!("max_features is {text}: expected all, sqrt");
            assert!(error.starts_with(&start), "{error}");
        }
        assert!(FeatureFraction::new(1.0).is_err());
    }

    proptest! {
        #[test]
        fn text_and_json_round_trip(fraction in 1e-12_f64..1.0, count in 1_usize.., kind in 0..5) {
            let value = match kind {
                0 => MaxFeatures::All,
                1 => MaxFeatures::Sqrt,
                2 => MaxFeatures::Log2,
                3 => MaxFeatures::fraction(fraction).unwrap(),
                _ => MaxFeatures::count(count).unwrap(),
            };
            prop_assert_eq!(value.to_string().parse::<MaxFeatures>().unwrap(), value);
            let json = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<MaxFeatures>(&json).unwrap(), value);
        }

        #[test]
        fn between_one_and_all(fraction in 1e-12_f64..=1.0, n_features in 1_usize..10_000) {
            let n = MaxFeatures::fraction(fraction).unwrap().resolve(n_features);
            prop_assert!((1..=n_features).contains(&n));
        }
    }
}
