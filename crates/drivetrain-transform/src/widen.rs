//! Numbers as `float64` where they are read as such: what leads back from features to inputs takes them so, because a
//! feature matrix holds nothing else.

use drivetrain_plan::{ColumnTable, DataType, Field, Plan, PlanBuilder, PlanError, Schema, Table};

use crate::{TransformError, arithmetic};

/// The beginning of the plan back from what `forward` gives, which reads all numbers as `float64`.
pub(crate) fn back_from(forward: &Plan) -> PlanBuilder {
    let fields = forward.output_schema().fields().iter().map(|field| {
        let dtype = if field.dtype.is_numeric() { DataType::Float64 } else { field.dtype };
        Field::new(&field.name, dtype)
    });
    // The names are those of a schema.
    PlanBuilder::new(Schema::new(fields.collect()).unwrap_or_default())
}

/// The plan that makes `float64` of the numbers of `found` that `wanted` has so; `None` where all are.
fn widening(found: &Schema, wanted: &Schema) -> Result<Option<Plan>, PlanError> {
    let widens = |field: &Field| {
        let number = field.dtype.is_numeric() && field.dtype != DataType::Float64;
        number && wanted.dtype(&field.name) == Some(DataType::Float64)
    };
    if !found.fields().iter().any(widens) {
        return Ok(None);
    }
    let mut builder = PlanBuilder::new(found.clone());
    for field in found.fields() {
        let column = if widens(field) { arithmetic::float(&mut builder, field) } else { field.name.clone() };
        builder.output(&field.name, &column);
    }
    builder.build().map(Some)
}

/// `first` followed by `next`.
pub(crate) fn then(first: &Plan, next: &Plan) -> Result<Plan, PlanError> {
    match widening(first.output_schema(), next.inputs())? {
        Some(widening) => first.then(&widening)?.then(next),
        None => first.then(next),
    }
}

/// What `plan` makes of `table`.
pub(crate) fn run(plan: &Plan, table: &dyn Table) -> Result<ColumnTable, TransformError> {
    match widening(table.schema(), plan.inputs())? {
        Some(widening) => Ok(plan.run(&widening.run(table)?)?),
        None => Ok(plan.run(table)?),
    }
}
