//! What happens to rows on their way, and what lies where they end.

use ndarray::ArrayView2;

use super::{Forest, NodeView};
use crate::scale::TargetScale;
use crate::{ForestError, check};

/// For each row and each tree the nodes on the way from the root to the leaf, both included.
///
/// ```
/// # #[cfg(feature = "train")]
/// # {
/// use drivetrain_forest::RandomForestRegressor;
/// use drivetrain_forest::ndarray::array;
///
/// let regressor = RandomForestRegressor::builder().n_estimators(1).bootstrap(false).build()?;
/// let x = array![[1.0], [2.0], [4.0]];
/// let paths = regressor.fit(x.view(), &[5.0, 5.0, 9.0])?.decision_path(x.view())?;
/// assert_eq!(paths.path(2, 0), Some([0, 2].as_slice()));
/// # }
/// # Ok::<(), drivetrain_forest::ForestError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionPaths {
    n_trees: usize,
    // Where each path ends in `nodes`: row by row, tree by tree.
    ends: Vec<usize>,
    nodes: Vec<usize>,
}

impl DecisionPaths {
    /// The nodes that row `row` passes in tree `tree`, by the tree's numbers.
    #[must_use]
    pub fn path(&self, row: usize, tree: usize) -> Option<&[usize]> {
        if tree >= self.n_trees {
            return None;
        }
        let index = row.checked_mul(self.n_trees)?.checked_add(tree)?;
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.nodes.get(start..end)
    }
}

/// What rows say about a node that they pass.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NodeStatistics {
    /// How many rows pass the node, each counted once whatever its weight, but not those of weight 0.
    pub n_node_samples: usize,
    /// The sum of their weights.
    pub weighted_n_node_samples: f64,
    /// The weighted mean of their targets; 0 where no row passes.
    pub value: f64,
    /// The weighted mean of the squared distances of their targets from that mean; 0 where no row passes, infinite where it
    /// is too large for a number.
    pub impurity: f64,
}

/// How many rows there are, what they weigh, the mean of their targets and the sum of the squared distances from it.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    n: usize,
    weight: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    /// Adds others, of which there may be none.
    ///
    /// Source: Chan, T. F., Golub, G. H., Le Veque, R. J. (1983), Algorithms for computing the sample variance,
    /// doi:10.1080/00031305.1983.10483115.
    fn add(&mut self, other: &Self) {
        if self.n == 0 {
            *self = *other;
        } else if other.n > 0 {
            let weight = self.weight + other.weight;
            let (share, distance) = (other.weight / weight, other.mean - self.mean);
            self.squares += other.squares + distance * distance * self.weight * share;
            // Rounding must not move it past either mean.
            let (low, high) = (self.mean.min(other.mean), self.mean.max(other.mean));
            self.mean = (self.mean + distance * share).clamp(low, high);
            self.weight = weight;
            self.n += other.n;
        }
    }
}

impl Forest {
    /// For each row of `x` and each tree the nodes that the row passes: 8 bytes for each node on each way.
    ///
    /// Source: `RandomForestRegressor.decision_path` of scikit-learn, which writes it as a sparse matrix.
    ///
    /// # Errors
    /// As [`Forest::predict`].
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn decision_path(&self, x: ArrayView2<'_, f64>) -> Result<DecisionPaths, ForestError> {
        let leaves = self.apply(x)?;
        let parents: Vec<Vec<usize>> = (0..self.n_trees()).map(|tree| self.parents(tree)).collect();
        let (mut ends, mut nodes) = (Vec::with_capacity(leaves.len()), Vec::new());
        for row in leaves.rows() {
            for (&leaf, parents) in row.iter().zip(&parents) {
                let start = nodes.len();
                nodes.extend(way_up(parents, leaf));
                nodes[start..].reverse();
                ends.push(nodes.len());
            }
        }
        Ok(DecisionPaths { n_trees: self.n_trees(), ends, nodes })
    }

    /// For each node of tree number `tree` what the rows of `x` that pass it have in common: with the rows that a
    /// tree was grown on, scikit-learn's `n_node_samples`, `weighted_n_node_samples`, `value` and `impurity`
    /// of the squared error. Nothing of it is kept in a forest; any other rows may be asked about as well.
    ///
    /// `y` has a target and `sample_weight` a weight for each row. A tree that bootstrap grew has seen a row as
    /// often as it was drawn.
    ///
    /// ```
    /// # #[cfg(feature = "train")]
    /// # {
    /// use drivetrain_forest::RandomForestRegressor;
    /// use drivetrain_forest::ndarray::array;
    ///
    /// let regressor = RandomForestRegressor::builder().n_estimators(1).bootstrap(false).build()?;
    /// let (x, y) = (array![[1.0], [2.0], [4.0]], [5.0, 5.0, 8.0]);
    /// let statistics = regressor.fit(x.view(), &y)?.node_statistics(0, x.view(), &y, None)?;
    /// assert_eq!((statistics[0].n_node_samples, statistics[0].value, statistics[0].impurity), (3, 6.0, 2.0));
    /// assert_eq!((statistics[1].n_node_samples, statistics[1].value, statistics[1].impurity), (2, 5.0, 0.0));
    /// # }
    /// # Ok::<(), drivetrain_forest::ForestError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Forest::predict`]; if there is no such tree, or not one finite target and one finite weight, which is not
    /// negative, for each row.
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn node_statistics(
        &self,
        tree: usize,
        x: ArrayView2<'_, f64>,
        y: &[f64],
        sample_weight: Option<&[f64]>,
    ) -> Result<Vec<NodeStatistics>, ForestError> {
        let n_rows = x.nrows();
        if tree >= self.n_trees() {
            let expected = "the number of a tree";
            return Err(ForestError::InvalidParameter { name: "tree", value: tree.to_string(), expected });
        }
        if y.len() != n_rows {
            return Err(ForestError::TargetLength { n_rows, n_targets: y.len() });
        }
        if let Some(row) = y.iter().position(|target| !target.is_finite()) {
            return Err(ForestError::InvalidTarget { row, value: y[row], limit: f64::MAX });
        }
        sample_weight.map_or(Ok(()), |weights| check::each_weight(weights, n_rows))?;
        let leaves = self.leaves_of_tree(tree, &x)?;
        let parents = self.parents(tree);
        // Neither squares of targets nor sums of weights overflow before they are scaled back.
        let (of_targets, of_weights) = (TargetScale::new(y), sample_weight.map(TargetScale::new));
        let weight = |row: usize| match (sample_weight, of_weights) {
            (Some(weights), Some(scale)) => scale.down(weights[row]),
            _ => 1.0,
        };
        let mut spreads = vec![Spread::default(); parents.len()];
        for (row, &leaf) in leaves.iter().enumerate().filter(|(row, _)| weight(*row) > 0.0) {
            spreads[leaf].add(&Spread { n: 1, weight: weight(row), mean: of_targets.down(y[row]), squares: 0.0 });
        }
        // Children come after their parents.
        for node in (1..spreads.len()).rev() {
            let (above, below) = spreads.split_at_mut(node);
            above[parents[node]].add(&below[0]);
        }
        let statistics = |Spread { n, weight, mean, squares }: Spread| NodeStatistics {
            n_node_samples: n,
            weighted_n_node_samples: of_weights.map_or(weight, |scale| scale.up(weight)),
            value: of_targets.up(mean),
            impurity: if n == 0 { 0.0 } else { of_targets.up(of_targets.up(squares / weight)) },
        };
        Ok(spreads.into_iter().map(statistics).collect())
    }

    /// For each node of a tree its parent; the root's is itself.
    fn parents(&self, tree: usize) -> Vec<usize> {
        let nodes = self.tree(tree).into_iter().flat_map(|tree| tree.nodes().collect::<Vec<_>>());
        let mut parents = vec![0];
        for (index, node) in nodes.enumerate() {
            // Level by level, each split adds its two children behind those of the splits before it.
            if !matches!(node, NodeView::Leaf { .. }) {
                parents.extend([index, index]);
            }
        }
        parents
    }
}

/// The nodes from `node` up to the root, both included.
fn way_up(parents: &[usize], node: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(node), |&node| (node > 0).then(|| parents[node]))
}
