//! The estimator: hyper-parameters only, it cannot predict.

use serde::{Deserialize, Serialize};

use super::MaxFeatures;
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
    min_samples_split: usize,
    min_samples_leaf: usize,
    max_features: MaxFeatures,
    bootstrap: bool,
    random_state: u64,
}

impl Default for RandomForestRegressorBuilder {
    fn default() -> Self {
        Self {
            n_estimators: 100,
            max_depth: None,
            min_samples_split: 2,
            min_samples_leaf: 1,
            max_features: MaxFeatures::All,
            bootstrap: true,
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

    /// The fewest rows a node must have to be split (default 2).
    pub fn min_samples_split(mut self, min_samples_split: usize) -> Self {
        self.min_samples_split = min_samples_split;
        self
    }

    /// The fewest rows a leaf may have (default 1).
    pub fn min_samples_leaf(mut self, min_samples_leaf: usize) -> Self {
        self.min_samples_leaf = min_samples_leaf;
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
        let refuse = |name, value: usize, expected| {
            Err(ForestError::InvalidParameter { name, value: value.to_string(), expected })
        };
        // The limit keeps a mistyped number from asking for all the memory there is.
        if !(1..=1_000_000).contains(&self.n_estimators) {
            return refuse("n_estimators", self.n_estimators, "a number from 1 to 1000000");
        }
        if self.max_depth == Some(0) {
            return refuse("max_depth", 0, "a number of at least 1, or none");
        }
        if self.min_samples_split < 2 {
            return refuse("min_samples_split", self.min_samples_split, "a number of at least 2");
        }
        if self.min_samples_leaf < 1 {
            return refuse("min_samples_leaf", self.min_samples_leaf, "a number of at least 1");
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
    pub fn min_samples_split(&self) -> usize {
        self.0.min_samples_split
    }

    /// The fewest rows a leaf may have.
    #[must_use]
    pub fn min_samples_leaf(&self) -> usize {
        self.0.min_samples_leaf
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
            "max_features": "all", "bootstrap": true, "random_state": 0,
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
            .min_samples_leaf(6)
            .max_features(MaxFeatures::Log2)
            .bootstrap(false)
            .random_state(u64::MAX)
            .build()
            .unwrap();
        assert_eq!(regressor.n_estimators(), 3);
        assert_eq!(regressor.max_depth(), Some(4));
        assert_eq!(regressor.min_samples_split(), 5);
        assert_eq!(regressor.min_samples_leaf(), 6);
        assert_eq!(regressor.max_features(), MaxFeatures::Log2);
        assert!(!regressor.bootstrap());
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
        assert_eq!(message(start().min_samples_split(1)), "min_samples_split is 1: expected a number of at least 2");
        assert_eq!(message(start().min_samples_leaf(0)), "min_samples_leaf is 0: expected a number of at least 1");
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
