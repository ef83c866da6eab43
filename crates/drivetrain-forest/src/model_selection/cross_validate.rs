//! Scores per fold.

use super::Fold;
use crate::ForestError;
use crate::metrics::RegressionMetrics;

/// Scores every fold's test rows; nothing is learned here, so nothing leaks from them.
///
/// `fit_predict` learns from the rows `fold.train` and returns one prediction for each of the rows
/// `fold.test`, in their order. `y` holds the target of every row.
///
/// Source: `sklearn.model_selection.cross_validate`.
///
/// # Errors
/// What `fit_predict` returns, and a [`ForestError`] where its predictions cannot be scored or a fold
/// refers to a row that `y` does not have.
pub fn cross_validate<E: From<ForestError>>(
    folds: impl IntoIterator<Item = Fold>,
    y: &[f64],
    mut fit_predict: impl FnMut(&Fold) -> Result<Vec<f64>, E>,
) -> Result<Vec<RegressionMetrics>, E> {
    let mut scores = Vec::new();
    for fold in folds {
        let y_pred = fit_predict(&fold)?;
        let mut y_true = Vec::with_capacity(fold.test.len());
        for &row in &fold.test {
            let n_rows = y.len();
            y_true.push(*y.get(row).ok_or(ForestError::FoldOutOfRange { row, n_rows })?);
        }
        scores.push(RegressionMetrics::new(&y_true, &y_pred)?);
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_selection::KFold;

    #[test]
    fn every_fold_is_scored_on_its_own_rows() {
        let y = [0.0, 1.0, 2.0, 3.0];
        let folds = KFold::new(2).unwrap().split(4).unwrap();
        let scores = cross_validate::<ForestError>(folds, &y, |fold| {
            Ok(fold.test.iter().map(|&row| y[row] + row as f64).collect())
        })
        .unwrap();
        let maes: Vec<f64> = scores.iter().map(|score| score.mae).collect();
        assert_eq!(maes, [0.5, 2.5]);
    }

    #[test]
    fn errors_come_through() {
        let fold = |row| Fold { train: vec![0], test: vec![row] };
        let run = |row, predictions: Vec<f64>| {
            cross_validate::<ForestError>([fold(row)], &[1.0, 2.0], |_| Ok(predictions.clone()))
        };
        assert_eq!(run(2, vec![1.0]), Err(ForestError::FoldOutOfRange { row: 2, n_rows: 2 }));
        assert_eq!(run(1, vec![]), Err(ForestError::PredictionLength { n_true: 1, n_pred: 0 }));
        let failed = cross_validate(vec![fold(0)], &[1.0], |_| Err(ForestError::NothingToScore));
        assert_eq!(failed, Err(ForestError::NothingToScore));
    }
}
