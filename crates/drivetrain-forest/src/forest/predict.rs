//! Prediction: one row without allocating, many rows in blocks on all threads.
//!
//! A walk from a root to a leaf is a chain of loads and comparisons, each of which waits for the one before. So
//! several walks go side by side: of many rows through one tree, or of one row through several trees. Rows go
//! through a tree in large blocks, so that the tree is fetched into the cache once for all of them, and are
//! compared by their [codes](super::codes).

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::Forest;
use super::codes;
use super::node::{Group, leaf, leaves, leaves_of_row};
use crate::{ForestError, check};

/// Walks side by side: enough to keep a core's loads busy, few enough for its registers.
const LANES: usize = 8;

/// Rows that walk side by side through one tree.
const ROWS: usize = 16;

/// Values of rows that go through one tree before the next one, two megabytes of codes: with less, the nodes of
/// large forests are fetched from main memory too often.
const BLOCK_VALUES: usize = 1 << 19;

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
        let largest = (BLOCK_VALUES / self.n_features).max(ROWS);
        if n_rows.saturating_mul(self.n_trees()) < PARALLEL_WALKS {
            predictions
                .chunks_mut(largest)
                .zip(values.chunks(largest * self.n_features))
                .for_each(|(predictions, rows)| self.predict_block(rows, predictions, by_threshold));
        } else {
            // A few blocks for each thread, so that none waits long for the last one.
            let fair = n_rows.div_ceil(4 * rayon::current_num_threads()).next_multiple_of(ROWS);
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
            for index in leaves_of_row(&self.steps, &self.values, at, row) {
                sum += self.values[index as usize];
            }
        }
        for &root in roots.remainder() {
            sum += self.values[leaf(&self.steps, &self.values, root, row)];
        }
        Ok(sum / self.n_trees() as f64)
    }

    /// The prediction for a row that may have missing values and categories: the order of the sum is that of
    /// every other row.
    fn predict_by_routes(&self, row: &[f64]) -> f64 {
        let leaves = self.roots.iter().enumerate();
        let sum: f64 = leaves.map(|(tree, &root)| self.values[root as usize + self.leaf_by_routes(tree, row)]).sum();
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
        let width = self.n_features;
        let codes = codes::of_rows(&self.scales, rows);
        let n_grouped = predictions.len() - predictions.len() % ROWS;
        let (grouped, alone) = predictions.split_at_mut(n_grouped);
        for &root in &self.roots {
            let groups = codes.chunks(ROWS * width).zip(rows.chunks(ROWS * width));
            for (sums, (codes, values)) in grouped.chunks_exact_mut(ROWS).zip(groups) {
                let found = leaves::<ROWS>(&self.steps, &self.values, root, Group { codes, values, width });
                for (sum, index) in sums.iter_mut().zip(found) {
                    *sum += self.values[index as usize];
                }
            }
            for (sum, row) in alone.iter_mut().zip(rows[n_grouped * width..].chunks(width)) {
                *sum += self.values[leaf(&self.steps, &self.values, root, row)];
            }
        }
        let n_trees = self.n_trees() as f64;
        for prediction in predictions {
            *prediction /= n_trees;
        }
    }
}
