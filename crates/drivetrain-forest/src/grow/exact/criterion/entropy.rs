//! The entropy of the classes.

use super::class_counts::{ClassCounts, Moment};
use super::{Criterion, Walk, weigh_enough};
use crate::grow::exact::node::{Sample, Sums};
use crate::grow::scale::TargetScale;

/// The entropy of a node's classes, in bits.
///
/// Source: `Entropy` of scikit-learn.
#[derive(Debug, Clone)]
pub(in crate::grow) struct Entropy {
    counts: ClassCounts,
    weight: f64,
    /// The sum of [`x_log_x`] over the classes.
    logs: f64,
}

impl Entropy {
    pub(in crate::grow) fn new(n_classes: usize) -> Self {
        Self { counts: ClassCounts::new(n_classes), weight: 0.0, logs: 0.0 }
    }
}

/// A weight times its logarithm to base two.
fn x_log_x(x: f64) -> f64 {
    if x > 0.0 { x * libm::log2(x) } else { 0.0 }
}

/// The weights of both sides, and the sums of [`x_log_x`] over their classes.
#[derive(Debug)]
pub(in crate::grow) struct Sides<'a> {
    counts: &'a mut ClassCounts,
    weight: f64,
    left: f64,
    left_logs: f64,
    right_logs: f64,
}

impl Criterion for Entropy {
    type Target = u32;
    type Moment = Moment;
    type Score = f64;
    type Walk<'a> = Sides<'a>;

    const NONE: f64 = f64::NEG_INFINITY;

    fn begin(&mut self, sums: &Sums<u32>, samples: impl Iterator<Item = Sample<u32>> + Clone) {
        self.counts.begin(samples);
        self.weight = sums.weight;
        self.logs = self.counts.total.iter().copied().map(x_log_x).sum();
    }

    #[inline]
    fn moment(&self, _position: usize, sample: Sample<u32>) -> Moment {
        Moment { class: sample.y, weight: sample.weight }
    }

    #[inline]
    fn walk(&mut self) -> Sides<'_> {
        self.counts.left.fill(0.0);
        let Self { weight, logs, .. } = *self;
        Sides { counts: &mut self.counts, weight, left: 0.0, left_logs: 0.0, right_logs: logs }
    }

    fn gain(&self, score: f64) -> f64 {
        (score - self.logs + x_log_x(self.weight)).max(0.0)
    }

    fn value(&mut self, sums: &Sums<u32>, _samples: impl Iterator<Item = Sample<u32>>) -> f64 {
        sums.mean()
    }

    fn shares(&mut self, samples: impl Iterator<Item = Sample<u32>>, shares: &mut Vec<f64>) {
        self.counts.shares(samples, shares);
    }

    fn n_orders(&self) -> usize {
        self.counts.n_orders()
    }

    fn order(&self, order: usize, moment: Moment) -> (f64, f64) {
        self.counts.order(order, moment)
    }

    fn scale_impurity(_scale: TargetScale, impurity: f64) -> f64 {
        impurity
    }
}

impl Walk for Sides<'_> {
    type Moment = Moment;
    type Score = f64;

    #[inline]
    fn pass(&mut self, Moment { class, weight }: Moment) {
        let class = class as usize;
        let left = self.counts.left[class];
        let right = self.counts.total[class] - left;
        self.left_logs += x_log_x(left + weight) - x_log_x(left);
        self.right_logs += x_log_x(right - weight) - x_log_x(right);
        self.counts.left[class] = left + weight;
        self.left += weight;
    }

    #[inline]
    fn improve(&self, min_weight: f64, best: &mut f64) -> bool {
        if !weigh_enough(self.left, self.weight, min_weight) {
            return false;
        }
        let right = self.weight - self.left;
        let score = self.left_logs - x_log_x(self.left) + self.right_logs - x_log_x(right);
        let is_better = score > *best;
        if is_better {
            *best = score;
        }
        is_better
    }

    fn values(&self) -> [f64; 2] {
        ClassCounts::values(&self.counts.left, &self.counts.total, self.left, self.weight)
    }
}
