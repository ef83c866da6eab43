//! A regressor of the target's logarithm.

use ndarray::ArrayView2;

use super::{FittedRegressor, Regressor};
use crate::EvaluateError;

/// Learns the logarithm of the target, and predicts the power that undoes it: for targets above 0 whose errors grow with
/// them.
///
/// Source: `sklearn.compose.TransformedTargetRegressor` with `func=np.log, inverse_func=np.exp`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransformedTargetRegressor<R> {
    regressor: R,
}

impl<R: Regressor> TransformedTargetRegressor<R> {
    /// `regressor`, of logarithms.
    pub const fn log(regressor: R) -> Self {
        Self { regressor }
    }
}

#[derive(Debug)]
struct Power(Box<dyn FittedRegressor>);

impl<R: Regressor> Regressor for TransformedTargetRegressor<R> {
    fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError> {
        if let Some(row) = y.iter().position(|value| *value <= 0.0) {
            return Err(EvaluateError::NoLogarithm { row, value: y[row] });
        }
        let logarithms: Vec<f64> = y.iter().map(|value| value.ln()).collect();
        Ok(Box::new(Power(self.regressor.fit(x, &logarithms)?)))
    }
}

impl FittedRegressor for Power {
    fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, EvaluateError> {
        Ok(self.0.predict(x)?.into_iter().map(f64::exp).collect())
    }

    fn feature_importances(&self) -> Option<&[f64]> {
        self.0.feature_importances()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::super::{DummyRegressor, LinearRegression};
    use super::*;

    #[test]
    fn a_power_is_found_again_and_what_has_no_logarithm_is_named() {
        let x = array![[0.0], [1.0], [2.0], [3.0]];
        let fitted = TransformedTargetRegressor::log(LinearRegression).fit(x.view(), &[2.0, 4.0, 8.0, 16.0]).unwrap();
        assert!((fitted.predict(array![[5.0]].view()).unwrap()[0] - 64.0).abs() < 1e-9);
        let error = TransformedTargetRegressor::log(DummyRegressor).fit(x.view(), &[1.0, 0.0, 1.0, 1.0]).unwrap_err();
        assert_eq!(error.to_string(), "y[1] is 0: only numbers above 0 have a logarithm");
    }
}
