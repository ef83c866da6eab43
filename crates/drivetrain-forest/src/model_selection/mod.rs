//! Splitting rows into folds and scoring on them, for any estimator and any kind of table.
//!
//! ```
//! use drivetrain_forest::model_selection::{KFold, cross_validate};
//!
//! // Five folds of a model that predicts the mean of its training rows.
//! let y = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
//! let folds = KFold::new(5)?.split(y.len())?;
//! let scores = cross_validate(folds, &y, |fold| {
//!     let sum: f64 = fold.train.iter().map(|&row| y[row]).sum();
//!     Ok::<_, drivetrain_forest::ForestError>(vec![sum / fold.train.len() as f64; fold.test.len()])
//! })?;
//! assert_eq!(scores.len(), 5);
//! # Ok::<(), drivetrain_forest::ForestError>(())
//! ```

mod cross_validate;
mod k_fold;
#[cfg(feature = "train")]
mod permutation;

pub use cross_validate::cross_validate;
#[cfg(feature = "train")]
pub use k_fold::RepeatedKFold;
pub use k_fold::{Fold, KFold};
#[cfg(feature = "train")]
pub use permutation::{PermutationImportance, permutation_importance};
