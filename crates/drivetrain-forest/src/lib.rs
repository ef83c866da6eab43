//! Random forests, extra trees and single trees, of numbers and of classes: growing, flat trees, prediction,
//! importances, metrics.
//!
//! A [`RandomForestRegressor`] holds hyper-parameters under scikit-learn's names and with its
//! defaults. Fitting it gives a [`Forest`]: plain data in flat arrays that predicts, serialises and
//! compares. The same data, parameters and seed give the same forest, byte for byte, for any number
//! of threads.
//!
//! ```
//! # #[cfg(feature = "train")]
//! # {
//! use drivetrain_forest::RandomForestRegressor;
//! use drivetrain_forest::metrics::RegressionMetrics;
//! use drivetrain_forest::ndarray::{Array2, array};
//!
//! // y is twice the first column; the second column is of no use.
//! let x = Array2::from_shape_fn((100, 2), |(i, j)| if j == 0 { i as f64 } else { (i * 37 % 100) as f64 });
//! let y: Vec<f64> = x.column(0).iter().map(|value| 2.0 * value).collect();
//!
//! let forest = RandomForestRegressor::builder()
//!     .n_estimators(50)
//!     .random_state(42)
//!     .build()?
//!     .fit(x.view(), &y)?;
//!
//! let predictions = forest.predict(array![[10.0, 3.0], [80.0, 3.0]].view())?;
//! let metrics = RegressionMetrics::new(&[20.0, 160.0], &predictions)?;
//! assert!(metrics.mae < 2.0);
//! assert!(forest.feature_importances()[0] > 0.99);
//!
//! // One row, as a server predicts it: nothing is allocated.
//! assert_eq!(forest.predict_row(&[10.0, 3.0])?, predictions[0]);
//!
//! // Save and load: the same forest, bit for bit.
//! let bytes = rmp_serde::to_vec_named(&forest)?;
//! let loaded: drivetrain_forest::Forest = rmp_serde::from_slice(&bytes)?;
//! assert_eq!(loaded, forest);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Reading bytes back distrusts them: whatever they hold, the result is an error or a forest whose
//! predictions end and are finite.
//!
//! # Estimators
//!
//! | | predicts numbers | predicts classes |
//! |---|---|---|
//! | best splits, trees of rows drawn | [`RandomForestRegressor`] | [`RandomForestClassifier`] |
//! | random splits, trees of all rows | [`ExtraTreesRegressor`] | [`ExtraTreesClassifier`] |
//! | one tree | [`DecisionTreeRegressor`] | [`DecisionTreeClassifier`] |
//!
//! Numbers come from a [`Forest`], classes from a [`ClassificationForest`]. Labels may be of any type that has an
//! order. Missing values are NaN, in training and in what is predicted: each split learns where they go. Features
//! that hold categories can be split into sets of them (`categorical_features`), and predictions can be made to
//! rise or fall with a feature (`monotonic_cst`).
//!
//! ```
//! # #[cfg(feature = "train")]
//! # {
//! use drivetrain_forest::RandomForestClassifier;
//! use drivetrain_forest::ndarray::array;
//!
//! // A colour (a category), and a weight that is missing once.
//! let x = array![[0.0, 7.0], [2.0, f64::NAN], [0.0, 6.5], [1.0, 0.2], [3.0, 0.3], [1.0, 0.1]];
//! let y = ["melon", "melon", "melon", "berry", "berry", "berry"];
//! let classifier = RandomForestClassifier::builder().categorical_features(vec![0]).random_state(1).build()?;
//! let forest = classifier.fit(x.view(), &y)?;
//! assert_eq!(forest.predict(array![[2.0, 8.0], [1.0, f64::NAN]].view())?, ["melon", "berry"]);
//! # }
//! # Ok::<(), drivetrain_forest::ForestError>(())
//! ```
//!
//! # Inspection
//!
//! [`Forest::feature_importances`], [`Forest::apply`], [`Forest::decision_path`], [`Forest::predict_trees`],
//! [`Forest::node_statistics`], quantiles of the target ([`QuantileForest`]), single trees with their nodes
//! ([`Forest::trees`]), as text ([`Tree::export_text`]), as graphs ([`Tree::export_graphviz`]) and as drawings ([`Tree::export_svg`]); with
//! `train`, `RandomForestRegressor::out_of_bag` and `inspection::permutation_importance`.
//!
//! # More trees
//!
//! Trees of one seed may be grown in several processes ([`FitOptions::first_tree`]) and joined
//! ([`Forest::merge`]), and a forest may be given more of them (`RandomForestRegressor::warm_start`): either way it
//! is, byte for byte, the forest grown at once.
//!
//! # Speed
//!
//! `cargo bench -p drivetrain-forest` compares with smartcore and scikit-learn in one run; the
//! [source](https://github.com/drivetrain-rs/drivetrain/blob/main/crates/drivetrain-forest/src/grow/exact/mod.rs)
//! of the engine says what else was tried and what it cost.
//!
//! # Features
//!
//! * `train`, on by default, grows forests. Without it the crate predicts, reads and writes forests, and
//!   holds parameters and metrics: what a server needs.
//! * `smartcore` adds `Engine::Smartcore`, which grows the same kind of forest with smartcore's trees:
//!   something to compare with, and `SmartcoreEstimator`, which its cross-validation takes.
//!
//! # Not as in scikit-learn
//!
//! * Parameters are validated when they are built, not at fit.
//! * Values are always float64. With the criterion `absolute_error` and the best splitter missing values are learned
//!   from as with the others. The threshold that tells what is missing from all that is not is the largest number,
//!   not infinity.
//! * A tree is grown whole before `max_leaf_nodes` keeps the leaves that a best-first search would have reached:
//!   what a split is does not depend on when it is made.
//! * Classification is of one output; labels are not floating point numbers, which have no total order. Weights of
//!   classes are given in the order of the sorted labels.
//! * Out-of-bag predictions are asked for after the fit (`out_of_bag`); there is no `oob_score` parameter, and
//!   threads are a pool given with the options, not `n_jobs`.
//! * With `categorical_features`, which scikit-learn's trees do not have, a split parts sets of categories.
//! * The seed is a number, 0 unless given: there is no unseeded forest.
//! * scikit-learn computes features in float32, takes values within 1e-7 for equal, and stops where a
//!   node's variance is below 2e-16 in the target's own unit. Here any two values are told apart, and
//!   a node stops where all targets are equal, whatever their unit.
//! * Which of two equally good splits is taken depends on the order in which features are drawn, there
//!   as here; the draws are other ones.
//! * `warm_start` is a method that takes the forest to be added to, not a parameter.

mod check;
mod error;
mod forest;
#[cfg(feature = "train")]
mod grow;
#[cfg(feature = "train")]
pub mod inspection;
#[cfg(feature = "smartcore")]
mod interop;
pub mod metrics;
mod params;
#[cfg(feature = "train")]
mod random;
mod scale;

pub use error::ForestError;
pub use forest::{
    CategorySet, ClassificationForest, DecisionPaths, Forest, NodeStatistics, NodeView, PackedForest, QuantileForest,
    ReadableForest, Tree, TreeFormat,
};
#[cfg(feature = "train")]
pub use grow::{Engine, FitOptions};
#[cfg(feature = "smartcore")]
pub use interop::SmartcoreEstimator;
/// The ndarray whose views the API takes.
pub use ndarray;
pub use params::{
    ClassWeight, ClassificationCriterion, DecisionTreeClassifier, DecisionTreeClassifierBuilder, DecisionTreeRegressor,
    DecisionTreeRegressorBuilder, ExtraTreesClassifier, ExtraTreesClassifierBuilder, ExtraTreesRegressor,
    ExtraTreesRegressorBuilder, FeatureFraction, MaxFeatures, RandomForestClassifier, RandomForestClassifierBuilder,
    RandomForestRegressor, RandomForestRegressorBuilder, RegressionCriterion, Samples, Splitter,
};
#[cfg(feature = "train")]
pub use rayon::{ThreadPool, ThreadPoolBuilder};
