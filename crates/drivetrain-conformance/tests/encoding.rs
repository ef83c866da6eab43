//! The encoders of categories keep every law.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fmt::Debug;

use drivetrain_conformance::{Conformance, TableOptions};
use drivetrain_plan::{CategoryType, DataType, Field, Schema, UnknownValue};
use drivetrain_transform::{DropCategory, Estimator, HandleUnknown, MinFrequency, OneHotEncoder, OrdinalEncoder};

fn keeps<E>(estimator: &E)
where
    E: Estimator + Clone + PartialEq + Debug + Send + Sync + 'static,
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
fn ordinal_encoder() {
    let unknown = UnknownValue::Value(-1.0);
    for encoder in [
        OrdinalEncoder::new(),
        OrdinalEncoder::new().handle_unknown(unknown),
        OrdinalEncoder::new().handle_unknown(unknown).encoded_missing_value(-2.0),
    ] {
        keeps(&encoder);
        keeps(&encoder.max_categories(3).unwrap());
    }
}

#[test]
fn one_hot_encoder_of_rare_categories() {
    let rare = OneHotEncoder::new().min_frequency(MinFrequency::fraction(0.2).unwrap());
    for unknown in [HandleUnknown::Error, HandleUnknown::Ignore, HandleUnknown::InfrequentIfExist] {
        let encoder = rare.clone().handle_unknown(unknown);
        keeps(&encoder);
        keeps(&encoder.clone().drop(DropCategory::First));
        keeps(&encoder.max_categories(2).unwrap().drop(DropCategory::IfBinary));
    }
}
