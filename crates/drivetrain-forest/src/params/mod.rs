//! Hyper-parameters, validated when they are built.

mod max_features;
mod regressor;
mod samples;

pub use max_features::{FeatureFraction, MaxFeatures};
pub use regressor::{RandomForestRegressor, RandomForestRegressorBuilder};
pub use samples::Samples;
