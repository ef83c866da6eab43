//! Means and variances.

use serde::{Deserialize, Serialize};

use super::{
    BlockStatistic, InBlocks, Statistic,
    lanes::{sum, sum_present},
};

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
        // The deviation is looked at, not the value: that is computed side by side, and a choice before it is a branch.
        let masked = |value: f64| {
            let deviation = value - center;
            if deviation.is_nan() { 0.0 } else { deviation }
        };
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

    fn filled(&self, fill: f64, n_rows: usize) -> Option<Self> {
        let (rounded, mut filled) = (Mean { count: n_rows.checked_sub(self.count())?, mean: fill }, *self);
        filled.merge(Self { rounded, center: fill, ..Self::default() });
        Some(filled)
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
    fn nothing_has_no_mean() {
        let nothing = Moments::of(&[f64::NAN]);
        assert!(nothing.count() == 0 && nothing.mean().is_nan() && nothing.variance().is_nan());
    }
}
