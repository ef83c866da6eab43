//! Categories that are too rare to be encoded by themselves.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::ParameterError;

/// How often a category must appear at fit to be encoded by itself.
///
/// ```
/// use drivetrain_transform::MinFrequency;
///
/// assert!(MinFrequency::count(10).is_ok() && MinFrequency::fraction(0.01).is_ok());
/// assert!(MinFrequency::fraction(1.5).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Minimum", into = "Minimum")]
pub struct MinFrequency(Minimum);

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Minimum {
    Count(usize),
    Fraction(f64),
}

impl From<MinFrequency> for Minimum {
    fn from(frequency: MinFrequency) -> Self {
        frequency.0
    }
}

impl TryFrom<Minimum> for MinFrequency {
    type Error = ParameterError;

    fn try_from(minimum: Minimum) -> Result<Self, ParameterError> {
        match minimum {
            Minimum::Count(rows) => Self::count(rows),
            Minimum::Fraction(share) => Self::fraction(share),
        }
    }
}

impl MinFrequency {
    /// In this many rows.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when it is 0.
    pub fn count(rows: usize) -> Result<Self, ParameterError> {
        ParameterError::at_least_1("min_frequency", rows).map(|rows| Self(Minimum::Count(rows.get())))
    }

    /// In this share of the rows.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] unless it lies between 0 and 1.
    pub fn fraction(share: f64) -> Result<Self, ParameterError> {
        if 0.0 < share && share < 1.0 {
            return Ok(Self(Minimum::Fraction(share)));
        }
        let (value, expected) = (share.to_string(), "a share between 0 and 1, or a count");
        Err(ParameterError::OutOfRange { name: "min_frequency", value, expected })
    }
}

/// The positions of the categories that are too rare, ascending, as scikit-learn's `_identify_infrequent` finds them:
/// those below the minimum, and then the rarest until, with one for all of these, no more than `max_categories` are left. Of
/// categories that are equally frequent the first are left out first.
pub(crate) fn infrequent(
    counts: &[usize],
    n_rows: usize,
    min_frequency: Option<MinFrequency>,
    max_categories: Option<NonZeroUsize>,
) -> Vec<usize> {
    let is_rare = |count: usize| match min_frequency {
        None => false,
        Some(MinFrequency(Minimum::Count(minimum))) => count < minimum,
        Some(MinFrequency(Minimum::Fraction(share))) => (count as f64) < n_rows as f64 * share,
    };
    let mut rare: Vec<bool> = counts.iter().map(|count| is_rare(*count)).collect();
    let frequent = rare.iter().filter(|rare| !**rare).count();
    if let Some(max_categories) = max_categories.filter(|max_categories| max_categories.get() < frequent + 1) {
        let mut rarest: Vec<usize> = (0..counts.len()).collect();
        rarest.sort_by_key(|index| counts[*index]);
        for index in &rarest[..counts.len() - (max_categories.get() - 1)] {
            rare[*index] = true;
        }
    }
    (0..counts.len()).filter(|index| rare[*index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_are_found_by_count_share_and_number() {
        let counts = [5, 1, 3, 3, 8];
        let found =
            |minimum: Option<MinFrequency>, maximum| infrequent(&counts, 20, minimum, NonZeroUsize::new(maximum));
        assert_eq!(found(None, 0), [] as [usize; 0]);
        assert_eq!(found(MinFrequency::count(3).ok(), 0), [1]);
        assert_eq!(found(MinFrequency::fraction(0.2).ok(), 0), [1, 2, 3]);
        assert_eq!(found(None, 5), [1]);
        assert_eq!(found(None, 4), [1, 2]);
        assert_eq!(found(None, 1), [0, 1, 2, 3, 4]);
        assert_eq!(found(MinFrequency::count(6).ok(), 3), [0, 1, 2, 3]);
        assert_eq!(found(None, 6), [] as [usize; 0]);
    }

    #[test]
    fn a_share_beyond_all_rows_is_refused_also_when_it_is_read() {
        let error = MinFrequency::fraction(1.0).unwrap_err();
        assert_eq!(error.to_string(), "min_frequency is 1: expected a share between 0 and 1, or a count");
        assert!(MinFrequency::count(0).is_err());
        let text = serde_json::to_string(&MinFrequency::fraction(0.5).unwrap()).unwrap();
        assert_eq!(text, r#"{"fraction":0.5}"#);
        assert!(serde_json::from_str::<MinFrequency>(r#"{"fraction":1.5}"#).is_err());
        assert!(serde_json::from_str::<MinFrequency>(r#"{"count":0}"#).is_err());
    }
}
