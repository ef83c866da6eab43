//! Splits of rows that are in the order of time.

use super::{Fold, check_splits};
use crate::EvaluateError;

/// Splits rows that are in the order of time: each fold learns from what came before the rows it tests.
///
/// Source: `sklearn.model_selection.TimeSeriesSplit`.
///
/// ```
/// use drivetrain_evaluate::TimeSeriesSplit;
///
/// let folds = TimeSeriesSplit::new(3)?.split(4)?;
/// assert_eq!(folds[2].train, [0, 1, 2]);
/// assert_eq!(folds[2].test, [3]);
/// # Ok::<(), drivetrain_evaluate::EvaluateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSeriesSplit {
    n_splits: usize,
    max_train_size: Option<usize>,
    test_size: Option<usize>,
    gap: usize,
}

impl TimeSeriesSplit {
    /// `n_splits` tests, one after the other.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] if there are fewer than 2.
    pub fn new(n_splits: usize) -> Result<Self, EvaluateError> {
        check_splits(n_splits)?;
        Ok(Self { n_splits, max_train_size: None, test_size: None, gap: 0 })
    }

    /// The most rows to learn from, the latest of them; all, the default, where 0.
    #[must_use]
    pub fn max_train_size(mut self, rows: usize) -> Self {
        self.max_train_size = (rows > 0).then_some(rows);
        self
    }

    /// The rows of each test; by default, and where 0, the rows divided by one more than the tests.
    #[must_use]
    pub fn test_size(mut self, rows: usize) -> Self {
        self.test_size = (rows > 0).then_some(rows);
        self
    }

    /// Rows left out between those learned from and those tested (default 0).
    #[must_use]
    pub fn gap(mut self, rows: usize) -> Self {
        self.gap = rows;
        self
    }

    /// The folds of `n_rows` rows, the earliest test first.
    ///
    /// # Errors
    /// [`EvaluateError::TooFewOrderedRows`] if nothing would be left to learn from before the first test.
    pub fn split(&self, n_rows: usize) -> Result<Vec<Fold>, EvaluateError> {
        let Self { n_splits, gap, .. } = *self;
        let test_size = self.test_size.unwrap_or(n_rows / n_splits.saturating_add(1));
        let too_few = || EvaluateError::TooFewOrderedRows { n_rows, n_splits, test_size, gap };
        let tested = n_splits.checked_mul(test_size).ok_or_else(too_few)?;
        let first = n_rows.checked_sub(tested).ok_or_else(too_few)?;
        if test_size == 0 || first <= gap {
            return Err(too_few());
        }
        let fold = |index: usize| {
            let start = first + index * test_size;
            let end = start - gap;
            let begin = self.max_train_size.map_or(0, |most| end.saturating_sub(most));
            Fold { train: (begin..end).collect(), test: (start..start + test_size).collect() }
        };
        Ok((0..n_splits).map(fold).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_that_do_not_suffice_are_counted_in_the_message() {
        let split = TimeSeriesSplit::new(3).unwrap().test_size(2).gap(2);
        assert_eq!(
            split.split(8).unwrap_err().to_string(),
            "8 rows are too few for 3 tests of 2 rows after a gap of 2"
        );
        assert_eq!(split.split(9).unwrap()[0].train, [0]);
        assert!(TimeSeriesSplit::new(3).unwrap().split(3).is_err());
        assert!(TimeSeriesSplit::new(usize::MAX).unwrap().test_size(9).split(9).is_err());
    }

    proptest! {
        #[test]
        fn nothing_is_learned_from_the_future(
            n_splits in 2_usize..6, n_rows in 0_usize..60, test_size in 0_usize..5, gap in 0_usize..4, most in 0_usize..9,
        ) {
            let split = TimeSeriesSplit::new(n_splits).unwrap().test_size(test_size).gap(gap).max_train_size(most);
            for fold in split.split(n_rows).unwrap_or_default() {
                let (last, first) = (fold.train.last().unwrap(), fold.test.first().unwrap());
                prop_assert_eq!(last + gap + 1, *first);
                prop_assert!(most == 0 || fold.train.len() <= most);
                prop_assert!(test_size == 0 || fold.test.len() == test_size);
                prop_assert!(*fold.test.last().unwrap() < n_rows);
            }
        }
    }
}
