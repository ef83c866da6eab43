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
    keyed.sort_unstable();
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

/// A number in whose order values are sorted; the two zeros are one value.
fn key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    let sign = bits >> 63;
    bits ^ (sign.wrapping_neg() | 1 << 63)
}
