//! The search for the best split of one feature, sample by sample in the order of its values.

use super::criterion::{Criterion, Walk};

/// How a split tells left from right, besides by what its neighbours in the feature's order are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Way {
    /// By the order: what is missing, if anything, comes last.
    InOrder,
    /// By the order; some values are missing, and go left or right.
    Missing { left: bool },
    /// By a threshold that was drawn; missing values, if there are any, go left or right.
    Threshold { threshold: f64, missing_left: Option<bool> },
    /// By category: these, as bits, go left; missing values, if there are any, go left or right.
    Categories { left: u64, missing_left: Option<bool> },
}

/// The best split so far: between two neighbours in the order of a feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best<S> {
    pub(super) score: S,
    pub(super) feature: u32,
    /// The last place that goes left.
    pub(super) below: u32,
    /// The first place that goes right.
    pub(super) above: u32,
    pub(super) way: Way,
}

impl<S> Best<S> {
    pub(super) const fn none<C: Criterion<Score = S>>() -> Self {
        Self { score: C::NONE, feature: 0, below: 0, above: 0, way: Way::InOrder }
    }

    /// Whether there is a split.
    pub(super) fn is_found(&self) -> bool {
        self.above > self.below
    }

    /// The split, if one was found.
    pub(super) fn found(self) -> Option<Self> {
        self.is_found().then_some(self)
    }
}

/// What both sides of a split must have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    /// At least 1.
    pub(super) min_leaf: usize,
    pub(super) min_weight: f64,
}

impl Limits {
    /// Whether any split at all is good enough.
    pub(super) fn are_none(self) -> bool {
        self.min_leaf == 1 && self.min_weight == 0.0
    }
}

/// A walk over one feature's samples by ascending value.
#[derive(Debug)]
pub(super) struct Scan<W: Walk> {
    feature: u32,
    limits: Limits,
    n_candidates: usize,
    index: usize,
    before: u32,
    score: W::Score,
    /// The neighbours a better split lies between; equal where none was found.
    below: u32,
    above: u32,
    n_runs: u32,
    walk: W,
}

impl<W: Walk> Scan<W> {
    /// Begins a walk over `n_samples` samples; splits must keep the `limits` and be better than `score`.
    #[inline]
    pub(super) fn new(feature: u32, n_samples: usize, limits: Limits, score: W::Score, walk: W) -> Self {
        let n_candidates = n_samples - 2 * limits.min_leaf;
        Self { feature, limits, n_candidates, index: 0, before: 0, score, below: 0, above: 0, n_runs: 0, walk }
    }

    /// Passes the sample at `place`; a split may lie before it if its value `begins` a run.
    #[inline]
    pub(super) fn pass(&mut self, place: u32, begins: bool, moment: W::Moment) {
        // Not one branch for each: whether a run begins is as good as random.
        if begins & self.walk.may_improve(&self.score) {
            self.improve(place);
        }
        self.n_runs += u32::from(begins);
        self.before = place;
        self.index += 1;
        self.walk.pass(moment);
    }

    #[expect(clippy::inline_always, reason = "what is not in a register is a fifth slower")]
    #[inline(always)]
    fn improve(&mut self, place: u32) {
        let may_split = self.index.wrapping_sub(self.limits.min_leaf) <= self.n_candidates;
        if may_split && self.walk.improve(self.limits.min_weight, &mut self.score) {
            self.below = self.before;
            self.above = place;
        }
    }

    /// Makes the split found, if any, the `best`; whether the feature has more than one value.
    #[inline]
    pub(super) fn end(self, best: &mut Best<W::Score>) -> bool {
        let Self { feature, score, below, above, n_runs, .. } = self;
        if above > below {
            *best = Best { score, feature, below, above, way: Way::InOrder };
        }
        n_runs > 1
    }
}
