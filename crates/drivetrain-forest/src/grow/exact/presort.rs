//! The rows in the order of each feature's values: made once, used by every tree.

use ndarray::ArrayView2;
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
        let (has_ties, has_missing) = entries
            .par_chunks_mut(n_rows)
            .enumerate()
            .map(|(feature, entries)| sort(x.column(feature).iter().copied(), entries))
            .unzip();
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
    pub(super) fn fill<T: Target>(&mut self, y: &[T], weights: &[f64], mut each: impl FnMut(u32, Sample<T>)) -> Sums<T> {
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

/// Writes the rows by ascending value, equal ones by ascending row; returns whether there
/// are ties or missing values, and whether there are missing values.
#[expect(clippy::cast_possible_truncation, reason = "rows are counted in 30 bits")]
fn sort(values: impl Iterator<Item = f64>, entries: &mut [u32]) -> (bool, bool) {
    let mut keyed: Vec<(u64, u32)> = values.enumerate().map(|(row, value)| (key(value), row as u32)).collect();
    if keyed.len() < RADIX_ROWS {
        keyed.sort_unstable();
    } else {
        radix_sort(&mut keyed);
    }
    let mut before = None;
    let mut n_runs = 0;
    for (entry, &(key, row)) in entries.iter_mut().zip(&keyed) {
        let begins = before != Some(key);
        before = Some(key);
        n_runs += usize::from(begins);
        *entry = entry::new(row, begins);
    }
    let has_missing = before == Some(MISSING_KEY);
    if has_missing {
        let n_present = keyed.partition_point(|&(key, _)| key < MISSING_KEY);
        entries[n_present..].iter_mut().for_each(|entry| *entry |= MISSING);
    }
    (n_runs < keyed.len() || has_missing, has_missing)
}

/// Rows from which on counting bytes beats comparing.
const RADIX_ROWS: usize = 1 << 10;

/// Sorts by the keys, equal ones in the order given: byte by byte from the lowest, bytes that all keys
/// share left out.
fn radix_sort(keyed: &mut Vec<(u64, u32)>) {
    let mut counts = [[0_usize; 256]; 8];
    for (key, _) in &*keyed {
        for (counts, byte) in counts.iter_mut().zip(key.to_le_bytes()) {
            counts[usize::from(byte)] += 1;
        }
    }
    let mut sorted = vec![(0, 0); keyed.len()];
    for (position, counts) in counts.iter().enumerate() {
        if counts.contains(&keyed.len()) {
            continue;
        }
        let mut end = 0;
        let mut next = counts.map(|count| {
            end += count;
            end - count
        });
        for &(key, row) in &*keyed {
            let place = &mut next[usize::from(key.to_le_bytes()[position])];
            sorted[*place] = (key, row);
            *place += 1;
        }
        std::mem::swap(keyed, &mut sorted);
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
        assert_eq!(sort(values.into_iter(), &mut entries), (true, true));
        assert_eq!(entries.map(entry::sample), [4, 7, 1, 3, 6, 0, 2, 5]);
        assert_eq!(entries.map(entry::begins), [true, true, true, false, true, true, true, false]);
        assert_eq!(entries.map(entry::is_missing), [false, false, false, false, false, false, true, true]);
    }

    proptest! {
        #[test]
        fn both_sorts_are_stable(cells in prop::collection::vec((any::<f64>(), 0_u8..6), 0..300)) {
            // Some values are arbitrary, the others of a few kinds.
            let value = |&(any, kind): &(f64, u8)| if kind < 3 && any.is_finite() { any } else { f64::from(kind) - 4.0 };
            let keyed: Vec<(u64, u32)> = (0..).zip(&cells).map(|(row, cell)| (key(value(cell)), row)).collect();
            let (mut counted, mut compared) = (keyed.clone(), keyed);
            radix_sort(&mut counted);
            compared.sort_unstable();
            prop_assert_eq!(&counted, &compared);
            let values: Vec<f64> = counted.iter().map(|&(_, row)| value(&cells[row as usize])).collect();
            prop_assert!(values.is_sorted());
        }
    }
}
