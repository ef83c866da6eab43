//! What an artifact holds.

use std::fmt;

use drivetrain_forest::Forest;
use drivetrain_plan::{DataType, Field, Plan, Schema};
use serde::{Deserialize, Serialize};

use crate::{ArtifactError, Sha256};

/// The kinds of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// Raw rows to features.
    Preprocessor,
    /// Features to predictions.
    Regressor,
    /// Raw rows to predictions.
    Pipeline,
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Preprocessor => "preprocessor",
            Self::Regressor => "regressor",
            Self::Pipeline => "pipeline",
        })
    }
}

/// A fitted preprocessor, a regressor, or the two in a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// Turns raw rows into features.
    Preprocessor(Plan),
    /// Turns features into predictions.
    Regressor(Regressor),
    /// Turns raw rows into predictions.
    Pipeline(Pipeline),
}

/// A forest that knows the names of its features, and maybe the preprocessor that they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Regressor {
    forest: Forest,
    features: Schema,
    preprocessor_id: Option<Sha256>,
}

/// A preprocessor and the regressor that takes its features.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    preprocessor: Plan,
    regressor: Regressor,
}

impl Model {
    /// Which kind of model it is.
    #[must_use]
    pub const fn kind(&self) -> ModelKind {
        match self {
            Self::Preprocessor(_) => ModelKind::Preprocessor,
            Self::Regressor(_) => ModelKind::Regressor,
            Self::Pipeline(_) => ModelKind::Pipeline,
        }
    }

    /// The preprocessor, if there is one.
    #[must_use]
    pub const fn preprocessor(&self) -> Option<&Plan> {
        match self {
            Self::Preprocessor(plan) => Some(plan),
            Self::Regressor(_) => None,
            Self::Pipeline(pipeline) => Some(pipeline.preprocessor()),
        }
    }

    /// The regressor, if there is one.
    #[must_use]
    pub const fn regressor(&self) -> Option<&Regressor> {
        match self {
            Self::Preprocessor(_) => None,
            Self::Regressor(regressor) => Some(regressor),
            Self::Pipeline(pipeline) => Some(pipeline.regressor()),
        }
    }

    /// The columns that the model takes: raw ones, or a regressor's features as floats.
    #[must_use]
    pub fn input_schema(&self) -> &Schema {
        match self {
            Self::Preprocessor(plan) => plan.inputs(),
            Self::Regressor(regressor) => &regressor.features,
            Self::Pipeline(pipeline) => pipeline.preprocessor.inputs(),
        }
    }

    /// The names of the features that leave the preprocessor or enter the regressor, in order.
    #[must_use]
    pub fn feature_names(&self) -> Vec<&str> {
        match self {
            Self::Preprocessor(plan) => plan.feature_names(),
            Self::Regressor(regressor) => regressor.feature_names(),
            Self::Pipeline(pipeline) => pipeline.regressor.feature_names(),
        }
    }
}

impl Regressor {
    /// The forest with the names of the columns that it was fitted on, in order.
    ///
    /// # Errors
    /// [`ArtifactError::FeatureCount`] when there are not as many names as features, [`ArtifactError::FeatureNames`]
    /// when two are the same.
    pub fn new(forest: Forest, feature_names: Vec<String>) -> Result<Self, ArtifactError> {
        if feature_names.len() != forest.n_features() {
            return Err(ArtifactError::FeatureCount { names: feature_names.len(), features: forest.n_features() });
        }
        let fields = feature_names.into_iter().map(|name| Field::new(name, DataType::Float64)).collect();
        let features = Schema::new(fields).map_err(|source| ArtifactError::FeatureNames { source })?;
        Ok(Self { forest, features, preprocessor_id: None })
    }

    /// The same regressor, fitted on the features of the preprocessor with this
    /// [model id](crate::Artifact::model_id).
    ///
    /// Two preprocessors may give the same names to other numbers, such as when they were fitted on other rows; the id
    /// tells them apart.
    #[must_use]
    pub fn with_preprocessor_id(self, id: Sha256) -> Self {
        Self { preprocessor_id: Some(id), ..self }
    }

    /// The forest.
    #[must_use]
    pub const fn forest(&self) -> &Forest {
        &self.forest
    }

    /// The names of its features, in order.
    #[must_use]
    pub fn feature_names(&self) -> Vec<&str> {
        self.features.names().collect()
    }

    /// The model id of the preprocessor whose features it takes, if that was recorded.
    #[must_use]
    pub const fn preprocessor_id(&self) -> Option<Sha256> {
        self.preprocessor_id
    }
}

impl Pipeline {
    /// The two in a row.
    ///
    /// # Errors
    /// [`ArtifactError::FeatureMismatch`] for the first feature that the preprocessor does not give under the name and
    /// in the position in which the regressor takes it.
    pub fn new(preprocessor: Plan, regressor: Regressor) -> Result<Self, ArtifactError> {
        let (given, taken) = (preprocessor.feature_names(), regressor.feature_names());
        let at = |names: &[&str], position: usize| {
            names.get(position).map_or_else(|| "absent".to_owned(), |name| format!("`{name}`"))
        };
        let differs = |position: &usize| given.get(*position) != taken.get(*position);
        if let Some(position) = (0..given.len().max(taken.len())).find(differs) {
            let (given, taken) = (at(&given, position), at(&taken, position));
            return Err(ArtifactError::FeatureMismatch { position, given, taken });
        }
        Ok(Self { preprocessor, regressor })
    }

    /// What turns raw rows into features.
    #[must_use]
    pub const fn preprocessor(&self) -> &Plan {
        &self.preprocessor
    }

    /// What turns features into predictions.
    #[must_use]
    pub const fn regressor(&self) -> &Regressor {
        &self.regressor
    }
}
