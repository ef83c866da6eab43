//! Statistics that can be computed in parts and merged.
//!
//! A block of values is looked at several times while it is in the cache, each time for what fits the vector registers:
//! the sum and the number of values, then the squares about their mean. All three at once about a shift took 1.8 times as
//! long, because registers spill, and are less exact. Imputed values written to a buffer and looked at there, in a second
//! pass over the rows, took 2.1 times as long, at a million rows, as moments that follow from those of the values present.

use serde::{Deserialize, Serialize};

use crate::partial_fit::GROUP_ROWS;

/// Values that are summed directly before they are merged.
const BLOCK: usize = 1024;

/// Parts of a sum that do not wait for each other.
const LANES: usize = 8;

/// A statistic of numbers, NaN left out, that can be fed in parts and merged.
pub trait Statistic: Default {
    /// Adds values. False when one of them may be infinite; one that is must not be hidden.
    fn feed(&mut self, values: &[f64]) -> bool;

    /// Adds what `later` was fed.
    fn merge(&mut self, later: Self);

    /// The statistic of the `n_rows` values that were fed once those that were missing are `fill`; `None` where that does
    /// not follow from what is known.
    #[must_use]
    fn filled(self, _fill: f64, _n_rows: usize) -> Option<Self> {
        None
    }
}

/// A statistic of a block of values that is merged with those of other blocks, up to rounding: what [`InBlocks`] is
/// made of.
pub trait BlockStatistic: Default {
    /// The statistic of `values`, and false when one of them may be infinite.
    fn of_block(values: &[f64]) -> (Self, bool);

    /// Adds the values behind `later`.
    fn merge(&mut self, later: Self);

    /// As [`Statistic::filled`].
    #[must_use]
    fn filled(self, _fill: f64, _n_rows: usize) -> Option<Self> {
        None
    }
}

/// A statistic of blocks of 1024 values: the same bits wherever the values are cut on their way in.
///
/// Blocks begin at fixed positions, so a block that is not full waits for the next values. Sixteen blocks are merged
/// into a group, and groups are kept until the end: whoever merges parts of whole groups gets the same bits as from
/// feeding them one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InBlocks<S> {
    groups: Vec<S>,
    open: S,
    blocks: usize,
    waiting: Vec<f64>,
}

impl<S: BlockStatistic> InBlocks<S> {
    fn add(&mut self, values: &[f64]) -> bool {
        let (block, finite) = S::of_block(values);
        self.open.merge(block);
        self.blocks += 1;
        if self.blocks == GROUP_ROWS / BLOCK {
            self.close();
        }
        finite
    }

    /// Ends the group.
    fn close(&mut self) {
        self.groups.push(std::mem::take(&mut self.open));
        self.blocks = 0;
    }

    /// The statistic of all values.
    #[must_use]
    pub fn total(mut self) -> S {
        if !self.waiting.is_empty() {
            self.open.merge(S::of_block(&self.waiting).0);
        }
        let mut total = S::default();
        for group in self.groups.into_iter().chain([self.open]) {
            total.merge(group);
        }
        total
    }
}

impl<S: BlockStatistic> Statistic for InBlocks<S> {
    fn feed(&mut self, mut values: &[f64]) -> bool {
        let mut finite = true;
        if !self.waiting.is_empty() {
            let (more, rest) = values.split_at(values.len().min(BLOCK - self.waiting.len()));
            self.waiting.extend_from_slice(more);
            finite &= !more.iter().any(|value| value.is_infinite());
            values = rest;
            if self.waiting.len() < BLOCK {
                return finite;
            }
            let block = std::mem::take(&mut self.waiting);
            finite &= self.add(&block);
        }
        let blocks = values.chunks_exact(BLOCK);
        let rest = blocks.remainder();
        for block in blocks {
            finite &= self.add(block);
        }
        self.waiting.extend_from_slice(rest);
        finite && !rest.iter().any(|value| value.is_infinite())
    }

    fn merge(&mut self, later: Self) {
        if !self.waiting.is_empty() {
            let block = std::mem::take(&mut self.waiting);
            self.open.merge(S::of_block(&block).0);
            self.blocks += 1;
        }
        if self.blocks > 0 {
            self.close();
        }
        self.groups.extend(later.groups);
        self.open = later.open;
        self.blocks = later.blocks;
        self.waiting = later.waiting;
    }

    /// To the bit as if the filled values had been fed where there are fewer than a block of them.
    fn filled(mut self, fill: f64, n_rows: usize) -> Option<Self> {
        let waiting = std::mem::take(&mut self.waiting);
        let blocks = self.total().filled(fill, n_rows.checked_sub(waiting.len())?)?;
        let waiting = waiting.into_iter().map(|value| if value.is_nan() { fill } else { value }).collect();
        Some(Self { groups: vec![blocks], waiting, ..Self::default() })
    }
}

/// No statistic: for what learns nothing but the columns, and refuses infinite values all the same.
impl Statistic for () {
    fn feed(&mut self, values: &[f64]) -> bool {
        !values.iter().fold(false, |any, value| any | value.is_infinite())
    }

    fn merge(&mut self, (): Self) {}
}

/// Two statistics of the same values.
impl<A: Statistic, B: Statistic> Statistic for (A, B) {
    fn feed(&mut self, values: &[f64]) -> bool {
        let finite = self.0.feed(values);
        self.1.feed(values) && finite
    }

    fn merge(&mut self, later: Self) {
        self.0.merge(later.0);
        self.1.merge(later.1);
    }

    fn filled(self, fill: f64, n_rows: usize) -> Option<Self> {
        Some((self.0.filled(fill, n_rows)?, self.1.filled(fill, n_rows)?))
    }
}

/// Count, mean and sum of squared deviations of values, missing ones left out.
///
/// Computed by blocks that are merged as in Chan, Golub and `LeVeque`, "Algorithms for computing the sample variance:
/// analysis and recommendations", The American Statistician 37 (1983), doi:10.1080/00031305.1983.10483115; within a
/// block in two passes. The mean is held as a number close to it and the small rest, so that nothing cancels and nothing
/// is rounded away when it is large beside the deviations.
///
/// ```
/// use drivetrain_transform::Moments;
///
/// let mut left = Moments::of(&[1e9, f64::NAN]);
/// left.merge(Moments::of(&[1e9 + 2.0]));
/// assert_eq!((left.count(), left.mean(), left.variance()), (2, 1e9 + 1.0, 1.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Moments {
    /// The mean as it is merged by itself, so that nobody has to collect it beside the moments.
    rounded: Mean,
    /// The mean of the first block.
    center: f64,
    /// The mean less the center.
    offset: f64,
    squares: f64,
}

/// Count and mean of values, missing ones left out.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Mean {
    count: usize,
    mean: f64,
}

impl Mean {
    /// The number of values that were not missing.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The mean; NaN when there was no value.
    #[must_use]
    pub const fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }
}

impl BlockStatistic for Mean {
    fn of_block(values: &[f64]) -> (Self, bool) {
        // The plain sum is the quickest where nothing is missing, and is itself missing where something is. It is not worth
        // trying where already the first values lack one.
        let (first, _) = values.split_at(values.len().min(128));
        let plain = if sum(first, |value| value).is_nan() { f64::NAN } else { sum(values, |value| value) };
        let (sum, count) = if plain.is_nan() { sum_present(values) } else { (plain, values.len()) };
        (Self { count, mean: if count == 0 { 0.0 } else { sum / count as f64 } }, sum.is_finite())
    }

    fn merge(&mut self, later: Self) {
        if self.count == 0 || later.count == 0 {
            if self.count == 0 {
                *self = later;
            }
            return;
        }
        let (own, added) = (self.count as f64, later.count as f64);
        self.mean += (later.mean - self.mean) * (added / (own + added));
        self.count += later.count;
    }
}

impl BlockStatistic for Moments {
    fn of_block(values: &[f64]) -> (Self, bool) {
        let (rounded, finite) = Mean::of_block(values);
        let Mean { count, mean: center } = rounded;
        if count == 0 {
            return (Self::default(), finite);
        }
        let n = count as f64;
        let masked = |value: f64| if value.is_nan() { 0.0 } else { value - center };
        let mut squares = if count == values.len() {
            sum(values, |value| (value - center) * (value - center))
        } else {
            sum(values, |value| masked(value) * masked(value))
        };
        let mut offset = 0.0;
        // The rounding of the mean shows only where it is large beside the deviations.
        if squares < 1e-4 * n * center * center {
            let deviations = sum(values, masked);
            offset = deviations / n;
            squares -= deviations * offset;
        }
        (Self { rounded, center, offset, squares }, finite)
    }

    fn merge(&mut self, later: Self) {
        if self.count() == 0 {
            *self = later;
        } else if later.count() > 0 {
            let (own, added) = (self.count() as f64, later.count() as f64);
            let total = own + added;
            let delta = (later.center - self.center) + (later.offset - self.offset);
            self.offset += delta * (added / total);
            self.squares += later.squares + delta * delta * (own * added / total);
            self.rounded.merge(later.rounded);
        }
    }

    fn filled(mut self, fill: f64, n_rows: usize) -> Option<Self> {
        let rounded = Mean { count: n_rows.checked_sub(self.count())?, mean: fill };
        BlockStatistic::merge(&mut self, Self { rounded, center: fill, ..Self::default() });
        Some(self)
    }
}

impl Moments {
    /// The moments of `values`; NaN is missing.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut moments = InBlocks::default();
        moments.feed(values);
        moments.total()
    }

    /// Adds the values behind `other`.
    pub fn merge(&mut self, other: Self) {
        BlockStatistic::merge(self, other);
    }

    /// The number of values that were not missing.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.rounded.count
    }

    /// The mean as a [`Mean`] of the same values is computed, to the bit: rounded where blocks are merged.
    #[must_use]
    pub const fn rounded_mean(&self) -> Mean {
        self.rounded
    }

    /// The mean; NaN when there was no value.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count() == 0 { f64::NAN } else { self.center + self.offset }
    }

    /// The population variance (divided by the count); NaN when there was no value.
    #[must_use]
    pub fn variance(&self) -> f64 {
        if self.count() == 0 { f64::NAN } else { self.squares.max(0.0) / self.count() as f64 }
    }

    /// What to divide deviations from the mean by: the population standard deviation, or 1 where the values cannot be told
    /// from a constant or there is none.
    #[must_use]
    pub fn scale(&self) -> f64 {
        if self.count() > 0 && !self.is_constant() { self.variance().sqrt() } else { 1.0 }
    }

    /// Whether the values cannot be told from a constant: their variance is within the rounding error of its own
    /// computation, `n eps var + (n mean eps)^2`. As scikit-learn's `_is_constant_feature`.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        is_constant(self.count() as f64, self.mean(), self.variance())
    }
}

/// Whether `n` values of this mean and variance cannot be told from a constant; see [`Moments::is_constant`].
fn is_constant(n: f64, mean: f64, variance: f64) -> bool {
    let error = n * mean * f64::EPSILON;
    variance <= n * f64::EPSILON * variance + error * error
}

/// Mean and variance of values that count as often as their weights say, missing ones left out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightedMoments {
    /// The sum of the weights.
    pub(crate) weight: f64,
    /// NaN without weight.
    pub(crate) mean: f64,
    /// The population variance; NaN without weight.
    pub(crate) variance: f64,
}

impl WeightedMoments {
    /// In two passes with their correction term, as [`Moments::of`].
    pub(crate) fn of(values: &[f64], weights: &[f64]) -> Self {
        let pairs: Vec<(f64, f64)> = values.iter().copied().zip(weights.iter().copied()).collect();
        let weighted = |term: &dyn Fn(f64) -> f64| {
            let present = |(value, weight): (f64, f64)| !value.is_nan() && weight > 0.0;
            sum(&pairs, |pair| if present(pair) { pair.1 * term(pair.0) } else { 0.0 })
        };
        let weight = weighted(&|_| 1.0);
        let mean = if weight > 0.0 { weighted(&|value| value) / weight } else { f64::NAN };
        let deviations = weighted(&|value| value - mean);
        let squares = weighted(&|value| (value - mean) * (value - mean));
        let squares = (squares - deviations * deviations / weight).max(0.0);
        Self { weight, mean, variance: if weight > 0.0 { squares / weight } else { f64::NAN } }
    }

    /// As [`Moments::scale`].
    pub(crate) fn scale(&self) -> f64 {
        let varies = self.weight > 0.0 && !is_constant(self.weight, self.mean, self.variance);
        if varies { self.variance.sqrt() } else { 1.0 }
    }
}

/// The sum of a term per value, by eight interleaved parts: one order on every machine, and no addition waits for the one
/// before it.
fn sum<T: Copy>(values: &[T], term: impl Fn(T) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for part in whole {
        for (lane, value) in lanes.iter_mut().zip(part) {
            *lane += term(*value);
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane += term(*value);
    }
    lanes.iter().sum()
}

/// The sum of the values that are not missing, added up in the order of [`sum`], and their number. Counted in floats,
/// which takes the same vector instructions as the sum.
fn sum_present(values: &[f64]) -> (f64, usize) {
    let (mut sums, mut counts) = ([0.0; LANES], [0.0; LANES]);
    let mut add = |part: &[f64]| {
        for ((value, sum), count) in part.iter().zip(&mut sums).zip(&mut counts) {
            *sum += if value.is_nan() { 0.0 } else { *value };
            *count += if value.is_nan() { 0.0 } else { 1.0 };
        }
    };
    let (whole, rest) = values.as_chunks::<LANES>();
    for part in whole {
        add(part);
    }
    add(rest);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the number of values")]
    let count = counts.iter().sum::<f64>() as usize;
    (sums.iter().sum(), count)
}

/// The smallest and the largest value, missing ones left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extremes {
    min: f64,
    max: f64,
}

impl Default for Extremes {
    fn default() -> Self {
        Self { min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Statistic for Extremes {
    fn feed(&mut self, values: &[f64]) -> bool {
        // Comparisons with NaN are false; lanes wait for each other as little as the parts of a sum do.
        let mut lanes = [[f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]];
        let mut add = |part: &[f64]| {
            for (lane, &value) in part.iter().enumerate() {
                lanes[0][lane] = if value < lanes[0][lane] { value } else { lanes[0][lane] };
                lanes[1][lane] = if value > lanes[1][lane] { value } else { lanes[1][lane] };
            }
        };
        let (whole, rest) = values.as_chunks::<LANES>();
        for part in whole {
            add(part);
        }
        add(rest);
        let [min, max] = lanes;
        let min = min.into_iter().fold(f64::INFINITY, f64::min);
        let max = max.into_iter().fold(f64::NEG_INFINITY, f64::max);
        self.merge(Self { min, max });
        min > f64::NEG_INFINITY && max < f64::INFINITY
    }

    fn merge(&mut self, later: Self) {
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
    }
}

impl Extremes {
    /// The smallest value; NaN when there was none. A zero has no sign.
    #[must_use]
    pub fn min(&self) -> f64 {
        if self.min > self.max { f64::NAN } else { self.min + 0.0 }
    }

    /// The largest value; NaN when there was none. A zero has no sign.
    #[must_use]
    pub fn max(&self) -> f64 {
        if self.min > self.max { f64::NAN } else { self.max + 0.0 }
    }
}

/// A scale to divide by: 1 instead of one that is too small to tell from 0, as scikit-learn's `_handle_zeros_in_scale`.
pub(crate) fn scale_or_one(scale: f64) -> f64 {
    if scale < 10.0 * f64::EPSILON { 1.0 } else { scale }
}

/// The `percent`th percentile of sorted values without NaN, interpolated linearly between its neighbours; `None` if
/// there is no value. As numpy's `percentile`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position from 0 to the last index, rounded down"
)]
pub(crate) fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = percent / 100.0 * last as f64;
    let below = (position.floor() as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    Some(between(low, high, position - below as f64))
}

/// What lies a share of the way from `low` to `high`.
pub(crate) fn between(low: f64, high: f64, share: f64) -> f64 {
    let distance = high - low;
    match share {
        // So far apart that their distance overflows.
        share if distance.is_infinite() => low * (1.0 - share) + high * share,
        // From the nearer neighbour, so that the result never leaves the two.
        share if share < 0.5 => low + distance * share,
        share => high - distance * (1.0 - share),
    }
}

/// The median of the values that are not NaN, the mean of the middle two when their number is even; `None` if there is
/// no value.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|value| !value.is_nan());
    let (half, even) = (values.len() / 2, values.len().is_multiple_of(2));
    if values.is_empty() {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let upper = *upper;
    if !even {
        return Some(upper);
    }
    // Halved before they are added: two huge values must not overflow.
    below.iter().copied().max_by(f64::total_cmp).map(|lower| {
        let sum = lower + upper;
        if sum.is_finite() { sum / 2.0 } else { lower / 2.0 + upper / 2.0 }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn merging_parts_equals_one_pass(values in proptest::collection::vec(-1e3..1e3_f64, 2..4000), at in 0.0..1.0_f64) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at lies in 0..1")]
            let at = (values.len() as f64 * at) as usize;
            let mut parts = Moments::of(&values[..at]);
            parts.merge(Moments::of(&values[at..]));
            let whole = Moments::of(&values);
            prop_assert_eq!(parts.count(), whole.count());
            prop_assert!((parts.mean() - whole.mean()).abs() <= 1e-12 * 1e3);
            prop_assert!((parts.variance() - whole.variance()).abs() <= 1e-12 * 1e6);
        }

        #[test]
        fn a_weight_is_a_number_of_repetitions(values in proptest::collection::vec((-1e3..1e3_f64, 0_u8..4), 1..60)) {
            let repeated: Vec<f64> =
                values.iter().flat_map(|(value, times)| std::iter::repeat_n(*value, usize::from(*times))).collect();
            let (values, times): (Vec<f64>, Vec<f64>) =
                values.into_iter().map(|(value, times)| (value, f64::from(times))).unzip();
            let (weighted, expected) = (WeightedMoments::of(&values, &times), Moments::of(&repeated));
            prop_assert_eq!(weighted.weight, expected.count() as f64);
            if expected.count() > 0 {
                prop_assert!((weighted.mean - expected.mean()).abs() <= 1e-12 * 1e3);
                prop_assert!((weighted.variance - expected.variance()).abs() <= 1e-12 * 1e6);
            } else {
                prop_assert!(weighted.mean.is_nan() && weighted.variance.is_nan() && weighted.scale() == 1.0);
            }
        }

        #[test]
        fn the_median_splits_the_values(values in proptest::collection::vec(-1e3..1e3_f64, 1..50)) {
            let median = median(values.clone()).unwrap();
            let below = values.iter().filter(|value| **value < median).count();
            let above = values.iter().filter(|value| **value > median).count();
            prop_assert!(below <= values.len() / 2 && above <= values.len() / 2);
        }
    }

    #[test]
    fn a_large_mean_does_not_swallow_the_deviations() {
        // Two values whose mean has no exact representation, in blocks of unequal shares.
        let step = 2_f64.powi(-22);
        let values: Vec<f64> = (0..5000).map(|row| 1e9 + if row % 3 == 0 || row > 4000 { step } else { 0.0 }).collect();
        let share = values.iter().filter(|value| **value > 1e9).count() as f64 / 5000.0;
        let expected = share * (1.0 - share) * step * step;
        let found = Moments::of(&values).variance();
        assert!((found / expected - 1.0).abs() < 1e-13, "{found} for {expected}");
    }

    #[test]
    fn constants_are_recognised_and_small_deviations_are_not_constants() {
        assert!(Moments::of(&vec![0.1; 3000]).is_constant());
        assert!(!Moments::of(&[1e-20, 3e-20]).is_constant());
        assert!(!Moments::of(&[1.0, 1.0 + 1e-7]).is_constant());
    }

    #[test]
    fn percentiles_lie_between_their_neighbours() {
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 5.0], 50.0), Some(2.5));
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 5.0], 75.0), Some(3.5));
        assert_eq!((percentile(&[7.0], 30.0), percentile(&[], 30.0)), (Some(7.0), None));
        assert_eq!(percentile(&[1.0, 9.0], 100.0), Some(9.0));
    }

    #[test]
    fn extremes_leave_nan_out() {
        let extremes = |values: &[f64]| {
            let mut extremes = Extremes::default();
            (extremes.feed(values), extremes.min(), extremes.max())
        };
        assert_eq!(extremes(&[f64::NAN, 2.0, -1.0]), (true, -1.0, 2.0));
        assert_eq!(extremes(&[f64::NAN, -0.0]), (true, 0.0, 0.0));
        assert!(extremes(&[f64::NAN]).1.is_nan() && extremes(&[]).2.is_nan());
        assert_eq!(extremes(&[f64::INFINITY]), (false, f64::INFINITY, f64::INFINITY));
    }

    #[test]
    fn nothing_has_no_mean() {
        let nothing = Moments::of(&[f64::NAN]);
        assert!(nothing.count() == 0 && nothing.mean().is_nan() && nothing.variance().is_nan());
        assert_eq!(median(vec![f64::NAN]), None);
    }

    #[test]
    fn the_median_of_huge_values_is_finite() {
        assert_eq!(median(vec![f64::MAX, f64::MAX]), Some(f64::MAX));
    }
}
