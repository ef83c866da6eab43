//! What each operation computes for a block of rows.

use std::{borrow::Cow, ops::Range, sync::Arc};

use super::categorical::{Decode, Encode, OneHot};
use crate::{
    ApplyError, CategoricalColumn, CategoryType, Column, DataType, ExtensionOp, Field, Function, Int64Column, Norm, Op,
    Operand, Operator, Registry, Value,
};

/// An operation with its inputs resolved to registers.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// The first column read, for messages: by the name that it had before it was cast or imputed.
    pub(super) column: String,
    pub(super) reads: Vec<usize>,
    /// The number of columns written.
    pub(super) n_outputs: usize,
    pub(super) kernel: Kernel,
}

#[derive(Debug, Clone)]
pub(super) enum Kernel {
    Cast(DataType),
    Arithmetic {
        operator: Operator,
        left: Option<f64>,
        right: Option<f64>,
    },
    Scale {
        center: f64,
        scale: f64,
    },
    Impute(Value),
    OneHot(OneHot),
    Function(Function),
    Encode(Encode),
    Normalize(Norm),
    ArgMax,
    Decode {
        decode: Decode,
        to: DataType,
    },
    /// Of these columns.
    RefuseMissing(Vec<String>),
    Extension {
        kind: String,
        outputs: Vec<Field>,
        op: Arc<dyn ExtensionOp>,
    },
}

impl Kernel {
    pub(super) fn new(op: &Op, registry: &Registry) -> Result<Self, ApplyError> {
        let constant = |operand: &Operand| match operand {
            Operand::Constant(value) => Some(*value),
            Operand::Column(_) => None,
        };
        Ok(match op {
            Op::Cast { to, .. } => Self::Cast(*to),
            Op::Arithmetic { operator, left, right, .. } => {
                Self::Arithmetic { operator: *operator, left: constant(left), right: constant(right) }
            }
            Op::Scale { center, scale, .. } => Self::Scale { center: *center, scale: *scale },
            Op::Impute { value, .. } => Self::Impute(value.clone()),
            Op::OneHot { categories, missing, unknown, .. } => {
                Self::OneHot(OneHot::new(categories, *missing, *unknown))
            }
            Op::Function { function, .. } => Self::Function(function.clone()),
            Op::Encode { categories, values, missing, unknown, .. } => {
                Self::Encode(Encode::new(categories, values, *missing, *unknown))
            }
            Op::Normalize { norm, .. } => Self::Normalize(*norm),
            Op::ArgMax { .. } => Self::ArgMax,
            Op::Decode { categories, values, missing, unknown, to, .. } => {
                Self::Decode { decode: Decode::new(categories, values, *missing, *unknown), to: *to }
            }
            Op::RefuseMissing { columns } => Self::RefuseMissing(columns.clone()),
            Op::Extension { kind, version, state, outputs, .. } => {
                let found = registry.get(kind);
                let found =
                    found.ok_or_else(|| ApplyError::MissingExtension { kind: kind.clone(), version: *version })?;
                let op = found
                    .load(*version, state)
                    .map_err(|source| ApplyError::Extension { kind: kind.clone(), source })?;
                Self::Extension { kind: kind.clone(), outputs: outputs.clone(), op }
            }
        })
    }
}

/// Per step, what the codes of its dictionary column mean: worked out once per table, not once per block.
#[derive(Debug)]
pub(super) struct Dictionaries(Vec<Option<Vec<u32>>>);

impl Dictionaries {
    pub(super) fn new(steps: &[Step], columns: &[Column<'_>]) -> Self {
        let translate = |step: &Step| {
            let codes = match &step.kernel {
                Kernel::OneHot(one_hot) => &one_hot.codes,
                Kernel::Encode(encode) => &encode.codes,
                _ => return None,
            };
            match step.reads.first().and_then(|&register| columns.get(register)) {
                Some(Column::Categorical(CategoricalColumn::Dictionary { dictionary, .. })) => {
                    Some(dictionary.iter().map(|text| codes.text_code(text)).collect())
                }
                _ => None,
            }
        };
        Self(steps.iter().map(translate).collect())
    }

    pub(super) fn of(&self, step: usize) -> Option<&[u32]> {
        self.0.get(step).and_then(Option::as_deref)
    }
}

impl Step {
    /// The error for a value of `column` that is no category, in row `row` of `rows`.
    pub(super) fn unknown(&self, column: &Column<'_>, rows: &Range<usize>, row: usize) -> ApplyError {
        ApplyError::UnknownCategory { column: self.column.clone(), row: rows.start + row, value: column.describe(row) }
    }

    /// The step's output columns for the rows `rows`, whose registers hold all that was computed before.
    pub(super) fn run<'c>(
        &self,
        registers: &[Column<'c>],
        dictionary: Option<&[u32]>,
        rows: &Range<usize>,
    ) -> Result<Vec<Column<'c>>, ApplyError> {
        let read = |position: usize| &registers[self.reads[position]];
        let unknown = |row| self.unknown(read(0), rows, row);
        Ok(match &self.kernel {
            Kernel::Cast(to) => vec![cast(read(0).clone(), *to)],
            Kernel::Arithmetic { operator, left, right } => {
                vec![Column::from(arithmetic(*operator, (*left, *right), read, rows.len()))]
            }
            Kernel::Scale { center, scale } => {
                vec![Column::from(floats(read(0)).iter().map(|value| (value - center) / scale).collect::<Vec<_>>())]
            }
            Kernel::Impute(value) => vec![impute(read(0), value)],
            Kernel::OneHot(one_hot) => {
                let columns = one_hot.encode(read(0), dictionary).map_err(unknown)?;
                columns.into_iter().map(Column::from).collect()
            }
            Kernel::Encode(encode) => vec![Column::from(encode.encode(read(0), dictionary).map_err(unknown)?)],
            Kernel::Function(Function::IsMissing) => {
                let column = read(0);
                let missing = (0..column.len()).map(|row| f64::from(u8::from(column.is_missing(row))));
                vec![Column::from(missing.collect::<Vec<_>>())]
            }
            Kernel::Function(function) => {
                vec![Column::from(floats(read(0)).iter().map(|value| function.compute(*value)).collect::<Vec<_>>())]
            }
            Kernel::Normalize(norm) => {
                let inputs: Vec<_> = (0..self.reads.len()).map(|position| floats(read(position))).collect();
                normalize(*norm, &inputs, rows.len()).into_iter().map(Column::from).collect()
            }
            Kernel::ArgMax => {
                let inputs: Vec<_> = (0..self.reads.len()).map(|position| floats(read(position))).collect();
                vec![Column::from((0..rows.len()).map(|row| arg_max(&inputs, row)).collect::<Vec<_>>())]
            }
            Kernel::Decode { decode, to } => {
                let values = floats(read(0));
                let column = decode.decode(&values).map_err(|row| {
                    let (column, value) = (self.column.clone(), values.get(row).copied().unwrap_or(f64::NAN));
                    ApplyError::UnknownCode { column, row: rows.start + row, value }
                })?;
                vec![cast(column, *to)]
            }
            Kernel::RefuseMissing(columns) => {
                for (position, column) in columns.iter().enumerate() {
                    let values = read(position);
                    if let Some(row) = (0..values.len()).find(|row| values.is_missing(*row)) {
                        return Err(ApplyError::Missing { column: column.clone(), row: rows.start + row });
                    }
                }
                Vec::new()
            }
            Kernel::Extension { kind, outputs, op } => {
                let inputs: Vec<Column<'_>> = self.reads.iter().map(|&register| registers[register].clone()).collect();
                let found = op
                    .apply(&inputs, rows.len())
                    .map_err(|source| ApplyError::Extension { kind: kind.clone(), source })?;
                check_extension(kind, outputs, &found, rows.len())?;
                found
            }
        })
    }
}

/// The column as floats; the types were checked when the plan was built.
pub(super) fn floats<'a>(column: &'a Column<'_>) -> Cow<'a, [f64]> {
    column.to_f64().unwrap_or_default()
}

fn arithmetic<'r, 'c: 'r>(
    operator: Operator,
    constants: (Option<f64>, Option<f64>),
    read: impl Fn(usize) -> &'r Column<'c>,
    n_rows: usize,
) -> Vec<f64> {
    match constants {
        (Some(left), Some(right)) => vec![operator.compute(left, right); n_rows],
        (Some(left), None) => floats(read(0)).iter().map(|right| operator.compute(left, *right)).collect(),
        (None, Some(right)) => floats(read(0)).iter().map(|left| operator.compute(*left, right)).collect(),
        (None, None) => {
            let (left, right) = (floats(read(0)), floats(read(1)));
            left.iter().zip(right.iter()).map(|(left, right)| operator.compute(*left, *right)).collect()
        }
    }
}

fn normalize(norm: Norm, columns: &[Cow<'_, [f64]>], n_rows: usize) -> Vec<Vec<f64>> {
    let divisor = |row: usize| norm.divisor(columns.iter().map(|column| column[row]));
    let norms: Vec<f64> = (0..n_rows).map(divisor).collect();
    let divided = columns.iter().map(|column| column.iter().zip(&norms).map(|(value, norm)| value / norm).collect());
    divided.collect()
}

/// The position of the first largest number of a row; NaN where none is above 0 or one is NaN.
fn arg_max(columns: &[Cow<'_, [f64]>], row: usize) -> f64 {
    let mut found = (f64::NAN, 0.0);
    for (position, column) in columns.iter().enumerate() {
        let value = column[row];
        if value.is_nan() {
            return f64::NAN;
        }
        if value > found.1 {
            found = (position as f64, value);
        }
    }
    found.0
}

fn cast(column: Column<'_>, to: DataType) -> Column<'_> {
    match (column, to) {
        (Column::Int64(values), DataType::Categorical(CategoryType::Int64)) => {
            Column::Categorical(CategoricalColumn::Int64(values))
        }
        (Column::Categorical(CategoricalColumn::Int64(values)), DataType::Int64) => Column::Int64(values),
        (Column::String(values), DataType::Categorical(CategoryType::String)) => {
            Column::Categorical(CategoricalColumn::String(values))
        }
        (Column::Categorical(CategoricalColumn::String(values)), DataType::String) => Column::String(values),
        (column @ Column::Categorical(CategoricalColumn::Dictionary { .. }), DataType::String) => Column::String(
            (0..column.len()).map(|row| column.text(row).map(|text| Cow::Owned(text.to_owned()))).collect(),
        ),
        (Column::Boolean(values), DataType::Int64) => {
            Column::from(values.iter().map(|value| value.map(i64::from)).collect::<Vec<_>>())
        }
        (column, DataType::Float64) => Column::Float64(Cow::Owned(floats(&column).into_owned())),
        (column, _) => column,
    }
}

fn impute<'c>(column: &Column<'c>, value: &Value) -> Column<'c> {
    match (column, value) {
        (column, Value::Float64(value)) => Column::from(
            floats(column).iter().map(|found| if found.is_nan() { *value } else { *found }).collect::<Vec<_>>(),
        ),
        (Column::Int64(column), Value::Int64(value)) => Column::Int64(impute_integers(column, *value)),
        (Column::Categorical(CategoricalColumn::Int64(column)), Value::Int64(value)) => {
            Column::Categorical(CategoricalColumn::Int64(impute_integers(column, *value)))
        }
        (Column::Boolean(values), Value::Boolean(value)) => {
            Column::Boolean(values.iter().map(|found| found.or(Some(*value))).collect())
        }
        (column, Value::String(value)) => {
            let texts = (0..column.len()).map(|row| Some(Cow::Owned(column.text(row).unwrap_or(value).to_owned())));
            match column {
                Column::Categorical(_) => Column::Categorical(CategoricalColumn::String(texts.collect())),
                _ => Column::String(texts.collect()),
            }
        }
        (column, _) => column.clone(),
    }
}

fn impute_integers(column: &Int64Column<'_>, value: i64) -> Int64Column<'static> {
    Int64Column::new(column.iter().map(|found| found.unwrap_or(value)).collect::<Vec<_>>())
}

fn check_extension(kind: &str, expected: &[Field], found: &[Column<'_>], n_rows: usize) -> Result<(), ApplyError> {
    let fits = expected.len() == found.len()
        && expected.iter().zip(found).all(|(field, column)| column.dtype() == field.dtype && column.len() == n_rows);
    if fits {
        return Ok(());
    }
    let list = |parts: Vec<String>| format!("[{}]", parts.join(", "));
    Err(ApplyError::ExtensionOutput {
        kind: kind.to_owned(),
        expected: list(expected.iter().map(|field| format!("{} x {n_rows}", field.dtype)).collect()),
        found: list(found.iter().map(|column| format!("{} x {}", column.dtype(), column.len())).collect()),
    })
}
