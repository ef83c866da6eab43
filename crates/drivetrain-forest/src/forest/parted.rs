//! Many rows through a tree that no cache holds: together where they go together.
//!
//! Deep in such a tree each step of a walk waits for the main memory. So rows go down its first levels as they come,
//! are sorted by the node they have come to, and go on in that order: what is below a node is fetched for all of its
//! rows at once, and the levels are read from one end to the other.
//!
//! Time of a row in one tree, in nanoseconds, of a busy machine: in the rows' own order, 8 side by side, and sorted.
//!
//! | rows | 63,000 nodes | 253,000 nodes | 1,264,000 nodes |
//! |---|---|---|---|
//! | 512 | 58, 62 | 120, 140 | 615, 525 |
//! | 2,048 | 40, 39 | 106, 105 | 415, 325 |
//! | 5,000 | 36, 34 | 160, 110 | 352, 250 |
//! | 20,000 | 32, 30 | 184, 105 | 310, 185 |
//!
//! Of the last, 13 were the first levels and 1 the sorting. In their own order 16, 24 and 32 side by side took 260, 250
//! and 240; sorted after 10, 14 and 16 levels, 16 side by side, 250, 200 and 220, and after 12 with 8, 16 and 32 side by
//! side 240, 200 and 185.

use super::Forest;
use super::node::leaves;

/// Nodes of a tree from which on sorting pays: as many as the second cache holds twice over.
const LARGE: usize = if cfg!(test) { 1 << 6 } else { 1 << 17 };

/// Rows from which on sorting pays.
const MANY: usize = if cfg!(test) { 1 << 5 } else { 1 << 11 };

/// Steps before rows are sorted.
const FIRST_STEPS: u32 = if cfg!(test) { 3 } else { 12 };

/// Walks side by side after that: as many loads as a core has under way.
const LANES: usize = 32;

/// What sorting needs room for, the same for all trees of a forest.
#[derive(Debug, Default)]
pub(super) struct Parted {
    /// For each row the node it has come to.
    at: Vec<u32>,
    /// For each node of the first levels how many rows have come to it, then where its next row goes.
    places: Vec<usize>,
    /// The rows in the order of their nodes.
    order: Vec<u32>,
}

impl Parted {
    /// Adds to `sums` what tree number `tree` predicts for `rows`, thresholds alone deciding; false, and nothing is
    /// added, where rows in their own order are as fast.
    pub(super) fn add_tree(&mut self, forest: &Forest, tree: usize, rows: &[f64], sums: &mut [f64]) -> bool {
        if sums.len() < MANY || forest.nodes_of_tree(tree).len() < LARGE {
            return false;
        }
        self.part(forest, forest.roots[tree], rows, sums.len());
        for group in self.order.chunks(LANES) {
            // Lanes without a row do what the first one does.
            let indices: [u32; LANES] = std::array::from_fn(|lane| *group.get(lane).unwrap_or(&group[0]));
            let row = |index: u32| &rows[index as usize * forest.n_features..][..forest.n_features];
            let found = leaves(&forest.nodes, indices.map(|index| self.at[index as usize]), indices.map(row));
            for (&index, leaf) in group.iter().zip(found) {
                sums[index as usize] += forest.nodes[leaf as usize].value;
            }
        }
        true
    }

    /// Takes all rows down the first levels and sorts them by the node they come to.
    fn part(&mut self, forest: &Forest, root: u32, rows: &[f64], n_rows: usize) {
        // Level by level, the nodes of that many levels have the lowest numbers.
        self.places.clear();
        self.places.resize(1 << (FIRST_STEPS + 1), 0);
        self.at.clear();
        for row in rows.chunks_exact(forest.n_features) {
            let mut at = root;
            for _ in 0..FIRST_STEPS {
                let node = forest.nodes[at as usize];
                let next = node.left + u32::from(row[node.feature as usize] > node.value);
                at = if node.is_leaf() { at } else { next };
            }
            self.places[(at - root) as usize] += 1;
            self.at.push(at);
        }
        let mut first = 0;
        for place in &mut self.places {
            first += std::mem::replace(place, first);
        }
        self.order.clear();
        self.order.resize(n_rows, 0);
        for (row, &at) in (0_u32..).zip(&self.at) {
            let place = &mut self.places[(at - root) as usize];
            self.order[*place] = row;
            *place += 1;
        }
    }
}

#[cfg(test)]
#[cfg(feature = "train")]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::RandomForestRegressor;

    /// Rows, and trees of them with one leaf for each: those of a chain lie at all depths.
    fn forest(is_chain: bool, n_rows: i32) -> (Forest, Array2<f64>) {
        let x = Array2::from_shape_fn((n_rows.unsigned_abs() as usize, 2), |(row, column)| {
            (row * (7 + 24 * column) % 101) as f64
        });
        let target = |row: i32| if is_chain { 3_f64.powi(row % 60) } else { f64::from(row * 37 % 113) };
        let y: Vec<f64> = (0..n_rows).map(target).collect();
        let regressor = RandomForestRegressor::builder().n_estimators(3).build().unwrap();
        (regressor.fit(x.view(), &y).unwrap(), x)
    }

    #[test]
    fn sorted_rows_end_in_the_leaves_they_end_in_alone() {
        for is_chain in [true, false] {
            let (forest, x) = forest(is_chain, 101);
            let mut parted = Parted::default();
            // The same room for fewer rows after more.
            for n_rows in [101, 64, MANY + 1] {
                let mut sums = vec![0.5; n_rows];
                let rows = &x.as_slice().unwrap()[..n_rows * 2];
                for tree in 0..3 {
                    assert!(parted.add_tree(&forest, tree, rows, &mut sums));
                }
                for (sum, row) in sums.iter().zip(rows.chunks(2)) {
                    let leaf = |&root: &u32| forest.nodes[super::super::node::leaf(&forest.nodes, root, row)].value;
                    let expected = forest.roots.iter().map(leaf).fold(0.5, |sum, value| sum + value);
                    assert_eq!(sum.to_bits(), expected.to_bits());
                }
            }
        }
    }

    #[test]
    fn few_rows_and_small_trees_are_left_to_others() {
        let (forest, x) = forest(false, 101);
        let mut sums = vec![0.0; MANY - 1];
        assert!(!Parted::default().add_tree(&forest, 0, &x.as_slice().unwrap()[..sums.len() * 2], &mut sums));
        let (small, x) = self::forest(false, 31);
        let rows = x.as_slice().unwrap().repeat(2);
        let mut sums = vec![0.0; 62];
        assert!(small.nodes.len() >= LARGE, "all trees together");
        assert!(!Parted::default().add_tree(&small, 0, &rows, &mut sums));
        assert!(sums.iter().all(|&sum| sum == 0.0));
    }
}
