//! Our regressor as one of smartcore's estimators, for its cross-validation.

use ::smartcore::api::{Predictor, SupervisedEstimator};
use ::smartcore::error::Failed;
use ::smartcore::linalg::basic::arrays::Array;
use ::smartcore::linalg::basic::matrix::DenseMatrix;
use ndarray::Array2;

use crate::{Forest, RandomForestRegressor};

/// A [`RandomForestRegressor`] behind smartcore's traits, whose parameters it is fitted with.
///
/// ```
/// use drivetrain_forest::{RandomForestRegressor, SmartcoreEstimator};
/// use smartcore::api::SupervisedEstimator;
/// use smartcore::linalg::basic::matrix::DenseMatrix;
/// use smartcore::metrics::r2;
/// use smartcore::model_selection::{KFold, cross_validate};
///
/// let y: Vec<f64> = (0..60).map(f64::from).collect();
/// let x = DenseMatrix::new(60, 1, y.clone(), false)?;
/// let regressor = RandomForestRegressor::builder().n_estimators(10).build()?;
/// let folds = KFold::default().with_n_splits(3).with_shuffle(true).with_seed(Some(1));
/// let scores = cross_validate(SmartcoreEstimator::new(), &x, &y, regressor, &folds, &r2)?;
/// assert!(scores.mean_test_score() > 0.95);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SmartcoreEstimator {
    forest: Option<Forest>,
}

impl SmartcoreEstimator {
    /// The forest; none before fitting.
    #[must_use]
    pub fn into_forest(self) -> Option<Forest> {
        self.forest
    }
}

/// smartcore's matrix as one of ours.
fn rows(x: &DenseMatrix<f64>) -> Array2<f64> {
    Array2::from_shape_fn(x.shape(), |place| *x.get(place))
}

impl Predictor<DenseMatrix<f64>, Vec<f64>> for SmartcoreEstimator {
    fn predict(&self, x: &DenseMatrix<f64>) -> Result<Vec<f64>, Failed> {
        let forest = self.forest.as_ref().ok_or_else(|| Failed::predict("the forest is yet to be fitted"))?;
        forest.predict(rows(x).view()).map_err(|error| Failed::predict(&error.to_string()))
    }
}

impl SupervisedEstimator<DenseMatrix<f64>, Vec<f64>, RandomForestRegressor> for SmartcoreEstimator {
    fn new() -> Self {
        Self::default()
    }

    fn fit(x: &DenseMatrix<f64>, y: &Vec<f64>, parameters: RandomForestRegressor) -> Result<Self, Failed> {
        let forest = parameters.fit(rows(x).view(), y).map_err(|error| Failed::fit(&error.to_string()))?;
        Ok(Self { forest: Some(forest) })
    }
}

#[cfg(test)]
mod tests {
    use ::smartcore::metrics::r2;
    use ::smartcore::model_selection::{KFold, cross_validate};

    use super::*;

    #[test]
    fn a_search_by_cross_validation_prefers_trees_that_fit() {
        let y: Vec<f64> = (0..80).map(|i| f64::from(i * i)).collect();
        let x = DenseMatrix::new(80, 1, (0..80).map(f64::from).collect(), false).unwrap();
        let score = |depth: usize| {
            let regressor = RandomForestRegressor::builder().n_estimators(5).max_depth(depth).build().unwrap();
            let folds = KFold::default().with_n_splits(4).with_shuffle(true).with_seed(Some(2));
            cross_validate(SmartcoreEstimator::new(), &x, &y, regressor, &folds, &r2).unwrap().mean_test_score()
        };
        let best = [1, 2, 6].into_iter().max_by(|&a, &b| score(a).total_cmp(&score(b)));
        assert_eq!(best, Some(6));
        assert!(score(6) > 0.95, "{}", score(6));
    }

    #[test]
    fn what_the_forest_refuses_is_said() {
        let x = DenseMatrix::new(2, 1, vec![0.0, f64::INFINITY], false).unwrap();
        let parameters = RandomForestRegressor::default();
        let error = SmartcoreEstimator::fit(&x, &vec![0.0; 2], parameters).unwrap_err().to_string();
        assert!(error.contains("x[1, 0] is inf"), "{error}");
        let error = SmartcoreEstimator::new().predict(&x).unwrap_err().to_string();
        assert!(error.contains("yet to be fitted"), "{error}");
    }
}
