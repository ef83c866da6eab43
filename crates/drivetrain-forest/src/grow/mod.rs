//! Growing a forest: checks, one task per tree, assembly.
//!
//! Which engine grows a tree is known to this file alone, through `Engine::new` and `Engine::grow`;
//! everything else sees [`tree::GrownTree`].

mod bootstrap;
mod scale;
mod smartcore;
mod tree;

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::ArrayView2;
use rayon::prelude::*;

use self::smartcore::Engine;
use crate::forest::StoredForest;
use crate::{Forest, ForestError, RandomForestRegressor, check, random};

impl RandomForestRegressor {
    /// Grows a forest on `x` (rows by features) and `y` (one target per row).
    ///
    /// Trees are grown on the rayon pool of the caller; for a number of threads of your own, call
    /// this within `rayon::ThreadPool::install`. The forest is the same for any number.
    ///
    /// # Errors
    /// If `x` is empty or has a value that is not finite, if `y` has another length than `x` has
    /// rows or a value that is not finite or above 1e300 in magnitude, or if `max_features` selects
    /// some of the features while `bootstrap` is off.
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Forest, ForestError> {
        self.fit_with_progress(x, y, &|_, _| {})
    }

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
        check::training_set(&x, y)?;
        let n_features = x.ncols();
        let n_trees = self.n_estimators();
        let engine = Engine::new(self, &x, y)?;
        let done = AtomicUsize::new(0);

        let grown = (0..n_trees)
            .into_par_iter()
            .map(|tree| {
                // A stream per tree: neither threads nor the other trees have a say in it.
                let rng = random::stream(self.random_state(), tree as u64);
                let mut tree = engine.grow(rng)?;
                tree.merge_equal_leaves();
                let grown = (tree.level_order(), tree.importances(n_features));
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, n_trees);
                Ok(grown)
            })
            .collect::<Result<Vec<_>, ForestError>>()?;

        let (trees, importances): (Vec<_>, Vec<_>) = grown.into_iter().unzip();
        let importances = mean_importances(&importances, n_features);
        StoredForest::from_trees(n_features, trees, importances)?.try_into()
    }
}

/// The mean over the trees that split, scaled to add up to 1.
fn mean_importances(trees: &[Vec<f64>], n_features: usize) -> Vec<f64> {
    let mut sums = vec![0.0; n_features];
    for tree in trees {
        for (sum, importance) in sums.iter_mut().zip(tree) {
            *sum += importance;
        }
    }
    tree::normalise(&mut sums);
    sums
}
