//! Values as 32-bit numbers of the same order.
//!
//! Comparing whole numbers takes a fraction of the time that comparing floats takes until the next node is
//! known, and half the memory. A feature's values are numbered from below its least threshold to above its
//! largest one, as finely as 32 bits can. Where two codes differ their values are in the same order; where
//! they are equal nothing is said, and the values themselves are compared. So no prediction depends on codes.

use super::node::Step;

/// How the values of one feature become codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    /// The rank of the least threshold.
    base: u64,
    /// How many bits of a rank are too many.
    shift: u32,
}

/// Codes of values above every threshold, and one less than which no threshold has.
const HIGHEST: u32 = Step::LEAF_CODE - 1;

/// Finite values in their order, 0.0 and -0.0 being equal.
#[inline]
fn rank(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    // The bits of a negative value are in descending order.
    bits ^ ((bits.cast_signed() >> 63).cast_unsigned() | 1 << 63)
}

impl Scale {
    /// For thresholds from `range.0` to `range.1`, both ranks.
    fn new((low, high): (u64, u64)) -> Self {
        let span = high.saturating_sub(low);
        // The codes of thresholds lie between those of values below and above all of them.
        let shift = (u64::BITS - span.leading_zeros()).saturating_sub(31);
        Self { base: low, shift }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "bounded by a number of 32 bits")]
    fn code(self, value: f64) -> u32 {
        match rank(value).checked_sub(self.base) {
            None => 0,
            Some(above) => ((above >> self.shift) + 1).min(u64::from(HIGHEST)) as u32,
        }
    }
}

/// A scale for each of `n_features`, and the codes of the thresholds set.
pub(super) fn encode(steps: &mut [Step], values: &[f64], n_features: usize) -> Vec<Scale> {
    let mut ranges = vec![(u64::MAX, 0); n_features];
    for (step, &value) in steps.iter().zip(values).filter(|(step, _)| !step.is_leaf()) {
        let (low, high) = &mut ranges[step.feature as usize];
        let rank = rank(value);
        (*low, *high) = ((*low).min(rank), (*high).max(rank));
    }
    let scales: Vec<Scale> = ranges.into_iter().map(Scale::new).collect();
    for (step, &value) in steps.iter_mut().zip(values) {
        step.code = if step.is_leaf() { Step::LEAF_CODE } else { scales[step.feature as usize].code(value) };
    }
    scales
}

/// The codes of rows of finite values.
pub(super) fn of_rows(scales: &[Scale], values: &[f64]) -> Vec<u32> {
    let mut codes = Vec::with_capacity(values.len());
    for row in values.chunks_exact(scales.len()) {
        codes.extend(row.iter().zip(scales).map(|(&value, scale)| scale.code(value)));
    }
    codes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(thresholds: &[f64]) -> Scale {
        let ranks = thresholds.iter().map(|&threshold| rank(threshold));
        Scale::new((ranks.clone().min().unwrap(), ranks.max().unwrap()))
    }

    #[test]
    fn values_outside_the_thresholds_are_told_apart_from_all_of_them() {
        for thresholds in [[1.5, 1.5], [-2.0, 2.0], [f64::MIN, f64::MAX], [1e9, 1e9 + 1.0], [0.0, f64::MIN_POSITIVE]] {
            let scale = scale(&thresholds);
            let codes = thresholds.map(|threshold| scale.code(threshold));
            assert!(codes[0] > 0 && codes[1] < HIGHEST, "{thresholds:?}: {codes:?}");
            assert_eq!(scale.code(0.0), scale.code(-0.0));
        }
        let scale = scale(&[1.0, 2.0]);
        assert_eq!((scale.code(1.0_f64.next_down()), scale.code(f64::MAX)), (0, HIGHEST));
    }

    proptest! {
        #[test]
        fn codes_are_in_the_order_of_values(
            thresholds in prop::array::uniform2(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO),
            a in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
            b in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        ) {
            let scale = scale(&thresholds);
            for (a, b) in [(a, b), (a, a.next_up().min(f64::MAX)), (a, thresholds[0]), (thresholds[1], b)] {
                let (low, high) = if a <= b { (a, b) } else { (b, a) };
                prop_assert!(scale.code(low) <= scale.code(high));
                prop_assert!(scale.code(high) <= HIGHEST);
            }
        }
    }
}
