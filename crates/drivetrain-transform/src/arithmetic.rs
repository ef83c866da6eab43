//! Arithmetic on columns, as operations of a plan.

use drivetrain_plan::{DataType, Field, Op, Operand, Operator, PlanBuilder};

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
