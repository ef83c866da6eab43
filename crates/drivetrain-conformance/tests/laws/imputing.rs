//! The transformers of missing values keep every law.

use drivetrain_transform::{IndicatedFeatures, MissingIndicator, Pipeline, SimpleImputer, StandardScaler, Step};

use crate::{everything, floats, keeps, numbers};

#[test]
fn simple_imputer() {
    keeps(&SimpleImputer::most_frequent(), &everything());
    keeps(&SimpleImputer::most_frequent().add_indicator(true), &everything());
    // Where texts have no indicator there is a way back.
    keeps(&SimpleImputer::most_frequent().add_indicator(true), &numbers());
    let imputer = SimpleImputer::median().add_indicator(true).keep_empty_features(true);
    keeps(&imputer, &floats());
    // What was marked is so but for rounding.
    let steps = vec![Step::new("impute", imputer), Step::new("scale", StandardScaler::new())];
    keeps(&Pipeline::new(steps).unwrap(), &floats());
}

#[test]
fn missing_indicator() {
    keeps(&MissingIndicator::new(), &everything());
    keeps(&MissingIndicator::new().error_on_new(false), &everything());
    keeps(&MissingIndicator::new().features(IndicatedFeatures::All), &everything());
}
