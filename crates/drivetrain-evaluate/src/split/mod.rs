//! Which rows to learn from, and which to score on.

mod group_k_fold;
mod k_fold;
mod time_series_split;

pub use group_k_fold::GroupKFold;
pub use k_fold::{KFold, RepeatedKFold};
pub use time_series_split::TimeSeriesSplit;

use crate::EvaluateError;

/// One split of the rows: positions to learn from and positions to score on, both ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// Rows to score on.
    pub test: Vec<usize>,
}

impl Fold {
    /// Learns from the rows whose value is at most `cut` and scores on those above: for a column of times, on what comes
    /// later.
    ///
    /// ```
    /// use drivetrain_evaluate::Fold;
    ///
    /// let fold = Fold::cut_at(&[70.0, 82.0, 79.0, 80.0], 79.0)?;
    /// assert_eq!((fold.train, fold.test), (vec![0, 2], vec![1, 3]));
    /// # Ok::<(), drivetrain_evaluate::EvaluateError>(())
    /// ```
    ///
    /// # Errors
    /// [`EvaluateError::EmptyCut`] if either side has no row. A missing value belongs to neither.
    pub fn cut_at(values: &[f64], cut: f64) -> Result<Self, EvaluateError> {
        let rows = |keep: &dyn Fn(f64) -> bool| (0..values.len()).filter(|&row| keep(values[row])).collect::<Vec<_>>();
        let fold = Self { train: rows(&|value| value <= cut), test: rows(&|value| value > cut) };
        if fold.train.is_empty() || fold.test.is_empty() {
            return Err(EvaluateError::EmptyCut { cut, n_train: fold.train.len(), n_test: fold.test.len() });
        }
        Ok(fold)
    }

    /// The fold that scores on the rows marked in `tested` and learns from the others.
    fn of_marked(tested: &[bool]) -> Self {
        let (test, train) = (0..tested.len()).partition(|&row| tested[row]);
        Self { train, test }
    }
}

/// Refuses fewer than two folds.
fn check_splits(n_splits: usize) -> Result<(), EvaluateError> {
    EvaluateError::at_least("n_splits", n_splits, 2, "a number of at least 2")
}
