//! The absolute error around the median.

use super::{Criterion, Walk, weigh_enough};
use crate::grow::exact::node::{Sample, Sums};
use crate::grow::scale::TargetScale;

/// The mean distance of the targets from their median, which a node predicts: the weighted median, in the
/// middle where half of the weight lies on either side of a gap.
///
/// The errors of all splits along a feature are found in one pass from either end over a tree of sums by rank
/// of target, so that a search takes time in proportion to n log n.
///
/// Source: `MAE` of scikit-learn 1.9; Fenwick, P. (1994), A new data structure for cumulative frequency
/// tables, doi:10.1002/spe.4380240306.
#[derive(Debug, Clone, Default)]
pub(in crate::grow) struct AbsoluteError {
    /// The node's samples by ascending target: the target, the weight and the position.
    sorted: Vec<(f64, f64, u32)>,
    /// For each position its place among them.
    rank: Vec<u32>,
    weight: f64,
    error: f64,
    sums: SumsByRank,
    /// For each number of samples on the left the error and median of those on the right.
    right: Vec<(f64, f64)>,
}

/// A sample's place by ascending target, and its weight.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::grow) struct Moment {
    rank: u32,
    weight: f64,
}

/// The sums of the samples on the left.
#[derive(Debug)]
pub(in crate::grow) struct Sides<'a> {
    criterion: &'a mut AbsoluteError,
    n_left: usize,
}

impl AbsoluteError {
    /// Sorts the samples by target.
    #[expect(clippy::cast_possible_truncation, reason = "samples are counted in 31 bits")]
    fn sort(&mut self, samples: impl Iterator<Item = Sample<f64>>) {
        self.sorted.clear();
        self.sorted.extend(samples.enumerate().map(|(position, sample)| (sample.y, sample.weight, position as u32)));
        self.sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
    }

    /// The weighted median of the sorted samples.
    fn median(&self) -> f64 {
        let half = self.sorted.iter().map(|sample| sample.1).sum::<f64>() / 2.0;
        let mut below = 0.0;
        for (index, &(y, weight, _)) in self.sorted.iter().enumerate() {
            below += weight;
            if below > half {
                return y;
            }
            if let (true, Some(next)) = (below == half, self.sorted.get(index + 1)) {
                return y / 2.0 + next.0 / 2.0;
            }
        }
        self.sorted.last().map_or(0.0, |sample| sample.0)
    }
}

impl Criterion for AbsoluteError {
    type Target = f64;
    type Moment = Moment;
    /// The absolute error left, negated.
    type Score = f64;
    type Walk<'a> = Sides<'a>;

    const NONE: f64 = f64::NEG_INFINITY;

    const LOOKS_AHEAD: bool = true;

    #[expect(clippy::cast_possible_truncation, reason = "samples are counted in 31 bits")]
    fn begin(&mut self, sums: &Sums<f64>, samples: impl Iterator<Item = Sample<f64>> + Clone) {
        self.sort(samples);
        self.weight = sums.weight;
        self.rank.resize(self.sorted.len(), 0);
        for (rank, sample) in self.sorted.iter().enumerate() {
            self.rank[sample.2 as usize] = rank as u32;
        }
        let median = self.median();
        self.error = self.sorted.iter().map(|(y, weight, _)| weight * (y - median).abs()).sum();
    }

    fn moment(&self, position: usize, sample: Sample<f64>) -> Moment {
        Moment { rank: self.rank[position], weight: sample.weight }
    }

    fn walk(&mut self) -> Sides<'_> {
        Sides { criterion: self, n_left: 0 }
    }

    fn gain(&self, score: f64) -> f64 {
        (self.error + score).max(0.0)
    }

    fn value(&mut self, _sums: &Sums<f64>, samples: impl Iterator<Item = Sample<f64>>) -> f64 {
        self.sort(samples);
        self.median()
    }

    fn order(&self, _order: usize, moment: Moment) -> (f64, f64) {
        (moment.weight * self.sorted[moment.rank as usize].0, moment.weight)
    }

    fn scale_impurity(scale: TargetScale, impurity: f64) -> f64 {
        scale.down(impurity)
    }
}

impl Walk for Sides<'_> {
    type Moment = Moment;
    type Score = f64;

    fn look_ahead(&mut self, moments: impl DoubleEndedIterator<Item = Moment>) {
        let AbsoluteError { sorted, sums, right, .. } = &mut *self.criterion;
        sums.clear(sorted.len());
        right.clear();
        for Moment { rank, weight } in moments.rev() {
            sums.add(rank, sorted[rank as usize].0, weight);
            right.push(sums.error_and_median(sorted));
        }
        right.reverse();
        sums.clear(sorted.len());
    }

    fn pass(&mut self, Moment { rank, weight }: Moment) {
        let AbsoluteError { sorted, sums, .. } = &mut *self.criterion;
        sums.add(rank, sorted[rank as usize].0, weight);
        self.n_left += 1;
    }

    fn improve(&self, min_weight: f64, best: &mut f64) -> bool {
        let AbsoluteError { sorted, sums, right, weight, .. } = &*self.criterion;
        if !weigh_enough(sums.weight, *weight, min_weight) {
            return false;
        }
        let score = -(sums.error_and_median(sorted).0 + right[self.n_left].0);
        let is_better = score > *best;
        if is_better {
            *best = score;
        }
        is_better
    }

    fn values(&self) -> [f64; 2] {
        let AbsoluteError { sorted, sums, right, .. } = &*self.criterion;
        [sums.error_and_median(sorted).1, right[self.n_left].1]
    }
}

/// Sums of weights and of weighted targets of some samples, up to any rank.
#[derive(Debug, Clone, Default)]
struct SumsByRank {
    /// The sums over as many ranks, up to the place, as the lowest bit of the place says; places count from 1.
    partial: Vec<(f64, f64)>,
    weight: f64,
    weighted: f64,
}

impl SumsByRank {
    fn clear(&mut self, n_ranks: usize) {
        self.partial.clear();
        self.partial.resize(n_ranks + 1, (0.0, 0.0));
        self.weight = 0.0;
        self.weighted = 0.0;
    }

    fn add(&mut self, rank: u32, y: f64, weight: f64) {
        let weighted = weight * y;
        let mut place = rank as usize + 1;
        while let Some(partial) = self.partial.get_mut(place) {
            partial.0 += weight;
            partial.1 += weighted;
            place += place & place.wrapping_neg();
        }
        self.weight += weight;
        self.weighted += weighted;
    }

    /// The number of ranks, from the lowest on, whose weights do not add up to what `exceeds` says is too
    /// much; and their sums.
    fn descend(&self, exceeds: impl Fn(f64) -> bool) -> (usize, f64, f64) {
        let (mut place, mut weight, mut weighted) = (0, 0.0, 0.0);
        let mut step = self.partial.len().next_power_of_two();
        while step > 0 {
            if let Some(partial) = self.partial.get(place + step)
                && !exceeds(weight + partial.0)
            {
                place += step;
                weight += partial.0;
                weighted += partial.1;
            }
            step /= 2;
        }
        (place, weight, weighted)
    }

    /// The absolute error around the median, and the median, of the samples that were added.
    fn error_and_median(&self, sorted: &[(f64, f64, u32)]) -> (f64, f64) {
        let half = self.weight / 2.0;
        let (upper, below, weighted_below) = self.descend(|weight| weight > half);
        let y = |rank: usize| sorted[rank.min(sorted.len() - 1)].0;
        let median = if below == half {
            let (lower, ..) = self.descend(|weight| weight >= half);
            y(lower) / 2.0 + y(upper) / 2.0
        } else {
            y(upper)
        };
        let above = (self.weighted - weighted_below) - median * (self.weight - below);
        (above + (median * below - weighted_below), median)
    }
}
