//! The stored form: trees in level order, checked before it becomes a forest.
//!
//! In level order the children of a tree's k-th split (counted from 0) are its nodes 2k + 1 and
//! 2k + 2, so they need not be stored. A list is a tree exactly when every node has been announced
//! by a split before it and every announced node is there.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::node::Node;
use super::packed::PackedForest;
use super::{Forest, Importances, Kept, Routes};
use crate::{ForestError, check};

/// One tree: nodes in level order.
#[cfg(feature = "train")]
#[derive(Debug)]
pub(crate) struct StoredTree {
    /// The column a split asks about; `None` at a leaf.
    pub(crate) feature: Vec<Option<u32>>,
    /// The threshold of a split, the prediction of a leaf.
    pub(crate) value: Vec<f64>,
    /// Whether a split sends a missing value left.
    pub(crate) missing_left: Vec<bool>,
    /// The sets of categories that go left: the value of a split on categories is a place in here.
    pub(crate) category_sets: Vec<u64>,
}

/// A forest as it is written: see [`Forest`] for the meaning of the fields.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredForest {
    pub(super) n_features: u32,
    pub(super) n_nodes: Vec<u32>,
    pub(super) feature: Vec<Option<u32>>,
    pub(super) value: Vec<f64>,
    pub(super) feature_importances: Vec<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) importance_sums: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) missing_left: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) categorical: Vec<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) category_sets: Vec<u64>,
}

#[cfg(feature = "train")]
impl Forest {
    /// Lays grown trees of `n_features` columns one after the other; `categorical` says which of them hold
    /// categories, and is empty where none does. Each tree's memory is given back once it is laid out.
    pub(crate) fn from_trees(
        n_features: usize,
        trees: Vec<StoredTree>,
        importances: Importances,
        categorical: Vec<bool>,
    ) -> Result<Self, ForestError> {
        let n_nodes = trees.iter().map(|tree| tree.value.len()).sum();
        let too_many = |_| ForestError::TooManyNodes { n_nodes, limit: u32::MAX as usize };
        u32::try_from(n_nodes).map_err(too_many)?;
        let width = u32::try_from(n_features).map_err(too_many)?;
        let mut routes = Routes { missing_left: vec![0; n_nodes.div_ceil(64)], categorical, sets: Vec::new() };
        let (mut roots, mut nodes) = (Vec::with_capacity(trees.len()), Vec::with_capacity(n_nodes));
        for (number, mut tree) in trees.into_iter().enumerate() {
            let root = nodes.len();
            for (node, _) in tree.missing_left.iter().enumerate().filter(|(_, goes_left)| **goes_left) {
                routes.missing_left[(root + node) / 64] |= 1 << ((root + node) % 64);
            }
            let n_sets = routes.sets.len() as f64;
            for (value, feature) in tree.value.iter_mut().zip(&tree.feature) {
                if feature.is_some_and(|feature| routes.is_categorical(feature as usize)) {
                    *value += n_sets;
                }
            }
            routes.sets.append(&mut tree.category_sets);
            let root = u32::try_from(root).map_err(too_many)?;
            roots.push(root);
            push_tree(&mut nodes, root, width, &tree.feature, &tree.value).map_err(|fault| invalid(number, fault))?;
        }
        Ok(Self { n_features, roots, nodes, importances, routes, kept: Kept::default() })
    }
}

impl TryFrom<StoredForest> for Forest {
    type Error = ForestError;

    fn try_from(stored: StoredForest) -> Result<Self, Self::Error> {
        let n_features = stored.n_features as usize;
        if stored.n_nodes.is_empty() || n_features == 0 {
            return refuse("it needs at least one tree and one feature".to_owned());
        }
        let n_nodes = stored.value.len();
        if u32::try_from(n_nodes).is_err() {
            return Err(ForestError::TooManyNodes { n_nodes, limit: u32::MAX as usize });
        }
        let counted: u64 = stored.n_nodes.iter().copied().map(u64::from).sum();
        if counted != n_nodes as u64 || stored.feature.len() != n_nodes {
            return refuse(format!(
                "n_nodes adds up to {counted}, feature has {} entries and value has {n_nodes}",
                stored.feature.len()
            ));
        }
        let importances = Importances::from_stored(
            stored.feature_importances,
            stored.importance_sums,
            n_features,
            stored.n_nodes.len(),
        )?;
        let (n_words, n_entries) = (stored.missing_left.len(), stored.categorical.len());
        if n_words != 0 && n_words != n_nodes.div_ceil(64) {
            return refuse(format!("{n_nodes} nodes have {n_words} words of missing_left"));
        }
        if n_entries != 0 && n_entries != n_features {
            return refuse(format!("it has {n_features} features but {n_entries} entries of categorical"));
        }
        // Two different stores of one forest would have two digests.
        if !n_nodes.is_multiple_of(64) && stored.missing_left.last().is_some_and(|word| word >> (n_nodes % 64) != 0) {
            return refuse(format!("missing_left has bits beyond those of the {n_nodes} nodes"));
        }
        let n_sets = stored.category_sets.len();
        let categorical = |feature: u32| stored.categorical.get(feature as usize).is_some_and(|&is| is);

        let mut roots = Vec::with_capacity(stored.n_nodes.len());
        let mut nodes = Vec::with_capacity(n_nodes);
        let mut start = 0;
        for (tree, &length) in stored.n_nodes.iter().enumerate() {
            roots.push(start);
            let range = start as usize..(start + length) as usize;
            let features = &stored.feature[range.clone()];
            let values = &stored.value[range];
            push_tree(&mut nodes, start, stored.n_features, features, values).map_err(|fault| invalid(tree, fault))?;
            let no_set = |(feature, value): (&Option<u32>, &f64)| {
                feature.is_some_and(categorical) && !((0.0..n_sets as f64).contains(value) && value.fract() == 0.0)
            };
            if let Some(node) = features.iter().zip(values).position(no_set) {
                return Err(invalid(tree, (node, "has no set of categories")));
            }
            start += length;
        }
        let StoredForest { missing_left, categorical, category_sets: sets, .. } = stored;
        let routes = Routes { missing_left, categorical, sets };
        Ok(Self { n_features, roots, nodes, importances, routes, kept: Kept::default() })
    }
}

/// The error for a node of a tree and its fault.
fn invalid(tree: usize, (node, fault): (usize, &str)) -> ForestError {
    ForestError::InvalidForest { reason: format!("node {node} of tree {tree} {fault}") }
}

/// Appends one tree whose root lies at `root`; the error is a node of the tree and its fault.
fn push_tree(
    nodes: &mut Vec<Node>,
    root: u32,
    n_features: u32,
    features: &[Option<u32>],
    values: &[f64],
) -> Result<(), (usize, &'static str)> {
    let mut announced = 1_u32;
    for (index, (&feature, &value)) in features.iter().zip(values).enumerate() {
        if index >= announced as usize {
            return Err((index, "has no parent"));
        }
        if !value.is_finite() {
            return Err((index, "holds a value that is not finite"));
        }
        let (feature, left) = match feature {
            // Leaf values are means of targets, which keeps sums over the trees finite.
            None if value.abs() > check::MAX_PREDICTION => {
                return Err((index, "holds a prediction that is too large"));
            }
            None => (0, 0),
            Some(feature) if feature >= n_features => {
                return Err((index, "asks about a feature that does not exist"));
            }
            Some(feature) => {
                if announced as usize + 2 > values.len() {
                    return Err((index, "has no children"));
                }
                let left = root + announced;
                announced += 2;
                (feature, left)
            }
        };
        nodes.push(Node { value, feature, left });
    }
    if values.is_empty() {
        return Err((0, "is missing"));
    }
    Ok(())
}

pub(super) fn refuse<T>(reason: String) -> Result<T, ForestError> {
    Err(ForestError::InvalidForest { reason })
}

impl From<&Forest> for StoredForest {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a forest is only made from a stored form, whose counts have 32 bits"
    )]
    fn from(forest: &Forest) -> Self {
        let end = std::iter::once(forest.nodes.len() as u32);
        let ends = forest.roots.iter().copied().skip(1).chain(end);
        Self {
            n_features: forest.n_features as u32,
            n_nodes: ends.zip(&forest.roots).map(|(end, root)| end - root).collect(),
            feature: forest.nodes.iter().map(|node| (!node.is_leaf()).then_some(node.feature)).collect(),
            value: forest.nodes.iter().map(|node| node.value).collect(),
            feature_importances: forest.importances.shares().to_vec(),
            importance_sums: forest.importances.sums().to_vec(),
            missing_left: forest.routes.missing_left.clone(),
            categorical: forest.routes.categorical.clone(),
            category_sets: forest.routes.sets.clone(),
        }
    }
}

impl Serialize for Forest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = StoredForest::from(self);
        if serializer.is_human_readable() {
            stored.serialize(serializer)
        } else {
            PackedForest::from(stored).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Forest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = if deserializer.is_human_readable() {
            StoredForest::deserialize(deserializer)?
        } else {
            return PackedForest::deserialize(deserializer)?.into_forest().map_err(de::Error::custom);
        };
        Self::try_from(stored).map_err(de::Error::custom)
    }
}

/// A forest in the readable form whatever the format: what Drivetrain wrote as `MessagePack` at first.
///
/// It is read by [`Deserialize`]; [`ReadableForest::into_forest`] hands the forest over.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadableForest(Forest);

impl ReadableForest {
    /// The forest.
    #[must_use]
    pub fn into_forest(self) -> Forest {
        self.0
    }
}

impl<'de> Deserialize<'de> for ReadableForest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = StoredForest::deserialize(deserializer)?;
        Forest::try_from(stored).map(Self).map_err(de::Error::custom)
    }
}
