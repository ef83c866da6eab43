//! The transformers of missing values keep every law.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use drivetrain_conformance::{Conformance, TableOptions};
use drivetrain_plan::{CategoryType, DataType, Field, Schema};
use drivetrain_transform::{Estimator, IndicatedFeatures, MissingIndicator, SimpleImputer};

fn keeps<E>(estimator: &E)
where
    E: Estimator + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static,
{
    let fields = [
        ("float", DataType::Float64),
        ("integer", DataType::Int64),
        ("flag", DataType::Boolean),
        ("text", DataType::String),
        ("number category", DataType::Categorical(CategoryType::Int64)),
        ("text category", DataType::Categorical(CategoryType::String)),
    ];
    let schema = Schema::new(fields.into_iter().map(|(name, dtype)| Field::new(name, dtype)).collect()).unwrap();
    for missing in [0.0, 0.1, 0.6] {
        let tables = TableOptions::default().missing(missing);
        if let Err(broken) = Conformance::new(&schema).tables(tables).check(estimator) {
            panic!("{estimator:?}\n{broken}");
        }
    }
}

#[test]
fn simple_imputer() {
    keeps(&SimpleImputer::most_frequent());
    keeps(&SimpleImputer::most_frequent().add_indicator(true));
}

#[test]
fn missing_indicator() {
    keeps(&MissingIndicator::new());
    keeps(&MissingIndicator::new().error_on_new(false));
    keeps(&MissingIndicator::new().features(IndicatedFeatures::All));
}
