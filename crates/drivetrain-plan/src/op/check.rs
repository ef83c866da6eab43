//! What an operation takes and gives.

use super::reader::Reader;
use crate::{Categories, CategoryType, DataType, Field, Function, Op, Operand, PlanError, Value};

/// The types of the columns that an operation writes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Written<'o> {
    /// The same for all.
    All(DataType),
    /// Those of these fields, in order.
    Each(&'o [Field]),
}

impl Written<'_> {
    /// The type of a column, by its position.
    pub(crate) fn dtype(self, position: usize) -> DataType {
        match self {
            Self::All(dtype) => dtype,
            Self::Each(fields) => fields.get(position).map_or(DataType::Float64, |field| field.dtype),
        }
    }
}

const FLOATS: Result<Written<'static>, PlanError> = Ok(Written::All(DataType::Float64));

impl Op {
    /// The types of the columns written, given those of the columns that exist; checks types and constants. `dtype` is
    /// asked once for each of [`Op::reads`], in its order.
    pub(crate) fn check(&self, dtype: impl FnMut(&str) -> Option<DataType>) -> Result<Written<'_>, PlanError> {
        let mut reader = Reader { op: self, dtype };
        match self {
            Self::Cast { column, to, .. } => {
                let from = reader.read(column)?;
                if !castable(from, *to) {
                    return Err(reader.wrong_type(column, &format!("a type that becomes {to} without loss"), from));
                }
                Ok(Written::All(*to))
            }
            Self::Arithmetic { left, right, output, .. } => {
                for operand in [left, right] {
                    match operand {
                        Operand::Column(column) => reader.numeric(column)?,
                        Operand::Constant(value) => {
                            reader.constant(output, value.is_finite(), "the constant is not finite")?;
                        }
                    }
                }
                FLOATS
            }
            Self::Scale { column, center, scale, .. } => {
                reader.numeric(column)?;
                reader.constant(column, !center.is_infinite(), "the center is infinite")?;
                reader.constant(column, scale.is_finite() && *scale != 0.0, "the scale is 0 or not finite")?;
                FLOATS
            }
            Self::Impute { column, value, .. } => {
                let from = reader.read(column)?;
                if let Value::Float64(value) = value {
                    reader.constant(column, value.is_finite(), "the constant is not finite")?;
                }
                let to = imputed(from, value)
                    .ok_or_else(|| reader.wrong_type(column, &format!("a column that {value} can stand in"), from))?;
                Ok(Written::All(to))
            }
            Self::OneHot { column, categories, missing, outputs, .. } => {
                reader.categories(column, categories)?;
                let expected = categories.len() + usize::from(*missing);
                let reason = format_args!("{} outputs for {expected} categories", outputs.len());
                reader.constant(column, outputs.len() == expected, reason)?;
                FLOATS
            }
            Self::Function { function, column, .. } => {
                match function {
                    Function::IsMissing => reader.read(column).map(drop)?,
                    _ => reader.numeric(column)?,
                }
                let fault = function.fault();
                reader.constant(column, fault.is_none(), fault.unwrap_or_default())?;
                FLOATS
            }
            Self::Encode { column, categories, values, .. } => {
                reader.categories(column, categories)?;
                let reason = format_args!("{} values for {} categories", values.len(), categories.len());
                reader.constant(column, values.len() == categories.len(), reason)?;
                FLOATS
            }
            Self::Normalize { columns, outputs, .. } => {
                columns.iter().try_for_each(|column| reader.numeric(column))?;
                let reason = format_args!("{} outputs for {} columns", outputs.len(), columns.len());
                reader.constant(columns.first().map_or("", String::as_str), outputs.len() == columns.len(), reason)?;
                FLOATS
            }
            Self::ArgMax { columns, output } => {
                columns.iter().try_for_each(|column| reader.numeric(column))?;
                reader.constant(output, !columns.is_empty(), "there is no column to choose from")?;
                FLOATS
            }
            Self::Decode { column, categories, values, missing, to, output, .. } => {
                reader.numeric(column)?;
                reader.constant(
                    output,
                    categories.matches(*to),
                    format_args!("the categories do not fit a column of {to}"),
                )?;
                let reason = format_args!("{} values for {} categories", values.len(), categories.len());
                reader.constant(column, values.len() == categories.len(), reason)?;
                let numbers = values.iter().chain(missing.iter().filter(|value| !value.is_nan()));
                let repeated = Categories::Float64(numbers.copied().collect()).first_repeated();
                reader.constant(column, repeated.is_none(), "a number is NaN or stands for two things")?;
                Ok(Written::All(*to))
            }
            Self::RefuseMissing { columns } => {
                columns.iter().try_for_each(|column| reader.read(column).map(drop))?;
                FLOATS
            }
            Self::Extension { columns, outputs, .. } => {
                columns.iter().try_for_each(|column| reader.read(column).map(drop))?;
                Ok(Written::Each(outputs))
            }
        }
    }
}

const fn castable(from: DataType, to: DataType) -> bool {
    use DataType::{Boolean, Categorical, Float64, Int64, String};
    match from {
        Boolean => matches!(to, Boolean | Int64 | Float64),
        Int64 => matches!(to, Int64 | Float64 | Categorical(CategoryType::Int64)),
        Float64 => matches!(to, Float64),
        String | Categorical(CategoryType::String) => matches!(to, String | Categorical(CategoryType::String)),
        Categorical(CategoryType::Int64) => matches!(to, Int64 | Categorical(CategoryType::Int64)),
    }
}

/// The type of a column of type `from` once its missing values are `value`.
const fn imputed(from: DataType, value: &Value) -> Option<DataType> {
    match (from, value) {
        (DataType::Boolean | DataType::Int64 | DataType::Float64, Value::Float64(_)) => Some(DataType::Float64),
        (DataType::Int64 | DataType::Categorical(CategoryType::Int64), Value::Int64(_))
        | (DataType::Boolean, Value::Boolean(_))
        | (DataType::String | DataType::Categorical(CategoryType::String), Value::String(_)) => Some(from),
        _ => None,
    }
}
