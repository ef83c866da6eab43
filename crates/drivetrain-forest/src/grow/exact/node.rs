//! A node yet to be split, and what its samples add up to.

/// A target and its weight.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sample {
    pub(super) y: f64,
    pub(super) weight: f64,
}

/// What a node's value and purity depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    pub(super) weight: f64,
    weighted: f64,
    low: f64,
    high: f64,
}

impl Sums {
    pub(super) const NONE: Self = Self { weight: 0.0, weighted: 0.0, low: f64::INFINITY, high: f64::NEG_INFINITY };

    #[inline]
    pub(super) fn add(&mut self, sample: Sample) {
        self.weight += sample.weight;
        self.weighted += sample.weight * sample.y;
        self.low = if sample.y < self.low { sample.y } else { self.low };
        self.high = if sample.y > self.high { sample.y } else { self.high };
    }

    /// The weighted mean of the targets, which rounding does not move out of their range.
    pub(super) fn mean(&self) -> f64 {
        (self.weighted / self.weight).clamp(self.low, self.high)
    }

    /// Whether all targets are equal.
    pub(super) fn is_pure(&self) -> bool {
        self.low == self.high
    }
}

/// A node yet to be split: a range of the samples of the space it lies in.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Its number in the tree.
    pub(super) index: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) depth: usize,
    /// How many features are known to be constant in it.
    pub(super) n_constant: usize,
    pub(super) sums: Sums,
}

impl Node {
    /// The number of rows, each counted once whatever its weight.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// A child with the samples from `start` to `end`, yet to be numbered.
    pub(super) fn child(&self, start: usize, end: usize, n_constant: usize, sums: Sums) -> Self {
        Self { index: 0, start, end, depth: self.depth + 1, n_constant, sums }
    }
}
