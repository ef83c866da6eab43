//! The squared error around the mean.

use std::cmp::Ordering;

use super::{Criterion, Walk, weigh_enough};
use crate::grow::exact::node::{Sample, Sums};
use crate::grow::scale::TargetScale;

/// The variance of the targets; a node predicts their mean.
///
/// Source: `MSE` of scikit-learn, with sums measured from the node's mean.
#[derive(Debug, Clone, Default)]
pub(in crate::grow) struct SquaredError {
    mean: f64,
    weight: f64,
    /// The score of the best split of all, or a little less; infinite where it is not known.
    optimum: f64,
}

/// Up to so many samples the best split of all is looked for before any feature is searched. It parts the samples in the
/// order of their targets (Fisher 1958, doi:10.1080/01621459.1958.10501479), and often some feature gives it.
const FEW: usize = 8;

/// What a sample adds to the sums of a split's sides.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::grow) struct Moment {
    /// The weight times the target's distance from the node's mean.
    weighted: f64,
    weight: f64,
}

/// How much a split removes of the squared error, as a fraction whose terms are compared crosswise.
///
/// With targets measured from the node's mean, sums `s` and `-s` and weights `l` and `r` of the two
/// sides, the squared error falls by `s^2 / (l r) * (l + r)`.
#[derive(Debug, Clone, Copy)]
pub(in crate::grow) struct Score {
    numerator: f64,
    denominator: f64,
    /// Their quotient, or a little less.
    bar: f64,
}

/// So much less that rounding does not matter.
const BELOW: f64 = 1.0 - 16.0 * f64::EPSILON;

/// The sums of the left side.
#[derive(Debug)]
pub(in crate::grow) struct Sides {
    mean: f64,
    weight: f64,
    sum: f64,
    left: f64,
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other).is_some_and(Ordering::is_eq)
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.numerator * other.denominator).partial_cmp(&(other.numerator * self.denominator))
    }
}

impl SquaredError {
    /// The score of the best split of a few samples, as a number, or a little less.
    fn best_of_all(&self, samples: impl Iterator<Item = Sample<f64>>) -> f64 {
        let mut sorted = [Sample::default(); FEW];
        let mut n = 0;
        for sample in samples {
            let mut place = n;
            while place > 0 && sorted[place - 1].y > sample.y {
                sorted[place] = sorted[place - 1];
                place -= 1;
            }
            sorted[place] = sample;
            n += 1;
        }
        let mut sides = Sides { mean: self.mean, weight: self.weight, sum: 0.0, left: 0.0 };
        let mut best = Self::NONE;
        for &sample in &sorted[..n] {
            sides.improve(0.0, &mut best);
            sides.pass(self.moment(0, sample));
        }
        best.bar
    }
}

impl Criterion for SquaredError {
    type Target = f64;
    type Moment = Moment;
    type Score = Score;
    type Walk<'a> = Sides;

    const NONE: Score = Score { numerator: -1.0, denominator: 1.0, bar: -1.0 };

    #[inline]
    fn begin(&mut self, sums: &Sums<f64>, samples: impl ExactSizeIterator<Item = Sample<f64>> + Clone) {
        self.mean = sums.mean();
        self.weight = sums.weight;
        self.optimum =
            if samples.len() > 2 && samples.len() <= FEW { self.best_of_all(samples) } else { f64::INFINITY };
    }

    #[inline]
    fn is_optimal(&self, score: &Score) -> bool {
        score.numerator >= self.optimum * score.denominator
    }

    #[inline]
    fn moment(&self, _position: usize, sample: Sample<f64>) -> Moment {
        Moment { weighted: sample.weight * (sample.y - self.mean), weight: sample.weight }
    }

    #[inline]
    fn walk(&mut self) -> Sides {
        Sides { mean: self.mean, weight: self.weight, sum: 0.0, left: 0.0 }
    }

    fn gain(&self, score: Score) -> f64 {
        score.numerator / score.denominator * self.weight
    }

    fn value(&mut self, sums: &Sums<f64>, _samples: impl Iterator<Item = Sample<f64>>) -> f64 {
        sums.mean()
    }

    fn order(&self, _order: usize, moment: Moment) -> (f64, f64) {
        (moment.weighted, moment.weight)
    }

    fn scale_impurity(scale: TargetScale, impurity: f64) -> f64 {
        scale.down(scale.down(impurity))
    }
}

impl Walk for Sides {
    type Moment = Moment;
    type Score = Score;

    #[inline]
    fn pass(&mut self, moment: Moment) {
        self.sum += moment.weighted;
        self.left += moment.weight;
    }

    #[inline]
    fn may_improve(&self, best: &Score) -> bool {
        self.sum * self.sum > best.bar * (self.left * (self.weight - self.left))
    }

    #[inline]
    fn improve(&self, min_weight: f64, best: &mut Score) -> bool {
        let numerator = self.sum * self.sum;
        let denominator = self.left * (self.weight - self.left);
        let is_better = numerator * best.denominator > best.numerator * denominator
            && denominator > 0.0
            && weigh_enough(self.left, self.weight, min_weight);
        if is_better {
            *best = Score { numerator, denominator, bar: numerator / denominator * BELOW };
        }
        is_better
    }

    fn values(&self) -> [f64; 2] {
        [self.mean + self.sum / self.left, self.mean - self.sum / (self.weight - self.left)]
    }
}
