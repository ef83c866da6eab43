//! Estimators of `drivetrain-transform` keep every law.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod composing;
mod encoding;
mod features;
mod imputing;
mod scaling;
mod stock;

use drivetrain_conformance::{Conformance, TableOptions};
use drivetrain_plan::{CategoryType, DataType, Field, Schema};
use drivetrain_transform::Estimator;

/// A numeric column of every type.
fn numbers() -> Schema {
    let fields = [("float", DataType::Float64), ("integer", DataType::Int64), ("flag", DataType::Boolean)];
    Schema::new(fields.into_iter().map(|(name, dtype)| Field::new(name, dtype)).collect()).unwrap()
}

/// A column of every type.
fn everything() -> Schema {
    let mut fields = numbers().fields().to_vec();
    fields.push(Field::new("text", DataType::String));
    fields.push(Field::new("number category", DataType::Categorical(CategoryType::Int64)));
    fields.push(Field::new("text category", DataType::Categorical(CategoryType::String)));
    Schema::new(fields).unwrap()
}

/// Numbers that come back in the type that they had.
fn floats() -> Schema {
    Schema::new(["x", "y"].map(|name| Field::new(name, DataType::Float64)).to_vec()).unwrap()
}

/// Tables without, with few and with many gaps, and with extreme numbers.
fn options() -> [TableOptions; 4] {
    [
        TableOptions::default(),
        TableOptions::default().missing(0.0),
        TableOptions::default().extremes(true),
        TableOptions::default().missing(0.6),
    ]
}

/// All laws on all kinds of tables.
fn keeps<E>(estimator: &E, schema: &Schema)
where
    E: Estimator + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static,
{
    for options in options() {
        holds(estimator, &Conformance::new(schema).tables(options));
    }
}

fn holds<E>(estimator: &E, conformance: &Conformance)
where
    E: Estimator + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static,
{
    if let Err(broken) = conformance.check(estimator) {
        panic!("{estimator:?} by {conformance:?}\n{broken}");
    }
}
