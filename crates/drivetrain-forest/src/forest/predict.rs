//! Prediction: one row without allocating, many rows in blocks on all threads.
//!
//! A walk from a root to a leaf is a chain of loads, each of which waits for the one before. So several
//! walks go side by side: of many rows through one tree, or of one row through several trees. Rows go
//! through a tree in large blocks, so that the tree is fetched into the cache once for all of them.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::Forest;
use super::node::{leaf, leaves};
use crate::{ForestError, check};

/// Walks side by side: enough to keep a core's loads busy, few enough for its registers.
const LANES: usize = 8;

/// Values of rows that go through one tree before the next one: half a megabyte.
const BLOCK_VALUES: usize = 1 << 16;

/// Walks from a root to a leaf above which waking other threads pays.
const PARALLEL_WALKS: usize = 1 << 15;

impl Forest {
    /// One prediction per row of `x`, which has the columns of the training set in the same order.
    ///
    /// The same bits as [`Forest::predict_row`] on each row alone, for any number of threads. Large
    /// inputs are spread over the rayon pool of the caller. No rows give no predictions.
    ///
    /// # Errors
    /// If `x` has another width than the training set, or a value that is not finite.
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<f64>, ForestError> {
        let (n_rows, n_columns) = x.dim();
        check::width(self.n_features, n_columns)?;
        let values = check::row_major(&x);
        check::features(&values, self.n_features)?;

        let mut predictions = vec![0.0; n_rows];
        let largest = (BLOCK_VALUES / self.n_features).max(LANES);
        if n_rows.saturating_mul(self.n_trees()) < PARALLEL_WALKS {
            predictions
                .chunks_mut(largest)
                .zip(values.chunks(largest * self.n_features))
                .for_each(|(predictions, rows)| self.predict_block(rows, predictions));
        } else {
            // A few blocks for each thread, so that none waits long for the last one.
            let fair = n_rows.div_ceil(4 * rayon::current_num_threads()).next_multiple_of(LANES);
            let block = largest.min(fair);
            predictions
                .par_chunks_mut(block)
                .zip(values.par_chunks(block * self.n_features))
                .for_each(|(predictions, rows)| self.predict_block(rows, predictions));
        }
        Ok(predictions)
    }

    /// The prediction for one row, the columns of the training set in the same order. Allocates nothing.
    ///
    /// # Errors
    /// If `row` has another width than the training set, or a value that is not finite (as row 0).
    pub fn predict_row(&self, row: &[f64]) -> Result<f64, ForestError> {
        check::width(self.n_features, row.len())?;
        check::features(row, self.n_features)?;
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

    /// Adds up tree after tree, so a row's sum has one order whatever block it lies in.
    fn predict_block(&self, rows: &[f64], predictions: &mut [f64]) {
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
