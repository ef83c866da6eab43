//! Parameters as growing takes them, whatever the estimator; and their checks.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::{MaxFeatures, Samples};
use crate::ForestError;

/// How the split of a node is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Splitter {
    /// The best of all splits of the features drawn.
    #[default]
    Best,
    /// The best of one split drawn at random for each feature drawn.
    Random,
}

/// How each tree is grown.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "train"), expect(dead_code, reason = "only growing reads some of them"))]
pub(crate) struct TreeParameters<'a> {
    pub(crate) splitter: Splitter,
    pub(crate) max_depth: Option<usize>,
    pub(crate) min_samples_split: Samples,
    pub(crate) min_samples_leaf: Samples,
    pub(crate) min_weight_fraction_leaf: f64,
    pub(crate) max_features: MaxFeatures,
    pub(crate) max_leaf_nodes: Option<usize>,
    pub(crate) min_impurity_decrease: f64,
    pub(crate) ccp_alpha: f64,
    /// Empty where no feature is constrained.
    pub(crate) monotonic: &'a [i8],
    pub(crate) categorical_features: &'a [usize],
    /// For each feature whether it holds categories; empty where none does. Known once there are data.
    pub(crate) categorical: &'a [bool],
    pub(crate) random_state: u64,
}

/// The most rows that are drawn for a tree: the limit keeps a mistyped number from asking for all the time there is.
pub(crate) const MAX_DRAWS: u32 = u32::MAX;

/// How many trees a forest has, and of which rows each is grown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForestParameters {
    pub(crate) n_estimators: usize,
    pub(crate) bootstrap: bool,
    pub(crate) max_samples: Option<Samples>,
}

impl ForestParameters {
    /// A single tree of all rows.
    pub(super) const ONE_TREE: Self = Self { n_estimators: 1, bootstrap: false, max_samples: None };

    pub(super) fn validate(&self) -> Result<(), ForestError> {
        // The limit keeps a mistyped number from asking for all the memory there is.
        if !(1..=1_000_000).contains(&self.n_estimators) {
            return refuse("n_estimators", &self.n_estimators, "a number from 1 to 1000000");
        }
        let Some(max_samples) = self.max_samples else { return Ok(()) };
        if !max_samples.is_within(1, f64::MAX) {
            return refuse("max_samples", &max_samples, "a number of at least 1, or a share above 0.0, or none");
        }
        if max_samples.at_most(1) > MAX_DRAWS as usize {
            return refuse("max_samples", &max_samples, "at most 4294967295 draws");
        }
        if self.bootstrap { Ok(()) } else { refuse("max_samples", &max_samples, "none, as bootstrap is off") }
    }
}

impl TreeParameters<'_> {
    pub(super) fn validate(&self) -> Result<(), ForestError> {
        let is_amount = |value: f64| value >= 0.0 && value.is_finite();
        if self.max_depth == Some(0) {
            return refuse("max_depth", &0, "a number of at least 1, or none");
        }
        if !self.min_samples_split.is_within(2, 1.0) {
            let expected = "a number of at least 2, or a share above 0.0 and up to 1.0";
            return refuse("min_samples_split", &self.min_samples_split, expected);
        }
        if !self.min_samples_leaf.is_within(1, 1.0_f64.next_down()) {
            let expected = "a number of at least 1, or a share above 0.0 and below 1.0";
            return refuse("min_samples_leaf", &self.min_samples_leaf, expected);
        }
        if !(0.0..=0.5).contains(&self.min_weight_fraction_leaf) {
            return refuse("min_weight_fraction_leaf", &self.min_weight_fraction_leaf, "a share from 0.0 to 0.5");
        }
        if let Some(max_leaf_nodes @ 0..2) = self.max_leaf_nodes {
            return refuse("max_leaf_nodes", &max_leaf_nodes, "a number of at least 2, or none");
        }
        if !is_amount(self.min_impurity_decrease) {
            return refuse("min_impurity_decrease", &self.min_impurity_decrease, "a finite number of at least 0.0");
        }
        if !is_amount(self.ccp_alpha) {
            return refuse("ccp_alpha", &self.ccp_alpha, "a finite number of at least 0.0");
        }
        if let Some(constraint) = self.monotonic.iter().find(|constraint| !(-1..=1).contains(*constraint)) {
            return refuse("monotonic_cst", constraint, "-1, 0 or 1 for each feature");
        }
        let is_constrained =
            |feature: &&usize| self.monotonic.get(**feature).is_some_and(|&constraint| constraint != 0);
        match self.categorical_features.iter().find(is_constrained) {
            Some(feature) => refuse("categorical_features", feature, "features without a monotonic constraint"),
            None => Ok(()),
        }
    }
}

/// The error for a parameter outside its range.
pub(super) fn refuse(name: &'static str, value: &dyn Display, expected: &'static str) -> Result<(), ForestError> {
    Err(ForestError::InvalidParameter { name, value: value.to_string(), expected })
}
