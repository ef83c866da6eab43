//! Training, validation and test rows.

use std::{num::NonZeroUsize, str::FromStr};

use drivetrain_frame::polars::prelude::{DataFrame, IdxCa, IdxSize, NamedFrom};
use serde::{Deserialize, Serialize};

use crate::{DatasetError, shuffle::permutation};

/// How to split rows; the default is seed 42, fraction 0.8, 10 test rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitOptions {
    /// Decides the order of the rows: the same seed gives the same split on every machine.
    pub seed: u64,
    /// The share of the rows that goes to training.
    pub train_fraction: TrainFraction,
    /// The number of rows that goes to test.
    pub test_rows: NonZeroUsize,
}

/// A fraction between 0 and 1, both excluded.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct TrainFraction(f64);

/// Something for each of the three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split<T> {
    /// For training.
    pub train: T,
    /// For validation.
    pub validation: T,
    /// For test.
    pub test: T,
}

impl SplitOptions {
    /// Row numbers of the three parts of `rows` rows.
    ///
    /// The rows are shuffled once and the permutation is cut in three, so the parts are disjoint and cover all rows:
    /// first `train_fraction * rows` of them, rounded to the nearest whole number and halves to the even one, for
    /// training; of the others all but the last `test_rows` for validation; the last for test.
    ///
    /// # Errors
    /// [`DatasetError::TooFewRows`] when a part would be empty, or test would get fewer rows than asked for.
    ///
    /// ```
    /// use drivetrain_dataset::SplitOptions;
    ///
    /// let parts = SplitOptions::default().indices(398)?;
    /// assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (318, 70, 10));
    /// # Ok::<(), drivetrain_dataset::DatasetError>(())
    /// ```
    pub fn indices(&self, rows: usize) -> Result<Split<Vec<usize>>, DatasetError> {
        let train_rows = self.train_fraction.of(rows);
        let validation_rows = rows.saturating_sub(train_rows).saturating_sub(self.test_rows.get());
        if train_rows == 0 || validation_rows == 0 {
            return Err(DatasetError::TooFewRows {
                rows,
                train_fraction: self.train_fraction.get(),
                train: train_rows,
                test_rows: self.test_rows.get(),
            });
        }
        let mut train = permutation(rows, self.seed);
        let mut validation = train.split_off(train_rows);
        let test = validation.split_off(validation_rows);
        Ok(Split { train, validation, test })
    }

    /// The three parts of `frame`, rows in shuffled order.
    ///
    /// # Errors
    /// As [`indices`](Self::indices).
    pub fn split(&self, frame: &DataFrame) -> Result<Split<DataFrame>, DatasetError> {
        let rows = self.indices(frame.height())?;
        Ok(Split {
            train: take(frame, &rows.train)?,
            validation: take(frame, &rows.validation)?,
            test: take(frame, &rows.test)?,
        })
    }
}

fn take(frame: &DataFrame, rows: &[usize]) -> Result<DataFrame, DatasetError> {
    #[expect(clippy::cast_possible_truncation, reason = "polars counts the rows of a frame in IdxSize")]
    let rows: Vec<IdxSize> = rows.iter().map(|&row| row as IdxSize).collect();
    Ok(frame.take(&IdxCa::new("row".into(), rows))?)
}

impl Default for SplitOptions {
    fn default() -> Self {
        const TEN: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9);
        Self { seed: 42, train_fraction: TrainFraction(0.8), test_rows: TEN }
    }
}

impl TrainFraction {
    /// The fraction.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// This share of `rows`, rounded half to even.
    fn of(self, rows: usize) -> usize {
        let share = (self.0 * rows as f64).round_ties_even();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and `rows`")]
        let share = share as usize;
        share.min(rows)
    }
}

impl TryFrom<f64> for TrainFraction {
    type Error = DatasetError;

    fn try_from(fraction: f64) -> Result<Self, Self::Error> {
        if fraction > 0.0 && fraction < 1.0 {
            Ok(Self(fraction))
        } else {
            Err(DatasetError::TrainFraction { fraction })
        }
    }
}

impl From<TrainFraction> for f64 {
    fn from(fraction: TrainFraction) -> Self {
        fraction.0
    }
}

impl FromStr for TrainFraction {
    type Err = DatasetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fraction: f64 = text.parse().map_err(|_| DatasetError::TrainFractionText { text: text.to_owned() })?;
        fraction.try_into()
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_frame::polars::prelude::df;
    use proptest::prelude::*;

    use super::*;

    fn options(seed: u64, fraction: f64, test_rows: usize) -> SplitOptions {
        let (train_fraction, test_rows) = (fraction.try_into().unwrap(), test_rows.try_into().unwrap());
        SplitOptions { seed, train_fraction, test_rows }
    }

    proptest! {
        #[test]
        fn parts_are_disjoint_covering_and_not_empty(
            rows in 0_usize..400, fraction in 0.01..0.99, test_rows in 1_usize..20, seed: u64,
        ) {
            match options(seed, fraction, test_rows).indices(rows) {
                Ok(Split { train, validation, test }) => {
                    prop_assert!(!train.is_empty() && !validation.is_empty());
                    prop_assert_eq!(test.len(), test_rows);
                    prop_assert!((train.len() as f64 - fraction * rows as f64).abs() <= 0.5 + 1e-9);
                    let mut all = [train, validation, test].concat();
                    all.sort_unstable();
                    prop_assert_eq!(all, (0..rows).collect::<Vec<_>>());
                }
                Err(error) => {
                    let too_few = matches!(error, DatasetError::TooFewRows { .. });
                    prop_assert!(too_few);
                    let train = (fraction * rows as f64).round_ties_even();
                    prop_assert!(train == 0.0 || train + test_rows as f64 >= rows as f64);
                }
            }
        }

        #[test]
        fn the_seed_decides(seed: u64) {
            let split = |seed| options(seed, 0.8, 10).indices(100).unwrap();
            prop_assert_eq!(split(seed), split(seed));
            prop_assert_ne!(split(seed), split(seed.wrapping_add(1)));
        }
    }

    #[test]
    fn halves_are_rounded_to_even() {
        for (rows, train) in [(5, 2), (7, 4), (9, 4), (10, 5), (11, 6)] {
            assert_eq!(options(0, 0.5, 1).indices(rows).unwrap().train.len(), train, "{rows} rows");
        }
    }

    #[test]
    fn a_part_without_rows_is_an_error() {
        assert!(options(0, 0.8, 10).indices(50).is_err());
        assert!(options(0, 0.8, 9).indices(50).is_ok());
        assert!(options(0, 0.001, 1).indices(100).is_err());
        let error = options(0, 0.8, 10).indices(12).unwrap_err().to_string();
        assert!(error.starts_with("12 rows cannot be split: train fraction 0.8 takes 10 for training"), "{error}");
    }

    #[test]
    fn frames_are_cut_along_the_indices() {
        let values: Vec<i64> = (0..50).map(|row| row * row).collect();
        let frame = df!("x" => &values).unwrap();
        let options = options(1, 0.5, 5);
        let (rows, frames) = (options.indices(50).unwrap(), options.split(&frame).unwrap());
        for (rows, frame) in
            [(rows.train, frames.train), (rows.validation, frames.validation), (rows.test, frames.test)]
        {
            let found: Vec<_> = frame.column("x").unwrap().i64().unwrap().iter().flatten().collect();
            let expected: Vec<_> = rows.iter().map(|&row| values[row]).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn options_are_validated_however_they_arrive() {
        for fraction in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(TrainFraction::try_from(fraction).is_err(), "{fraction}");
        }
        assert_eq!("0.8".parse::<TrainFraction>().unwrap().get().to_bits(), 0.8_f64.to_bits());
        assert!("most".parse::<TrainFraction>().is_err());

        let text = serde_json::to_string(&SplitOptions::default()).unwrap();
        assert_eq!(text, r#"{"seed":42,"train_fraction":0.8,"test_rows":10}"#);
        assert_eq!(serde_json::from_str::<SplitOptions>(&text).unwrap(), SplitOptions::default());
        for bad in [text.replace("0.8", "1.5"), text.replace("10", "0"), text.replace("seed", "sead")] {
            assert!(serde_json::from_str::<SplitOptions>(&bad).is_err(), "{bad}");
        }
    }
}
