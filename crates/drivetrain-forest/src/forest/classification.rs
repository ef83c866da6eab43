//! A forest that predicts classes: a forest whose leaves are numbered, and what each leaf says.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Forest;
use crate::ForestError;

/// Rows whose leaves are found at a time.
const BLOCK_ROWS: usize = 256;

/// A fitted forest that predicts classes: plain data, like [`Forest`].
///
/// The labels may be of any type that has an order: numbers, strings, booleans, enums of your own. (Floating
/// point numbers have none; classes given as such are to be turned into whole numbers.) Its classes are the
/// distinct labels of the training set, sorted.
///
/// It serialises as three fields: `leaves`, a [`Forest`] whose leaves have their number as value; `classes`; and
/// `shares`, for each leaf the share of each class among its training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<L>", bound(deserialize = "L: Deserialize<'de> + Ord"))]
pub struct ClassificationForest<L> {
    pub(super) leaves: Forest,
    pub(super) classes: Vec<L>,
    pub(super) shares: Vec<f64>,
}

/// Its stored form, not checked yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<L> {
    leaves: Forest,
    classes: Vec<L>,
    shares: Vec<f64>,
}

impl<L: Ord> TryFrom<Stored<L>> for ClassificationForest<L> {
    type Error = ForestError;

    fn try_from(Stored { leaves, classes, shares }: Stored<L>) -> Result<Self, Self::Error> {
        let refuse = |reason: String| Err(ForestError::InvalidForest { reason });
        if classes.is_empty() || !classes.is_sorted_by(|a, b| a < b) {
            return refuse("its classes are none, or not in order".to_owned());
        }
        let n_leaves = leaves.trees().map(|tree| tree.n_leaves()).sum::<usize>();
        if Some(shares.len()) != n_leaves.checked_mul(classes.len()) {
            return refuse(format!("{n_leaves} leaves and {} classes have {} shares", classes.len(), shares.len()));
        }
        let is_off = |value: f64| !((0.0..n_leaves as f64).contains(&value) && value.fract() == 0.0);
        if let Some(value) = leaves.leaf_values().find(|&value| is_off(value)) {
            return refuse(format!("a leaf has the number {value} of {n_leaves}"));
        }
        if let Some(leaf) = shares.chunks(classes.len()).position(|shares| !is_distribution(shares)) {
            return refuse(format!("the shares of leaf {leaf} do not add up to 1"));
        }
        Ok(Self { leaves, classes, shares })
    }
}

/// Whether these are shares of a whole, but for rounding.
fn is_distribution(shares: &[f64]) -> bool {
    shares.iter().all(|share| (0.0..=1.0 + 1e-9).contains(share)) && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6
}

impl<L> ClassificationForest<L> {
    /// Puts together what was grown.
    #[cfg(feature = "train")]
    pub(crate) fn new(leaves: Forest, classes: Vec<L>, shares: Vec<f64>) -> Self {
        Self { leaves, classes, shares }
    }

    /// The labels in ascending order: the columns of [`ClassificationForest::predict_proba`].
    #[must_use]
    pub fn classes(&self) -> &[L] {
        &self.classes
    }

    /// The number of columns a row must have.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.leaves.n_features()
    }

    /// The number of trees.
    #[must_use]
    pub fn n_trees(&self) -> usize {
        self.leaves.n_trees()
    }

    /// Impurity-based importances, as those of [`Forest::feature_importances`].
    #[must_use]
    pub fn feature_importances(&self) -> &[f64] {
        self.leaves.feature_importances()
    }

    /// The structure: trees whose leaves have their number, throughout the forest, as value.
    #[must_use]
    pub fn leaves(&self) -> &Forest {
        &self.leaves
    }

    /// The share of each class among the training rows of the leaf of this number.
    #[must_use]
    pub fn leaf_shares(&self, leaf: usize) -> Option<&[f64]> {
        self.shares.chunks(self.classes.len()).nth(leaf)
    }

    /// For each row of `x` the chance of each class: the mean over the trees of the shares in the leaf that the row
    /// ends in. Rows by classes; the same bits for any chunks and any number of threads.
    ///
    /// Source: `RandomForestClassifier.predict_proba` of scikit-learn.
    ///
    /// # Errors
    /// As [`Forest::predict`].
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn predict_proba(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, ForestError> {
        let n_classes = self.classes.len();
        let mut proba = Array2::zeros((x.nrows(), n_classes));
        let starts: Vec<usize> = (0..x.nrows()).step_by(BLOCK_ROWS).collect();
        let forest = &self.leaves;
        let leaves_of = |&start: &usize| {
            let end = x.nrows().min(start + BLOCK_ROWS);
            forest.predict_trees(x.slice_axis(Axis(0), (start..end).into()))
        };
        let parts = starts.par_iter().map(leaves_of).collect::<Result<Vec<_>, _>>().map_err(|error| {
            // The row within its block is not the row of x: the whole is checked again to name it.
            forest.predict(x.view()).err().unwrap_or(error)
        })?;
        let leaves = parts.iter().flat_map(|part| part.rows());
        for (mut row, leaves) in proba.rows_mut().into_iter().zip(leaves) {
            for &leaf in leaves {
                for (sum, share) in row.iter_mut().zip(self.shares_of(leaf)) {
                    *sum += share;
                }
            }
            row /= self.n_trees() as f64;
        }
        if x.nrows() == 0 {
            self.leaves.predict(x)?;
        }
        Ok(proba)
    }

    /// For each row of `x` the most likely class; of several the first.
    ///
    /// # Errors
    /// As [`Forest::predict`].
    #[expect(clippy::needless_pass_by_value, reason = "views are passed by value, as everywhere in ndarray")]
    pub fn predict(&self, x: ArrayView2<'_, f64>) -> Result<Vec<L>, ForestError>
    where
        L: Clone,
    {
        let proba = self.predict_proba(x)?;
        Ok(proba.rows().into_iter().map(|shares| self.classes[most(shares.iter())].clone()).collect())
    }

    /// The shares of the leaf whose number is `value`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number of a leaf")]
    pub(crate) fn shares_of(&self, value: f64) -> &[f64] {
        &self.shares[value as usize * self.classes.len()..][..self.classes.len()]
    }
}

/// The place of the largest share; of several the first.
fn most<'a>(shares: impl Iterator<Item = &'a f64>) -> usize {
    let mut most = (0, f64::NEG_INFINITY);
    for (place, &share) in shares.enumerate() {
        if share > most.1 {
            most = (place, share);
        }
    }
    most.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> serde_json::Value {
        serde_json::json!({
            "leaves": {
                "n_features": 1, "n_nodes": [3, 1], "feature": [0, null, null, null], "value": [0.5, 0.0, 1.0, 2.0],
                "feature_importances": [1.0],
            },
            "classes": ["no", "yes"],
            "shares": [1.0, 0.0, 0.25, 0.75, 0.5, 0.5],
        })
    }

    #[test]
    fn chances_are_means_over_the_trees() {
        let forest: ClassificationForest<String> = serde_json::from_value(stored()).unwrap();
        let x = ndarray::array![[0.0], [1.0]];
        assert_eq!(forest.predict_proba(x.view()).unwrap(), ndarray::array![[0.75, 0.25], [0.375, 0.625]]);
        assert_eq!(forest.predict(x.view()).unwrap(), ["no", "yes"]);
        assert_eq!(forest.leaf_shares(1), Some(&[0.25, 0.75][..]));
        assert_eq!(forest.leaf_shares(3), None);
        assert_eq!(serde_json::to_value(&forest).unwrap(), stored());
        let wide = forest.predict_proba(Array2::zeros((0, 2)).view()).unwrap_err();
        assert_eq!(wide.to_string(), "x has 2 columns but the forest was fitted on 1");
    }

    #[test]
    fn an_error_names_the_row_of_the_whole() {
        let forest: ClassificationForest<String> = serde_json::from_value(stored()).unwrap();
        let mut x = Array2::zeros((600, 1));
        x[[555, 0]] = f64::INFINITY;
        let error = forest.predict(x.view()).unwrap_err();
        assert_eq!(error.to_string(), "x[555, 0] is inf: expected a finite number");
    }

    #[test]
    fn what_is_not_such_a_forest_is_refused() {
        let message = |field: &str, value: serde_json::Value| {
            let mut stored = stored();
            stored[field] = value;
            serde_json::from_value::<ClassificationForest<String>>(stored).unwrap_err().to_string()
        };
        let order = "not a forest: its classes are none, or not in order";
        assert_eq!(message("classes", serde_json::json!([])), order);
        assert_eq!(message("classes", serde_json::json!(["yes", "no"])), order);
        assert_eq!(message("classes", serde_json::json!(["no", "no"])), order);
        assert_eq!(message("shares", serde_json::json!([1.0])), "not a forest: 3 leaves and 2 classes have 1 shares");
        assert_eq!(
            message("shares", serde_json::json!([1.0, 0.0, 0.25, 0.25, 0.5, 0.5])),
            "not a forest: the shares of leaf 1 do not add up to 1"
        );
        let mut leaves = stored()["leaves"].clone();
        leaves["value"] = serde_json::json!([0.5, 0.0, 1.0, 3.0]);
        assert_eq!(message("leaves", leaves), "not a forest: a leaf has the number 3 of 3");
    }
}
