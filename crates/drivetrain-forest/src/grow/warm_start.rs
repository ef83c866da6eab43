//! More trees for a forest that there is.

use ndarray::ArrayView2;

use super::FitOptions;
use crate::params::ForestParameters;
use crate::{ExtraTreesRegressor, Forest, ForestError, RandomForestRegressor, check};

/// The parameters of the trees that `n_grown` trees on `n_features` features lack; none if they lack none.
pub(super) fn more_trees(
    parameters: &ForestParameters,
    n_grown: usize,
    n_features: usize,
    x: &ArrayView2<'_, f64>,
) -> Result<Option<ForestParameters>, ForestError> {
    check::width(n_features, x.ncols())?;
    match parameters.n_estimators.checked_sub(n_grown) {
        None => Err(ForestError::InvalidParameter {
            name: "n_estimators",
            value: parameters.n_estimators.to_string(),
            expected: "at least the number of trees of the forest",
        }),
        Some(0) => Ok(None),
        Some(n_estimators) => Ok(Some(ForestParameters { n_estimators, ..*parameters })),
    }
}

impl FitOptions<'_> {
    /// The same, for the trees that come after `n_grown`.
    pub(super) fn after(mut self, n_grown: usize) -> Self {
        self.first_tree = self.first_tree.wrapping_add(n_grown);
        self
    }
}

macro_rules! warm_start {
    ($name:ident) => {
        impl $name {
            /// Adds trees to those of `forest` until there are `n_estimators`, which may be as many as it has.
            ///
            /// With the parameters, data and options that `forest` was fitted with, but for the number of trees, this
            /// gives the forest that `fit_with` grows at once, byte for byte. Should it fail, `forest` is still there.
            ///
            /// Source: the parameter `warm_start` of `sklearn.ensemble.RandomForestRegressor`.
            ///
            /// ```
            /// use drivetrain_forest::ndarray::array;
            /// use drivetrain_forest::{FitOptions, RandomForestRegressor};
            ///
            /// let (x, y) = (array![[1.0], [2.0], [4.0], [5.0]], [5.0, 6.0, 9.0, 9.5]);
            /// let regressor = |n| RandomForestRegressor::builder().n_estimators(n).build();
            /// let three = regressor(3)?.fit(x.view(), &y)?;
            /// let ten = regressor(10)?.warm_start(&three, x.view(), &y, FitOptions::new())?;
            /// assert_eq!(ten, regressor(10)?.fit(x.view(), &y)?);
            /// # Ok::<(), drivetrain_forest::ForestError>(())
            /// ```
            ///
            /// # Errors
            /// As `fit_with`; if `forest` has more trees than `n_estimators`, or other features than `x`.
            pub fn warm_start(
                &self,
                forest: &Forest,
                x: ArrayView2<'_, f64>,
                y: &[f64],
                options: FitOptions<'_>,
            ) -> Result<Forest, ForestError> {
                let n_grown = forest.n_trees();
                match more_trees(&self.forest(), n_grown, forest.n_features(), &x)? {
                    None => Ok(forest.clone()),
                    Some(more) => {
                        let more = self.fit_trees(more, &x, y, options.after(n_grown))?;
                        Forest::merge([forest.clone(), more])
                    }
                }
            }
        }
    };
}

warm_start!(RandomForestRegressor);
warm_start!(ExtraTreesRegressor);
