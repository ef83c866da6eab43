//! The categories of columns, declared or found: what all encoders begin with.

use std::collections::{BTreeMap, BTreeSet};

use drivetrain_plan::{
    ApplyError, CategoricalColumn, Categories, Column, DataType, Field, Op, PlanBuilder, Table, UnknownCategory,
};
use serde::{Deserialize, Serialize};

use crate::{
    FitError, Fitted, ParameterError, TransformError,
    check::{column, has_missing},
};

/// The categories declared for some columns, in output order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Declared(BTreeMap<String, Categories>);

/// What an encoder learned of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedColumn {
    /// The column.
    pub name: String,
    /// Its categories, in output order.
    pub categories: Categories,
    /// Whether missing is a category, after all others.
    pub missing: bool,
}

impl EncodedColumn {
    /// The categories as text, a missing one last.
    pub(crate) fn labels(&self) -> impl Iterator<Item = String> {
        let labels = (0..self.categories.len()).filter_map(|index| self.categories.label(index));
        labels.chain(self.missing.then(|| "nan".to_owned()))
    }

    /// Appends what finds the category at position `code`, and its output; `missing` is the number of a missing value.
    pub(crate) fn decode(
        &self,
        builder: &mut PlanBuilder,
        code: String,
        missing: Option<f64>,
        unknown: UnknownCategory,
        to: DataType,
    ) {
        let output = builder.fresh(&self.name);
        builder.output(&self.name, &output);
        let values = (0..self.categories.len()).map(|code| code as f64).collect();
        let categories = self.categories.clone();
        builder.push(Op::Decode { column: code, categories, values, missing, unknown, to, output });
    }
}

impl Declared {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the categories of one column.
    pub(crate) fn declare(&mut self, column: &str, categories: Categories) -> Result<(), ParameterError> {
        if let Some(category) = categories.first_repeated() {
            return Err(ParameterError::RepeatedCategory { column: column.to_owned(), category });
        }
        self.0.insert(column.to_owned(), categories);
        Ok(())
    }

    /// The categories of every column of `x`: the declared ones, or those that appear.
    pub(crate) fn learn(&self, x: &dyn Table, encoder: &str) -> Result<Vec<EncodedColumn>, FitError> {
        let absent = self.0.keys().filter(|name| x.schema().field(name).is_none());
        let absent: Vec<String> = absent.cloned().collect();
        if !absent.is_empty() {
            return Err(FitError::UnknownColumns { reader: encoder.to_owned(), columns: absent });
        }
        x.schema().fields().iter().map(|field| self.encoded(x, field)).collect()
    }

    fn encoded(&self, x: &dyn Table, field: &Field) -> Result<EncodedColumn, FitError> {
        let values = column(x, field)?;
        let found = distinct(&values);
        let missing = has_missing(&values);
        let Some(declared) = self.0.get(&field.name) else {
            return Ok(EncodedColumn { name: field.name.clone(), categories: found, missing });
        };
        if !declared.matches(field.dtype) {
            return Err(FitError::CategoryType { column: field.name.clone(), dtype: field.dtype });
        }
        Ok(EncodedColumn { name: field.name.clone(), categories: declared.clone(), missing: false })
    }
}

/// The sorted categories that appear in a column.
fn distinct(column: &Column<'_>) -> Categories {
    match column {
        Column::Boolean(values) => {
            Categories::Boolean(values.iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect())
        }
        Column::Int64(column) | Column::Categorical(CategoricalColumn::Int64(column)) => {
            Categories::Int64(collect(column.iter().flatten()))
        }
        Column::Float64(values) => {
            let mut found: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
            // Adding zero turns a negative zero into the zero that it equals.
            for value in &mut found {
                *value += 0.0;
            }
            found.sort_unstable_by(f64::total_cmp);
            found.dedup();
            Categories::Float64(found)
        }
        Column::Categorical(CategoricalColumn::Dictionary { codes, dictionary }) => {
            let mut used = vec![false; dictionary.len()];
            for code in codes.iter() {
                if let Some(used) = usize::try_from(*code).ok().and_then(|code| used.get_mut(code)) {
                    *used = true;
                }
            }
            let texts = dictionary.iter().zip(used).filter_map(|(text, used)| used.then_some(text.as_ref()));
            Categories::String(collect(texts).into_iter().map(str::to_owned).collect())
        }
        Column::String(_) | Column::Categorical(_) => {
            let texts = (0..column.len()).filter_map(|row| column.text(row));
            Categories::String(collect(texts).into_iter().map(str::to_owned).collect())
        }
    }
}

/// The distinct values, sorted. There are far fewer of them than rows, so most rows are looked up and not inserted.
fn collect<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = BTreeSet::new();
    for value in values {
        if !found.contains(&value) {
            found.insert(value);
        }
    }
    found.into_iter().collect()
}

/// Refuses the first value of `x` that is not among the declared categories.
pub(crate) fn refuse_undeclared(fitted: &impl Fitted, x: &dyn Table) -> Result<(), FitError> {
    match fitted.run(x) {
        Err(TransformError::Apply(ApplyError::UnknownCategory { column, row, value })) => {
            Err(FitError::UnknownCategory { column, row, value })
        }
        other => Ok(other.map(drop)?),
    }
}
