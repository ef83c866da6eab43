//! What makes a split a good one.

use serde::{Deserialize, Serialize};

/// What a split of a regression tree lowers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegressionCriterion {
    /// The squared error around the mean, which a leaf predicts.
    #[default]
    SquaredError,
    /// Another name for the squared error, as in scikit-learn since 1.9: the two always chose the same splits.
    FriedmanMse,
    /// The absolute error around the median, which a leaf predicts.
    AbsoluteError,
    /// The Poisson deviance of targets that are not negative, around the mean, which a leaf predicts and which
    /// is above zero.
    Poisson,
}

/// What a split of a classification tree lowers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassificationCriterion {
    /// The Gini impurity: the chance that two rows drawn from a node are of different classes.
    #[default]
    Gini,
    /// The entropy of the classes, in bits.
    Entropy,
    /// Another name for the entropy, as in scikit-learn.
    LogLoss,
}
