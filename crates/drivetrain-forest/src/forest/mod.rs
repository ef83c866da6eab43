//! The fitted forest: flat arrays and what can be asked of them.

mod bits;
mod classification;
mod coded;
mod dictionary;
mod export;
mod importances;
mod inspect;
mod kept;
mod layout;
mod merge;
mod node;
mod packed;
mod parted;
mod predict;
mod quantiles;
mod routes;
mod stored;
mod svg;
mod tree;
mod unchecked;

pub use classification::ClassificationForest;
pub use export::TreeFormat;
pub(crate) use importances::Importances;
pub use inspect::{DecisionPaths, NodeStatistics};
use kept::Kept;
use node::Node;
pub use packed::PackedForest;
pub use quantiles::QuantileForest;
pub use routes::CategorySet;
use routes::Routes;
#[cfg(feature = "train")]
pub(crate) use routes::category;
pub use stored::ReadableForest;
#[cfg(feature = "train")]
pub(crate) use stored::StoredTree;
pub use tree::{NodeView, Tree};

/// The most columns that stored bytes may claim.
const MAX_FEATURES: usize = 1 << 31;

/// A fitted random forest: plain data that predicts.
///
/// All nodes of all trees lie in one array of 16-byte nodes. A row goes left where its feature is at most
/// the threshold; the prediction is the mean over the trees of the leaf values it reaches.
///
/// A tree grown to the end on n rows has at most 2n - 1 nodes, and as bootstrap draws 0.632 of the rows, some
/// 1.26n: a million rows and 100 trees take 2 GB at 16 bytes a node. To grow them takes, beside the table and the
/// forest, 4 bytes for each value of the table, and for each thread as much again of the rows that it draws and 48 bytes
/// for each node of its tree: with 20 columns of a million rows 0.27 GB on one thread and 0.19 GB more for each other one,
/// of 0.16 GB of table.
///
/// It serialises in two forms, trees in the order they were grown and nodes in level order within each. Where
/// people read the format (JSON), the fields are
/// * `n_features`: the width of a row;
/// * `n_nodes`: the number of nodes of each tree;
/// * `feature`: for each node the column it asks about, null at a leaf;
/// * `value`: for each node the threshold, at a leaf the prediction;
/// * `feature_importances`: one number per feature; and `importance_sums`, what they are shares of: for each
///   feature its importance in each tree, in whole parts of 2^-43, added up over the trees. Forests from before
///   they could be merged lack it;
/// * `missing_left`: a bit for each node of the forest, from the lowest of the first of these 64-bit words
///   on: whether a missing value goes left. Forests from before missing values were known lack it;
/// * `categorical`: for each feature whether it holds categories, and `category_sets`: sets of categories,
///   as bits. A split on categories has the place of its set, which goes left, as `value`. Both are absent
///   where no feature holds categories.
///
/// Elsewhere (`MessagePack` with named fields is what Drivetrain writes) all but `n_features` are bytes:
/// * `n_nodes`: each number in groups of seven bits, the lowest first, the highest bit of a byte set where
///   more follow;
/// * `is_split`: a bit for each node, from the lowest of the first byte on, as all that follows;
/// * `feature`: for each split as many bits as tell the features apart;
/// * `thresholds`: for each feature its different thresholds, sorted: how many; how many zero bits all of them
///   end in; the first, and how far on the others are, less 1, without those bits, as whole numbers (a
///   negative one is the complement of the magnitude) in groups of seven bits, the sign of the first lowest;
/// * `threshold`: for each split the place in its feature's list, as many bits as tell the places apart;
/// * `predictions`: the different predictions in the same way, and `prediction`: for each leaf the place. Where
///   that would not pay, `predictions` is empty and `prediction` has 8 bytes for each leaf, the lowest first;
/// * `feature_importances`, `importance_sums`, `missing_left` and `category_sets`: 8 bytes for each number, the lowest first, and
///   `categorical`: a byte for each feature.
///
/// Thresholds and predictions come back to the last bit, and what is read would be written with the same bytes:
/// nothing is listed that is not used, no bit is set that stands for nothing. Reading takes at most 32 bytes of memory for each
/// bit of `is_split`.
///
/// Positions of children follow from the order, so no stored bytes can point outside the arrays or
/// back at a parent; reading checks everything else and refuses what is not a forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    n_features: usize,
    // Where each tree's root lies in `nodes`, trees one after the other.
    roots: Vec<u32>,
    nodes: Vec<Node>,
    importances: Importances,
    routes: Routes,
    kept: Kept,
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
        self.importances.shares()
    }
}
