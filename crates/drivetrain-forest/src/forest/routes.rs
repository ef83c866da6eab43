//! Ways that no threshold decides: those of missing values and of categories.
//!
//! Most rows never need them, so they are kept apart from the nodes: a row with a missing value, or any row
//! where a feature has categories, is walked by [`Forest::leaf_by_routes`], every other one as fast as can be.

use super::{Forest, NodeView};
use crate::ForestError;

/// The most categories that a feature may have: their numbers are 0 to 63.
const MAX_CATEGORIES: usize = 64;

/// A set of categories, numbers from 0 to 63.
///
/// ```
/// use drivetrain_forest::CategorySet;
///
/// let set: CategorySet = [0, 2].into_iter().collect();
/// assert!(set.contains(2) && !set.contains(1));
/// assert_eq!(set.iter().collect::<Vec<_>>(), [0, 2]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CategorySet(pub(crate) u64);

impl CategorySet {
    /// Whether `category` is one of the set.
    #[must_use]
    pub fn contains(self, category: u32) -> bool {
        category < 64 && self.0 >> category & 1 == 1
    }

    /// The categories in ascending order.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..64).filter(move |&category| self.contains(category))
    }
}

impl FromIterator<u32> for CategorySet {
    /// The set of those numbers that are below 64.
    fn from_iter<I: IntoIterator<Item = u32>>(categories: I) -> Self {
        Self(categories.into_iter().filter(|&category| category < 64).fold(0, |set, category| set | 1 << category))
    }
}

/// The category that `value` stands for, if it is one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tested to be a small whole number")]
pub(crate) fn category(value: f64) -> Option<u32> {
    ((0.0..MAX_CATEGORIES as f64).contains(&value) && value.fract() == 0.0).then_some(value as u32)
}

/// What the nodes of a forest do not say.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Routes {
    /// For each node of the forest a bit: whether a missing value goes left. Empty in a forest that was
    /// stored before missing values were known.
    pub(super) missing_left: Vec<u64>,
    /// Whether each feature holds categories; empty where none does.
    pub(super) categorical: Vec<bool>,
    /// The categories that go left: the value of a split on categories is a place in here.
    pub(super) sets: Vec<u64>,
}

impl Routes {
    pub(super) fn missing_goes_left(&self, node: usize) -> bool {
        self.missing_left.get(node / 64).is_some_and(|word| word >> (node % 64) & 1 == 1)
    }

    pub(super) fn is_categorical(&self, feature: usize) -> bool {
        self.categorical.get(feature).copied().unwrap_or(false)
    }

    /// The set whose place is the value of a split on categories.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked when the forest was made")]
    pub(super) fn set(&self, value: f64) -> CategorySet {
        CategorySet(self.sets.get(value as usize).copied().unwrap_or(0))
    }
}

impl Forest {
    /// Whether thresholds alone decide the ways of rows with these `values`.
    ///
    /// # Errors
    /// If a value is infinite, or missing where the forest does not know what to do with it.
    pub(super) fn check_values(&self, values: &[f64]) -> Result<bool, ForestError> {
        if values.iter().all(|value| value.is_finite()) {
            return Ok(self.routes.categorical.is_empty());
        }
        let refuses_missing = self.routes.missing_left.is_empty();
        match values.iter().position(|value| value.is_infinite() || (refuses_missing && value.is_nan())) {
            None => Ok(false),
            Some(index) => Err(ForestError::InvalidFeature {
                row: index / self.n_features,
                column: index % self.n_features,
                value: values[index],
            }),
        }
    }

    /// Where the leaf lies, counted from the tree's root, that `row` ends in; the row may have missing values
    /// and categories.
    pub(super) fn leaf_by_routes(&self, tree: usize, row: &[f64]) -> usize {
        let Some(tree) = self.tree(tree) else { return 0 };
        let mut node = 0;
        loop {
            let (goes_left, left, right) = match tree.node(node) {
                Some(NodeView::Split { feature, threshold, left, right }) => {
                    (Some(row[feature]).filter(|value| !value.is_nan()).map(|value| value <= threshold), left, right)
                }
                Some(NodeView::CategorySplit { feature, categories, left, right }) => {
                    (category(row[feature]).map(|category| categories.contains(category)), left, right)
                }
                Some(NodeView::Leaf { .. }) | None => return node,
            };
            let goes_left = goes_left.unwrap_or_else(|| tree.missing_goes_left(node));
            node = if goes_left { left } else { right };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature 0 is a number, feature 1 a category; missing values go left at the root and right below.
    fn stored() -> serde_json::Value {
        serde_json::json!({
            "n_features": 2, "n_nodes": [5], "feature": [0, 1, null, null, null],
            "value": [0.5, 0.0, 4.0, 3.0, 1.0], "feature_importances": [0.5, 0.5],
            "missing_left": [1], "categorical": [false, true], "category_sets": [5],
        })
    }

    #[test]
    fn missing_values_and_categories_take_their_ways() {
        let forest: Forest = serde_json::from_value(stored()).unwrap();
        let predict = |row: [f64; 2]| forest.predict_row(&row).unwrap();
        assert_eq!(predict([1.0, 0.0]), 4.0);
        assert_eq!(predict([f64::NAN, 0.0]), 3.0);
        assert_eq!(predict([0.5, 2.0]), 3.0);
        assert_eq!(predict([0.5, 1.0]), 1.0);
        // Missing, beyond the sets, no category at all.
        for category in [f64::NAN, 63.0, 64.0, -1.0, 0.5] {
            assert_eq!(predict([0.0, category]), 1.0, "{category}");
        }
        assert_eq!(serde_json::to_value(&forest).unwrap(), stored());
        let tree = forest.tree(0).unwrap();
        let categories = [0, 2].into_iter().collect();
        assert_eq!(tree.node(1), Some(NodeView::CategorySplit { feature: 1, categories, left: 3, right: 4 }));
        assert_eq!([0, 1, 2].map(|node| tree.missing_goes_left(node)), [true, false, false]);
    }

    #[test]
    fn one_row_and_many_agree() {
        let forest: Forest = serde_json::from_value(stored()).unwrap();
        let values = [0.0, 1.0, f64::NAN, 2.0];
        let x = ndarray::Array2::from_shape_fn((16, 2), |(row, column)| values[(row >> (2 * column)) % 4]);
        let alone: Vec<f64> =
            x.rows().into_iter().map(|row| forest.predict_row(row.as_slice().unwrap()).unwrap()).collect();
        assert_eq!(forest.predict(x.view()).unwrap(), alone);
        assert_eq!(forest.predict_trees(x.view()).unwrap().column(0).to_vec(), alone);
    }

    #[test]
    fn what_does_not_fit_the_nodes_is_refused() {
        let message = |field: &str, value: serde_json::Value| {
            let mut stored = stored();
            stored[field] = value;
            serde_json::from_value::<Forest>(stored).unwrap_err().to_string()
        };
        assert_eq!(
            message("missing_left", serde_json::json!([1, 0])),
            "not a forest: 5 nodes have 2 words of missing_left"
        );
        assert_eq!(
            message("categorical", serde_json::json!([true])),
            "not a forest: it has 2 features but 1 entries of categorical"
        );
        assert_eq!(
            message("category_sets", serde_json::json!([])),
            "not a forest: node 1 of tree 0 has no set of categories"
        );
        assert_eq!(
            message("value", serde_json::json!([0.5, 0.5, 4.0, 3.0, 1.0])),
            "not a forest: node 1 of tree 0 has no set of categories"
        );
    }

    #[test]
    fn a_forest_stored_without_ways_refuses_missing_values() {
        let mut value = stored();
        for field in ["missing_left", "categorical", "category_sets"] {
            value.as_object_mut().unwrap().remove(field);
        }
        let forest: Forest = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(
            forest.predict_row(&[0.0, f64::NAN]).unwrap_err().to_string(),
            "x[0, 1] is NaN: expected a finite number"
        );
        assert_eq!(serde_json::to_value(&forest).unwrap(), value);
    }
}
