//! Least squares, plain and with a penalty.

use ndarray::{Array1, ArrayView2, Axis};

use super::svd::Svd;
use super::{FittedRegressor, Regressor, check, check_features};
use crate::EvaluateError;

/// Ordinary least squares with an intercept; where columns depend on each other, the coefficients of smallest length.
///
/// Source: `sklearn.linear_model.LinearRegression`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinearRegression;

/// Least squares with an intercept and a penalty on the squared length of the coefficients.
///
/// Source: `sklearn.linear_model.Ridge`; Hoerl, A., Kennard, R. (1970), doi:10.1080/00401706.1970.10488634.
///
/// ```
/// use drivetrain_evaluate::regressor::Ridge;
///
/// assert_eq!(Ridge::new(-1.0).unwrap_err().to_string(), "alpha is -1: expected a finite number of at least 0");
/// # Ridge::new(1.0)?;
/// # Ok::<(), drivetrain_evaluate::EvaluateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ridge {
    alpha: f64,
}

impl Ridge {
    /// With `alpha` times the squared length as the penalty.
    ///
    /// # Errors
    /// [`EvaluateError::InvalidParameter`] if `alpha` is negative or not finite.
    pub fn new(alpha: f64) -> Result<Self, EvaluateError> {
        if alpha >= 0.0 && alpha.is_finite() {
            return Ok(Self { alpha });
        }
        let expected = "a finite number of at least 0";
        Err(EvaluateError::InvalidParameter { name: "alpha", value: alpha.to_string(), expected })
    }
}

impl Default for Ridge {
    /// scikit-learn's: a penalty of 1.
    fn default() -> Self {
        Self { alpha: 1.0 }
    }
}

#[derive(Debug)]
struct Line {
    coefficients: Array1<f64>,
    intercept: f64,
}

impl Regressor for LinearRegression {
    fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError> {
        Ok(Box::new(Line::fit(&x, y, 0.0)?))
    }
}

impl Regressor for Ridge {
    fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError> {
        Ok(Box::new(Line::fit(&x, y, self.alpha)?))
    }
}

impl Line {
    fn fit(x: &ArrayView2<'_, f64>, y: &[f64], alpha: f64) -> Result<Self, EvaluateError> {
        check(x, y)?;
        // The intercept is not penalised: it is what is left between the centres.
        let centre = x.sum_axis(Axis(0)) / y.len() as f64;
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        let targets = Array1::from_iter(y.iter().map(|value| value - mean));
        let coefficients = Svd::new(&(x - &centre).view()).solve(&targets, alpha);
        let intercept = mean - centre.dot(&coefficients);
        Ok(Self { coefficients, intercept })
    }
}

impl FittedRegressor for Line {
    fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, EvaluateError> {
        let (expected, found) = (self.coefficients.len(), x.ncols());
        if expected != found {
            return Err(EvaluateError::FeatureCount { expected, found });
        }
        check_features(&x)?;
        Ok((x.dot(&self.coefficients) + self.intercept).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_learned_from_says_where() {
        let message = |x: Array2<f64>, y: &[f64]| LinearRegression.fit(x.view(), y).unwrap_err().to_string();
        assert_eq!(message(array![[1.0], [2.0]], &[1.0]), "the table has 2 rows but y has 1 values");
        assert_eq!(
            message(array![[1.0], [f64::NAN]], &[1.0, 2.0]),
            "row 1, feature `0` is NaN: expected a finite number"
        );
        assert_eq!(message(array![[1.0]], &[f64::INFINITY]), "y[0] is inf: expected a finite number");
        let fitted = Ridge::default().fit(array![[1.0]].view(), &[2.0]).unwrap();
        assert_eq!(fitted.predict(array![[9.0]].view()).unwrap(), [2.0]);
        assert!(fitted.predict(array![[9.0, 1.0]].view()).is_err());
    }

    proptest! {
        #[test]
        fn a_line_is_found_again(slopes in prop::collection::vec(-3.0_f64..3.0, 3), intercept in -9.0_f64..9.0) {
            let x = Array2::from_shape_fn((20, 3), |(i, j)| ((i * (j + 3) * 7) % 11) as f64);
            let y = (x.dot(&Array1::from_vec(slopes)) + intercept).to_vec();
            let fitted = LinearRegression.fit(x.view(), &y).unwrap();
            for (found, expected) in fitted.predict(x.view()).unwrap().iter().zip(&y) {
                prop_assert!((found - expected).abs() < 1e-10);
            }
        }
    }
}
