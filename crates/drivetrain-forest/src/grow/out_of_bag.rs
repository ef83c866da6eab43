//! Predictions for training rows by the trees that have not seen them.

use ndarray::ArrayView2;

use super::FitOptions;
use super::job::Job;
use crate::params::ForestParameters;
use crate::{ExtraTreesRegressor, Forest, ForestError, RandomForestRegressor, check};

/// Refuses what cannot be asked of trees that have not seen a row.
pub(super) fn check_forest(
    parameters: &ForestParameters,
    forest: &Forest,
    x: &ArrayView2<'_, f64>,
) -> Result<(), ForestError> {
    let refuse = |name, value: &dyn std::fmt::Display, expected| {
        Err(ForestError::InvalidParameter { name, value: value.to_string(), expected })
    };
    if !parameters.bootstrap {
        return refuse("bootstrap", &false, "true, for otherwise every tree has seen every row");
    }
    if forest.n_trees() != parameters.n_estimators {
        return refuse("n_estimators", &parameters.n_estimators, "the number of trees of the forest");
    }
    check::width(forest.n_features(), x.ncols())
}

macro_rules! out_of_bag {
    ($name:ident) => {
        impl $name {
            /// For each training row the mean prediction of the trees whose bootstrap left it out; NaN where
            /// every tree drew it. Scored against the targets it estimates the error on rows yet unseen.
            ///
            /// `forest` was fitted by this estimator, with the same options, on `x`: who drew what is drawn
            /// again from the seed.
            ///
            /// Source: `RandomForestRegressor.oob_prediction_` of scikit-learn; Breiman, L. (1996), Out-of-bag
            /// estimation.
            ///
            /// ```
            /// use drivetrain_forest::metrics::RegressionMetrics;
            /// use drivetrain_forest::ndarray::Array2;
            /// use drivetrain_forest::{FitOptions, RandomForestRegressor};
            ///
            /// let x = Array2::from_shape_fn((90, 1), |(row, _)| row as f64);
            /// let y: Vec<f64> = x.iter().map(|value| value * value).collect();
            /// let regressor = RandomForestRegressor::default();
            /// let forest = regressor.fit(x.view(), &y)?;
            /// let unseen = regressor.out_of_bag(&forest, x.view(), FitOptions::new())?;
            /// assert!(RegressionMetrics::new(&y, &unseen)?.r2 > 0.99);
            /// # Ok::<(), drivetrain_forest::ForestError>(())
            /// ```
            ///
            /// # Errors
            /// If there was no bootstrap, if `forest` has another number of trees than this estimator grows,
            /// and as [`Forest::predict`].
            pub fn out_of_bag(
                &self,
                forest: &Forest,
                x: ArrayView2<'_, f64>,
                options: FitOptions<'_>,
            ) -> Result<Vec<f64>, ForestError> {
                check_forest(&self.forest(), forest, &x)?;
                let values = check::row_major(&x);
                let job = Job::new(self.forest(), self.tree(), &x, x.nrows(), options, None)?;
                let mut sums = vec![(0.0, 0_u32); x.nrows()];
                for tree in 0..forest.n_trees() {
                    let counts = job.rows.draw(&mut job.generator(tree));
                    let unseen =
                        sums.iter_mut().zip(values.chunks(x.ncols())).zip(counts).filter(|(_, count)| *count == 0.0);
                    for ((sum, row), _) in unseen {
                        *sum = (sum.0 + forest.tree_prediction(tree, row), sum.1 + 1);
                    }
                }
                // Nothing divided by nothing is NaN.
                Ok(sums.into_iter().map(|(sum, n)| sum / f64::from(n)).collect())
            }
        }
    };
}

out_of_bag!(RandomForestRegressor);
out_of_bag!(ExtraTreesRegressor);
