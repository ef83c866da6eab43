//! Fitting estimators that predict classes.

use ndarray::{Array2, ArrayView2};

use super::FitOptions;
use super::exact::{Entropy, Gini};
use super::job::Job;
use super::scale::TargetScale;
use super::warm_start::more_trees;
use crate::params::{ClassWeight, ClassificationCriterion, ForestParameters, TreeParameters};
use crate::{
    ClassificationForest, DecisionTreeClassifier, ExtraTreesClassifier, ForestError, RandomForestClassifier, check,
};

/// The distinct labels, sorted, and for each row the number of its label among them.
fn encode<L: Ord + Clone>(y: &[L]) -> (Vec<L>, Vec<u32>) {
    let mut labels: Vec<&L> = y.iter().collect();
    labels.sort_unstable();
    labels.dedup();
    // Every label is among the labels.
    #[expect(clippy::cast_possible_truncation, reason = "there are no more classes than rows")]
    let number = |label: &L| labels.binary_search(&label).map_or(0, |number| number as u32);
    let numbers = y.iter().map(number).collect();
    (labels.into_iter().cloned().collect(), numbers)
}

/// The weight of each class that is as good as balanced by `weights`, those of all rows.
///
/// Source: `compute_class_weight` of scikit-learn.
fn balanced(y: &[u32], weights: impl Iterator<Item = f64>, n_classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; n_classes];
    for (&class, weight) in y.iter().zip(weights) {
        counts[class as usize] += weight;
    }
    let total: f64 = counts.iter().sum();
    let n_present = counts.iter().filter(|count| **count > 0.0).count() as f64;
    counts.iter().map(|&count| if count > 0.0 { total / (n_present * count) } else { 0.0 }).collect()
}

/// What an estimator of classes is made of.
struct Classifier<'a> {
    forest: ForestParameters,
    tree: TreeParameters<'a>,
    criterion: ClassificationCriterion,
    class_weight: &'a ClassWeight,
}

impl<'a> Classifier<'a> {
    /// The weight of each row's class, where classes weigh anything.
    fn weights(&self, y: &[u32], n_classes: usize) -> Result<Option<Vec<f64>>, ForestError> {
        let by_class = match self.class_weight {
            ClassWeight::None => return Ok(None),
            ClassWeight::BalancedSubsample if self.forest.bootstrap => return Ok(None),
            ClassWeight::Balanced | ClassWeight::BalancedSubsample => &balanced(y, std::iter::repeat(1.0), n_classes),
            ClassWeight::Given(weights) => weights,
        };
        if by_class.len() != n_classes {
            return Err(ForestError::InvalidParameter {
                name: "class_weight",
                value: format!("{} weights", by_class.len()),
                expected: "one for each class",
            });
        }
        Ok(Some(y.iter().map(|&class| by_class[class as usize]).collect()))
    }

    fn job(
        &self,
        x: &ArrayView2<'a, f64>,
        y: &[u32],
        n_classes: usize,
        options: FitOptions<'a>,
    ) -> Result<Job<'a>, ForestError> {
        let is_constrained = self.tree.monotonic.iter().any(|&constraint| constraint != 0);
        if is_constrained && n_classes > 2 {
            return Err(ForestError::InvalidParameter {
                name: "monotonic_cst",
                value: format!("set for {n_classes} classes"),
                expected: "none, for more than two classes",
            });
        }
        // A single class has no second whose chance could be bounded.
        let monotonic = if n_classes == 2 { self.tree.monotonic } else { &[] };
        let tree = TreeParameters { monotonic, ..self.tree };
        let weights = self.weights(y, n_classes)?;
        Job::new(self.forest, tree, x, y.len(), options, weights.as_deref())
    }

    /// Grows `grown`'s trees and more of them.
    fn warm_start<L: Ord + Clone>(
        mut self,
        grown: &ClassificationForest<L>,
        x: &ArrayView2<'a, f64>,
        y: &[L],
        options: FitOptions<'a>,
    ) -> Result<ClassificationForest<L>, ForestError> {
        let n_grown = grown.n_trees();
        match more_trees(&self.forest, n_grown, grown.n_features(), x)? {
            None => Ok(grown.clone()),
            Some(forest) => {
                self.forest = forest;
                let more = self.fit(x, y, options.after(n_grown))?;
                ClassificationForest::merge([grown.clone(), more])
            }
        }
    }

    fn fit<L: Ord + Clone>(
        &self,
        x: &ArrayView2<'a, f64>,
        y: &[L],
        options: FitOptions<'a>,
    ) -> Result<ClassificationForest<L>, ForestError> {
        #[cfg(feature = "smartcore")]
        if options.engine != super::Engine::Exact {
            return Err(ForestError::Engine { reason: "smartcore grows no trees of classes here".to_owned() });
        }
        let (classes, numbers) = encode(y);
        let n_classes = classes.len();
        let job = self.job(x, &numbers, n_classes, options)?;
        let by_sample = *self.class_weight == ClassWeight::BalancedSubsample && self.forest.bootstrap;
        let of_rows = if by_sample { numbers.clone() } else { Vec::new() };
        let reweigh = |weights: &mut [f64]| {
            if by_sample {
                let by_class = balanced(&of_rows, weights.iter().copied(), n_classes);
                weights.iter_mut().zip(&of_rows).for_each(|(weight, &class)| *weight *= by_class[class as usize]);
            }
        };
        let grown = match self.criterion {
            ClassificationCriterion::Gini => job.grow(numbers, Gini::new(n_classes), TargetScale::ONE, reweigh),
            ClassificationCriterion::Entropy | ClassificationCriterion::LogLoss => {
                job.grow(numbers, Entropy::new(n_classes), TargetScale::ONE, reweigh)
            }
        }?;
        Ok(ClassificationForest::new(grown.forest, classes, grown.shares))
    }

    fn out_of_bag<L: Ord + Clone>(
        &self,
        forest: &ClassificationForest<L>,
        x: &ArrayView2<'a, f64>,
        y: &[L],
        options: FitOptions<'a>,
    ) -> Result<Array2<f64>, ForestError> {
        super::out_of_bag::check_forest(&self.forest, forest.leaves(), x)?;
        let (classes, numbers) = encode(y);
        let job = self.job(x, &numbers, classes.len(), options)?;
        let values = check::row_major(x);
        let n_classes = forest.classes().len();
        let mut proba = Array2::zeros((x.nrows(), n_classes));
        let mut n_unseen = vec![0.0; x.nrows()];
        for tree in 0..forest.n_trees() {
            let counts = job.rows.draw(&mut job.generator(tree));
            for (row, values) in values.chunks(x.ncols()).enumerate().filter(|(row, _)| counts[*row] == 0.0) {
                let leaf = forest.leaves().tree_prediction(tree, values);
                n_unseen[row] += 1.0;
                for (sum, share) in proba.row_mut(row).iter_mut().zip(forest.shares_of(leaf)) {
                    *sum += share;
                }
            }
        }
        // Nothing divided by nothing is NaN.
        for (mut row, n) in proba.rows_mut().into_iter().zip(n_unseen) {
            row /= n;
        }
        Ok(proba)
    }
}

/// The methods of an estimator that fit it.
macro_rules! fit {
    ($name:ident) => {
        impl $name {
            /// Grows the trees on `x` (rows by features; NaN where a value is missing) and `y` (one label per row).
            ///
            /// Trees are grown on the rayon pool of the caller; for a number of threads of your own, call
            /// this within `rayon::ThreadPool::install`. The result is the same for any number.
            ///
            /// # Errors
            /// If `x` is empty or has an infinite value, if `y` has another length than `x` has rows, or if
            /// parameters do not fit the data: another number of class weights than of classes, of monotonic
            /// constraints than of features, constraints on more than two classes, categories that are not
            /// whole numbers from 0 to 63.
            pub fn fit<L: Ord + Clone>(
                &self,
                x: ArrayView2<'_, f64>,
                y: &[L],
            ) -> Result<ClassificationForest<L>, ForestError> {
                self.fit_with(x, y, FitOptions::new())
            }

            /// Like `fit`, with everything a fit may be given besides the data.
            ///
            /// # Errors
            /// As `fit`, and what the options add to it.
            pub fn fit_with<L: Ord + Clone>(
                &self,
                x: ArrayView2<'_, f64>,
                y: &[L],
                options: FitOptions<'_>,
            ) -> Result<ClassificationForest<L>, ForestError> {
                self.classifier().fit(&x, y, options)
            }

            fn classifier(&self) -> Classifier<'_> {
                Classifier {
                    forest: self.forest(),
                    tree: self.tree(),
                    criterion: self.criterion(),
                    class_weight: self.class_weight(),
                }
            }
        }
    };
}

fit!(RandomForestClassifier);
fit!(ExtraTreesClassifier);
fit!(DecisionTreeClassifier);

/// The methods of a forest that are about some of its trees: growing more, asking those that have not seen a row.
macro_rules! some_trees {
    ($name:ident) => {
        impl $name {
            /// Adds trees to those of `forest` until there are `n_estimators`, which may be as many as it has.
            ///
            /// With the parameters, data and options that `forest` was fitted with, but for the number of trees, this
            /// gives the forest that `fit_with` grows at once, byte for byte. Should it fail, `forest` is still there.
            ///
            /// Source: the parameter `warm_start` of `sklearn.ensemble.RandomForestClassifier`.
            ///
            /// # Errors
            /// As `fit_with`; if `forest` has more trees than `n_estimators`, or other features or classes than `x`
            /// and `y`.
            pub fn warm_start<L: Ord + Clone>(
                &self,
                forest: &ClassificationForest<L>,
                x: ArrayView2<'_, f64>,
                y: &[L],
                options: FitOptions<'_>,
            ) -> Result<ClassificationForest<L>, ForestError> {
                self.classifier().warm_start(forest, &x, y, options)
            }

            /// For each training row the chance of each class by the trees whose bootstrap left it out; NaN where
            /// every tree drew it. Rows by classes.
            ///
            /// `forest` was fitted by this estimator, with the same options, on `x` and `y`: who drew what is drawn
            /// again from the seed.
            ///
            /// Source: `oob_decision_function_` of scikit-learn.
            ///
            /// # Errors
            /// If there was no bootstrap, if `forest` has another number of trees than this estimator grows, and as
            /// its prediction.
            pub fn out_of_bag<L: Ord + Clone>(
                &self,
                forest: &ClassificationForest<L>,
                x: ArrayView2<'_, f64>,
                y: &[L],
                options: FitOptions<'_>,
            ) -> Result<Array2<f64>, ForestError> {
                self.classifier().out_of_bag(forest, &x, y, options)
            }
        }
    };
}

some_trees!(RandomForestClassifier);
some_trees!(ExtraTreesClassifier);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_numbered_in_their_order() {
        let (classes, numbers) = encode(&["b", "a", "c", "a"]);
        assert_eq!(classes, ["a", "b", "c"]);
        assert_eq!(numbers, [1, 0, 2, 0]);
    }

    #[test]
    fn balanced_weights_are_those_of_scikit_learn() {
        // compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1])
        assert_eq!(balanced(&[0, 0, 0, 1], std::iter::repeat(1.0), 2), [2.0 / 3.0, 2.0]);
        // A class that the bootstrap left out counts for nothing.
        assert_eq!(balanced(&[0, 1, 1], [0.0, 2.0, 1.0].into_iter(), 2), [0.0, 1.0]);
    }
}
