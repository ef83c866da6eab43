//! The Poisson deviance.

use super::{Criterion, Walk, weigh_enough};
use crate::grow::exact::node::{Sample, Sums};
use crate::grow::scale::TargetScale;

/// Half the Poisson deviance of targets that are not negative; a node predicts their mean, which no split
/// makes zero.
///
/// Source: `Poisson` of scikit-learn.
#[derive(Debug, Clone, Default)]
pub(in crate::grow) struct Poisson {
    mean: f64,
    weight: f64,
    n_positive: u32,
    sum: f64,
}

/// What a sample adds to the sums of a split's sides.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::grow) struct Moment {
    /// The weight times the target.
    weighted: f64,
    weight: f64,
}

/// The sums of the left side, and what is known of the node.
#[derive(Debug)]
pub(in crate::grow) struct Sides {
    mean: f64,
    weight: f64,
    n_positive: u32,
    total: f64,
    sum: f64,
    left: f64,
    n_left: u32,
}

impl Criterion for Poisson {
    type Target = f64;
    type Moment = Moment;
    type Score = f64;
    type Walk<'a> = Sides;

    const NONE: f64 = f64::NEG_INFINITY;

    fn begin(&mut self, sums: &Sums<f64>, samples: impl Iterator<Item = Sample<f64>> + Clone) {
        self.mean = sums.mean();
        self.weight = sums.weight;
        self.sum = 0.0;
        self.n_positive = 0;
        for sample in samples {
            self.sum += sample.weight * sample.y;
            self.n_positive += u32::from(sample.y > 0.0);
        }
    }

    #[inline]
    fn moment(&self, _position: usize, sample: Sample<f64>) -> Moment {
        Moment { weighted: sample.weight * sample.y, weight: sample.weight }
    }

    #[inline]
    fn walk(&mut self) -> Sides {
        let Self { mean, weight, n_positive, sum: total } = *self;
        Sides { mean, weight, n_positive, total, sum: 0.0, left: 0.0, n_left: 0 }
    }

    fn gain(&self, score: f64) -> f64 {
        score.max(0.0)
    }

    fn value(&mut self, sums: &Sums<f64>, _samples: impl Iterator<Item = Sample<f64>>) -> f64 {
        sums.mean()
    }

    fn order(&self, _order: usize, moment: Moment) -> (f64, f64) {
        (moment.weighted, moment.weight)
    }

    fn scale_impurity(scale: TargetScale, impurity: f64) -> f64 {
        scale.down(impurity)
    }
}

impl Walk for Sides {
    type Moment = Moment;
    type Score = f64;

    #[inline]
    fn pass(&mut self, moment: Moment) {
        self.sum += moment.weighted;
        self.left += moment.weight;
        self.n_left += u32::from(moment.weighted > 0.0);
    }

    #[inline]
    fn improve(&self, min_weight: f64, best: &mut f64) -> bool {
        // A side whose targets are all zero would predict zero.
        if self.n_left == 0 || self.n_left == self.n_positive || !weigh_enough(self.left, self.weight, min_weight) {
            return false;
        }
        let right = self.total - self.sum;
        let [left_value, right_value] = self.values();
        let score = self.sum * libm::log(left_value / self.mean) + right * libm::log(right_value / self.mean);
        let is_better = score > *best;
        if is_better {
            *best = score;
        }
        is_better
    }

    fn values(&self) -> [f64; 2] {
        [self.sum / self.left, (self.total - self.sum) / (self.weight - self.left)]
    }
}
