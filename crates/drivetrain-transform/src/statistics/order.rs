//! What lies where among sorted values.

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
        fn the_median_splits_the_values(values in proptest::collection::vec(-1e3..1e3_f64, 1..50)) {
            let median = median(values.clone()).unwrap();
            let below = values.iter().filter(|value| **value < median).count();
            let above = values.iter().filter(|value| **value > median).count();
            prop_assert!(below <= values.len() / 2 && above <= values.len() / 2);
        }
    }

    #[test]
    fn percentiles_lie_between_their_neighbours() {
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 5.0], 50.0), Some(2.5));
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 5.0], 75.0), Some(3.5));
        assert_eq!((percentile(&[7.0], 30.0), percentile(&[], 30.0)), (Some(7.0), None));
        assert_eq!(percentile(&[1.0, 9.0], 100.0), Some(9.0));
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(median(vec![f64::NAN]), None);
    }

    #[test]
    fn the_median_of_huge_values_is_finite() {
        assert_eq!(median(vec![f64::MAX, f64::MAX]), Some(f64::MAX));
    }
}
