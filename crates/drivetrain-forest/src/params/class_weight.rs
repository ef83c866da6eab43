//! What rows weigh because of their class.

use serde::{Deserialize, Serialize};

use super::tree::refuse;
use crate::ForestError;

/// What a row weighs because of its class, multiplied by its own weight if it has one.
///
/// Written and read as `none`, `balanced`, `balanced_subsample`, or a map of `given` to a list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// One.
    #[default]
    None,
    /// The number of rows, divided by the number of classes and the number of rows of its class.
    Balanced,
    /// As `Balanced`, counted anew among the rows that the bootstrap draws for each tree.
    BalancedSubsample,
    /// For each class, in the order of the sorted labels, a finite weight of at least 0.
    Given(Vec<f64>),
}

impl ClassWeight {
    pub(super) fn validate(&self) -> Result<(), ForestError> {
        let Self::Given(weights) = self else { return Ok(()) };
        match weights.iter().find(|weight| !(0.0..f64::INFINITY).contains(*weight)) {
            Some(weight) => refuse("class_weight", weight, "finite numbers of at least 0.0"),
            None => Ok(()),
        }
    }
}
