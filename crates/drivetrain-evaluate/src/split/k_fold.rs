//! K-fold splits, plain, shuffled and repeated.

use drivetrain_transform::Draws;

use super::{Fold, check_splits};
use crate::EvaluateError;

/// Splits rows into folds of nearly equal size; each row is tested exactly once.
///
/// The first `n_rows % n_splits` folds have one row more. Without shuffling, a fold tests rows that
/// follow one another.
///
/// Source: `sklearn.model_selection.KFold`.
///
/// ```
/// use drivetrain_evaluate::KFold;
///
/// let folds = KFold::new(3)?.split(7)?;
/// assert_eq!(folds[0].test, [0, 1, 2]);
/// assert_eq!(folds[1].train, [0, 1, 2, 5, 6]);
/// # Ok::<(), drivetrain_evaluate::EvaluateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KFold {
    n_splits: usize,
    shuffle: Option<u64>,
}

impl KFold {
    /// `n_splits` folds of consecutive rows.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] if there are fewer than 2.
    pub fn new(n_splits: usize) -> Result<Self, EvaluateError> {
        check_splits(n_splits)?;
        Ok(Self { n_splits, shuffle: None })
    }

    /// The same number of folds, of rows in an order that depends on `random_state` alone.
    #[must_use]
    pub fn shuffle(mut self, random_state: u64) -> Self {
        self.shuffle = Some(random_state);
        self
    }

    /// The folds of `n_rows` rows.
    ///
    /// # Errors
    /// [`EvaluateError::TooFewRows`] if there are fewer rows than folds.
    pub fn split(&self, n_rows: usize) -> Result<Vec<Fold>, EvaluateError> {
        check_rows(n_rows, self.n_splits)?;
        let order = match self.shuffle {
            Some(random_state) => Draws::stream(random_state, 0).permutation(n_rows, n_rows),
            None => (0..n_rows).collect(),
        };
        Ok(folds(&order, self.n_splits))
    }
}

/// Shuffled [`KFold`], repeated with another order each time.
///
/// Source: `sklearn.model_selection.RepeatedKFold`; the orders are other ones.
///
/// ```
/// use drivetrain_evaluate::RepeatedKFold;
///
/// let folds = RepeatedKFold::new(10, 5, 42)?.split(398)?;
/// assert_eq!(folds.len(), 50);
/// assert_eq!(folds[0].test.len(), 40);
/// assert_eq!(folds[9].test.len(), 39);
/// # Ok::<(), drivetrain_evaluate::EvaluateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatedKFold {
    n_splits: usize,
    n_repeats: usize,
    random_state: u64,
}

impl RepeatedKFold {
    /// `n_splits` folds, `n_repeats` times.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] if there are fewer than 2 folds or no repeats.
    pub fn new(n_splits: usize, n_repeats: usize, random_state: u64) -> Result<Self, EvaluateError> {
        check_splits(n_splits)?;
        EvaluateError::at_least("n_repeats", n_repeats, 1, "a number of at least 1")?;
        Ok(Self { n_splits, n_repeats, random_state })
    }

    /// The folds of `n_rows` rows, repeat after repeat.
    ///
    /// # Errors
    /// [`EvaluateError::TooFewRows`] if there are fewer rows than folds.
    pub fn split(&self, n_rows: usize) -> Result<Vec<Fold>, EvaluateError> {
        check_rows(n_rows, self.n_splits)?;
        let repeats = 0..self.n_repeats as u64;
        let order = |repeat| Draws::stream(self.random_state, repeat).permutation(n_rows, n_rows);
        Ok(repeats.flat_map(|repeat| folds(&order(repeat), self.n_splits)).collect())
    }
}

fn check_rows(n_rows: usize, n_splits: usize) -> Result<(), EvaluateError> {
    if n_rows < n_splits { Err(EvaluateError::TooFewRows { n_rows, n_splits }) } else { Ok(()) }
}

/// Cuts `order`, a permutation of the rows, into `n_splits` test sets.
fn folds(order: &[usize], n_splits: usize) -> Vec<Fold> {
    let (size, larger) = (order.len() / n_splits, order.len() % n_splits);
    let mut rest = order;
    let mut next = |fold| {
        let (rows, others) = rest.split_at(size + usize::from(fold < larger));
        rest = others;
        let mut tested = vec![false; order.len()];
        for &row in rows {
            tested[row] = true;
        }
        Fold::of_marked(&tested)
    };
    (0..n_splits).map(&mut next).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn too_few_rows_folds_or_repeats_say_the_number() {
        let message = |n_splits, n_rows| KFold::new(n_splits).and_then(|k| k.split(n_rows)).unwrap_err().to_string();
        assert_eq!(message(5, 3), "3 rows cannot be split into 5 folds");
        assert_eq!(message(2, 0), "0 rows cannot be split into 2 folds");
        assert_eq!(message(1, 3), "n_splits is 1: expected a number of at least 2");
        let error = RepeatedKFold::new(2, 0, 0).unwrap_err();
        assert_eq!(error.to_string(), "n_repeats is 0: expected a number of at least 1");
    }

    fn assert_partition(folds: &[Fold], n_rows: usize) {
        let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, (0..n_rows).collect::<Vec<_>>());
        for (index, fold) in folds.iter().enumerate() {
            let larger = usize::from(index < n_rows % folds.len());
            assert_eq!(fold.test.len(), n_rows / folds.len() + larger);
            let mut all = [fold.train.clone(), fold.test.clone()].concat();
            assert!(fold.train.is_sorted() && fold.test.is_sorted());
            all.sort_unstable();
            assert_eq!(all, (0..n_rows).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn folds_are_disjoint_and_cover(
            n_splits in 2_usize..8, n_repeats in 1_usize..4, more in 0_usize..40, seed: u64,
        ) {
            let n_rows = n_splits + more;
            assert_partition(&KFold::new(n_splits).unwrap().split(n_rows).unwrap(), n_rows);
            let folds = RepeatedKFold::new(n_splits, n_repeats, seed).unwrap().split(n_rows).unwrap();
            prop_assert_eq!(folds.len(), n_splits * n_repeats);
            for repeat in folds.chunks(n_splits) {
                assert_partition(repeat, n_rows);
            }
            let first = KFold::new(n_splits).unwrap().shuffle(seed).split(n_rows).unwrap();
            prop_assert_eq!(&folds[..n_splits], &first[..]);
        }
    }

    #[test]
    fn the_order_depends_on_the_seed_and_the_repeat() {
        let split = |seed| RepeatedKFold::new(2, 2, seed).unwrap().split(50).unwrap();
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
        assert_ne!(split(1)[0], split(1)[2]);
    }
}
