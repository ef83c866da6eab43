//! The rows in the order of each feature's values: made once, used by every tree.

use ndarray::{ArrayView2, Axis, Slice};
use rayon::prelude::*;

use super::entry::{self, FLAGS, MISSING, SAMPLE};
use super::node::{Sample, Sums, Target};

/// For every feature the rows by ascending value.
#[derive(Debug)]
pub(super) struct Presorted {
    n_rows: usize,
    /// Feature after feature, `n_rows` entries each.
    entries: Vec<u32>,
    /// Whether some value of the feature occurs twice, or is missing.
    has_ties: Vec<bool>,
    /// Whether some value of the feature is missing.
    has_missing: Vec<bool>,
}

impl Presorted {
    /// `x` has no infinite value and fewer than 2^30 rows; missing values are NaN, and sort last.
    pub(super) fn new(x: &ArrayView2<'_, f64>) -> Self {
        let (n_rows, n_features) = x.dim();
        let mut entries = vec![0; n_rows * n_features];
        let sorted: Vec<Vec<(bool, bool)>> = entries
            .par_chunks_mut(n_rows * TOGETHER)
            .enumerate()
            .map(|(group, entries)| {
                let columns = x.slice_axis(Axis(1), Slice::from(group * TOGETHER..));
                sort_columns(&columns, entries)
            })
            .collect();
        let (has_ties, has_missing) = sorted.into_iter().flatten().unzip();
        Self { n_rows, entries, has_ties, has_missing }
    }

    pub(super) fn n_features(&self) -> usize {
        self.has_ties.len()
    }

    /// The rows by ascending value of `feature`: see [`entry`].
    fn entries(&self, feature: usize) -> &[u32] {
        &self.entries[feature * self.n_rows..][..self.n_rows]
    }

    /// Writes the samples by ascending value of `feature`; `list` has room for one more, for what is absent is written, and
    /// overwritten.
    pub(super) fn select(&self, feature: usize, in_bag: &InBag, list: &mut [u32]) {
        let mut flags = 0;
        let mut place = 0;
        for &entry in self.entries(feature) {
            let sample = in_bag.0[entry::sample(entry)];
            flags |= entry & FLAGS;
            list[place] = (sample & SAMPLE) | flags;
            let present = sample != ABSENT;
            flags &= u32::from(present).wrapping_sub(1);
            place += usize::from(present);
        }
    }

    /// How many entries of a selected list of `feature` have a value: the first ones.
    pub(super) fn n_present(&self, feature: usize, list: &[u32]) -> usize {
        if self.has_missing[feature] { list.partition_point(|&entry| !entry::is_missing(entry)) } else { list.len() }
    }

    pub(super) fn has_ties(&self, feature: usize) -> bool {
        self.has_ties[feature]
    }

    pub(super) fn has_missing(&self, feature: usize) -> bool {
        self.has_missing[feature]
    }
}

/// Marks a row that is not part of a tree.
const ABSENT: u32 = u32::MAX;

/// Which sample each row is in a tree: those of positive weight are numbered in the order of the rows.
#[derive(Debug, Default)]
pub(super) struct InBag(Vec<u32>);

impl InBag {
    /// Takes in the rows of positive weight and gives them to `each`; what they add up to.
    #[expect(clippy::cast_possible_truncation, reason = "rows are counted in 30 bits")]
    pub(super) fn fill<T: Target>(
        &mut self,
        y: &[T],
        weights: &[f64],
        mut each: impl FnMut(u32, Sample<T>),
    ) -> Sums<T> {
        let mut sums = Sums::NONE;
        let mut n_samples = 0;
        self.0.clear();
        for (row, (&y, &weight)) in y.iter().zip(weights).enumerate() {
            if weight > 0.0 {
                self.0.push(n_samples);
                n_samples += 1;
                let sample = Sample { y, weight };
                each(row as u32, sample);
                sums.add(sample);
            } else {
                self.0.push(ABSENT);
            }
        }
        sums
    }
}

/// So many columns are read at once: neighbours in memory, as long as rows are.
const TOGETHER: usize = 4;

/// Sorts the first columns of `x`, as many as there are entries for.
fn sort_columns(x: &ArrayView2<'_, f64>, entries: &mut [u32]) -> Vec<(bool, bool)> {
    let n_rows = x.nrows();
    let mut keys = vec![Vec::with_capacity(n_rows); entries.len() / n_rows];
    for values in x.rows() {
        for (keys, &value) in keys.iter_mut().zip(values) {
            keys.push(key(value));
        }
    }
    keys.iter().zip(entries.chunks_mut(n_rows)).map(|(keys, entries)| sort(keys, entries)).collect()
}

/// Writes the rows by ascending key, equal ones by ascending row; returns whether there are ties or missing values,
/// and whether there are missing values.
fn sort(keys: &[u64], entries: &mut [u32]) -> (bool, bool) {
    let present = (0..).zip(keys.iter().copied()).filter(|&(_, key)| key < MISSING_KEY);
    let (sorted, is_whole) = sort_present(present, keys);
    let mut before = None;
    let mut n_runs = 0;
    for (entry, &(digits, row)) in entries.iter_mut().zip(&sorted) {
        // Where the digits are the whole key there is no need to look it up.
        let begins = before.is_none_or(|(digits_before, row_before)| {
            digits != digits_before || (!is_whole && keys[row as usize] != keys[row_before as usize])
        });
        before = Some((digits, row));
        n_runs += usize::from(begins);
        *entry = entry::new(row, begins);
    }
    let n_present = sorted.len();
    let has_ties = n_runs < n_present;
    let missing = (0_u32..).zip(keys).filter(|&(_, &key)| key == MISSING_KEY);
    for (index, (entry, (row, _))) in entries[n_present..].iter_mut().zip(missing).enumerate() {
        *entry = entry::new(row, index == 0) | MISSING;
    }
    let has_missing = n_present < keys.len();
    (has_ties || has_missing, has_missing)
}

/// Rows by ascending key, equal ones by ascending row, each with digits of its key; and whether those are all in which keys
/// differ.
#[expect(clippy::cast_possible_truncation, reason = "what is shifted out is what the digits leave out")]
fn sort_present(present: impl Iterator<Item = (u32, u64)> + Clone, keys: &[u64]) -> (Vec<(u32, u32)>, bool) {
    let numbers = present.clone().map(|(_, key)| key);
    let Some(first) = numbers.clone().next() else { return (Vec::new(), true) };
    let (low, high, varying) = numbers
        .fold((first, first, 0), |(low, high, varying), key| (low.min(key), high.max(key), varying | (key ^ first)));
    // Bits in which no two keys differ come first or last, and are no digits.
    let width = 64 - (high - low).leading_zeros();
    let shift = varying.trailing_zeros().min(width).max(width.saturating_sub(u32::BITS));
    let is_whole = varying.trailing_zeros() >= shift;
    let digits = |key: u64| ((key - low) >> shift) as u32;
    let mut pairs: Vec<(u32, u32)> = present.map(|(row, key)| (digits(key), row)).collect();
    if pairs.len() < RADIX_ROWS {
        pairs.sort_unstable();
    } else {
        radix_sort(&mut pairs, width - shift);
    }
    if !is_whole {
        for run in pairs.chunk_by_mut(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
            run.sort_unstable_by_key(|&(_, row)| (keys[row as usize], row));
        }
    }
    (pairs, is_whole)
}

/// Rows from which on counting digits beats comparing.
const RADIX_ROWS: usize = 1 << 10;

/// The bits of a digit.
const DIGIT: u32 = 11;

/// Sorts by numbers of at most so many bits, equal ones in the order given: digit by digit from the lowest, digits that
/// all share left out.
fn radix_sort(pairs: &mut Vec<(u32, u32)>, bits: u32) {
    let digit = |number: u32, shift: u32| (number >> shift) as usize % (1 << DIGIT);
    let shifts: Vec<u32> = (0..bits).step_by(DIGIT as usize).collect();
    let mut counts = vec![[0_usize; 1 << DIGIT]; shifts.len()];
    for &(number, _) in &*pairs {
        for (counts, &shift) in counts.iter_mut().zip(&shifts) {
            counts[digit(number, shift)] += 1;
        }
    }
    let mut sorted = vec![(0, 0); pairs.len()];
    for (counts, &shift) in counts.iter_mut().zip(&shifts) {
        if counts.contains(&pairs.len()) {
            continue;
        }
        let mut end = 0;
        for count in &mut *counts {
            end += *count;
            *count = end - *count;
        }
        for &pair in &*pairs {
            let place = &mut counts[digit(pair.0, shift)];
            sorted[*place] = pair;
            *place += 1;
        }
        std::mem::swap(pairs, &mut sorted);
    }
}

/// Above the keys of all numbers.
const MISSING_KEY: u64 = u64::MAX;

/// A number in whose order values are sorted; the two zeros are one value, missing values another.
fn key(value: f64) -> u64 {
    if value.is_nan() {
        return MISSING_KEY;
    }
    let bits = (value + 0.0).to_bits();
    let sign = bits >> 63;
    bits ^ (sign.wrapping_neg() | 1 << 63)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zeros_are_equal_extremes_in_order_and_missing_values_last() {
        let values = [f64::MAX, 0.0, f64::NAN, -0.0, -f64::MAX, -f64::NAN, 5e-324, -5e-324];
        let mut entries = [0; 8];
        assert_eq!(sort(&values.map(key), &mut entries), (true, true));
        assert_eq!(entries.map(entry::sample), [4, 7, 1, 3, 6, 0, 2, 5]);
        assert_eq!(entries.map(entry::begins), [true, true, true, false, true, true, true, false]);
        assert_eq!(entries.map(entry::is_missing), [false, false, false, false, false, false, true, true]);
    }

    proptest! {
        #[test]
        fn rows_are_in_the_order_of_their_values(
            cells in prop::collection::vec((any::<f64>(), 0_u8..8), 0..3000),
            scale in prop::sample::select(vec![1.0, 1e-30, 0.1]),
        ) {
            // Some values are arbitrary, some lie close together, others are of a few kinds or missing.
            let values: Vec<f64> = cells.iter().map(|&(any, kind)| match kind {
                0 | 1 if any.is_finite() => any,
                2 | 3 => 1.0 + (any.to_bits() % 1000) as f64 * f64::EPSILON,
                4 => f64::NAN,
                _ => (f64::from(kind) - 6.0) * scale,
            }).collect();
            let keys: Vec<u64> = values.iter().copied().map(key).collect();
            let mut entries = vec![0; keys.len()];
            let (has_ties, has_missing) = sort(&keys, &mut entries);
            let mut expected: Vec<usize> = (0..keys.len()).collect();
            expected.sort_by_key(|&row| keys[row]);
            prop_assert_eq!(entries.iter().copied().map(entry::sample).collect::<Vec<_>>(), &expected[..]);
            let begins = |place: usize| place == 0 || keys[expected[place]] != keys[expected[place - 1]];
            for (place, &entry) in entries.iter().enumerate() {
                prop_assert_eq!(entry::begins(entry), begins(place));
                prop_assert_eq!(entry::is_missing(entry), values[expected[place]].is_nan());
            }
            prop_assert_eq!(has_missing, values.iter().any(|value| value.is_nan()));
            prop_assert_eq!(has_ties, has_missing || (0..keys.len()).any(|place| !begins(place)));
        }

        #[test]
        fn both_sorts_are_stable(numbers in prop::collection::vec(any::<u32>(), 0..300), bits in 0_u32..33) {
            let number = |number: u32| number.checked_shr(32 - bits).unwrap_or(0);
            let mut counted: Vec<(u32, u32)> = numbers.iter().copied().map(number).zip(0..).collect();
            let mut compared = counted.clone();
            radix_sort(&mut counted, bits);
            compared.sort_unstable();
            prop_assert_eq!(counted, compared);
        }
    }
}
