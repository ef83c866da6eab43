//! The random forest as a regressor among others.

use drivetrain_forest::{FitOptions, Forest, RandomForestRegressor};
use ndarray::ArrayView2;

use super::{FittedRegressor, Regressor};
use crate::EvaluateError;

impl Regressor for RandomForestRegressor {
    #[expect(clippy::use_self, reason = "the inherent method is meant, not the one of the trait")]
    fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError> {
        Ok(Box::new(RandomForestRegressor::fit(self, x, y)?))
    }

    #[expect(clippy::use_self, reason = "the inherent method is meant, not the one of the trait")]
    fn out_of_bag(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Option<Vec<f64>>, EvaluateError> {
        if !self.bootstrap() {
            return Ok(None);
        }
        let forest = RandomForestRegressor::fit(self, x, y)?;
        Ok(Some(RandomForestRegressor::out_of_bag(self, &forest, x, FitOptions::new())?))
    }
}

impl FittedRegressor for Forest {
    fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, EvaluateError> {
        Ok(Self::predict(self, x)?)
    }

    fn feature_importances(&self) -> Option<&[f64]> {
        Some(Self::feature_importances(self))
    }
}
