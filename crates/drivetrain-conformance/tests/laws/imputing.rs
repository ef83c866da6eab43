//! The transformers of missing values keep every law.

use drivetrain_transform::{IndicatedFeatures, MissingIndicator, SimpleImputer};

use crate::{everything, keeps};

#[test]
fn simple_imputer() {
    keeps(&SimpleImputer::most_frequent(), &everything());
    keeps(&SimpleImputer::most_frequent().add_indicator(true), &everything());
}

#[test]
fn missing_indicator() {
    keeps(&MissingIndicator::new(), &everything());
    keeps(&MissingIndicator::new().error_on_new(false), &everything());
    keeps(&MissingIndicator::new().features(IndicatedFeatures::All), &everything());
}
