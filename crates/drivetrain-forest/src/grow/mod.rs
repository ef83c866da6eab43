//! Growing a forest: checks, one task per tree, assembly.
//!
//! Which engine grows a tree is known to this file alone; everything else sees [`tree::GrownTree`].

mod bootstrap;
mod exact;
mod options;
mod out_of_bag;
mod scale;
#[cfg(feature = "smartcore")]
mod smartcore;
mod tree;

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::ArrayView2;
use rayon::prelude::*;

use self::bootstrap::Rows;
pub use self::options::{Engine, FitOptions};
use self::scale::TargetScale;
use crate::forest::{StoredForest, StoredTree};
use crate::{Forest, ForestError, RandomForestRegressor, check, random};

/// More draws than anyone waits for.
const MAX_DRAWS: f64 = 1e12;

impl RandomForestRegressor {
    /// Grows a forest on `x` (rows by features) and `y` (one target per row).
    ///
    /// Trees are grown on the rayon pool of the caller; for a number of threads of your own, call
    /// this within `rayon::ThreadPool::install`. The forest is the same for any number.
    ///
    /// # Errors
    /// If `x` is empty or has a value that is not finite, or if `y` has another length than `x` has
    /// rows or a value that is not finite or above 1e300 in magnitude.
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn fit(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Result<Forest, ForestError> {
        self.fit_with(x, y, FitOptions::new())
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
        self.fit_with(x, y, FitOptions::new().progress(progress))
    }

    /// Like [`RandomForestRegressor::fit`], with everything a fit may be given besides the data.
    ///
    /// # Errors
    /// As [`RandomForestRegressor::fit`], and what the options add to it.
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn fit_with(&self, x: ArrayView2<'_, f64>, y: &[f64], options: FitOptions<'_>) -> Result<Forest, ForestError> {
        check::training_set(&x, y)?;
        let n_features = x.ncols();
        let rows = self.rows(x.nrows(), options)?;
        let grown = match options.engine {
            Engine::Exact => {
                let engine = exact::Engine::new(self, &x, y);
                let arena = || exact::Arena::new(n_features);
                self.grow(options, arena, |arena, mut rng| {
                    let weights = rows.draw(&mut rng);
                    let tree = engine.grow(&weights, rng, arena);
                    let stored = (tree.level_order(), tree.importances(n_features));
                    arena.recycle(tree);
                    Ok(stored)
                })?
            }
            #[cfg(feature = "smartcore")]
            Engine::Smartcore => {
                let engine = smartcore::Engine::new(self, &x, y, &rows)?;
                self.grow(
                    options,
                    || (),
                    |(), rng| {
                        let tree = engine.grow(rng)?;
                        Ok((tree.level_order(), tree.importances(n_features)))
                    },
                )?
            }
        };
        let (trees, importances): (Vec<_>, Vec<_>) = grown.into_iter().unzip();
        let importances = mean_importances(&importances, n_features);
        StoredForest::from_trees(n_features, trees, importances)?.try_into()
    }

    /// How each tree's rows are drawn.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of weights is not negative")]
    fn rows(&self, n_rows: usize, options: FitOptions<'_>) -> Result<Rows, ForestError> {
        let n_draws = |total| self.max_samples().map_or(n_rows, |samples| samples.at_most(total));
        let Some(weights) = options.sample_weight else {
            return Ok(if self.bootstrap() {
                Rows::Uniform { n_rows, n_draws: n_draws(n_rows) }
            } else {
                Rows::All { weights: vec![1.0; n_rows] }
            });
        };
        check::weights(weights, n_rows)?;
        // Sums of weights must stay finite; a power of two changes no tree.
        let scale = TargetScale::new(weights);
        let scaled: Vec<f64> = weights.iter().map(|&weight| scale.down(weight)).collect();
        Ok(if self.bootstrap() {
            // scikit-learn takes a share of the weights' sum.
            Rows::weighted(&scaled, n_draws(weights.iter().sum::<f64>().min(MAX_DRAWS) as usize))
        } else {
            Rows::All { weights: scaled }
        })
    }

    /// One tree after the other on each thread, each thread in memory of its own; the trees with their
    /// importances. A stop leaves the first ones, since trees are begun in order.
    fn grow<Memory>(
        &self,
        options: FitOptions<'_>,
        memory: impl Fn() -> Memory + Sync + Send,
        tree: impl Fn(&mut Memory, random::Generator) -> Result<(StoredTree, Vec<f64>), ForestError> + Sync + Send,
    ) -> Result<Vec<(StoredTree, Vec<f64>)>, ForestError> {
        let n_trees = self.n_estimators();
        let done = AtomicUsize::new(0);
        let one = |memory: &mut Memory, index: usize| {
            // A stream per tree: neither threads nor the other trees have a say in it.
            let grown = tree(memory, random::stream(self.random_state(), index as u64))?;
            if let Some(progress) = options.progress {
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, n_trees);
            }
            Ok((index, grown))
        };
        let go_on = |_: &usize| !options.stop.is_some_and(|stop| stop());
        let trees = (0..n_trees).take_while(go_on).par_bridge().map_init(memory, one);
        let mut trees = trees.collect::<Result<Vec<_>, ForestError>>()?;
        if trees.is_empty() {
            return Err(ForestError::Stopped);
        }
        trees.sort_unstable_by_key(|(index, _)| *index);
        Ok(trees.into_iter().map(|(_, grown)| grown).collect())
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
