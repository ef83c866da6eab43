//! Looking into single trees.

use ndarray::{Array2, ArrayView2};

use super::node::{Node, leaf};
use super::{CategorySet, Forest, Routes};
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
    /// A row goes left where its feature's category is one of a set, else right.
    CategorySplit {
        /// The column asked about.
        feature: usize,
        /// The categories that go left.
        categories: CategorySet,
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
    n_features: usize,
    root: usize,
    nodes: &'a [Node],
    routes: &'a Routes,
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

    /// The number of columns a row must have.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The largest number of splits between the root and a leaf.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.levels().first().map_or(0, |levels| levels - 1)
    }

    /// For each node the number of levels of the subtree below and with it.
    pub(super) fn levels(&self) -> Vec<usize> {
        let mut levels = vec![1; self.n_nodes()];
        // Children come after their parents.
        for (index, node) in self.nodes().enumerate().rev() {
            if let NodeView::Split { left, right, .. } | NodeView::CategorySplit { left, right, .. } = node {
                levels[index] = 1 + levels[left].max(levels[right]);
            }
        }
        levels
    }

    /// Node number `index`.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<NodeView> {
        self.nodes.get(index).map(|node| self.view(node))
    }

    /// The nodes in the order of their numbers.
    #[must_use]
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeView> + ExactSizeIterator {
        self.nodes.iter().map(|node| self.view(node))
    }

    fn view(&self, node: &Node) -> NodeView {
        if node.is_leaf() {
            return NodeView::Leaf { value: node.value };
        }
        let left = node.left as usize - self.root;
        let feature = node.feature as usize;
        if self.routes.is_categorical(feature) {
            let categories = self.routes.set(node.value);
            return NodeView::CategorySplit { feature, categories, left, right: left + 1 };
        }
        NodeView::Split { feature, threshold: node.value, left, right: left + 1 }
    }

    /// Whether node number `index` sends a row left whose value is missing; false at a leaf.
    #[must_use]
    pub fn missing_goes_left(&self, index: usize) -> bool {
        self.routes.missing_goes_left(self.root + index)
    }
}

impl Forest {
    /// Tree number `index`.
    #[must_use]
    pub fn tree(&self, index: usize) -> Option<Tree<'_>> {
        let root = *self.roots.get(index)? as usize;
        Some(Tree { n_features: self.n_features, root, nodes: self.nodes_of_tree(index), routes: &self.routes })
    }

    /// The nodes of tree number `tree`, of which there must be one, its root first.
    pub(super) fn nodes_of_tree(&self, tree: usize) -> &[Node] {
        let end = self.roots.get(tree + 1).map_or(self.nodes.len(), |&end| end as usize);
        &self.nodes[self.roots[tree] as usize..end]
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

    /// The values of all leaves, tree after tree.
    pub(super) fn leaf_values(&self) -> impl Iterator<Item = f64> {
        self.nodes.iter().filter(|node| node.is_leaf()).map(|node| node.value)
    }

    /// The prediction of one tree for one row, both of which there are.
    #[cfg(feature = "train")]
    pub(crate) fn tree_prediction(&self, tree: usize, row: &[f64]) -> f64 {
        self.nodes[self.leaf(tree, row)].value
    }

    /// For each row of `x` the leaf it ends in, in a tree that there is, by the tree's numbers.
    pub(super) fn leaves_of_tree(&self, tree: usize, x: &ArrayView2<'_, f64>) -> Result<Vec<usize>, ForestError> {
        check::width(self.n_features, x.ncols())?;
        let values = check::row_major(x);
        let by_threshold = self.check_values(&values)?;
        Ok(values.chunks(self.n_features).map(|row| self.leaf_of(tree, row, by_threshold)).collect())
    }

    /// Something about the leaf that each row ends in, in each tree: its tree's root, and where it lies.
    fn of_leaves<T>(
        &self,
        x: &ArrayView2<'_, f64>,
        about: impl Fn(usize, usize) -> T,
    ) -> Result<Array2<T>, ForestError> {
        check::width(self.n_features, x.ncols())?;
        let values = check::row_major(x);
        let by_threshold = self.check_values(&values)?;
        let rows: Vec<&[f64]> = values.chunks(self.n_features).collect();
        Ok(Array2::from_shape_fn((x.nrows(), self.n_trees()), |(row, tree)| {
            let root = self.roots[tree] as usize;
            about(root, root + self.leaf_of(tree, rows[row], by_threshold))
        }))
    }

    /// The leaf that `row` ends in, by the tree's numbers; thresholds alone decide, or not.
    fn leaf_of(&self, tree: usize, row: &[f64], by_threshold: bool) -> usize {
        if !by_threshold {
            return self.leaf_by_routes(tree, row);
        }
        let root = self.roots[tree];
        leaf(&self.nodes, root, row) - root as usize
    }

    /// Where the leaf lies that `row`, which may have missing values, ends in.
    #[cfg(feature = "train")]
    fn leaf(&self, tree: usize, row: &[f64]) -> usize {
        let by_threshold = self.routes.categorical.is_empty() && !row.iter().any(|value| value.is_nan());
        self.roots[tree] as usize + self.leaf_of(tree, row, by_threshold)
    }
}
