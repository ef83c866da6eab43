//! The encoders of categories as numbers keep every law.

use drivetrain_conformance::{Conformance, TableOptions};
use drivetrain_plan::{CategoryType, DataType, Field, Schema, UnknownValue};
use drivetrain_transform::OrdinalEncoder;

#[test]
fn ordinal_encoder() {
    let fields = [
        ("float", DataType::Float64),
        ("integer", DataType::Int64),
        ("flag", DataType::Boolean),
        ("text", DataType::String),
        ("number category", DataType::Categorical(CategoryType::Int64)),
        ("text category", DataType::Categorical(CategoryType::String)),
    ];
    let schema = Schema::new(fields.into_iter().map(|(name, dtype)| Field::new(name, dtype)).collect()).unwrap();
    let unknown = UnknownValue::Value(-1.0);
    for encoder in [
        OrdinalEncoder::new(),
        OrdinalEncoder::new().handle_unknown(unknown),
        OrdinalEncoder::new().handle_unknown(unknown).encoded_missing_value(-2.0),
    ] {
        for missing in [0.0, 0.1, 0.6] {
            let tables = TableOptions::default().missing(missing);
            if let Err(broken) = Conformance::new(&schema).tables(tables).check(&encoder) {
                panic!("{encoder:?}\n{broken}");
            }
        }
    }
}
