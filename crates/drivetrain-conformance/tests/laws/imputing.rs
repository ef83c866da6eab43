//! The transformers of missing values keep every law.

use drivetrain_transform::{IndicatedFeatures, MissingIndicator, SimpleImputer};

use crate::{everything, floats, keeps, numbers};

#[test]
fn simple_imputer() {
    keeps(&SimpleImputer::most_frequent(), &everything());
    keeps(&SimpleImputer::most_frequent().add_indicator(true), &everything());
    // Where texts have no indicator there is a way back.
    keeps(&SimpleImputer::most_frequent().add_indicator(true), &numbers());
    keeps(&SimpleImputer::median().add_indicator(true).keep_empty_features(true), &floats());
}

#[test]
fn missing_indicator() {
    keeps(&MissingIndicator::new(), &everything());
    keeps(&MissingIndicator::new().error_on_new(false), &everything());
    keeps(&MissingIndicator::new().features(IndicatedFeatures::All), &everything());
}
