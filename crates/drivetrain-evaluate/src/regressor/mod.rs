//! What can stand at the end of a model, the baselines among them.

mod dummy;
mod forest;
mod linear;
mod svd;
mod svr;
mod transformed_target;

use std::fmt;

use ndarray::ArrayView2;

pub use dummy::DummyRegressor;
pub use linear::{LinearRegression, Ridge};
pub use svr::Svr;
pub use transformed_target::TransformedTargetRegressor;

use crate::EvaluateError;

/// A regressor yet to be fitted.
pub trait Regressor: fmt::Debug + Send + Sync {
    /// Learns from `x` (rows by features) and `y` (one target per row).
    ///
    /// # Errors
    /// [`EvaluateError`] when nothing can be learned from these numbers.
    fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError>;

    /// For each row the prediction of those parts of the regressor that have not seen it while learning, NaN where there
    /// are none; `None` of a regressor without such parts.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    fn out_of_bag(&self, _x: ArrayView2<'_, f64>, _y: &[f64]) -> Result<Option<Vec<f64>>, EvaluateError> {
        Ok(None)
    }
}

impl Regressor for Box<dyn Regressor> {
    fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError> {
        (**self).fit(x, y)
    }

    fn out_of_bag(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Option<Vec<f64>>, EvaluateError> {
        (**self).out_of_bag(x, y)
    }
}

/// A regressor that has learned.
pub trait FittedRegressor: fmt::Debug + Send + Sync {
    /// One prediction per row of `x`, which has the features learned from.
    ///
    /// # Errors
    /// [`EvaluateError`] when `x` does not fit.
    fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, EvaluateError>;

    /// How much each feature mattered while learning, if the regressor knows.
    fn feature_importances(&self) -> Option<&[f64]> {
        None
    }
}

/// Refuses a training set without rows, with a target of another length, or with a number that is not finite.
fn check(x: &ArrayView2<'_, f64>, y: &[f64]) -> Result<(), EvaluateError> {
    if x.nrows() != y.len() {
        return Err(EvaluateError::TargetLength { n_rows: x.nrows(), n_targets: y.len() });
    }
    EvaluateError::at_least("the number of rows", y.len(), 1, "a number of at least 1")?;
    if let Some(row) = y.iter().position(|value| !value.is_finite()) {
        return Err(EvaluateError::InvalidTarget { row, value: y[row] });
    }
    check_features(x)
}

fn check_features(x: &ArrayView2<'_, f64>) -> Result<(), EvaluateError> {
    match x.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((row, feature), &value)) => {
            Err(EvaluateError::InvalidFeature { row, feature: feature.to_string(), value })
        }
    }
}
