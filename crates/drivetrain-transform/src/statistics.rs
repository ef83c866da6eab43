//! Statistics that can be computed in parts and merged.

use serde::{Deserialize, Serialize};

/// Values that are summed directly before they are merged.
const BLOCK: usize = 1024;

/// Count, mean and sum of squared deviations of values, missing ones left out.
///
/// Computed by blocks that are merged as in Chan, Golub and `LeVeque`, "Algorithms for computing the sample variance:
/// analysis and recommendations", The American Statistician 37 (1983), doi:10.1080/00031305.1983.10483115; within a
/// block in two passes with their correction term. Nothing cancels when the mean is large beside the deviations.
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
    count: usize,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// The moments of `values`; NaN is missing.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut moments = Self::default();
        for block in values.chunks(BLOCK) {
            moments.merge(Self::of_block(block));
        }
        moments
    }

    fn of_block(values: &[f64]) -> Self {
        let [sum, n] = sums(values, |value| if value.is_nan() { [0.0, 0.0] } else { [*value, 1.0] });
        if n == 0.0 {
            return Self::default();
        }
        let mean = sum / n;
        let [sum, squares] = sums(values, |value| {
            let deviation = if value.is_nan() { 0.0 } else { value - mean };
            [deviation, deviation * deviation]
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the length of a block")]
        Self { count: n as usize, mean, squares: squares - sum * sum / n }
    }

    /// Adds the values behind `other`.
    pub fn merge(&mut self, other: Self) {
        if self.count == 0 || other.count == 0 {
            if self.count == 0 {
                *self = other;
            }
            return;
        }
        let (own, added) = (self.count as f64, other.count as f64);
        let total = own + added;
        let delta = other.mean - self.mean;
        self.mean += delta * (added / total);
        self.squares += other.squares + delta * delta * (own * added / total);
        self.count += other.count;
    }

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

    /// The population variance (divided by the count); NaN when there was no value.
    #[must_use]
    pub fn variance(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.squares.max(0.0) / self.count as f64 }
    }

    /// What to divide deviations from the mean by: the population standard deviation, or 1 where the values cannot be told
    /// from a constant or there is none.
    #[must_use]
    pub fn scale(&self) -> f64 {
        if self.count > 0 && !self.is_constant() { self.variance().sqrt() } else { 1.0 }
    }

    /// Whether the values cannot be told from a constant: their variance is within the rounding error of its own
    /// computation, `n eps var + (n mean eps)^2`. As scikit-learn's `_is_constant_feature`.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        is_constant(self.count as f64, self.mean, self.variance())
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
        let present = |value: f64, weight: f64| !value.is_nan() && weight > 0.0;
        let [sum, weight] =
            sums(&pairs, |&(value, weight)| if present(value, weight) { [value * weight, weight] } else { [0.0, 0.0] });
        let mean = if weight > 0.0 { sum / weight } else { f64::NAN };
        let [sum, squares] = sums(&pairs, |&(value, weight)| {
            let deviation = if present(value, weight) { value - mean } else { 0.0 };
            [weight * deviation, weight * deviation * deviation]
        });
        let squares = (squares - sum * sum / weight).max(0.0);
        Self { weight, mean, variance: if weight > 0.0 { squares / weight } else { f64::NAN } }
    }

    /// As [`Moments::scale`].
    pub(crate) fn scale(&self) -> f64 {
        let varies = self.weight > 0.0 && !is_constant(self.weight, self.mean, self.variance);
        if varies { self.variance.sqrt() } else { 1.0 }
    }
}

/// Two sums over all values, each by eight interleaved parts: one order on every machine, and no addition waits for the
/// one before it.
fn sums<T>(values: &[T], terms: impl Fn(&T) -> [f64; 2]) -> [f64; 2] {
    const LANES: usize = 8;
    let mut lanes = [[0.0; LANES]; 2];
    let mut add = |part: &[T]| {
        for (lane, value) in part.iter().enumerate() {
            let [first, second] = terms(value);
            lanes[0][lane] += first;
            lanes[1][lane] += second;
        }
    };
    let (whole, rest) = values.as_chunks::<LANES>();
    for part in whole {
        add(part);
    }
    add(rest);
    lanes.map(|lanes| lanes.iter().sum())
}

/// The smallest and the largest value, NaN left out; NaN twice when there is none.
pub(crate) fn extremes(values: &[f64]) -> (f64, f64) {
    // `min` and `max` prefer what is not NaN.
    values.iter().fold((f64::NAN, f64::NAN), |(min, max), value| (min.min(*value), max.max(*value)))
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
        let values: Vec<f64> = (0..5000).map(|row| 1e9 + f64::from(row % 2)).collect();
        assert!((Moments::of(&values).variance() - 0.25).abs() < 1e-9);
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
        assert_eq!(extremes(&[f64::NAN, 2.0, -1.0]), (-1.0, 2.0));
        assert!(extremes(&[f64::NAN]).0.is_nan());
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
