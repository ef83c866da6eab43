//! Importances of features by what shuffling them does to a score.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::{ForestError, random};

/// By how much a score falls when a feature's values are shuffled.
#[derive(Debug, Clone, PartialEq)]
pub struct PermutationImportance {
    /// The fall at each repetition: features by repetitions.
    pub importances: Array2<f64>,
    /// For each feature the mean over the repetitions.
    pub importances_mean: Vec<f64>,
    /// For each feature the standard deviation over the repetitions (ddof 0).
    pub importances_std: Vec<f64>,
}

/// Shuffles each feature of `x` (rows by features) `n_repeats` times and scores what is then predicted.
///
/// `predict` gives one prediction for each row. `score` takes the targets `y` and the predictions; larger is
/// better, so errors are negated. Rows that the model has not seen tell what a feature is good for, training rows
/// what the model relies on. The result is the same for any number of threads.
///
/// Source: `sklearn.inspection.permutation_importance`; Breiman, L. (2001), Random Forests,
/// doi:10.1023/A:1010933404324.
///
/// ```
/// use drivetrain_forest::metrics::r2_score;
/// use drivetrain_forest::inspection::permutation_importance;
/// use drivetrain_forest::ndarray::Array2;
/// use drivetrain_forest::RandomForestRegressor;
///
/// let x = Array2::from_shape_fn((80, 2), |(i, j)| if j == 0 { i as f64 } else { (i * 37 % 80) as f64 });
/// let y: Vec<f64> = x.column(0).to_vec();
/// let forest = RandomForestRegressor::builder().n_estimators(10).build()?.fit(x.view(), &y)?;
/// let result = permutation_importance(|x| forest.predict(x), r2_score, x.view(), &y, 5, 42)?;
/// assert!(result.importances_mean[0] > 1.0 && result.importances_mean[1] < 0.1);
/// # Ok::<(), drivetrain_forest::ForestError>(())
/// ```
///
/// # Errors
/// What `predict` and `score` return, and a [`ForestError`] if `n_repeats` is 0 or there is not one target for each
/// row.
#[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
pub fn permutation_importance<E: From<ForestError> + Send>(
    predict: impl Fn(ArrayView2<'_, f64>) -> Result<Vec<f64>, E> + Sync,
    score: impl Fn(&[f64], &[f64]) -> Result<f64, E> + Sync,
    x: ArrayView2<'_, f64>,
    y: &[f64],
    n_repeats: usize,
    random_state: u64,
) -> Result<PermutationImportance, E> {
    let (n_rows, n_features) = x.dim();
    if n_repeats == 0 {
        let expected = "a number of at least 1";
        return Err(ForestError::InvalidParameter { name: "n_repeats", value: "0".to_owned(), expected }.into());
    }
    if y.len() != n_rows {
        return Err(ForestError::TargetLength { n_rows, n_targets: y.len() }.into());
    }
    let baseline = score(y, &predict(x)?)?;
    let of_feature = |shuffled: &mut Array2<f64>, feature: usize| -> Result<Vec<f64>, E> {
        let mut falls = Vec::with_capacity(n_repeats);
        for repeat in 0..n_repeats {
            // A stream for each shuffle: no other one has a say in it.
            let mut rows: Vec<usize> = (0..n_rows).collect();
            random::shuffle(&mut random::stream(random_state, (feature * n_repeats + repeat) as u64), &mut rows);
            for (row, &other) in rows.iter().enumerate() {
                shuffled[[row, feature]] = x[[other, feature]];
            }
            falls.push(baseline - score(y, &predict(shuffled.view())?)?);
        }
        shuffled.column_mut(feature).assign(&x.column(feature));
        Ok(falls)
    };
    let falls: Result<Vec<Vec<f64>>, E> =
        (0..n_features).into_par_iter().map_init(|| x.to_owned(), of_feature).collect();
    let falls = falls?;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n_repeats as f64;
    let deviation = |values: &[f64]| {
        let mean = mean(values);
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n_repeats as f64).sqrt()
    };
    Ok(PermutationImportance {
        importances_mean: falls.iter().map(|falls| mean(falls)).collect(),
        importances_std: falls.iter().map(|falls| deviation(falls)).collect(),
        importances: Array2::from_shape_fn((n_features, n_repeats), |(feature, repeat)| falls[feature][repeat]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{mean_absolute_error, r2_score};

    #[test]
    fn what_a_model_does_not_look_at_has_no_importance() {
        let x = Array2::from_shape_fn((40, 3), |(i, j)| (i * (3 + 2 * j) % 41) as f64);
        let y: Vec<f64> = x.rows().into_iter().map(|row| row[0] + 0.1 * row[2]).collect();
        let model = |x: ArrayView2<'_, f64>| -> Result<Vec<f64>, ForestError> {
            Ok(x.rows().into_iter().map(|row| row[0] + 0.1 * row[2]).collect())
        };
        let run = |threads: usize, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| permutation_importance(model, r2_score, x.view(), &y, 4, seed).unwrap())
        };
        let result = run(1, 7);
        assert_eq!(result.importances.dim(), (3, 4));
        assert_eq!((result.importances_mean[1], result.importances_std[1]), (0.0, 0.0));
        assert!(result.importances_mean[0] > 1.0 && result.importances_mean[2] > 0.0);
        assert!(result.importances_std[0] > 0.0);
        assert_eq!(result, run(3, 7));
        assert_ne!(result, run(1, 8));

        let error = |y: &[f64], p: &[f64]| mean_absolute_error(y, p).map(|error| -error);
        let by_error = permutation_importance(model, error, x.view(), &y, 4, 7).unwrap();
        assert!(by_error.importances_mean[0] > by_error.importances_mean[2]);
    }

    #[test]
    fn errors_come_through() {
        let x = Array2::zeros((3, 1));
        let model = |_: ArrayView2<'_, f64>| Err(ForestError::NothingToScore);
        let run = |y: &[f64], n| permutation_importance(model, r2_score, x.view(), y, n, 0).unwrap_err();
        assert_eq!(run(&[0.0; 3], 1), ForestError::NothingToScore);
        assert_eq!(run(&[0.0; 2], 1), ForestError::TargetLength { n_rows: 3, n_targets: 2 });
        assert_eq!(run(&[0.0; 3], 0).to_string(), "n_repeats is 0: expected a number of at least 1");
    }
}
