//! The jobs that run and end; [`serve`](crate::serve) is the one that stays.

#[cfg(feature = "process")]
pub mod acquire;
#[cfg(feature = "evaluate")]
mod baselines;
#[cfg(feature = "evaluate")]
pub mod evaluate;
#[cfg(any(feature = "process", feature = "train"))]
mod features;
#[cfg(any(feature = "process", feature = "train"))]
mod outputs;
#[cfg(feature = "process")]
mod part;
#[cfg(feature = "process")]
pub mod process;
#[cfg(feature = "train")]
mod progress;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "train")]
pub mod train;

#[cfg(any(feature = "process", feature = "train"))]
pub use features::{FEATURES_FILE, FeatureDescription};
