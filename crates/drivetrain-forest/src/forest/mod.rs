//! The fitted forest: flat arrays and what can be asked of them.

mod classification;
mod export;
mod node;
mod predict;
mod routes;
mod stored;
mod tree;

pub use classification::ClassificationForest;
pub use export::TreeFormat;
use node::Node;
pub use routes::CategorySet;
use routes::Routes;
#[cfg(feature = "train")]
pub(crate) use routes::category;
#[cfg(feature = "train")]
pub(crate) use stored::{StoredForest, StoredTree};
pub use tree::{NodeView, Tree};

/// A fitted random forest: plain data that predicts.
///
/// All nodes of all trees lie in one array of 16-byte nodes. A row goes left where its feature is
/// at most the threshold; the prediction is the mean over the trees of the leaf values it reaches.
///
/// It serialises (any serde format; `MessagePack` with named fields is what Drivetrain writes) as these
/// fields, trees in the order they were grown and nodes in level order within each:
/// * `n_features`: the width of a row;
/// * `n_nodes`: the number of nodes of each tree;
/// * `feature`: for each node the column it asks about, null at a leaf;
/// * `value`: for each node the threshold, at a leaf the prediction;
/// * `feature_importances`: one number per feature;
/// * `missing_left`: a bit for each node of the forest, from the lowest of the first of these 64-bit words
///   on: whether a missing value goes left. Forests from before missing values were known lack it;
/// * `categorical`: for each feature whether it holds categories, and `category_sets`: sets of categories,
///   as bits. A split on categories has the place of its set, which goes left, as `value`. Both are absent
///   where no feature holds categories.
///
/// Positions of children follow from the order, so no stored bytes can point outside the arrays or
/// back at a parent; reading checks everything else and refuses what is not a forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    n_features: usize,
    // Where each tree's root lies in `nodes`, trees one after the other.
    roots: Vec<u32>,
    nodes: Vec<Node>,
    feature_importances: Vec<f64>,
    routes: Routes,
}

impl Forest {
    /// The number of columns a row must have.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The number of trees.
    #[must_use]
    pub fn n_trees(&self) -> usize {
        self.roots.len()
    }

    /// The number of nodes, leaves included, of all trees.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Impurity-based importances, one per feature: they add up to 1, or are all 0 where no tree split.
    ///
    /// The squared error a feature's splits removed, as a share of what the tree removed, averaged
    /// over the trees that split. Measured on the training rows, hence biased towards features with
    /// many distinct values.
    ///
    /// Source: `RandomForestRegressor.feature_importances_` of scikit-learn.
    #[must_use]
    pub fn feature_importances(&self) -> &[f64] {
        &self.feature_importances
    }
}
