//! Weights by class, on both sides of a split.

use crate::grow::exact::node::Sample;

/// A sample's class and weight.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::grow) struct Moment {
    pub(super) class: u32,
    pub(super) weight: f64,
}

/// The weight of each class in a node, and the part of it that lies left of a split.
#[derive(Debug, Clone)]
pub(super) struct ClassCounts {
    pub(super) total: Vec<f64>,
    pub(super) left: Vec<f64>,
}

impl ClassCounts {
    pub(super) fn new(n_classes: usize) -> Self {
        Self { total: vec![0.0; n_classes], left: vec![0.0; n_classes] }
    }

    /// Turns to a node with these samples.
    pub(super) fn begin(&mut self, samples: impl Iterator<Item = Sample<u32>>) {
        self.total.fill(0.0);
        for sample in samples {
            self.total[sample.y as usize] += sample.weight;
        }
    }

    /// Appends the share of each class among the samples.
    pub(super) fn shares(&mut self, samples: impl Iterator<Item = Sample<u32>>, shares: &mut Vec<f64>) {
        self.begin(samples);
        let weight: f64 = self.total.iter().sum();
        shares.extend(self.total.iter().map(|count| count / weight));
    }

    /// The number of orders in which categories are tried: by the share of one class, or of each where there
    /// are more than two.
    pub(super) fn n_orders(&self) -> usize {
        if self.total.len() == 2 { 1 } else { self.total.len() }
    }

    /// A sample's weight of the class that `order` sorts by, and its weight.
    pub(super) fn order(&self, order: usize, moment: Moment) -> (f64, f64) {
        let class = if self.total.len() == 2 { 1 } else { order };
        (if moment.class as usize == class { moment.weight } else { 0.0 }, moment.weight)
    }

    /// The share of the second class on both sides: what monotonic constraints are about.
    pub(super) fn values(left: &[f64], total: &[f64], left_weight: f64, weight: f64) -> [f64; 2] {
        let second = |counts: &[f64]| counts.get(1).copied().unwrap_or(0.0);
        [second(left) / left_weight, (second(total) - second(left)) / (weight - left_weight)]
    }
}
