//! Regression metrics, with scikit-learn's names and definitions (`sklearn.metrics`).
//!
//! Every function takes the true values first and refuses empty, unequally long or non-finite input.

use serde::{Deserialize, Serialize};

use crate::ForestError;

/// The four metrics of one set of predictions.
///
/// ```
/// use drivetrain_forest::metrics::RegressionMetrics;
///
/// let metrics = RegressionMetrics::new(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0])?;
/// assert_eq!(metrics.mae, 0.5);
/// assert_eq!(metrics.mse, 0.375);
/// assert_eq!(metrics.rmse, 0.375_f64.sqrt());
/// assert!((metrics.r2 - 0.948_608_137).abs() < 1e-9);
/// # Ok::<(), drivetrain_forest::ForestError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RegressionMetrics {
    /// Mean absolute error, in units of the target.
    pub mae: f64,
    /// Mean squared error, in squared units of the target.
    pub mse: f64,
    /// Root mean squared error, in units of the target.
    pub rmse: f64,
    /// Coefficient of determination: 1 is perfect, 0 as good as the mean.
    pub r2: f64,
}

impl RegressionMetrics {
    /// Scores predictions against the truth.
    ///
    /// # Errors
    /// If there is nothing to score, the lengths differ or a value is not finite.
    pub fn new(y_true: &[f64], y_pred: &[f64]) -> Result<Self, ForestError> {
        check(y_true, y_pred)?;
        let mse = mean(y_true, y_pred, |error| error * error);
        Ok(Self { mae: mean(y_true, y_pred, f64::abs), mse, rmse: mse.sqrt(), r2: determination(y_true, y_pred) })
    }
}

/// The mean of the absolute errors.
///
/// # Errors
/// If there is nothing to score, the lengths differ or a value is not finite.
pub fn mean_absolute_error(y_true: &[f64], y_pred: &[f64]) -> Result<f64, ForestError> {
    check(y_true, y_pred)?;
    Ok(mean(y_true, y_pred, f64::abs))
}

/// The mean of the squared errors.
///
/// # Errors
/// If there is nothing to score, the lengths differ or a value is not finite.
pub fn mean_squared_error(y_true: &[f64], y_pred: &[f64]) -> Result<f64, ForestError> {
    check(y_true, y_pred)?;
    Ok(mean(y_true, y_pred, |error| error * error))
}

/// The square root of the mean of the squared errors.
///
/// # Errors
/// If there is nothing to score, the lengths differ or a value is not finite.
pub fn root_mean_squared_error(y_true: &[f64], y_pred: &[f64]) -> Result<f64, ForestError> {
    mean_squared_error(y_true, y_pred).map(f64::sqrt)
}

/// The coefficient of determination R².
///
/// For a constant truth, a single row included, it is 1 if every prediction is exact and else 0
/// (scikit-learn's `force_finite`; a single row is undefined there).
///
/// # Errors
/// If there is nothing to score, the lengths differ or a value is not finite.
pub fn r2_score(y_true: &[f64], y_pred: &[f64]) -> Result<f64, ForestError> {
    check(y_true, y_pred)?;
    Ok(determination(y_true, y_pred))
}

fn check(y_true: &[f64], y_pred: &[f64]) -> Result<(), ForestError> {
    if y_true.len() != y_pred.len() {
        return Err(ForestError::PredictionLength { n_true: y_true.len(), n_pred: y_pred.len() });
    }
    if y_true.is_empty() {
        return Err(ForestError::NothingToScore);
    }
    for (name, values) in [("y_true", y_true), ("y_pred", y_pred)] {
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            let value = values[row];
            return Err(ForestError::NotScorable { name, row, value });
        }
    }
    Ok(())
}

fn mean(y_true: &[f64], y_pred: &[f64], loss: impl Fn(f64) -> f64) -> f64 {
    sum(y_true, y_pred, loss) / y_true.len() as f64
}

fn sum(y_true: &[f64], y_pred: &[f64], loss: impl Fn(f64) -> f64) -> f64 {
    let errors = y_true.iter().zip(y_pred).map(|(t, p)| t - p);
    errors.map(loss).sum()
}

fn determination(y_true: &[f64], y_pred: &[f64]) -> f64 {
    let residual = sum(y_true, y_pred, |error| error * error);
    // Compared rather than summed: the mean of equal numbers may differ from them by rounding.
    if y_true.windows(2).all(|pair| pair[0] == pair[1]) {
        return if residual == 0.0 { 1.0 } else { 0.0 };
    }
    let mean = y_true.iter().sum::<f64>() / y_true.len() as f64;
    let total: f64 = y_true.iter().map(|t| (t - mean) * (t - mean)).sum();
    1.0 - residual / total
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_constant_truth_has_a_finite_r2() {
        // The mean of three times 0.1 is not 0.1.
        let y = [0.1; 3];
        assert_eq!(r2_score(&y, &y), Ok(1.0));
        assert_eq!(r2_score(&y, &[0.1, 0.1, 0.2]), Ok(0.0));
        assert_eq!(r2_score(&[5.0], &[4.0]), Ok(0.0));
        assert_eq!(r2_score(&[5.0], &[5.0]), Ok(1.0));
    }

    #[test]
    fn a_mean_predictor_has_r2_zero_and_a_worse_one_less() {
        assert_eq!(r2_score(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0]), Ok(0.0));
        assert_eq!(r2_score(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Ok(-3.0));
    }

    #[test]
    fn what_cannot_be_scored_is_refused() {
        let message = |t: &[f64], p: &[f64]| RegressionMetrics::new(t, p).unwrap_err().to_string();
        assert_eq!(message(&[], &[]), "there are no predictions to score");
        assert_eq!(message(&[1.0], &[1.0, 2.0]), "y_true has 1 values but y_pred has 2");
        assert_eq!(message(&[1.0, 2.0], &[1.0, f64::NAN]), "y_pred[1] is NaN: expected a finite number");
        assert_eq!(message(&[f64::INFINITY], &[1.0]), "y_true[0] is inf: expected a finite number");
    }

    proptest! {
        #[test]
        fn the_struct_and_the_functions_agree(
            pairs in prop::collection::vec((-1e3_f64..1e3, -1e3_f64..1e3), 1..50)
        ) {
            let (t, p): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let metrics = RegressionMetrics::new(&t, &p).unwrap();
            prop_assert_eq!(Ok(metrics.mae), mean_absolute_error(&t, &p));
            prop_assert_eq!(Ok(metrics.mse), mean_squared_error(&t, &p));
            prop_assert_eq!(Ok(metrics.rmse), root_mean_squared_error(&t, &p));
            prop_assert_eq!(Ok(metrics.r2), r2_score(&t, &p));
            prop_assert!(metrics.mae <= metrics.rmse * (1.0 + 1e-12));
            prop_assert!(metrics.r2 <= 1.0);
        }
    }
}
