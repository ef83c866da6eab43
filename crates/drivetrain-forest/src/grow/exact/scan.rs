//! The search for the best split of one feature, sample by sample in the order of its values.

/// What a sample adds to the sums of a split's sides.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Moment {
    /// The weight times the target's distance from the node's mean.
    pub(super) weighted: f64,
    pub(super) weight: f64,
}

/// How much a split removes of the squared error, as a fraction whose terms are compared crosswise.
///
/// With targets measured from the node's mean, sums `s` and `-s` and weights `l` and `r` of the two
/// sides, the squared error falls by `s^2 / (l r) * (l + r)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Score {
    numerator: f64,
    denominator: f64,
}

impl Score {
    /// Below every split's.
    pub(super) const NONE: Self = Self { numerator: -1.0, denominator: 1.0 };

    /// The decrease in squared error, for a node of this weight.
    pub(super) fn gain(self, weight: f64) -> f64 {
        self.numerator / self.denominator * weight
    }
}

/// The best split so far: between two neighbours in the order of a feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best {
    pub(super) score: Score,
    pub(super) feature: u32,
    /// The last place that goes left.
    pub(super) below: u32,
    /// The first place that goes right.
    pub(super) above: u32,
}

impl Best {
    pub(super) const NONE: Self = Self { score: Score::NONE, feature: 0, below: 0, above: 0 };

    /// The only split of two samples, the first of which adds `moment`.
    pub(super) fn of_two(feature: u32, [below, above]: [u32; 2], moment: Moment, weight: f64) -> Self {
        let numerator = moment.weighted * moment.weighted;
        let score = Score { numerator, denominator: moment.weight * (weight - moment.weight) };
        Self { score, feature, below, above }
    }

    /// The split, if one was found.
    pub(super) fn found(self) -> Option<Self> {
        (self.above > self.below).then_some(self)
    }
}

/// A walk over one feature's samples by ascending value.
#[derive(Debug)]
pub(super) struct Scan {
    feature: u32,
    min_leaf: usize,
    n_candidates: usize,
    index: usize,
    /// The weight of the node.
    weight: f64,
    /// Of the samples passed.
    sum: f64,
    left: f64,
    before: u32,
    best: Best,
    varies: bool,
}

impl Scan {
    /// Begins a walk over `n_samples` samples that weigh `weight` together; splits must leave
    /// `min_leaf` of them on both sides and be better than `best`.
    #[inline]
    pub(super) fn new(feature: u32, n_samples: usize, weight: f64, min_leaf: usize, best: Best) -> Self {
        let n_candidates = n_samples - 2 * min_leaf;
        Self { feature, min_leaf, n_candidates, index: 0, weight, sum: 0.0, left: 0.0, before: 0, best, varies: false }
    }

    /// Passes the sample at `place`; a split may lie before it if its value `begins` a run.
    #[inline]
    pub(super) fn pass(&mut self, place: u32, begins: bool, moment: Moment) {
        let may_split = self.index.wrapping_sub(self.min_leaf) <= self.n_candidates;
        if begins && may_split {
            let numerator = self.sum * self.sum;
            let denominator = self.left * (self.weight - self.left);
            let top = self.best.score;
            if numerator * top.denominator > top.numerator * denominator && denominator > 0.0 {
                let score = Score { numerator, denominator };
                self.best = Best { score, feature: self.feature, below: self.before, above: place };
            }
        }
        self.varies |= begins && self.index > 0;
        self.before = place;
        self.index += 1;
        self.sum += moment.weighted;
        self.left += moment.weight;
    }

    /// The best split so far; none if the feature has one value.
    #[inline]
    pub(super) fn end(self) -> Option<Best> {
        self.varies.then_some(self.best)
    }
}
