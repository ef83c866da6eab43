//! A number of rows, given as a count or as a share.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number of rows: a count, or a share of the rows of the training set.
///
/// Written and read as a number: a whole one is a count, one with a point a share.
///
/// ```
/// use drivetrain_forest::{RandomForestRegressor, Samples};
///
/// let regressor = RandomForestRegressor::builder().min_samples_leaf(0.1).build()?;
/// assert_eq!(regressor.min_samples_leaf(), Samples::Fraction(0.1));
/// assert_eq!(regressor.min_samples_leaf().at_least(95), 10);
/// assert_eq!(Samples::from(5), 5);
/// # Ok::<(), drivetrain_forest::ForestError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Samples {
    /// So many rows.
    Count(usize),
    /// A share of the rows.
    Fraction(f64),
}

impl Samples {
    /// The count, or the share of `n_rows` rounded up.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count is a count")]
    pub fn at_least(self, n_rows: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Fraction(fraction) => (fraction * n_rows as f64).ceil() as usize,
        }
    }

    /// The count, or the share of `n_rows` rounded down, but at least 1.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count is a count")]
    pub fn at_most(self, n_rows: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Fraction(fraction) => ((fraction * n_rows as f64) as usize).max(1),
        }
    }

    /// Whether a count is at least `least`, a share above 0 and at most `most`.
    pub(super) fn is_within(self, least: usize, most: f64) -> bool {
        match self {
            Self::Count(count) => count >= least,
            Self::Fraction(fraction) => fraction > 0.0 && fraction <= most,
        }
    }
}

impl From<usize> for Samples {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Samples {
    fn from(fraction: f64) -> Self {
        Self::Fraction(fraction)
    }
}

impl PartialEq<usize> for Samples {
    fn eq(&self, count: &usize) -> bool {
        matches!(self, Self::Count(own) if own == count)
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Fraction(fraction) => write!(f, "{fraction:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_shares_are_told_apart_in_json() {
        for (text, samples) in [("2", Samples::Count(2)), ("0.25", Samples::Fraction(0.25)), ("1.0", 1.0.into())] {
            assert_eq!(serde_json::from_str::<Samples>(text).unwrap(), samples);
            assert_eq!(serde_json::to_string(&samples).unwrap(), text);
            assert_eq!(samples.to_string(), text);
        }
        assert!(serde_json::from_str::<Samples>("-1").is_ok_and(|samples| !samples.is_within(1, 1.0)));
        assert!(serde_json::from_str::<Samples>("\"2\"").is_err());
    }

    #[test]
    fn shares_are_rounded_as_in_scikit_learn() {
        assert_eq!(Samples::Fraction(0.1).at_least(95), 10);
        assert_eq!(Samples::Fraction(0.1).at_most(95), 9);
        assert_eq!(Samples::Fraction(0.001).at_most(95), 1);
        assert_eq!(Samples::Count(7).at_least(3), 7);
    }
}
