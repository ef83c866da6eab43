//! What a feature matrix is of, in a file beside it.

use std::path::Path;

use drivetrain_artifact::Sha256;
use serde::{Deserialize, Serialize};

use crate::{Error, environment::read_json};

/// The file beside a feature matrix that says what it is of: a [`FeatureDescription`] as JSON.
pub const FEATURES_FILE: &str = "features.json";

/// What the columns of a feature matrix are, and what made them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureDescription {
    /// The names of the columns, in order, without the target's.
    pub names: Vec<String>,
    /// The id of the preprocessor that made them: only its features will do when the model predicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessor: Option<Sha256>,
}

impl FeatureDescription {
    /// Reads the description in `path`; `None` when there is no such file.
    ///
    /// # Errors
    /// [`Error::Read`] when it cannot be read, [`Error::ParseConfig`] when it is not one.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        read_json(path)
    }
}
