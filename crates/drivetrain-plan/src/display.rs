//! Plans as text that a person reads.

use std::fmt;

use crate::{ExtraColumns, Norm, Op, Operand, Plan, UnknownCategory, UnknownValue};

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(column) => write!(f, "`{column}`"),
            Self::Constant(value) => write!(f, "{value:?}"),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cast { column, to, output } => write!(f, "`{output}` = cast `{column}` to {to}"),
            Self::Arithmetic { operator, left, right, output } => {
                write!(f, "`{output}` = {left} {} {right}", operator.symbol())
            }
            Self::Scale { column, center, scale, output } => {
                write!(f, "`{output}` = (`{column}` - {center:?}) / {scale:?}")
            }
            Self::Impute { column, value, output } => write!(f, "`{output}` = `{column}` or {value} where missing"),
            Self::OneHot { column, categories, missing, unknown, .. } => {
                let labels = (0..categories.len()).filter_map(|index| categories.label(index));
                let labels: Vec<String> = labels.chain(missing.then(|| "missing".to_owned())).collect();
                let unknown = match unknown {
                    UnknownCategory::Error => "an error",
                    UnknownCategory::Ignore => "all zero",
                };
                write!(f, "one-hot `{column}` [{}], unknown: {unknown}", labels.join(", "))
            }
            Self::Function { function, column, output } => write!(f, "`{output}` = {function} of `{column}`"),
            Self::Encode { column, categories, values, missing, unknown, output } => {
                let labels = (0..categories.len()).filter_map(|index| categories.label(index));
                let labels = labels.chain(missing.map(|_| "missing".to_owned())).zip(values.iter().chain(missing));
                let pairs: Vec<String> = labels.map(|(label, value)| format!("{label}: {value:?}")).collect();
                let unknown = match unknown {
                    UnknownValue::Error => "an error".to_owned(),
                    UnknownValue::Value(value) => format!("{value:?}"),
                };
                write!(f, "`{output}` = encode `{column}` [{}], unknown: {unknown}", pairs.join(", "))
            }
            Self::Normalize { norm, columns, outputs } => {
                let norm = match norm {
                    Norm::L1 => "l1",
                    Norm::L2 => "l2",
                    Norm::Max => "max",
                };
                write!(f, "[{}] = [{}] / {norm} norm of the row", outputs.join(", "), columns.join(", "))
            }
            Self::ArgMax { columns, output } => {
                write!(f, "`{output}` = position of the largest of [{}]", columns.join(", "))
            }
            Self::Decode { column, categories, values, missing, unknown, output, .. } => {
                let labels = (0..categories.len()).filter_map(|index| categories.label(index));
                let labels = labels.chain(missing.map(|_| "missing".to_owned())).zip(values.iter().chain(missing));
                let pairs: Vec<String> = labels.map(|(label, value)| format!("{value:?}: {label}")).collect();
                let unknown = match unknown {
                    UnknownCategory::Error => "an error",
                    UnknownCategory::Ignore => "missing",
                };
                write!(f, "`{output}` = decode `{column}` [{}], unknown: {unknown}", pairs.join(", "))
            }
            Self::RefuseMissing { columns } => write!(f, "refuse missing values of [{}]", columns.join(", ")),
            Self::Extension { kind, version, columns, outputs, .. } => {
                let outputs: Vec<&str> = outputs.iter().map(|field| field.name.as_str()).collect();
                write!(f, "[{}] = extension `{kind}` v{version} of [{}]", outputs.join(", "), columns.join(", "))
            }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "inputs:")?;
        for field in self.inputs().fields() {
            writeln!(f, "  `{}`: {}", field.name, field.dtype)?;
        }
        if self.extra_columns() == ExtraColumns::Reject {
            writeln!(f, "  no other column")?;
        }
        writeln!(f, "operations:")?;
        for op in self.ops() {
            writeln!(f, "  {op}")?;
        }
        writeln!(f, "outputs:")?;
        for (field, output) in self.output_schema().fields().iter().zip(self.outputs()) {
            writeln!(f, "  `{}`: {} = `{}`", field.name, field.dtype, output.column)?;
        }
        Ok(())
    }
}
