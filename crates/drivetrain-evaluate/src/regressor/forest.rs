//! Forests as regressors among others.

use drivetrain_forest::{ExtraTreesRegressor, FitOptions, Forest, RandomForestRegressor};
use ndarray::ArrayView2;

use super::{FittedRegressor, Regressor};
use crate::EvaluateError;

// Named, not `Self::`: the inherent methods are meant, not those of the trait.
macro_rules! forest {
    ($name:ident) => {
        impl Regressor for $name {
            fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Box<dyn FittedRegressor>, EvaluateError> {
                Ok(Box::new($name::fit(self, x, y)?))
            }

            fn out_of_bag(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Option<Vec<f64>>, EvaluateError> {
                if !self.bootstrap() {
                    return Ok(None);
                }
                let forest = $name::fit(self, x, y)?;
                Ok(Some($name::out_of_bag(self, &forest, x, FitOptions::new())?))
            }
        }
    };
}

forest!(RandomForestRegressor);
forest!(ExtraTreesRegressor);

impl FittedRegressor for Forest {
    fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, EvaluateError> {
        Ok(Self::predict(self, x)?)
    }

    fn feature_importances(&self) -> Option<&[f64]> {
        Some(Self::feature_importances(self))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn trees_of_all_rows_have_none_that_they_have_not_seen() {
        let x = Array2::from_shape_fn((40, 1), |(row, _)| row as f64);
        let y: Vec<f64> = x.iter().map(|value| value * value).collect();
        let extra = ExtraTreesRegressor::builder().n_estimators(5).build().unwrap();
        let fitted = Regressor::fit(&extra, x.view(), &y).unwrap();
        assert_eq!(fitted.predict(x.view()).unwrap(), y);
        assert_eq!(fitted.feature_importances(), Some(&[1.0][..]));
        assert_eq!(Regressor::out_of_bag(&extra, x.view(), &y).unwrap(), None);
        let unseen = Regressor::out_of_bag(&RandomForestRegressor::default(), x.view(), &y).unwrap();
        assert_eq!(unseen.map(|rows| rows.len()), Some(40));
    }
}
