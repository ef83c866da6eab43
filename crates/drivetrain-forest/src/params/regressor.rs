//! The estimator: hyper-parameters only, it cannot predict.

use serde::{Deserialize, Serialize};

use super::{MaxFeatures, Samples};
use crate::ForestError;

/// A random forest regressor yet to be fitted, with scikit-learn's parameter names and defaults.
///
/// It holds nothing but validated hyper-parameters, so it also serves as their record: it serialises
/// as a map of them, and reading one back validates it again (a parameter left out has its default,
/// an unknown one is an error). Fitting, with the `train` feature, gives a [`Forest`](crate::Forest).
///
/// Source: `sklearn.ensemble.RandomForestRegressor`; Breiman, L. (2001), Random Forests,
/// doi:10.1023/A:1010933404324.
///
/// ```
/// use drivetrain_forest::{MaxFeatures, RandomForestRegressor};
///
/// let regressor = RandomForestRegressor::builder()
///     .n_estimators(50)
///     .max_depth(8)
///     .max_features(MaxFeatures::Sqrt)
///     .random_state(7)
///     .build()?;
/// assert_eq!(regressor.max_depth(), Some(8));
///
/// let error = RandomForestRegressor::builder().n_estimators(0).build().unwrap_err();
/// assert_eq!(error.to_string(), "n_estimators is 0: expected a number from 1 to 1000000");
/// # Ok::<(), drivetrain_forest::ForestError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "RandomForestRegressorBuilder")]
pub struct RandomForestRegressor(RandomForestRegressorBuilder);

/// Hyper-parameters yet to be validated; starts from scikit-learn's defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use = "a builder does nothing until it is built"]
pub struct RandomForestRegressorBuilder {
    n_estimators: usize,
    max_depth: Option<usize>,
    min_samples_split: Samples,
    min_samples_leaf: Samples,
    min_weight_fraction_leaf: f64,
    max_features: MaxFeatures,
    max_leaf_nodes: Option<usize>,
    min_impurity_decrease: f64,
    bootstrap: bool,
    max_samples: Option<Samples>,
    ccp_alpha: f64,
    random_state: u64,
}

impl Default for RandomForestRegressorBuilder {
    fn default() -> Self {
        Self {
            n_estimators: 100,
            max_depth: None,
            min_samples_split: Samples::Count(2),
            min_samples_leaf: Samples::Count(1),
            min_weight_fraction_leaf: 0.0,
            max_features: MaxFeatures::All,
            max_leaf_nodes: None,
            min_impurity_decrease: 0.0,
            bootstrap: true,
            max_samples: None,
            ccp_alpha: 0.0,
            random_state: 0,
        }
    }
}

impl RandomForestRegressorBuilder {
    /// The number of trees (default 100).
    pub fn n_estimators(mut self, n_estimators: usize) -> Self {
        self.n_estimators = n_estimators;
        self
    }

    /// The largest number of splits between the root and a leaf; `None`, the default, for no limit.
    pub fn max_depth(mut self, max_depth: impl Into<Option<usize>>) -> Self {
        self.max_depth = max_depth.into();
        self
    }

    /// The fewest rows a node must have to be split (default 2): a count, or a share of all rows.
    ///
    /// A row that the bootstrap draws twice counts once, here and for leaves.
    pub fn min_samples_split(mut self, min_samples_split: impl Into<Samples>) -> Self {
        self.min_samples_split = min_samples_split.into();
        self
    }

    /// The fewest rows a leaf may have (default 1): a count, or a share of all rows.
    pub fn min_samples_leaf(mut self, min_samples_leaf: impl Into<Samples>) -> Self {
        self.min_samples_leaf = min_samples_leaf.into();
        self
    }

    /// The smallest share of the tree's total weight that a leaf may have (default 0).
    pub fn min_weight_fraction_leaf(mut self, min_weight_fraction_leaf: f64) -> Self {
        self.min_weight_fraction_leaf = min_weight_fraction_leaf;
        self
    }

    /// The largest number of leaves of a tree: the splits that remove most of the squared error come
    /// first. `None`, the default, for no limit.
    pub fn max_leaf_nodes(mut self, max_leaf_nodes: impl Into<Option<usize>>) -> Self {
        self.max_leaf_nodes = max_leaf_nodes.into();
        self
    }

    /// The decrease in squared error, divided by the tree's total weight, that a split must bring
    /// (default 0).
    pub fn min_impurity_decrease(mut self, min_impurity_decrease: f64) -> Self {
        self.min_impurity_decrease = min_impurity_decrease;
        self
    }

    /// How many rows the bootstrap draws for a tree: a count, or a share of all rows. `None`, the
    /// default, for as many as there are.
    pub fn max_samples(mut self, max_samples: impl Into<Option<Samples>>) -> Self {
        self.max_samples = max_samples.into();
        self
    }

    /// What a leaf costs when trees are pruned to the smallest sum of squared error, divided by the
    /// tree's total weight, and cost of leaves (default 0, no pruning).
    ///
    /// Source: Breiman, L., Friedman, J., Olshen, R., Stone, C. (1984), Classification and regression
    /// trees, chapter 3, doi:10.1201/9781315139470.
    pub fn ccp_alpha(mut self, ccp_alpha: f64) -> Self {
        self.ccp_alpha = ccp_alpha;
        self
    }

    /// The number of features drawn at every split (default all).
    pub fn max_features(mut self, max_features: MaxFeatures) -> Self {
        self.max_features = max_features;
        self
    }

    /// Whether every tree learns from rows drawn with replacement (default) or from all rows.
    pub fn bootstrap(mut self, bootstrap: bool) -> Self {
        self.bootstrap = bootstrap;
        self
    }

    /// The seed of all randomness (default 0): equal seeds and data give equal forests.
    pub fn random_state(mut self, random_state: u64) -> Self {
        self.random_state = random_state;
        self
    }

    /// Validates the parameters.
    ///
    /// # Errors
    /// [`ForestError::InvalidParameter`] for the first one outside its range.
    pub fn build(self) -> Result<RandomForestRegressor, ForestError> {
        let refuse = |name, value: &dyn std::fmt::Display, expected| {
            Err(ForestError::InvalidParameter { name, value: value.to_string(), expected })
        };
        let is_amount = |value: f64| value >= 0.0 && value.is_finite();
        // The limit keeps a mistyped number from asking for all the memory there is.
        if !(1..=1_000_000).contains(&self.n_estimators) {
            return refuse("n_estimators", &self.n_estimators, "a number from 1 to 1000000");
        }
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
        if let Some(max_samples) = self.max_samples {
            // The limit keeps a mistyped number from asking for all the time there is.
            if !max_samples.is_within(1, 1e6) || max_samples.at_most(1) > 1 << 40 {
                return refuse("max_samples", &max_samples, "a number of at least 1, or a share above 0.0, or none");
            }
            if !self.bootstrap {
                return refuse("max_samples", &max_samples, "none, as bootstrap is off");
            }
        }
        if !is_amount(self.ccp_alpha) {
            return refuse("ccp_alpha", &self.ccp_alpha, "a finite number of at least 0.0");
        }
        Ok(RandomForestRegressor(self))
    }
}

impl RandomForestRegressor {
    /// Starts from scikit-learn's defaults.
    pub fn builder() -> RandomForestRegressorBuilder {
        RandomForestRegressorBuilder::default()
    }

    /// The number of trees.
    #[must_use]
    pub fn n_estimators(&self) -> usize {
        self.0.n_estimators
    }

    /// The largest number of splits between the root and a leaf.
    #[must_use]
    pub fn max_depth(&self) -> Option<usize> {
        self.0.max_depth
    }

    /// The fewest rows a node must have to be split.
    #[must_use]
    pub fn min_samples_split(&self) -> Samples {
        self.0.min_samples_split
    }

    /// The fewest rows a leaf may have.
    #[must_use]
    pub fn min_samples_leaf(&self) -> Samples {
        self.0.min_samples_leaf
    }

    /// The smallest share of the tree's total weight that a leaf may have.
    #[must_use]
    pub fn min_weight_fraction_leaf(&self) -> f64 {
        self.0.min_weight_fraction_leaf
    }

    /// The largest number of leaves of a tree.
    #[must_use]
    pub fn max_leaf_nodes(&self) -> Option<usize> {
        self.0.max_leaf_nodes
    }

    /// The decrease in squared error, divided by the tree's total weight, that a split must bring.
    #[must_use]
    pub fn min_impurity_decrease(&self) -> f64 {
        self.0.min_impurity_decrease
    }

    /// How many rows the bootstrap draws for a tree.
    #[must_use]
    pub fn max_samples(&self) -> Option<Samples> {
        self.0.max_samples
    }

    /// What a leaf costs when trees are pruned.
    #[must_use]
    pub fn ccp_alpha(&self) -> f64 {
        self.0.ccp_alpha
    }

    /// The number of features drawn at every split.
    #[must_use]
    pub fn max_features(&self) -> MaxFeatures {
        self.0.max_features
    }

    /// Whether every tree learns from rows drawn with replacement.
    #[must_use]
    pub fn bootstrap(&self) -> bool {
        self.0.bootstrap
    }

    /// The seed of all randomness.
    #[must_use]
    pub fn random_state(&self) -> u64 {
        self.0.random_state
    }
}

impl TryFrom<RandomForestRegressorBuilder> for RandomForestRegressor {
    type Error = ForestError;

    fn try_from(builder: RandomForestRegressorBuilder) -> Result<Self, Self::Error> {
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_scikit_learn() {
        let json = serde_json::to_value(RandomForestRegressor::default()).unwrap();
        let expected = serde_json::json!({
            "n_estimators": 100, "max_depth": null, "min_samples_split": 2, "min_samples_leaf": 1,
            "min_weight_fraction_leaf": 0.0, "max_features": "all", "max_leaf_nodes": null,
            "min_impurity_decrease": 0.0, "bootstrap": true, "max_samples": null, "ccp_alpha": 0.0,
            "random_state": 0,
        });
        assert_eq!(json, expected);
        assert_eq!(RandomForestRegressor::default().0, RandomForestRegressorBuilder::default());
    }

    #[test]
    fn every_parameter_is_kept_and_survives_json() {
        let regressor = RandomForestRegressor::builder()
            .n_estimators(3)
            .max_depth(4)
            .min_samples_split(5)
            .min_samples_leaf(0.25)
            .min_weight_fraction_leaf(0.125)
            .max_features(MaxFeatures::Log2)
            .max_leaf_nodes(9)
            .min_impurity_decrease(0.5)
            .max_samples(Samples::Fraction(0.75))
            .ccp_alpha(0.0625)
            .random_state(u64::MAX)
            .build()
            .unwrap();
        assert_eq!(regressor.n_estimators(), 3);
        assert_eq!(regressor.max_depth(), Some(4));
        assert_eq!(regressor.min_samples_split(), 5);
        assert_eq!(regressor.min_samples_leaf(), Samples::Fraction(0.25));
        assert_eq!(regressor.min_weight_fraction_leaf(), 0.125);
        assert_eq!(regressor.max_features(), MaxFeatures::Log2);
        assert_eq!(regressor.max_leaf_nodes(), Some(9));
        assert_eq!(regressor.min_impurity_decrease(), 0.5);
        assert!(regressor.bootstrap());
        assert_eq!(regressor.max_samples(), Some(Samples::Fraction(0.75)));
        assert_eq!(regressor.ccp_alpha(), 0.0625);
        assert_eq!(regressor.random_state(), u64::MAX);
        let json = serde_json::to_string(&regressor).unwrap();
        assert_eq!(serde_json::from_str::<RandomForestRegressor>(&json).unwrap(), regressor);
    }

    #[test]
    fn values_out_of_range_are_refused_when_built() {
        let message = |builder: RandomForestRegressorBuilder| builder.build().unwrap_err().to_string();
        let start = RandomForestRegressor::builder;
        assert_eq!(
            message(start().n_estimators(1_000_001)),
            "n_estimators is 1000001: expected a number from 1 to 1000000"
        );
        assert_eq!(message(start().max_depth(0)), "max_depth is 0: expected a number of at least 1, or none");
        assert_eq!(
            message(start().min_samples_split(1)),
            "min_samples_split is 1: expected a number of at least 2, or a share above 0.0 and up to 1.0"
        );
        assert_eq!(
            message(start().min_samples_leaf(0)),
            "min_samples_leaf is 0: expected a number of at least 1, or a share above 0.0 and below 1.0"
        );
        for builder in [
            start().min_samples_split(0.0),
            start().min_samples_split(f64::NAN),
            start().min_samples_leaf(1.0),
            start().min_weight_fraction_leaf(0.51),
            start().max_leaf_nodes(1),
            start().min_impurity_decrease(-1.0),
            start().max_samples(Samples::Count(0)),
            start().max_samples(Samples::Fraction(f64::INFINITY)),
            start().max_samples(Samples::Count(5)).bootstrap(false),
            start().ccp_alpha(f64::NAN),
        ] {
            assert!(message(builder.clone()).contains(": expected "), "{builder:?}");
        }
        assert!(start().bootstrap(false).build().is_ok_and(|regressor| !regressor.bootstrap()));
    }

    #[test]
    fn reading_validates_and_refuses_unknown_names() {
        let read = serde_json::from_str::<RandomForestRegressor>;
        assert_eq!(read("{}").unwrap(), RandomForestRegressor::default());
        assert!(read(r#"{"n_estimators": 0}"#).is_err());
        assert!(read(r#"{"n_trees": 10}"#).is_err());
        assert!(read(r#"{"max_features": "most"}"#).is_err());
    }
}
