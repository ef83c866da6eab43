//! Operations moved to other columns.

use crate::{Field, Op, Operand};

impl Op {
    /// The same operation between other columns. `read` is asked for each of [`Op::reads`], and `write` for each of
    /// [`Op::writes`], in their order.
    pub(crate) fn renamed(&self, mut read: impl FnMut(&str) -> String, mut write: impl FnMut(&str) -> String) -> Self {
        fn all(names: &[String], mut name: impl FnMut(&str) -> String) -> Vec<String> {
            names.iter().map(|found| name(found)).collect()
        }
        match self {
            Self::Cast { column, to, output } => Self::Cast { column: read(column), to: *to, output: write(output) },
            Self::Arithmetic { operator, left, right, output } => {
                let mut operand = |operand: &Operand| match operand {
                    Operand::Column(column) => Operand::Column(read(column)),
                    Operand::Constant(value) => Operand::Constant(*value),
                };
                let (left, right) = (operand(left), operand(right));
                Self::Arithmetic { operator: *operator, left, right, output: write(output) }
            }
            Self::Scale { column, center, scale, output } => {
                Self::Scale { column: read(column), center: *center, scale: *scale, output: write(output) }
            }
            Self::Impute { column, value, output } => {
                Self::Impute { column: read(column), value: value.clone(), output: write(output) }
            }
            Self::OneHot { column, categories, missing, unknown, outputs } => Self::OneHot {
                column: read(column),
                categories: categories.clone(),
                missing: *missing,
                unknown: *unknown,
                outputs: all(outputs, write),
            },
            Self::Function { function, column, output } => {
                Self::Function { function: function.clone(), column: read(column), output: write(output) }
            }
            Self::Encode { column, categories, values, missing, unknown, output } => Self::Encode {
                column: read(column),
                categories: categories.clone(),
                values: values.clone(),
                missing: *missing,
                unknown: *unknown,
                output: write(output),
            },
            Self::Normalize { norm, columns, outputs } => {
                Self::Normalize { norm: *norm, columns: all(columns, read), outputs: all(outputs, write) }
            }
            Self::ArgMax { columns, output } => Self::ArgMax { columns: all(columns, read), output: write(output) },
            Self::Decode { column, categories, values, missing, unknown, to, output } => Self::Decode {
                column: read(column),
                categories: categories.clone(),
                values: values.clone(),
                missing: *missing,
                unknown: *unknown,
                to: *to,
                output: write(output),
            },
            Self::RefuseMissing { columns } => Self::RefuseMissing { columns: all(columns, read) },
            Self::Extension { kind, version, state, columns, outputs } => Self::Extension {
                kind: kind.clone(),
                version: *version,
                state: state.clone(),
                columns: all(columns, read),
                outputs: outputs.iter().map(|field| Field::new(write(&field.name), field.dtype)).collect(),
            },
        }
    }
}
