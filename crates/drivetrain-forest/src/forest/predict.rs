//! Prediction: one row without allocating, many rows in blocks on all threads.
//!
//! A walk from a root to a leaf is a chain of loads, each of which waits for the one before. So several
//! walks go side by side: of many rows through one tree, or of one row through several trees. Rows go
//! through a tree in large blocks, so that the tree is fetched into the cache once for all of them.
//!
//! # What was tried
//!
//! Rows a second of processor time on one busy core, 20,000 rows of the benchmark's table: 20 trees grown to the
//! end, 20 trees of depth 10, 100 trees grown to the end. Each was measured in turns with the first.
//!
//! | design | 20 | 20, depth 10 | 100 |
//! |---|---|---|---|
//! | this one | 546,000 | 2,805,000 | 112,000 |
//! | 32-bit codes in the order of the values, 12-byte nodes, 16 rows; equal codes decided by the values | 540,000 | 2,336,000 | 112,000 |
//! | the same, the values consulted once a walk is over | 423,000 | 2,545,000 | 81,000 |
//! | such codes in 8-byte nodes, 8 rows, up to 256 features | 483,000 | 2,251,000 | 102,000 |
//!
//! On trees with thresholds at random, likewise in turns: rows parted at each node as when growing, then walked
//! from where fewer than 24 are left, 408,000 instead of 716,000 (100 trees of depth 10); rows sorted by the
//! leaves of the first tree beforehand, no difference.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::Forest;
use super::node::{leaf, leaves};
use crate::{ForestError, check};

/// Walks side by side: enough to keep a core's loads busy, few enough for its registers.
const LANES: usize = 8;

/// Values of rows that go through one tree before the next one, two megabytes: with a quarter of that, the
/// nodes of large forests are fetched from main memory too often (100 full trees at 20,000 rows by 20
/// features: 93,000 rows a second instead of 120,000).
const BLOCK_VALUES: usize = 1 << 18;

/// Walks from a root to a leaf above which waking other threads pays.
const PARALLEL_WALKS: usize = 1 << 15;

impl Forest {
    /// One prediction per row of `x`, which has the columns of the training set in the same order.
    ///
    /// The same bits as [`Forest::predict_row`] on each row alone, for any number of threads. Large
    /// inputs are spread over the rayon pool of the caller. No rows give no predictions.
    ///
    /// # Errors
    /// If `x` has another width than the training set, or an infinite value, or a missing one (NaN) where the
    /// forest was stored before missing values were known.
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, ForestError> {
        let (n_rows, n_columns) = x.dim();
        check::width(self.n_features, n_columns)?;
        let values = check::row_major(&x);
        let by_threshold = self.check_values(&values)?;

        let mut predictions = vec![0.0; n_rows];
        let largest = (BLOCK_VALUES / self.n_features).max(LANES);
        if n_rows.saturating_mul(self.n_trees()) < PARALLEL_WALKS {
            predictions
                .chunks_mut(largest)
                .zip(values.chunks(largest * self.n_features))
                .for_each(|(predictions, rows)| self.predict_block(rows, predictions, by_threshold));
        } else {
            // A few blocks for each thread, so that none waits long for the last one.
            let fair = n_rows.div_ceil(4 * rayon::current_num_threads()).next_multiple_of(LANES);
            let block = largest.min(fair);
            predictions
                .par_chunks_mut(block)
                .zip(values.par_chunks(block * self.n_features))
                .for_each(|(predictions, rows)| self.predict_block(rows, predictions, by_threshold));
        }
        Ok(predictions)
    }

    /// The prediction for one row, the columns of the training set in the same order. Allocates nothing.
    ///
    /// # Errors
    /// As [`Forest::predict`], the row being row 0.
    pub fn predict_row(&self, row: &[f64]) -> Result<f64, ForestError> {
        check::width(self.n_features, row.len())?;
        if !self.check_values(row)? {
            return Ok(self.predict_by_routes(row));
        }
        let mut sum = 0.0;
        let mut roots = self.roots.chunks_exact(LANES);
        for roots in &mut roots {
            let mut at = [0; LANES];
            at.copy_from_slice(roots);
            for index in leaves(&self.nodes, at, [row; LANES]) {
                sum += self.nodes[index as usize].value;
            }
        }
        for &root in roots.remainder() {
            sum += self.nodes[leaf(&self.nodes, root, row)].value;
        }
        Ok(sum / self.n_trees() as f64)
    }

    /// The prediction for a row that may have missing values and categories: the order of the sum is that of
    /// every other row.
    fn predict_by_routes(&self, row: &[f64]) -> f64 {
        let leaves = self.roots.iter().enumerate();
        let sum: f64 =
            leaves.map(|(tree, &root)| self.nodes[root as usize + self.leaf_by_routes(tree, row)].value).sum();
        sum / self.n_trees() as f64
    }

    /// Adds up tree after tree, so a row's sum has one order whatever block it lies in.
    fn predict_block(&self, rows: &[f64], predictions: &mut [f64], by_threshold: bool) {
        if !by_threshold {
            for (prediction, row) in predictions.iter_mut().zip(rows.chunks(self.n_features)) {
                *prediction = self.predict_by_routes(row);
            }
            return;
        }
        for &root in &self.roots {
            let mut sums = predictions.chunks_exact_mut(LANES);
            let mut blocks = rows.chunks_exact(LANES * self.n_features);
            for (sums, rows) in (&mut sums).zip(&mut blocks) {
                let row = |lane: usize| &rows[lane * self.n_features..][..self.n_features];
                let found = leaves(&self.nodes, [root; LANES], std::array::from_fn(row));
                for (sum, index) in sums.iter_mut().zip(found) {
                    *sum += self.nodes[index as usize].value;
                }
            }
            for (sum, row) in sums.into_remainder().iter_mut().zip(blocks.remainder().chunks(self.n_features)) {
                *sum += self.nodes[leaf(&self.nodes, root, row)].value;
            }
        }
        let n_trees = self.n_trees() as f64;
        for prediction in predictions {
            *prediction /= n_trees;
        }
    }
}
