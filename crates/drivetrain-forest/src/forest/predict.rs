//! Prediction: one row without allocating, many rows in blocks on all threads.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::Forest;
use super::node::leaf;
use crate::{ForestError, check};

/// Rows walked through one tree before the next tree: their values stay in the nearest cache.
const BLOCK_ROWS: usize = 64;

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
        let rows_of_block = BLOCK_ROWS * self.n_features;
        if n_rows.saturating_mul(self.n_trees()) < PARALLEL_WALKS {
            predictions
                .chunks_mut(BLOCK_ROWS)
                .zip(values.chunks(rows_of_block))
                .for_each(|(predictions, rows)| self.predict_block(rows, predictions));
        } else {
            predictions
                .par_chunks_mut(BLOCK_ROWS)
                .zip(values.par_chunks(rows_of_block))
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
        let mut prediction = 0.0;
        self.predict_block(row, std::slice::from_mut(&mut prediction));
        Ok(prediction)
    }

    /// Adds up tree after tree, so a row's sum has one order whatever block it lies in.
    fn predict_block(&self, rows: &[f64], predictions: &mut [f64]) {
        for &root in &self.roots {
            for (prediction, row) in predictions.iter_mut().zip(rows.chunks(self.n_features)) {
                *prediction += self.nodes[leaf(&self.nodes, root, row)].value;
            }
        }
        let n_trees = self.n_trees() as f64;
        for prediction in predictions {
            *prediction /= n_trees;
        }
    }
}
