//! A node yet to be split, and what its samples add up to.

use std::fmt::Debug;

/// What is predicted: a number, or the number of a class.
pub(in crate::grow) trait Target: Debug + Copy + Default + PartialOrd + Send + Sync {
    /// Below, or equal to, every target.
    const LOWEST: Self;
    /// Above, or equal to, every target.
    const HIGHEST: Self;

    fn as_number(self) -> f64;
}

impl Target for f64 {
    const LOWEST: Self = Self::NEG_INFINITY;
    const HIGHEST: Self = Self::INFINITY;

    fn as_number(self) -> f64 {
        self
    }
}

impl Target for u32 {
    const LOWEST: Self = Self::MIN;
    const HIGHEST: Self = Self::MAX;

    fn as_number(self) -> f64 {
        f64::from(self)
    }
}

/// A target and its weight.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::grow) struct Sample<T> {
    pub(super) y: T,
    pub(super) weight: f64,
}

/// What a node's value and purity depend on.
#[derive(Debug, Clone, Copy)]
pub(in crate::grow) struct Sums<T> {
    pub(super) weight: f64,
    weighted: f64,
    low: T,
    high: T,
}

impl<T: Target> Sums<T> {
    pub(super) const NONE: Self = Self { weight: 0.0, weighted: 0.0, low: T::HIGHEST, high: T::LOWEST };

    #[inline]
    pub(super) fn add(&mut self, sample: Sample<T>) {
        self.weight += sample.weight;
        self.weighted += sample.weight * sample.y.as_number();
        self.low = if sample.y < self.low { sample.y } else { self.low };
        self.high = if sample.y > self.high { sample.y } else { self.high };
    }

    /// The weighted mean of the targets, which rounding does not move out of their range; of two classes the
    /// share of the second.
    pub(super) fn mean(&self) -> f64 {
        (self.weighted / self.weight).clamp(self.low.as_number(), self.high.as_number())
    }

    /// Whether all targets are equal.
    pub(super) fn is_pure(&self) -> bool {
        self.low == self.high
    }
}

/// A node yet to be split: a range of the samples of the space it lies in.
#[derive(Debug, Clone)]
pub(super) struct Node<T> {
    /// Its number in the tree.
    pub(super) index: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) depth: usize,
    /// How many features are known to be constant in it.
    pub(super) n_constant: usize,
    pub(super) sums: Sums<T>,
    /// What the monotonic constraints above leave to it: the lowest and the highest value.
    pub(super) bounds: [f64; 2],
}

impl<T: Target> Node<T> {
    /// The number of rows, each counted once whatever its weight.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// A root of samples that add up to `sums`.
    pub(super) fn root(n_samples: usize, sums: Sums<T>) -> Self {
        let bounds = [f64::NEG_INFINITY, f64::INFINITY];
        Self { index: 0, start: 0, end: n_samples, depth: 0, n_constant: 0, sums, bounds }
    }

    /// A child with the samples from `start` to `end`, yet to be numbered.
    pub(super) fn child(&self, start: usize, end: usize, n_constant: usize, sums: Sums<T>) -> Self {
        Self { index: 0, start, end, depth: self.depth + 1, n_constant, sums, bounds: self.bounds }
    }
}
