//! Random forest regression: growing, flat trees, prediction, importances, metrics.
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
//! # Inspection
//!
//! [`Forest::feature_importances`], [`Forest::apply`], [`Forest::predict_trees`], single trees with their
//! nodes ([`Forest::trees`]), as text ([`Tree::export_text`]) and as graphs ([`Tree::export_graphviz`]);
//! with `train`, `RandomForestRegressor::out_of_bag`.
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
//!   something to compare with.
//!
//! # Not as in scikit-learn
//!
//! * Parameters are validated when they are built, not at fit.
//! * Values are always float64; missing and infinite ones are refused at fit and at prediction.
//! * The seed is a number, 0 unless given: there is no unseeded forest.
//! * scikit-learn computes features in float32, takes values within 1e-7 for equal, and stops where a
//!   node's variance is below 2e-16 in the target's own unit. Here any two values are told apart, and
//!   a node stops where all targets are equal, whatever their unit.
//! * Which of two equally good splits is taken depends on the order in which features are drawn, there
//!   as here; the draws are other ones.
//! * Criteria other than `squared_error`, missing values, monotonic constraints and `warm_start` are not
//!   there.

mod check;
mod error;
mod forest;
#[cfg(feature = "train")]
mod grow;
pub mod metrics;
mod params;
#[cfg(feature = "train")]
mod random;

pub use error::ForestError;
pub use forest::{Forest, NodeView, Tree, TreeFormat};
#[cfg(feature = "train")]
pub use grow::{Engine, FitOptions};
/// The ndarray whose views the API takes.
pub use ndarray;
pub use params::{FeatureFraction, MaxFeatures, RandomForestRegressor, RandomForestRegressorBuilder, Samples};
