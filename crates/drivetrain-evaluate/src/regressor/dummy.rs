//! The baseline that looks at no feature.

use ndarray::ArrayView2;

use super::{FittedRegressor, Regressor, check};
use crate::EvaluateError;

/// Predicts the mean of the targets learned from, whatever the features.
///
/// Source: `sklearn.dummy.DummyRegressor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DummyRegressor;

#[derive(Debug)]
struct Constant(f64);

impl Regressor for DummyRegressor {
    fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError> {
        check(&x, y)?;
        Ok(Box::new(Constant(y.iter().sum::<f64>() / y.len() as f64)))
    }
}

impl FittedRegressor for Constant {
    fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, EvaluateError> {
        Ok(vec![self.0; x.nrows()])
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_mean_is_predicted_for_every_row() {
        let fitted = DummyRegressor.fit(array![[1.0], [2.0]].view(), &[3.0, 4.0]).unwrap();
        assert_eq!(fitted.predict(array![[7.0], [8.0], [9.0]].view()).unwrap(), [3.5; 3]);
    }
}
