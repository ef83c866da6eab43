//! What makes a split a good one: one criterion a file.
//!
//! A criterion is chosen when a fit begins and compiled into the search, so that each has a search of its
//! own without a branch on which it is.

mod absolute_error;
mod classes;
mod entropy;
mod gini;
mod poisson;
mod squared_error;

use std::fmt::Debug;

pub(in crate::grow) use self::absolute_error::AbsoluteError;
pub(in crate::grow) use self::entropy::Entropy;
pub(in crate::grow) use self::gini::Gini;
pub(in crate::grow) use self::poisson::Poisson;
pub(in crate::grow) use self::squared_error::SquaredError;
use super::node::{Sample, Sums, Target};
use crate::grow::scale::TargetScale;

/// How impure a node is, and by how much a split lowers that. Holds what is known of the node being split.
pub(in crate::grow) trait Criterion: Debug + Clone + Send + Sync {
    /// What is predicted: a number or a class.
    type Target: Target;
    /// What a sample adds to one side of a split.
    type Moment: Debug + Copy + Default + Send + Sync;
    /// How good a split is: the better, the greater.
    type Score: Debug + Copy + Send + Sync + PartialOrd;
    /// The search along one feature.
    type Walk<'a>: Walk<Moment = Self::Moment, Score = Self::Score>
    where
        Self: 'a;

    /// Below the score of every split.
    const NONE: Self::Score;

    /// Whether a search must be told all samples in their order before it begins, by [`Walk::look_ahead`].
    const LOOKS_AHEAD: bool = false;

    /// Turns to the node that `sums` and `samples` describe.
    fn begin(
        &mut self,
        sums: &Sums<Self::Target>,
        samples: impl ExactSizeIterator<Item = Sample<Self::Target>> + Clone,
    );

    /// What the node's sample at `position` adds to a side.
    fn moment(&self, position: usize, sample: Sample<Self::Target>) -> Self::Moment;

    /// Begins a search among the node's samples, all of them on the right.
    fn walk(&mut self) -> Self::Walk<'_>;

    /// Whether no split of the node's samples, whatever the feature, is better than one of this score.
    fn is_optimal(&self, _score: &Self::Score) -> bool {
        false
    }

    /// By how much a split lowers the impurity of the node, times the node's weight: not negative.
    fn gain(&self, score: Self::Score) -> f64;

    /// What a node predicts: one number, which monotonic constraints bound.
    fn value(&mut self, sums: &Sums<Self::Target>, samples: impl Iterator<Item = Sample<Self::Target>>) -> f64;

    /// Appends the share of each class in a node; nothing where numbers are predicted.
    fn shares(&mut self, _samples: impl Iterator<Item = Sample<Self::Target>>, _shares: &mut Vec<f64>) {}

    /// The number of orders of categories by one of which the best set of them is found.
    fn n_orders(&self) -> usize {
        1
    }

    /// What a sample adds to what its category is ordered by in one of those orders, and its weight.
    fn order(&self, order: usize, moment: Self::Moment) -> (f64, f64);

    /// An impurity in the unit of the targets that are given, in the unit of the targets grown on.
    fn scale_impurity(scale: TargetScale, impurity: f64) -> f64;
}

/// A search for the best split along one feature: samples pass from the right side to the left.
pub(in crate::grow) trait Walk {
    type Moment: Copy;
    type Score: Copy;

    /// Takes in all samples in the order in which they will pass.
    fn look_ahead(&mut self, _moments: impl DoubleEndedIterator<Item = Self::Moment>) {}

    /// Passes a sample.
    fn pass(&mut self, moment: Self::Moment);

    /// Whether a split here might be better than `best`: quickly told, of nearly all that are not.
    #[inline]
    fn may_improve(&self, _best: &Self::Score) -> bool {
        true
    }

    /// Whether a split here is better than `best`, which it then replaces. Both sides must weigh `min_weight`.
    fn improve(&self, min_weight: f64, best: &mut Self::Score) -> bool;

    /// What the two sides would predict.
    fn values(&self) -> [f64; 2];
}

/// Whether the two sides of a node that weighs `weight`, `left` of it on the left, weigh enough.
#[inline]
fn weigh_enough(left: f64, weight: f64, min_weight: f64) -> bool {
    let lighter = left.min(weight - left);
    lighter > 0.0 && lighter >= min_weight
}

#[cfg(test)]
mod tests;
