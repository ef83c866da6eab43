//! A regressor of a transformed target.

use ndarray::ArrayView2;

use super::{FittedRegressor, Regressor, check};
use crate::EvaluateError;

/// Learns the target in another form, and undoes that in what it predicts.
///
/// Source: `sklearn.compose.TransformedTargetRegressor`.
///
/// ```
/// use drivetrain_evaluate::regressor::{LinearRegression, Regressor, TransformedTargetRegressor};
/// use ndarray::array;
///
/// let x = array![[0.0], [1.0], [2.0]];
/// let fitted = TransformedTargetRegressor::log(LinearRegression).fit(x.view(), &[3.0, 6.0, 12.0])?;
/// assert!((fitted.predict(array![[3.0]].view())?[0] - 24.0).abs() < 1e-9);
/// # Ok::<(), drivetrain_evaluate::EvaluateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransformedTargetRegressor<R> {
    regressor: R,
    form: Form,
}

/// The form of the target that is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Log,
    Standard,
}

impl<R: Regressor> TransformedTargetRegressor<R> {
    /// `regressor`, of logarithms: for targets above 0 whose errors grow with them.
    ///
    /// scikit-learn's with `func=np.log, inverse_func=np.exp`.
    pub const fn log(regressor: R) -> Self {
        Self { regressor, form: Form::Log }
    }

    /// `regressor`, of a target of mean 0 and standard deviation 1: for regressors whose parameters are in the target's
    /// units.
    ///
    /// scikit-learn's with `transformer=StandardScaler()`.
    pub const fn standard(regressor: R) -> Self {
        Self { regressor, form: Form::Standard }
    }
}

/// The way back from what is predicted to the target.
#[derive(Debug, Clone, Copy)]
enum Inverse {
    Exp,
    Line { mean: f64, scale: f64 },
}

impl Inverse {
    fn of(self, value: f64) -> f64 {
        match self {
            Self::Exp => value.exp(),
            Self::Line { mean, scale } => value * scale + mean,
        }
    }
}

#[derive(Debug)]
struct FittedTransformedTarget {
    regressor: Box<dyn FittedRegressor>,
    inverse: Inverse,
}

impl<R: Regressor> Regressor for TransformedTargetRegressor<R> {
    fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError> {
        let (targets, inverse): (Vec<f64>, _) = match self.form {
            Form::Log => {
                if let Some(row) = y.iter().position(|value| *value <= 0.0) {
                    return Err(EvaluateError::NoLogarithm { row, value: y[row] });
                }
                (y.iter().map(|value| value.ln()).collect(), Inverse::Exp)
            }
            Form::Standard => {
                check(&x, y)?;
                let mean = y.iter().sum::<f64>() / y.len() as f64;
                let deviation = (y.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / y.len() as f64).sqrt();
                // What is constant among these rows is left at 0.
                let scale = if deviation > 0.0 { deviation } else { 1.0 };
                (y.iter().map(|value| (value - mean) / scale).collect(), Inverse::Line { mean, scale })
            }
        };
        Ok(Box::new(FittedTransformedTarget { regressor: self.regressor.fit(x, &targets)?, inverse }))
    }
}

impl FittedRegressor for FittedTransformedTarget {
    fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, EvaluateError> {
        Ok(self.regressor.predict(x)?.into_iter().map(|value| self.inverse.of(value)).collect())
    }

    fn feature_importances(&self) -> Option<&[f64]> {
        self.regressor.feature_importances()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::super::{DummyRegressor, LinearRegression, Ridge};
    use super::*;

    #[test]
    fn a_power_is_found_again_and_what_has_no_logarithm_is_named() {
        let x = array![[0.0], [1.0], [2.0], [3.0]];
        let fitted = TransformedTargetRegressor::log(LinearRegression).fit(x.view(), &[2.0, 4.0, 8.0, 16.0]).unwrap();
        assert!((fitted.predict(array![[5.0]].view()).unwrap()[0] - 64.0).abs() < 1e-9);
        let error = TransformedTargetRegressor::log(DummyRegressor).fit(x.view(), &[1.0, 0.0, 1.0, 1.0]).unwrap_err();
        assert_eq!(error.to_string(), "y[1] is 0: only numbers above 0 have a logarithm");
    }

    /// Learns nothing but the target it is given.
    #[derive(Debug)]
    struct Recite;

    #[derive(Debug)]
    struct Recited(Vec<f64>);

    impl Regressor for Recite {
        fn fit(&self, _: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError> {
            let (mean, square) = (y.iter().sum::<f64>(), y.iter().map(|y| y * y).sum::<f64>() / y.len() as f64);
            assert!(mean.abs() < 1e-12 && ((square - 1.0).abs() < 1e-12 || square == 0.0), "{y:?}");
            Ok(Box::new(Recited(y.to_vec())))
        }
    }

    impl FittedRegressor for Recited {
        fn predict(&self, _: ArrayView2<'_, f64>) -> Result<Vec<f64>, EvaluateError> {
            Ok(self.0.clone())
        }
    }

    #[test]
    fn what_is_learned_has_mean_0_and_deviation_1_and_what_is_predicted_the_targets_own() {
        let x = array![[0.0], [1.0], [2.0]];
        for y in [[1e3, 1.5e3, 7e3], [4.0; 3]] {
            let found = TransformedTargetRegressor::standard(Recite).fit(x.view(), &y).unwrap().predict(x.view());
            for (found, expected) in found.unwrap().iter().zip(y) {
                assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            }
        }
        let standard = TransformedTargetRegressor::standard(Ridge::default());
        let message = |x: &ndarray::Array2<f64>, y: &[f64]| standard.fit(x.view(), y).unwrap_err().to_string();
        assert_eq!(message(&x, &[1.0, f64::NAN, 2.0]), "y[1] is NaN: expected a finite number");
        assert_eq!(message(&x, &[1.0]), "the table has 3 rows but y has 1 values");
        assert!(message(&ndarray::Array2::zeros((0, 1)), &[]).contains("the number of rows is 0"));
    }
}
