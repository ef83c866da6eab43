//! Growing all trees of a forest, whatever they predict: checks, one task per tree, assembly.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::FitOptions;
use super::bootstrap::Rows;
use super::exact::{Criterion, Engine};
use super::scale::TargetScale;
use super::tree::GrownTree;
use crate::forest::{Importances, StoredTree};
use crate::params::{ForestParameters, MAX_DRAWS, Samples, TreeParameters};
use crate::{Forest, ForestError, check, random};

/// A fit whose data and parameters go together.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) x: ArrayView2<'a, f64>,
    pub(super) forest: ForestParameters,
    pub(super) tree: TreeParameters<'a>,
    pub(super) rows: Rows,
    pub(super) options: FitOptions<'a>,
    categorical: Vec<bool>,
}

/// A forest, and for each of its leaves the shares of the classes, if it predicts classes.
#[derive(Debug)]
pub(super) struct Grown {
    pub(super) forest: Forest,
    pub(super) shares: Vec<f64>,
}

impl<'a> Job<'a> {
    /// `n_targets` is the length of y; `class_weight` is one number for each row.
    pub(super) fn new(
        forest: ForestParameters,
        tree: TreeParameters<'a>,
        x: &ArrayView2<'a, f64>,
        n_targets: usize,
        options: FitOptions<'a>,
        class_weight: Option<&[f64]>,
    ) -> Result<Self, ForestError> {
        check::training_set(x, n_targets)?;
        if !tree.monotonic.is_empty() && tree.monotonic.len() != x.ncols() {
            return Err(ForestError::InvalidParameter {
                name: "monotonic_cst",
                value: format!("{} numbers", tree.monotonic.len()),
                expected: "one for each feature",
            });
        }
        let categorical = check::categories(x, tree.categorical_features)?;
        let rows = rows(&forest, x.nrows(), options.sample_weight, class_weight)?;
        Ok(Self { x: *x, forest, tree, rows, options, categorical })
    }

    /// Grows the forest on targets in units of the `scale`. `reweigh` may change the weights of the rows drawn
    /// for a tree.
    pub(super) fn grow<C: Criterion>(
        &self,
        y: Vec<C::Target>,
        criterion: C,
        scale: TargetScale,
        reweigh: impl Fn(&mut [f64]) + Sync + Send,
    ) -> Result<Grown, ForestError> {
        if let Some(pool) = self.options.thread_pool {
            return pool.install(|| self.grow_here(y, criterion, scale, reweigh));
        }
        self.grow_here(y, criterion, scale, reweigh)
    }

    /// Grows the forest on the threads of the pool that this is called on.
    fn grow_here<C: Criterion>(
        &self,
        y: Vec<C::Target>,
        criterion: C,
        scale: TargetScale,
        reweigh: impl Fn(&mut [f64]) + Sync + Send,
    ) -> Result<Grown, ForestError> {
        let tree = TreeParameters { categorical: &self.categorical, ..self.tree };
        let engine = Engine::new(&tree, &self.x, y, criterion, scale);
        let arena = || engine.arena();
        let grown = self.trees(arena, |arena, mut rng, goes_on| {
            let mut weights = self.rows.draw(&mut rng);
            reweigh(&mut weights);
            let tree = engine.grow(&weights, rng, arena, goes_on);
            let finished = Tree::new(&tree, self.x.ncols());
            arena.recycle(tree);
            Ok(finished)
        })?;
        drop(engine);
        self.assemble(grown)
    }

    /// One tree after the other on each thread, each thread in memory of its own. Trees are begun in order, so that a
    /// stop leaves the first ones. A tree may ask whether it is still wanted.
    pub(super) fn trees<Memory>(
        &self,
        memory: impl Fn() -> Memory + Sync + Send,
        tree: impl Fn(&mut Memory, random::Generator, &(dyn Fn() -> bool + Sync)) -> Result<Tree, ForestError> + Sync + Send,
    ) -> Result<Vec<Tree>, ForestError> {
        let n_trees = self.forest.n_estimators;
        let done = AtomicUsize::new(0);
        let cancelled = AtomicBool::new(false);
        let tell = |n_grown: usize| {
            if self.options.watch.is_some_and(|watch| watch(n_grown, n_trees).is_break()) {
                cancelled.store(true, Ordering::Relaxed);
            }
        };
        let check = || {
            let n_grown = done.load(Ordering::Relaxed);
            if cancelled.load(Ordering::Relaxed) { Err(ForestError::Cancelled { n_grown, n_trees }) } else { Ok(()) }
        };
        // Within a tree, too: a single one may take minutes.
        let goes_on = || {
            tell(done.load(Ordering::Relaxed));
            check().is_ok()
        };
        let one = |memory: &mut Memory, index: usize| {
            check()?;
            // A stream per tree: neither threads nor the other trees have a say in it.
            let grown = tree(memory, self.generator(index), &goes_on)?;
            check()?;
            let n_grown = done.fetch_add(1, Ordering::Relaxed) + 1;
            if let Some(progress) = self.options.progress {
                progress(n_grown, n_trees);
            }
            tell(n_grown);
            Ok((index, grown))
        };
        tell(0);
        let go_on = |_: &usize| !self.options.stop.is_some_and(|stop| stop());
        let trees = (0..n_trees).take_while(go_on).par_bridge().map_init(memory, one);
        let mut trees = trees.collect::<Result<Vec<_>, ForestError>>()?;
        if trees.is_empty() {
            return Err(ForestError::Cancelled { n_grown: 0, n_trees });
        }
        trees.sort_unstable_by_key(|(index, _)| *index);
        Ok(trees.into_iter().map(|(_, grown)| grown).collect())
    }

    /// The randomness of one of the trees, which others grown from the same seed have no part in.
    pub(super) fn generator(&self, index: usize) -> random::Generator {
        random::stream(self.tree.random_state, (self.options.first_tree as u64).wrapping_add(index as u64))
    }

    /// Lays the trees one after the other.
    pub(super) fn assemble(&self, trees: Vec<Tree>) -> Result<Grown, ForestError> {
        let n_features = self.x.ncols();
        let importances = Importances::from_trees(trees.iter().map(|tree| &tree.importances[..]), n_features);
        let mut n_leaves = 0.0;
        let mut shares = Vec::new();
        let mut stored = Vec::with_capacity(trees.len());
        for mut tree in trees {
            if !tree.shares.is_empty() {
                let leaves = tree.stored.value.iter_mut().zip(&tree.stored.feature);
                let numbers = leaves.filter(|(_, feature)| feature.is_none()).map(|(value, _)| value);
                // Leaves are numbered throughout the forest.
                let n_own = numbers.map(|value| *value += n_leaves).count();
                n_leaves += n_own as f64;
                shares.append(&mut tree.shares);
            }
            stored.push(tree.stored);
        }
        let forest = Forest::from_trees(n_features, stored, importances, self.categorical.clone())?;
        Ok(Grown { forest, shares })
    }
}

/// A finished tree.
#[derive(Debug)]
pub(super) struct Tree {
    stored: StoredTree,
    /// For each leaf the shares of the classes.
    shares: Vec<f64>,
    importances: Vec<f64>,
}

impl Tree {
    pub(super) fn new(tree: &GrownTree, n_features: usize) -> Self {
        let (stored, shares) = tree.level_order();
        Self { stored, shares, importances: tree.importances(n_features) }
    }
}

/// How each tree's rows are drawn.
fn rows(
    forest: &ForestParameters,
    n_rows: usize,
    sample_weight: Option<&[f64]>,
    class_weight: Option<&[f64]>,
) -> Result<Rows, ForestError> {
    let product: Vec<f64>;
    let (weights, unit) = match (sample_weight, class_weight) {
        (None, None) => {
            return Ok(if forest.bootstrap {
                Rows::Uniform { n_rows, n_draws: n_draws(forest.max_samples, n_rows, n_rows as f64)? }
            } else {
                Rows::All { weights: vec![1.0; n_rows] }
            });
        }
        (Some(weights), None) | (None, Some(weights)) => {
            check::weights(weights, n_rows)?;
            (weights, TargetScale::ONE)
        }
        (Some(weights), Some(by_class)) => {
            check::weights(weights, n_rows)?;
            // Of weights near the ends of the range the product must be neither infinite nor zero.
            let scale = TargetScale::new(weights);
            product = weights.iter().zip(by_class).map(|(weight, by_class)| scale.down(*weight) * by_class).collect();
            check::weights(&product, n_rows)?;
            (&product[..], scale)
        }
    };
    // Sums of weights must stay finite; a power of two changes no tree.
    let scale = TargetScale::new(weights);
    let scaled: Vec<f64> = weights.iter().map(|&weight| scale.down(weight)).collect();
    Ok(if forest.bootstrap {
        // The smaller power first, so that nothing overflows that need not.
        let (one, other) = (unit.up(1.0), scale.up(1.0));
        let total = scaled.iter().sum::<f64>() * one.min(other) * one.max(other);
        Rows::weighted(&scaled, n_draws(forest.max_samples, n_rows, total)?)
    } else {
        Rows::All { weights: scaled }
    })
}

/// How many rows a tree draws of `n_rows`, whose weights add up to `total`, which a share is one of.
///
/// Source: `_get_n_samples_bootstrap` of scikit-learn.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a sum is not negative, nor large"
)]
fn n_draws(max_samples: Option<Samples>, n_rows: usize, total: f64) -> Result<usize, ForestError> {
    let share = match max_samples {
        None => return Ok(n_rows),
        Some(Samples::Count(count)) => return Ok(count),
        Some(Samples::Fraction(share)) => share,
    };
    let n_draws = share * total;
    if n_draws > f64::from(MAX_DRAWS) {
        return Err(ForestError::InvalidParameter {
            name: "max_samples",
            value: format!("{share:?} of {total:e}"),
            expected: "at most 4294967295 draws",
        });
    }
    Ok((n_draws as usize).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_draws_is_one_of_the_sum_of_weights() {
        // What `int(share * total)` of Python is.
        let draws = |share, total| n_draws(Some(Samples::Fraction(share)), 9, total).unwrap();
        assert_eq!([draws(0.1, 95.0), draws(2.5, 1.9), draws(3.3, 0.9), draws(0.001, 95.0)], [9, 4, 2, 1]);
        assert_eq!(n_draws(None, 9, 0.5), Ok(9));
        assert_eq!(n_draws(Some(Samples::Count(20)), 9, 0.5), Ok(20));
        let of = |sample_weight: &[f64], class_weight: Option<&[f64]>| {
            let forest =
                ForestParameters { n_estimators: 1, bootstrap: true, max_samples: Some(Samples::Fraction(0.5)) };
            match rows(&forest, 40, Some(sample_weight), class_weight) {
                Ok(Rows::Weighted { n_draws, .. }) => n_draws,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(of(&[3.0; 40], None), 60);
        assert_eq!(of(&[3.0; 40], Some(&[5.0; 40])), 300);
        // Near the ends of the range, and 1 each.
        let tiny = f64::MIN_POSITIVE;
        assert_eq!(of(&[tiny; 40], Some(&[1.0 / tiny; 40])), 20);
    }

    #[test]
    fn more_draws_than_anyone_waits_for_are_refused() {
        let error = n_draws(Some(Samples::Fraction(0.5)), 9, 1e300).unwrap_err();
        assert_eq!(error.to_string(), "max_samples is 0.5 of 1e300: expected at most 4294967295 draws");
        assert!(n_draws(Some(Samples::Fraction(0.5)), 9, f64::INFINITY).is_err());
    }
}
