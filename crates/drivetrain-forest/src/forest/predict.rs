//! Prediction: one row without allocating, many rows in blocks on all threads.
//!
//! A walk from a root to a leaf is a chain of loads, each of which waits for the one before. So several
//! walks go side by side: of many rows through one tree, or of one row through several trees. Rows go
//! through a tree in large blocks, so that the tree is fetched into the cache once for all of them; through a tree that
//! no cache holds they go in another order: see [`super::parted`].
//!
//! Large trees are kept a second time for that, in half the bytes: see [`coded`]. They are made with the first rows that
//! repay it, of one call or of many, and hold 12 bytes a node and 8 bytes a leaf for as long as the forest is there; a
//! block's rows hold 4 bytes a value while they are predicted. Stored, copied and loaded forests know nothing of it.
//!
//! Thousands of rows a second of one core, 20,000 rows of the benchmark's table to learn from, by rows in a call: the
//! first call of a forest, and the calls after it; beside that what they were when each call coded the trees it
//! needed, if it had at most 16 nodes a row.
//!
//! | trees | 1,000 rows | 10,000 | 20,000 | before: 1,000 | 10,000 | 20,000 |
//! |---|---|---|---|---|---|---|
//! | 20 to the end | 556, then 2,426 | 1,350, 2,485 | 1,755, 2,510 | 1,498 | 1,933 | 2,235 |
//! | 100 to the end | 72, 452 | 234, 525 | 321, 515 | 166 | 409 | 495 |
//!
//! # What was tried
//!
//! Rows a second of one core, 20,000 rows of the benchmark's table, in turns, on a quiet machine: 20 trees grown to
//! the end, 20 trees of depth 10, 100 trees grown to the end. Codes are of 32 bits, walks of 16 rows. Trees of depth 10
//! have fewer nodes than are coded, so that where they stand twice the code is the same: the difference is noise.
//!
//! | design | 20 | 20, depth 10 | 100 |
//! |---|---|---|---|
//! | no value lost anything, bounds checked | 1,484,000 | 4,490,000 | 314,000 |
//! | no value lost anything, bounds not checked | 2,105,000 | 4,188,000 | 469,000 |
//! | equal codes told, groups with some walked again by values, bounds checked | 1,041,000 | 3,715,000 | 218,000 |
//! | equal codes decided at once by values, bounds not checked | 1,753,000 | 3,823,000 | 395,000 |
//! | nearly all codes equal, bounds checked: by values after one tree | 1,211,000 | 4,578,000 | 247,000 |
//! | the same, bounds not checked: by values within one tree | 1,202,000 | 4,495,000 | 250,000 |
//!
//! Steps on the way, on a machine where others worked too: how many times faster than with bounds checked, in the same
//! run, 20 trees and 100, with values that lose something in the codes unless the line says otherwise.
//!
//! | step | 20 | 100 |
//! |---|---|---|
//! | bounds not checked, no value lost anything | 1.30 | 1.32 |
//! | bounds not checked, groups with equal codes walked again | 1.12 | 1.13 |
//! | equal codes decided at once, by one flag for 16 rows | 1.40 | 1.40 |
//! | by the least difference of codes for 16 rows, which the compiler makes vectors of | 1.12 | 1.12 |
//! | by a branch for each row, which keeps the compiler from unrolling | 1.14 | 1.10 |
//! | by a flag for 8 rows | 1.44 | 1.46 |
//! | by a flag for 4 rows, which the compiler makes branches of | 1.48 | 1.71 |
//! | the same, trees laid out by masks, as leaves at random are mispredicted | 1.59 | 1.76 |
//! | the same, trees of depth 10 coded; 1.15 where no value lost anything, 0.73 where nearly all codes are equal | 1.00 | |
//!
//! An earlier run, when bounds were checked and groups with equal codes were walked again. Trees of depth 10, coded
//! nevertheless, went at 0.78 times the first line's pace, and at 0.63 where equal codes are told; these two ratios
//! are of a busy machine.
//!
//! | design | 20 | 20, depth 10 | 100 |
//! |---|---|---|---|
//! | nodes of 16 bytes, 8 rows: small trees | 1,172,000 | 5,614,000 | 194,000 |
//! | codes, 16 rows, no value lost anything: large trees | 1,570,000 | | 343,000 |
//! | codes, 16 rows, equal codes decided by the values: large trees | 1,137,000 | | 241,000 |
//! | the second in blocks of 4,000 rows, each coding the trees anew | 940,000 | | 199,000 |
//! | the second on two threads | 2,600,000 | | 578,000 |
//!
//! Another such run. Where rows are gathered, those that have not arrived go on in new groups,
//! three steps at a time.
//!
//! | design | 20 | 20, depth 10 | 100 |
//! |---|---|---|---|
//! | nodes of 16 bytes, 8 rows | 1,762,000 | 4,719,000 | 152,000 |
//! | rows gathered, equal codes told, bounds checked | 1,386,000 | 3,101,000 | 290,000 |
//! | the same, bounds not checked | 1,736,000 | 4,122,000 | 366,000 |
//! | rows gathered, equal codes not told, bounds not checked | 2,398,000 | 4,866,000 | 516,000 |
//! | the second in blocks of 4,000 rows | 921,000 | 3,031,000 | 185,000 |
//! | the third with 12, 24, 32 rows | 1,750,000, 1,392,000, 1,335,000 | 3,916,000, 3,163,000, 3,131,000 | 365,000, 286,000, 276,000 |
//!
//! On trees with thresholds at random: rows parted at each node as when growing, then walked from where fewer than
//! 24 are left, 408,000 instead of 716,000 (100 trees of depth 10); rows sorted by the leaves of the first tree
//! beforehand, no difference.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::Forest;
use super::coded::{self, CodedRows};
use super::kept::CodedForest;
use super::node::{leaf, leaves};
use super::parted::Parted;
use crate::{ForestError, check};

/// Walks side by side: enough to keep a core's loads busy, few enough for its registers.
const LANES: usize = 8;

/// Values of rows that go through one tree before the next one, at most: a tree is fetched once for all of them.
const BLOCK_VALUES: usize = 1 << 19;

/// As many at least: a quarter of the second cache, so that they are still there for the next tree.
const LEAST_BLOCK_VALUES: usize = 1 << 15;

/// Values for each node of a tree, between those: fetching rows for every tree costs as much as fetching trees for every
/// block.
const VALUES_A_NODE: usize = 16;

/// Nodes of a coded tree for each row of a block up to which it pays to fetch all of them.
const FETCHED_A_ROW: usize = 64;

/// How often in a group, on average, values may decide where codes do not before codes stop paying.
const UNDECIDED: usize = 4;

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
        let is_small = n_rows.saturating_mul(self.n_trees()) < PARALLEL_WALKS;
        let n_threads = if is_small { 1 } else { rayon::current_num_threads() };
        let coded = if by_threshold { self.coded(n_rows) } else { None };
        let n_values = VALUES_A_NODE.saturating_mul(self.n_nodes() / self.n_trees());
        let n_values = n_values.clamp(LEAST_BLOCK_VALUES, BLOCK_VALUES);
        let largest = (n_values / self.n_features).next_multiple_of(coded::LANES).max(coded::LANES);
        // A few for each thread, so that none waits long for the last one.
        let block = n_rows
            .div_ceil(if n_threads > 1 { 4 * n_threads } else { 1 })
            .next_multiple_of(coded::LANES)
            .clamp(coded::LANES, largest);
        let predict_block = |(predictions, rows): (&mut [f64], &[f64])| match coded {
            Some(coded) => self.predict_coded(rows, predictions, coded),
            None => self.predict_block(rows, predictions, by_threshold),
        };
        if is_small {
            predictions.chunks_mut(block).zip(values.chunks(block * self.n_features)).for_each(predict_block);
        } else {
            let blocks = predictions.par_chunks_mut(block).zip(values.par_chunks(block * self.n_features));
            blocks.for_each(predict_block);
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
        Ok(self.predict_by_thresholds(row))
    }

    /// The prediction for a row whose ways thresholds decide, several trees at a time.
    fn predict_by_thresholds(&self, row: &[f64]) -> f64 {
        let mut sum = 0.0;
        let mut roots = self.roots.chunks_exact(LANES);
        for roots in &mut roots {
            sum = self.add_trees::<LANES>(roots, row, sum);
        }
        let sum = match roots.remainder() {
            [] => sum,
            &[root] => sum + self.nodes[leaf(&self.nodes, root, row)].value,
            roots @ ([_, _] | [_, _, _] | [_, _, _, _]) => self.add_trees::<{ LANES / 2 }>(roots, row, sum),
            roots => self.add_trees::<LANES>(roots, row, sum),
        };
        sum / self.n_trees() as f64
    }

    /// Adds to `sum` what the trees with these roots, at most `N`, predict for a row.
    #[inline]
    fn add_trees<const N: usize>(&self, roots: &[u32], row: &[f64], mut sum: f64) -> f64 {
        // Lanes without a tree do what the first one does.
        let mut at = [roots[0]; N];
        at[..roots.len()].copy_from_slice(roots);
        let found = leaves(&self.nodes, at, [row; N]);
        for &index in &found[..roots.len()] {
            sum += self.nodes[index as usize].value;
        }
        sum
    }

    /// The prediction for a row that may have missing values and categories: the order of the sum is that of
    /// every other row.
    fn predict_by_routes(&self, row: &[f64]) -> f64 {
        // From 0.0, as every other sum here is: that of an iterator begins with -0.0.
        let mut sum = 0.0;
        for (tree, &root) in self.roots.iter().enumerate() {
            sum += self.nodes[root as usize + self.leaf_by_routes(tree, row)].value;
        }
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
        if predictions.len() < LANES {
            for (prediction, row) in predictions.iter_mut().zip(rows.chunks(self.n_features)) {
                *prediction = self.predict_by_thresholds(row);
            }
            return;
        }
        let mut parted = Parted::default();
        for (tree, &root) in self.roots.iter().enumerate() {
            if !parted.add_tree(self, tree, rows, predictions) {
                self.add_tree(root, rows, predictions);
            }
        }
        self.divide(predictions);
    }

    /// As [`Forest::predict_block`], by codes for as long as they decide nearly all ways.
    fn predict_coded(&self, rows: &[f64], predictions: &mut [f64], forest: &CodedForest) {
        let coded_rows = CodedRows::new(rows, &forest.scales);
        let most = coded_rows.groups().len() * UNDECIDED;
        let mut n_undecided = 0;
        for (tree, (&root, coded)) in self.roots.iter().zip(&forest.trees).enumerate() {
            let Some(coded) = coded.as_ref().filter(|_| n_undecided <= most) else {
                self.add_tree(root, rows, predictions);
                continue;
            };
            if coded.n_places() <= FETCHED_A_ROW * predictions.len() {
                coded.fetch();
            }
            let nodes = self.nodes_of_tree(tree);
            n_undecided = 0;
            for (sums, group) in predictions.chunks_mut(coded::LANES).zip(coded_rows.groups()) {
                if n_undecided > most {
                    self.add_tree(root, group.values, sums);
                    continue;
                }
                let (found, n_decided) = coded.predict(nodes, group);
                n_undecided += n_decided;
                for (sum, value) in sums.iter_mut().zip(found) {
                    *sum += value;
                }
            }
        }
        self.divide(predictions);
    }

    /// Adds what one tree predicts, thresholds alone deciding.
    fn add_tree(&self, root: u32, rows: &[f64], sums: &mut [f64]) {
        let mut sums = sums.chunks_exact_mut(LANES);
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

    fn divide(&self, sums: &mut [f64]) {
        let n_trees = self.n_trees() as f64;
        for sum in sums {
            *sum /= n_trees;
        }
    }
}
