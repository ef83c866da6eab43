//! Arithmetic on columns, as operations of a plan.

use drivetrain_plan::{DataType, Field, Op, Operand, Operator, Plan, PlanBuilder, PlanError};

/// Appends `left (operator) right` and gives the column that holds it, called like `name`.
pub(crate) fn compute(
    builder: &mut PlanBuilder,
    operator: Operator,
    left: Operand,
    right: Operand,
    name: &str,
) -> String {
    let output = builder.fresh(name);
    builder.push(Op::Arithmetic { operator, left, right, output: output.clone() });
    output
}

/// The column that holds `constant` in every row.
pub(crate) fn constant(builder: &mut PlanBuilder, constant: f64, name: &str) -> String {
    compute(builder, Operator::Multiply, Operand::Constant(constant), Operand::Constant(1.0), name)
}

/// The column that holds the numbers of an input as `float64`.
pub(crate) fn float(builder: &mut PlanBuilder, field: &Field) -> String {
    if field.dtype == DataType::Float64 {
        return field.name.clone();
    }
    let output = builder.fresh(&field.name);
    builder.push(Op::Cast { column: field.name.clone(), to: DataType::Float64, output: output.clone() });
    output
}

/// Appends `column` with each of `steps` applied in turn, and gives the column that holds it; all of it is missing where
/// one of the numbers is.
pub(crate) fn steps(builder: &mut PlanBuilder, column: &str, steps: &[(Operator, f64)]) -> String {
    if steps.iter().any(|(_, number)| number.is_nan()) {
        let output = builder.fresh(column);
        builder.push(Op::Scale { column: column.to_owned(), center: f64::NAN, scale: 1.0, output: output.clone() });
        return output;
    }
    steps.iter().fold(column.to_owned(), |held, (operator, number)| {
        compute(builder, *operator, Operand::Column(held), Operand::Constant(*number), column)
    })
}

/// The plan that undoes `forward`, which gives one column per column: for each by its name, the steps that lead back.
pub(crate) fn inverse<'a>(
    forward: &Plan,
    columns: impl IntoIterator<Item = (&'a str, Vec<(Operator, f64)>)>,
) -> Result<Option<Plan>, PlanError> {
    let mut builder = PlanBuilder::new(forward.output_schema().clone());
    for (name, back) in columns {
        let column = steps(&mut builder, name, &back);
        builder.output(name, &column);
    }
    builder.build().map(Some)
}
