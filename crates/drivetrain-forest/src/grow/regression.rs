//! Fitting estimators that predict numbers.

use ndarray::ArrayView2;

#[cfg(feature = "smartcore")]
use super::Engine;
use super::FitOptions;
use super::exact::{AbsoluteError, Poisson, SquaredError};
use super::job::Job;
use super::scale::TargetScale;
use crate::params::{ForestParameters, RegressionCriterion};
use crate::{DecisionTreeRegressor, ExtraTreesRegressor, Forest, ForestError, RandomForestRegressor, check};

/// Grows a forest on checked parameters.
fn grow(job: &Job<'_>, criterion: RegressionCriterion, y: &[f64]) -> Result<Forest, ForestError> {
    check::targets(y)?;
    let scale = TargetScale::new(y);
    let scaled = y.iter().map(|&target| scale.down(target)).collect();
    let unchanged = |_: &mut [f64]| ();
    let grown = match criterion {
        RegressionCriterion::SquaredError | RegressionCriterion::FriedmanMse => {
            job.grow(scaled, SquaredError::default(), scale, unchanged)
        }
        RegressionCriterion::AbsoluteError => job.grow(scaled, AbsoluteError::default(), scale, unchanged),
        RegressionCriterion::Poisson => {
            check::counts(y)?;
            job.grow(scaled, Poisson::default(), scale, unchanged)
        }
    };
    Ok(grown?.forest)
}

/// The methods of an estimator that fit it.
macro_rules! fit {
    ($name:ident) => {
        impl $name {
            /// Grows the trees on `x` (rows by features; NaN where a value is missing) and `y` (one target per
            /// row).
            ///
            /// Trees are grown on the rayon pool of the caller; for a number of threads of your own, call
            /// this within `rayon::ThreadPool::install`. The result is the same for any number.
            ///
            /// # Errors
            /// If `x` is empty or has an infinite value, if `y` has another length than `x` has rows or a value
            /// that is not finite or above 1e300 in magnitude, or if parameters do not fit the data: another
            /// number of monotonic constraints than of features, categories that are not whole numbers from 0 to
            /// 63, negative targets with the Poisson criterion.
            pub fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Forest, ForestError> {
                self.fit_with(x, y, FitOptions::new())
            }

            /// Like `fit`, with everything a fit may be given besides the data.
            ///
            /// # Errors
            /// As `fit`, and what the options add to it.
            pub fn fit_with(
                &self,
                x: ArrayView2<'_, f64>,
                y: &[f64],
                options: FitOptions<'_>,
            ) -> Result<Forest, ForestError> {
                self.fit_trees(self.forest(), &x, y, options)
            }

            pub(super) fn fit_trees(
                &self,
                forest: ForestParameters,
                x: &ArrayView2<'_, f64>,
                y: &[f64],
                options: FitOptions<'_>,
            ) -> Result<Forest, ForestError> {
                #[cfg(feature = "smartcore")]
                if options.engine != Engine::Exact {
                    return self.fit_elsewhere(forest, x, y, options);
                }
                let job = Job::new(forest, self.tree(), x, y.len(), options, None)?;
                grow(&job, self.criterion(), y)
            }
        }
    };
}

fit!(RandomForestRegressor);
fit!(ExtraTreesRegressor);
fit!(DecisionTreeRegressor);

impl RandomForestRegressor {
    /// Like [`RandomForestRegressor::fit`]; calls `progress` with the number of trees grown and the
    /// number to grow after each tree, from the thread that grew it.
    ///
    /// # Errors
    /// As [`RandomForestRegressor::fit`].
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn fit_with_progress(
        &self,
        x: ArrayView2<'_, f64>,
        y: &[f64],
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Forest, ForestError> {
        self.fit_with(x, y, FitOptions::new().progress(progress))
    }

    /// Grows the trees by smartcore's engine.
    #[cfg(feature = "smartcore")]
    fn fit_elsewhere(
        &self,
        forest: ForestParameters,
        x: &ArrayView2<'_, f64>,
        y: &[f64],
        options: FitOptions<'_>,
    ) -> Result<Forest, ForestError> {
        let job = Job::new(forest, self.tree(), x, y.len(), options, None)?;
        check::targets(y)?;
        let engine = super::smartcore::Engine::new(self, x, y, &job.rows)?;
        let one =
            |(): &mut (), rng, _: &(dyn Fn() -> bool + Sync)| Ok(super::job::Tree::new(&engine.grow(rng)?, x.ncols()));
        Ok(job.assemble(job.trees(|| (), one)?)?.forest)
    }
}

/// Estimators that smartcore's engine has no trees for.
#[cfg(feature = "smartcore")]
macro_rules! exact_only {
    ($name:ident) => {
        impl $name {
            fn fit_elsewhere(
                &self,
                _forest: ForestParameters,
                _x: &ArrayView2<'_, f64>,
                _y: &[f64],
                _: FitOptions<'_>,
            ) -> Result<Forest, ForestError> {
                Err(ForestError::Engine { reason: "smartcore's trees serve random forests only".to_owned() })
            }
        }
    };
}

#[cfg(feature = "smartcore")]
exact_only!(ExtraTreesRegressor);
#[cfg(feature = "smartcore")]
exact_only!(DecisionTreeRegressor);
