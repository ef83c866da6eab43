//! The rows in the order of each feature's values: made once, used by every tree.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::entry;

/// For every feature the rows by ascending value.
#[derive(Debug)]
pub(super) struct Presorted {
    n_rows: usize,
    /// Feature after feature, `n_rows` entries each.
    entries: Vec<u32>,
    /// Whether some value of the feature occurs twice.
    has_ties: Vec<bool>,
}

impl Presorted {
    /// `x` is finite and has fewer than 2^31 rows.
    pub(super) fn new(x: &ArrayView2<'_, f64>) -> Self {
        let (n_rows, n_features) = x.dim();
        let mut entries = vec![0; n_rows * n_features];
        let has_ties = entries
            .par_chunks_mut(n_rows)
            .enumerate()
            .map(|(feature, entries)| sort(x.column(feature).iter().copied(), entries))
            .collect();
        Self { n_rows, entries, has_ties }
    }

    pub(super) fn n_features(&self) -> usize {
        self.has_ties.len()
    }

    /// The rows by ascending value of `feature`: see [`entry`].
    pub(super) fn entries(&self, feature: usize) -> &[u32] {
        &self.entries[feature * self.n_rows..][..self.n_rows]
    }

    pub(super) fn has_ties(&self, feature: usize) -> bool {
        self.has_ties[feature]
    }
}

/// Writes the rows by ascending value, equal ones by ascending row; returns whether there are ties.
#[expect(clippy::cast_possible_truncation, reason = "rows are counted in 31 bits")]
fn sort(values: impl Iterator<Item = f64>, entries: &mut [u32]) -> bool {
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
    n_runs < keyed.len()
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

/// A number in whose order values are sorted; the two zeros are one value.
fn key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    let sign = bits >> 63;
    bits ^ (sign.wrapping_neg() | 1 << 63)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zeros_are_equal_and_extremes_in_order() {
        let values = [f64::MAX, 0.0, -0.0, -f64::MAX, 5e-324, -5e-324];
        let mut entries = [0; 6];
        assert!(sort(values.into_iter(), &mut entries));
        assert_eq!(entries.map(entry::sample), [3, 5, 1, 2, 4, 0]);
        assert_eq!(entries.map(entry::begins), [true, true, true, false, true, true]);
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
