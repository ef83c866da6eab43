//! Scores per fold.

use std::sync::atomic::{AtomicUsize, Ordering};

use drivetrain_forest::metrics::RegressionMetrics;
use drivetrain_plan::{ColumnTable, Table};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{EvaluateError, FittedModel, Fold, Model};

/// Called with the number of units of work done and the number there are, from the thread that did one.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What came out of one fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldScore {
    /// How many rows were learned from.
    pub n_train: usize,
    /// The rows scored on, ascending.
    pub test: Vec<usize>,
    /// The prediction for each of them.
    pub predictions: Vec<f64>,
    /// Their metrics.
    pub metrics: RegressionMetrics,
}

/// Fits `model` on every fold's rows to learn from, and scores it on the rows to score on; folds in parallel, on the
/// rayon pool of the caller.
///
/// The model is given nothing but the raw rows to learn from, then the raw rows to score on without their targets. The
/// same folds give the same scores, in the order of the folds, for any number of threads.
///
/// Source: `sklearn.model_selection.cross_validate`.
///
/// ```
/// use drivetrain_evaluate::regressor::DummyRegressor;
/// use drivetrain_evaluate::{KFold, PipelineModel, cross_validate};
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::StandardScaler;
///
/// let x = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 2.0, 3.0, 4.0]))])?;
/// let y = [1.0, 2.0, 3.0, 4.0];
/// let mean = PipelineModel::new(StandardScaler::new(), DummyRegressor);
/// let scores = cross_validate(&mean, &x, &y, &KFold::new(2)?.split(4)?, None)?;
/// assert_eq!(scores[0].predictions, [3.5, 3.5]);
/// assert_eq!(scores[0].metrics.mae, 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first fold's error in their order: what the model refuses; and, before any model is fitted, targets that are not
/// finite or all the same, and folds that are empty, overlap or refer to rows that are not there.
pub fn cross_validate(
    model: &dyn Model,
    x: &ColumnTable,
    y: &[f64],
    folds: &[Fold],
    progress: Option<Progress<'_>>,
) -> Result<Vec<FoldScore>, EvaluateError> {
    cross_validate_with(model, x, y, folds, progress, |_, _, _, _| Ok(())).map(|(scores, _)| scores)
}

/// As [`cross_validate`]; `inspect` sees the model of each fold with its number and what it is scored on.
pub(crate) fn cross_validate_with<T: Send>(
    model: &dyn Model,
    x: &ColumnTable,
    y: &[f64],
    folds: &[Fold],
    progress: Option<Progress<'_>>,
    inspect: impl Fn(usize, &dyn FittedModel, &ColumnTable, &[f64]) -> Result<T, EvaluateError> + Sync,
) -> Result<(Vec<FoldScore>, Vec<T>), EvaluateError> {
    check_target(x.n_rows(), y)?;
    check_folds(folds, y.len())?;
    let done = AtomicUsize::new(0);
    let one = |(index, fold): (usize, &Fold)| {
        let (test_x, test_y) = (x.take(&fold.test), select(y, &fold.test));
        let fitted = model.fit(&x.take(&fold.train), &select(y, &fold.train))?;
        let predictions = fitted.predict(&test_x)?;
        let metrics = RegressionMetrics::new(&test_y, &predictions)?;
        let seen = inspect(index, &*fitted, &test_x, &test_y)?;
        if let Some(progress) = progress {
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, folds.len());
        }
        Ok((FoldScore { n_train: fold.train.len(), test: fold.test.clone(), predictions, metrics }, seen))
    };
    // All of them, then the first error: which one is reported must not depend on the threads.
    let scored: Vec<Result<_, EvaluateError>> = folds.par_iter().enumerate().map(one).collect();
    Ok(scored.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
}

/// The values of some rows.
pub(crate) fn select(values: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|&row| values[row]).collect()
}

/// Refuses a target of another length than the table, with values that are not finite, or without two different ones.
pub(crate) fn check_target(n_rows: usize, y: &[f64]) -> Result<(), EvaluateError> {
    if n_rows != y.len() {
        return Err(EvaluateError::TargetLength { n_rows, n_targets: y.len() });
    }
    if let Some(row) = y.iter().position(|value| !value.is_finite()) {
        return Err(EvaluateError::InvalidTarget { row, value: y[row] });
    }
    match y.first() {
        Some(&value) if y.iter().all(|other| *other == value) => Err(EvaluateError::ConstantTarget { n_rows, value }),
        _ => Ok(()),
    }
}

pub(crate) fn check_folds(folds: &[Fold], n_rows: usize) -> Result<(), EvaluateError> {
    if folds.is_empty() {
        return Err(EvaluateError::NoFolds);
    }
    for fold in folds {
        let mut learned = vec![false; n_rows];
        for &row in &fold.train {
            *learned.get_mut(row).ok_or(EvaluateError::FoldOutOfRange { row, n_rows })? = true;
        }
        let problem = |problem: String| Err(EvaluateError::InvalidFold { problem });
        if fold.train.is_empty() || fold.test.is_empty() {
            return problem(format!(
                "it has {} rows to learn from and {} to score on",
                fold.train.len(),
                fold.test.len()
            ));
        }
        for &row in &fold.test {
            match learned.get(row) {
                None => return Err(EvaluateError::FoldOutOfRange { row, n_rows }),
                Some(true) => return problem(format!("row {row} is to learn from and to score on")),
                Some(false) => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use drivetrain_plan::{Column, Table};
    use proptest::prelude::*;

    use super::*;
    use crate::{KFold, RepeatedKFold};

    fn table(n_rows: usize) -> ColumnTable {
        let ids: Vec<f64> = (0..n_rows).map(|row| row as f64).collect();
        ColumnTable::new(vec![("id".into(), Column::from(ids))]).unwrap()
    }

    fn ids(x: &dyn Table) -> Vec<u64> {
        x.column("id").unwrap().to_f64().unwrap().iter().map(|id| id.to_bits()).collect()
    }

    /// Remembers the rows it learned from, and refuses to predict any of them.
    #[derive(Debug)]
    struct Watchful;

    #[derive(Debug)]
    struct Watching(BTreeSet<u64>, f64);

    impl Model for Watchful {
        fn fit(&self, x: &ColumnTable, y: &[f64]) -> Result<Box<dyn FittedModel>, EvaluateError> {
            // The target of a row is its id, so rows and targets are seen to belong together.
            assert_eq!(ids(x), y.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
            Ok(Box::new(Watching(ids(x).into_iter().collect(), y.iter().sum::<f64>() / y.len() as f64)))
        }
    }

    impl FittedModel for Watching {
        fn predict(&self, x: &dyn Table) -> Result<Vec<f64>, EvaluateError> {
            let rows = ids(x);
            assert!(rows.iter().all(|row| !self.0.contains(row)), "a row was learned from and scored on");
            Ok(vec![self.1; rows.len()])
        }
    }

    fn targets(n_rows: usize) -> Vec<f64> {
        (0..n_rows).map(|row| row as f64).collect()
    }

    proptest! {
        #[test]
        fn no_row_is_learned_from_where_it_is_scored_on_for_any_number_of_threads(
            n_splits in 2_usize..6, more in 0_usize..30, seed: u64,
        ) {
            let n_rows = n_splits + more;
            let (x, y) = (table(n_rows), targets(n_rows));
            let folds = RepeatedKFold::new(n_splits, 2, seed).unwrap().split(n_rows).unwrap();
            let scores = cross_validate(&Watchful, &x, &y, &folds, None).unwrap();
            for (score, fold) in scores.iter().zip(&folds) {
                prop_assert_eq!((&score.test, score.n_train), (&fold.test, fold.train.len()));
                prop_assert_eq!(score.predictions.len(), fold.test.len());
            }
            let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            prop_assert_eq!(one.install(|| cross_validate(&Watchful, &x, &y, &folds, None)).unwrap(), scores);
        }
    }

    #[test]
    fn progress_is_told_once_per_fold() {
        let told = Mutex::new(Vec::new());
        let folds = KFold::new(4).unwrap().split(9).unwrap();
        let tell = |done, all| told.lock().unwrap().push((done, all));
        cross_validate(&Watchful, &table(9), &targets(9), &folds, Some(&tell)).unwrap();
        let mut told = told.into_inner().unwrap();
        told.sort_unstable();
        assert_eq!(told, [(1, 4), (2, 4), (3, 4), (4, 4)]);
    }

    #[test]
    fn what_cannot_be_scored_is_refused_before_anything_is_fitted() {
        let fold = |train: &[usize], test: &[usize]| Fold { train: train.to_vec(), test: test.to_vec() };
        let message =
            |y: &[f64], folds: &[Fold]| cross_validate(&Watchful, &table(3), y, folds, None).unwrap_err().to_string();
        let good = [0.0, 1.0, 2.0];
        assert_eq!(message(&good, &[]), "there are no folds");
        assert_eq!(message(&good, &[fold(&[0, 1], &[3])]), "a fold refers to row 3 of 3");
        assert_eq!(message(&good, &[fold(&[7], &[0])]), "a fold refers to row 7 of 3");
        let overlap = message(&good, &[fold(&[0, 1], &[1, 2])]);
        assert_eq!(overlap, "a fold cannot be scored: row 1 is to learn from and to score on");
        let empty = message(&good, &[fold(&[], &[1])]);
        assert_eq!(empty, "a fold cannot be scored: it has 0 rows to learn from and 1 to score on");
        let folds = [fold(&[0, 1], &[2])];
        assert_eq!(message(&good[..2], &folds), "the table has 3 rows but y has 2 values");
        assert_eq!(message(&[0.0, f64::NAN, 1.0], &folds), "y[1] is NaN: expected a finite number");
        assert_eq!(message(&[4.0; 3], &folds), "all 3 values of y are 4: there is nothing to predict");
    }
}
