//! Hyper-parameters, validated when they are built.

#[macro_use]
mod estimator;
mod class_weight;
mod criterion;
mod decision_tree_classifier;
mod decision_tree_regressor;
mod extra_trees_classifier;
mod extra_trees_regressor;
mod max_features;
mod random_forest_classifier;
mod regressor;
mod samples;
mod tree;

pub use class_weight::ClassWeight;
pub use criterion::{ClassificationCriterion, RegressionCriterion};
pub use decision_tree_classifier::{DecisionTreeClassifier, DecisionTreeClassifierBuilder};
pub use decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorBuilder};
pub use extra_trees_classifier::{ExtraTreesClassifier, ExtraTreesClassifierBuilder};
pub use extra_trees_regressor::{ExtraTreesRegressor, ExtraTreesRegressorBuilder};
pub use max_features::{FeatureFraction, MaxFeatures};
pub use random_forest_classifier::{RandomForestClassifier, RandomForestClassifierBuilder};
pub use regressor::{RandomForestRegressor, RandomForestRegressorBuilder};
pub use samples::Samples;
#[cfg(feature = "train")]
pub(crate) use tree::MAX_DRAWS;
pub use tree::Splitter;
pub(crate) use tree::{ForestParameters, TreeParameters};
