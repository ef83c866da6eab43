//! The codes of a forest's trees, kept from the first prediction on for which they pay.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Forest;
use super::coded::{CodedTree, LANES, Scales};

/// Nodes of a tree, on average, from which on codes pay: fewer lie in the first cache as they are.
const CODED_NODES: usize = 1 << 12;

/// Nodes of a tree, on average, that are coded in the time that codes save for one row.
const NODES_A_ROW: usize = 16;

/// Nodes from whose thresholds the scale of codes is taken.
const SCALE_NODES: usize = 1 << 15;

/// Nodes above which waking other threads to code them pays.
const PARALLEL_NODES: usize = 1 << 16;

/// A forest's trees as codes.
#[derive(Debug)]
pub(super) struct CodedForest {
    pub(super) scales: Scales,
    /// None of trees that 32 bits do not hold.
    pub(super) trees: Vec<Option<CodedTree>>,
}

/// What a forest keeps beside its nodes: no part of what it is, so a copy begins without it, and any two are equal.
#[derive(Debug, Default)]
pub(super) struct Kept {
    coded: OnceLock<CodedForest>,
    /// How many rows would have gone faster.
    n_rows: AtomicUsize,
    is_coding: AtomicBool,
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Forest {
    /// The trees as codes, if this many rows go faster through them.
    ///
    /// They are made as soon as the rows asked about, this time and before, save as much time as that takes. Who comes
    /// while they are made does without: waiting could be for the very thread that waits.
    pub(super) fn coded(&self, n_rows: usize) -> Option<&CodedForest> {
        let n_nodes = self.n_nodes() / self.n_trees();
        if n_nodes < CODED_NODES || n_rows < LANES {
            return None;
        }
        let kept = &self.kept;
        if let Some(coded) = kept.coded.get() {
            return Some(coded);
        }
        let n_rows = kept.n_rows.fetch_add(n_rows, Ordering::Relaxed).saturating_add(n_rows);
        if n_nodes > n_rows.saturating_mul(NODES_A_ROW) || kept.is_coding.swap(true, Ordering::Acquire) {
            return None;
        }
        let coded = self.code();
        Some(kept.coded.get_or_init(|| coded))
    }

    fn code(&self) -> CodedForest {
        let scales = Scales::new(&self.nodes[..self.n_nodes().min(SCALE_NODES)], self.n_features);
        let tree = |tree: usize| CodedTree::new(self.nodes_of_tree(tree), self.roots[tree], &scales);
        let trees = if self.n_nodes() < PARALLEL_NODES {
            (0..self.n_trees()).map(tree).collect()
        } else {
            (0..self.n_trees()).into_par_iter().map(tree).collect()
        };
        CodedForest { scales, trees }
    }
}

#[cfg(test)]
#[cfg(feature = "train")]
mod tests {
    use ndarray::{Array2, ArrayView2, s};

    use super::*;
    use crate::RandomForestRegressor;

    /// Trees of more nodes than are walked as they are, grown on values that codes hold, or on others; and rows.
    fn forest(is_exact: bool) -> (Forest, Array2<f64>) {
        let value = |(row, column): (usize, usize)| {
            let value = ((row * 7919 + column * 104_729 + row * row % 977) % 10_007) as f64;
            if is_exact { value } else { value / 1_000.1 + 1e-3 }
        };
        let x = Array2::from_shape_fn((4_000, 3), value);
        let y: Vec<f64> = x.rows().into_iter().map(|row| row[0] + (row[1] * 3.7).sin() * row[2]).collect();
        let regressor = RandomForestRegressor::builder().n_estimators(9).random_state(5).build().unwrap();
        (regressor.fit(x.view(), &y).unwrap(), x)
    }

    fn alone(forest: &Forest, x: &ArrayView2<'_, f64>) -> Vec<u64> {
        x.outer_iter().map(|row| forest.predict_row(row.as_slice().unwrap()).unwrap().to_bits()).collect()
    }

    fn together(forest: &Forest, x: &ArrayView2<'_, f64>) -> Vec<u64> {
        forest.predict(x.view()).unwrap().into_iter().map(f64::to_bits).collect()
    }

    #[test]
    fn rows_have_the_same_predictions_before_and_after_trees_are_coded() {
        for is_exact in [true, false] {
            let (forest, x) = forest(is_exact);
            assert!(forest.n_nodes() / forest.n_trees() >= CODED_NODES);
            let expected = alone(&forest, &x.view());
            let check = |rows: std::ops::Range<usize>| {
                assert_eq!(together(&forest, &x.slice(s![rows.clone(), ..])), expected[rows]);
            };
            (1..20).for_each(|n_rows| check(n_rows..2 * n_rows));
            assert!(forest.kept.coded.get().is_none());
            check(0..x.nrows());
            assert!(forest.kept.coded.get().is_some());
            (1..40).for_each(|n_rows| check(n_rows..2 * n_rows));
            check(0..x.nrows());
        }
    }

    #[test]
    fn trees_are_coded_after_enough_rows_in_many_batches() {
        let (forest, x) = forest(true);
        let n_batches = 1 + forest.n_nodes() / forest.n_trees() / (NODES_A_ROW * LANES);
        for batch in 1..=n_batches {
            assert!(forest.kept.coded.get().is_none(), "{batch} of {n_batches}");
            // Fewer rows are never worth it, and do not count.
            forest.predict(x.slice(s![..LANES - 1, ..])).unwrap();
            forest.predict(x.slice(s![..LANES, ..])).unwrap();
        }
        assert!(forest.kept.coded.get().is_some());
    }

    #[test]
    fn codes_are_no_part_of_a_forest() {
        let (forest, x) = forest(true);
        let copy = forest.clone();
        forest.predict(x.view()).unwrap();
        assert_eq!(forest, copy);
        assert_eq!(serde_json::to_string(&forest).unwrap(), serde_json::to_string(&copy).unwrap());
        assert!(forest.clone().kept.coded.get().is_none());
        // Of a merged forest they would be too few.
        let merged = Forest::merge([forest, copy]).unwrap();
        assert!(merged.kept.coded.get().is_none());
        assert_eq!(together(&merged, &x.view()), alone(&merged, &x.view()));
    }

    #[test]
    fn threads_that_come_at_once_do_not_wait_for_each_other() {
        let (forest, x) = forest(false);
        let expected = alone(&forest, &x.view());
        // More calls than threads: each may be waited for by a thread that codes.
        (0..32).into_par_iter().for_each(|_| assert_eq!(together(&forest, &x.view()), expected));
        assert!(forest.kept.coded.get().is_some());
    }
}
