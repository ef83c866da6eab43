//! Sums that fit the vector registers.

/// Parts of a sum that do not wait for each other.
pub(super) const LANES: usize = 8;

/// The sum of a term per value, by eight interleaved parts: one order on every machine, and no addition waits for the one
/// before it.
pub(super) fn sum<T: Copy>(values: &[T], term: impl Fn(T) -> f64) -> f64 {
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
pub(super) fn sum_present(values: &[f64]) -> (f64, usize) {
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
