//! K-fold splits, plain, shuffled and repeated.

use std::iter;

use crate::ForestError;
#[cfg(feature = "train")]
use crate::random;

/// One split of the rows: positions to learn from and positions to score on, both ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// Rows to score on.
    pub test: Vec<usize>,
}

/// Splits rows into folds of nearly equal size; each row is tested exactly once.
///
/// The first `n_rows % n_splits` folds have one row more. Without shuffling, a fold tests rows that
/// follow one another.
///
/// Source: `sklearn.model_selection.KFold`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KFold {
    n_splits: usize,
    #[cfg(feature = "train")]
    shuffle: Option<u64>,
}

impl KFold {
    /// `n_splits` folds of consecutive rows.
    ///
    /// # Errors
    /// If there are fewer than 2.
    pub fn new(n_splits: usize) -> Result<Self, ForestError> {
        if n_splits < 2 {
            return Err(ForestError::InvalidParameter {
                name: "n_splits",
                value: n_splits.to_string(),
                expected: "a number of at least 2",
            });
        }
        Ok(Self {
            n_splits,
            #[cfg(feature = "train")]
            shuffle: None,
        })
    }

    /// The same number of folds, of rows in an order that depends on `random_state` alone.
    #[cfg(feature = "train")]
    #[must_use]
    pub fn shuffle(mut self, random_state: u64) -> Self {
        self.shuffle = Some(random_state);
        self
    }

    /// The folds of `n_rows` rows, one at a time.
    ///
    /// # Errors
    /// If there are fewer rows than folds.
    pub fn split(&self, n_rows: usize) -> Result<impl Iterator<Item = Fold> + use<>, ForestError> {
        check_rows(n_rows, self.n_splits)?;
        #[cfg(feature = "train")]
        if let Some(random_state) = self.shuffle {
            return Ok(folds(shuffled(n_rows, random_state, 0), self.n_splits));
        }
        Ok(folds((0..n_rows).collect(), self.n_splits))
    }
}

/// Shuffled [`KFold`], repeated with another order each time.
///
/// Source: `sklearn.model_selection.RepeatedKFold`.
///
/// ```
/// use drivetrain_forest::model_selection::RepeatedKFold;
///
/// let folds: Vec<_> = RepeatedKFold::new(10, 5, 42)?.split(398)?.collect();
/// assert_eq!(folds.len(), 50);
/// assert_eq!(folds[0].test.len(), 40);
/// assert_eq!(folds[9].test.len(), 39);
/// # Ok::<(), drivetrain_forest::ForestError>(())
/// ```
#[cfg(feature = "train")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatedKFold {
    n_splits: usize,
    n_repeats: usize,
    random_state: u64,
}

#[cfg(feature = "train")]
impl RepeatedKFold {
    /// `n_splits` folds, `n_repeats` times.
    ///
    /// # Errors
    /// If there are fewer than 2 folds or no repeats.
    pub fn new(n_splits: usize, n_repeats: usize, random_state: u64) -> Result<Self, ForestError> {
        let KFold { n_splits, .. } = KFold::new(n_splits)?;
        if n_repeats == 0 {
            return Err(ForestError::InvalidParameter {
                name: "n_repeats",
                value: n_repeats.to_string(),
                expected: "a number of at least 1",
            });
        }
        Ok(Self { n_splits, n_repeats, random_state })
    }

    /// The folds of `n_rows` rows, one at a time, repeat after repeat.
    ///
    /// # Errors
    /// If there are fewer rows than folds.
    pub fn split(&self, n_rows: usize) -> Result<impl Iterator<Item = Fold> + use<>, ForestError> {
        let (n_splits, random_state) = (self.n_splits, self.random_state);
        check_rows(n_rows, n_splits)?;
        let repeats = 0..self.n_repeats as u64;
        Ok(repeats.flat_map(move |repeat| folds(shuffled(n_rows, random_state, repeat), n_splits)))
    }
}

fn check_rows(n_rows: usize, n_splits: usize) -> Result<(), ForestError> {
    if n_rows < n_splits {
        return Err(ForestError::TooFewRows { n_rows, n_splits });
    }
    Ok(())
}

#[cfg(feature = "train")]
fn shuffled(n_rows: usize, random_state: u64, repeat: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n_rows).collect();
    random::shuffle(&mut random::stream(random_state, repeat), &mut order);
    order
}

/// Cuts `order`, a permutation of the rows, into `n_splits` test sets.
fn folds(order: Vec<usize>, n_splits: usize) -> impl Iterator<Item = Fold> {
    let (size, larger) = (order.len() / n_splits, order.len() % n_splits);
    let mut fold = 0;
    let mut start = 0;
    iter::from_fn(move || {
        if fold == n_splits {
            return None;
        }
        let end = start + size + usize::from(fold < larger);
        let mut tested = vec![false; order.len()];
        for &row in &order[start..end] {
            tested[row] = true;
        }
        (fold, start) = (fold + 1, end);
        let (test, train) = (0..order.len()).partition(|&row| tested[row]);
        Some(Fold { train, test })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_folds_are_those_of_scikit_learn() {
        let folds: Vec<Fold> = KFold::new(3).unwrap().split(7).unwrap().collect();
        let tests: Vec<_> = folds.iter().map(|fold| fold.test.clone()).collect();
        assert_eq!(tests, [vec![0, 1, 2], vec![3, 4], vec![5, 6]]);
        assert_eq!(folds[1].train, [0, 1, 2, 5, 6]);
    }

    #[test]
    fn too_few_rows_or_folds_say_the_number() {
        let message = |n_splits, n_rows| match KFold::new(n_splits).map(|k| k.split(n_rows).err()) {
            Ok(error) => error.unwrap().to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(message(5, 3), "3 rows cannot be split into 5 folds");
        assert_eq!(message(2, 0), "0 rows cannot be split into 2 folds");
        assert_eq!(message(1, 3), "n_splits is 1: expected a number of at least 2");
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
        fn folds_are_disjoint_and_cover(n_splits in 2_usize..8, more in 0_usize..40) {
            let n_rows = n_splits + more;
            let folds: Vec<_> = KFold::new(n_splits).unwrap().split(n_rows).unwrap().collect();
            prop_assert_eq!(folds.len(), n_splits);
            assert_partition(&folds, n_rows);
        }
    }

    #[cfg(feature = "train")]
    mod shuffled {
        use super::*;

        proptest! {
            #[test]
            fn every_repeat_is_disjoint_and_covers(
                n_splits in 2_usize..8, n_repeats in 1_usize..4, more in 0_usize..40, seed: u64,
            ) {
                let n_rows = n_splits + more;
                let k_fold = RepeatedKFold::new(n_splits, n_repeats, seed).unwrap();
                let folds: Vec<Fold> = k_fold.split(n_rows).unwrap().collect();
                prop_assert_eq!(folds.len(), n_splits * n_repeats);
                for repeat in folds.chunks(n_splits) {
                    assert_partition(repeat, n_rows);
                }
                let first: Vec<Fold> =
                    KFold::new(n_splits).unwrap().shuffle(seed).split(n_rows).unwrap().collect();
                prop_assert_eq!(&folds[..n_splits], &first[..]);
            }
        }

        #[test]
        fn the_order_depends_on_the_seed_and_the_repeat() {
            let split = |seed| -> Vec<Fold> { RepeatedKFold::new(2, 2, seed).unwrap().split(50).unwrap().collect() };
            assert_eq!(split(1), split(1));
            assert_ne!(split(1), split(2));
            assert_ne!(split(1)[0], split(1)[2]);
        }

        #[test]
        fn no_repeats_are_refused() {
            let error = RepeatedKFold::new(2, 0, 0).unwrap_err();
            assert_eq!(error.to_string(), "n_repeats is 0: expected a number of at least 1");
        }
    }
}
