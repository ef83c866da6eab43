//! Criteria of classes: they differ in a single function of the weights.

use std::fmt::Debug;

use super::{Criterion, Walk, weigh_enough};
use crate::grow::exact::node::{Sample, Sums};
use crate::grow::scale::TargetScale;

/// What tells one criterion of classes from another.
pub(in crate::grow) trait Impurity: Debug + Clone + Send + Sync {
    /// What the weight of a class adds to the terms of a side.
    fn term(weight: f64) -> f64;

    /// The purity of a side, times its weight: the more the better.
    fn purity(terms: f64, weight: f64) -> f64;
}

/// A criterion of classes, whose weights it counts on both sides of a split.
#[derive(Debug, Clone)]
pub(in crate::grow) struct OfClasses<I> {
    impurity: std::marker::PhantomData<I>,
    /// The weight of each class in the node.
    total: Vec<f64>,
    /// The part of it that lies on the left.
    left: Vec<f64>,
    weight: f64,
    terms: f64,
}

/// A sample's class and weight.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::grow) struct Moment {
    class: u32,
    weight: f64,
}

/// The weights of both sides, and the sums of their terms.
#[derive(Debug)]
pub(in crate::grow) struct Sides<'a, I> {
    criterion: &'a mut OfClasses<I>,
    left: f64,
    left_terms: f64,
    right_terms: f64,
}

impl<I: Impurity> OfClasses<I> {
    pub(in crate::grow) fn new(n_classes: usize) -> Self {
        let (total, left) = (vec![0.0; n_classes], vec![0.0; n_classes]);
        Self { impurity: std::marker::PhantomData, total, left, weight: 0.0, terms: 0.0 }
    }

    fn count(&mut self, samples: impl Iterator<Item = Sample<u32>>) {
        self.total.fill(0.0);
        for sample in samples {
            self.total[sample.y as usize] += sample.weight;
        }
    }
}

impl<I: Impurity> Criterion for OfClasses<I> {
    type Target = u32;
    type Moment = Moment;
    type Score = f64;
    type Walk<'a>
        = Sides<'a, I>
    where
        I: 'a;

    const NONE: f64 = f64::NEG_INFINITY;

    fn begin(&mut self, sums: &Sums<u32>, samples: impl Iterator<Item = Sample<u32>> + Clone) {
        self.count(samples);
        self.weight = sums.weight;
        self.terms = self.total.iter().copied().map(I::term).sum();
    }

    #[inline]
    fn moment(&self, _position: usize, sample: Sample<u32>) -> Moment {
        Moment { class: sample.y, weight: sample.weight }
    }

    #[inline]
    fn walk(&mut self) -> Sides<'_, I> {
        self.left.fill(0.0);
        let right_terms = self.terms;
        Sides { criterion: self, left: 0.0, left_terms: 0.0, right_terms }
    }

    fn gain(&self, score: f64) -> f64 {
        (score - I::purity(self.terms, self.weight)).max(0.0)
    }

    fn value(&mut self, sums: &Sums<u32>, _samples: impl Iterator<Item = Sample<u32>>) -> f64 {
        sums.mean()
    }

    fn shares(&mut self, samples: impl Iterator<Item = Sample<u32>>, shares: &mut Vec<f64>) {
        self.count(samples);
        let weight: f64 = self.total.iter().sum();
        shares.extend(self.total.iter().map(|count| count / weight));
    }

    /// By the share of one class, or of each where there are more than two.
    fn n_orders(&self) -> usize {
        if self.total.len() == 2 { 1 } else { self.total.len() }
    }

    fn order(&self, order: usize, moment: Moment) -> (f64, f64) {
        let class = if self.total.len() == 2 { 1 } else { order };
        (if moment.class as usize == class { moment.weight } else { 0.0 }, moment.weight)
    }

    fn scale_impurity(_scale: TargetScale, impurity: f64) -> f64 {
        impurity
    }
}

impl<I: Impurity> Walk for Sides<'_, I> {
    type Moment = Moment;
    type Score = f64;

    #[inline]
    fn pass(&mut self, Moment { class, weight }: Moment) {
        let class = class as usize;
        let left = self.criterion.left[class];
        let right = self.criterion.total[class] - left;
        self.left_terms += I::term(left + weight) - I::term(left);
        self.right_terms += I::term(right - weight) - I::term(right);
        self.criterion.left[class] = left + weight;
        self.left += weight;
    }

    #[inline]
    fn improve(&self, min_weight: f64, best: &mut f64) -> bool {
        let weight = self.criterion.weight;
        if !weigh_enough(self.left, weight, min_weight) {
            return false;
        }
        let score = I::purity(self.left_terms, self.left) + I::purity(self.right_terms, weight - self.left);
        let is_better = score > *best;
        if is_better {
            *best = score;
        }
        is_better
    }

    /// The share of the second class.
    fn values(&self) -> [f64; 2] {
        let second = |counts: &[f64]| counts.get(1).copied().unwrap_or(0.0);
        let OfClasses { left, total, weight, .. } = &*self.criterion;
        [second(left) / self.left, (second(total) - second(left)) / (weight - self.left)]
    }
}
