//! The search for the best split of one feature.

use super::entry;

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
    pub(super) numerator: f64,
    pub(super) denominator: f64,
}

impl Score {
    /// Below every split's.
    pub(super) const NONE: Self = Self { numerator: -1.0, denominator: 1.0 };
}

/// What the search of a feature found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The feature has one value in this node.
    Constant,
    /// No split better than the best so far.
    Nothing,
    /// The number of entries that go left in the best split so far.
    Position(usize),
}

/// Searches the splits that leave `min_leaf` entries or more on both sides, and raises `best`.
pub(super) fn search<const TIES: bool>(
    list: &[u32],
    moments: &[Moment],
    weight: f64,
    min_leaf: usize,
    best: &mut Score,
) -> Found {
    if TIES && !list[1..].iter().any(|&entry| entry::begins(entry)) {
        return Found::Constant;
    }
    let mut found = Found::Nothing;
    let mut sum = 0.0;
    let mut left = 0.0;
    for &entry in &list[..min_leaf] {
        let moment = moments[entry::sample(entry)];
        sum += moment.weighted;
        left += moment.weight;
    }
    let mut top = *best;
    for (index, &entry) in list[min_leaf..=list.len() - min_leaf].iter().enumerate() {
        if !TIES || entry::begins(entry) {
            let numerator = sum * sum;
            let denominator = left * (weight - left);
            if numerator * top.denominator > top.numerator * denominator && denominator > 0.0 {
                top = Score { numerator, denominator };
                found = Found::Position(min_leaf + index);
            }
        }
        let moment = moments[entry::sample(entry)];
        sum += moment.weighted;
        left += moment.weight;
    }
    *best = top;
    found
}
