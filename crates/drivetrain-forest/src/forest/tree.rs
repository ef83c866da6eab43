//! Looking into single trees.

use ndarray::{Array2, ArrayView2};

use super::Forest;
use super::node::{Node, leaf};
use crate::{ForestError, check};

/// What a node does with a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NodeView {
    /// A row goes left where its feature is at most the threshold, else right.
    Split {
        /// The column asked about.
        feature: usize,
        /// The largest value that goes left.
        threshold: f64,
        /// The node on the left.
        left: usize,
        /// The node on the right.
        right: usize,
    },
    /// The row's prediction.
    Leaf {
        /// The mean target of the leaf's training rows.
        value: f64,
    },
}

/// One tree of a [`Forest`]. Its nodes are numbered level by level from the root, 0.
///
/// ```
/// # #[cfg(feature = "train")]
/// # {
/// use drivetrain_forest::ndarray::array;
/// use drivetrain_forest::{NodeView, RandomForestRegressor};
///
/// let regressor = RandomForestRegressor::builder().n_estimators(1).bootstrap(false).build()?;
/// let forest = regressor.fit(array![[1.0], [2.0], [4.0]].view(), &[5.0, 5.0, 9.0])?;
/// let tree = forest.tree(0).unwrap();
/// assert_eq!(tree.node(0), Some(NodeView::Split { feature: 0, threshold: 3.0, left: 1, right: 2 }));
/// assert_eq!(tree.node(2), Some(NodeView::Leaf { value: 9.0 }));
/// assert_eq!((tree.n_nodes(), tree.n_leaves(), tree.depth()), (3, 2, 1));
/// # }
/// # Ok::<(), drivetrain_forest::ForestError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tree<'a> {
    root: usize,
    nodes: &'a [Node],
}

impl Tree<'_> {
    /// The number of nodes, leaves included.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The number of leaves.
    #[must_use]
    pub fn n_leaves(&self) -> usize {
        self.nodes.iter().filter(|node| node.is_leaf()).count()
    }

    /// The largest number of splits between the root and a leaf.
    #[must_use]
    pub fn depth(&self) -> usize {
        let mut depths = vec![0; self.n_nodes()];
        // Children come after their parents.
        for (index, node) in self.nodes().enumerate() {
            if let NodeView::Split { left, right, .. } = node {
                depths[left] = depths[index] + 1;
                depths[right] = depths[index] + 1;
            }
        }
        depths.into_iter().max().unwrap_or(0)
    }

    /// Node number `index`.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<NodeView> {
        self.nodes.get(index).map(|node| self.view(node))
    }

    /// The nodes in the order of their numbers.
    #[must_use]
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeView> {
        self.nodes.iter().map(|node| self.view(node))
    }

    fn view(&self, node: &Node) -> NodeView {
        if node.is_leaf() {
            return NodeView::Leaf { value: node.value };
        }
        let left = node.left as usize - self.root;
        NodeView::Split { feature: node.feature as usize, threshold: node.value, left, right: left + 1 }
    }
}

impl Forest {
    /// Tree number `index`.
    #[must_use]
    pub fn tree(&self, index: usize) -> Option<Tree<'_>> {
        let root = *self.roots.get(index)? as usize;
        let end = self.roots.get(index + 1).map_or(self.nodes.len(), |&end| end as usize);
        Some(Tree { root, nodes: &self.nodes[root..end] })
    }

    /// The trees in the order in which they were grown.
    #[must_use]
    pub fn trees(&self) -> impl ExactSizeIterator<Item = Tree<'_>> {
        (0..self.n_trees()).filter_map(|index| self.tree(index)).collect::<Vec<_>>().into_iter()
    }

    /// For each row of `x` and each tree the number of the leaf the row ends in: rows by trees.
    ///
    /// Source: `RandomForestRegressor.apply` of scikit-learn, whose nodes have other numbers.
    ///
    /// # Errors
    /// As [`Forest::predict`].
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn apply(&self, x: ArrayView2<'_, f64>) -> Result<Array2<usize>, ForestError> {
        self.of_leaves(&x, |root, leaf| leaf - root)
    }

    /// For each row of `x` and each tree the tree's prediction: rows by trees.
    ///
    /// # Errors
    /// As [`Forest::predict`].
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn predict_trees(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, ForestError> {
        self.of_leaves(&x, |_, leaf| self.nodes[leaf].value)
    }

    /// Something about the leaf that each row ends in, in each tree.
    fn of_leaves<T>(
        &self,
        x: &ArrayView2<'_, f64>,
        about: impl Fn(usize, usize) -> T,
    ) -> Result<Array2<T>, ForestError> {
        check::width(self.n_features, x.ncols())?;
        let values = check::row_major(x);
        check::features(&values, self.n_features)?;
        let rows: Vec<&[f64]> = values.chunks(self.n_features).collect();
        Ok(Array2::from_shape_fn((x.nrows(), self.n_trees()), |(row, tree)| {
            let root = self.roots[tree];
            about(root as usize, leaf(&self.nodes, root, rows[row]))
        }))
    }
}
