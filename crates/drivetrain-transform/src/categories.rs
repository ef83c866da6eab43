//! The categories of columns, declared or found: what all encoders begin with.

use std::collections::{BTreeMap, BTreeSet};

use drivetrain_plan::{ApplyError, CategoricalColumn, Categories, Column, Field, Op, PlanBuilder, Table, UnknownValue};
use serde::{Deserialize, Serialize};

use crate::{FitError, Fitted, ParameterError, TransformError, check::column};

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
    /// The positions of the categories that are too rare to be encoded by themselves, ascending; the one after the last
    /// category is missing.
    pub infrequent: Vec<usize>,
}

impl EncodedColumn {
    fn new(name: &str, categories: Categories, missing: bool) -> Self {
        Self { name: name.to_owned(), categories, missing, infrequent: Vec::new() }
    }

    /// The number of categories, missing among them.
    pub(crate) fn len(&self) -> usize {
        self.categories.len() + usize::from(self.missing)
    }

    /// The code of each of `n` categories: the frequent ones are counted from 0, and the others share the code after them.
    pub(crate) fn codes(&self, n: usize) -> Vec<usize> {
        let rare = |category: &usize| self.infrequent.binary_search(category).is_ok();
        let frequent = (0..n).filter(|category| !rare(category)).count();
        let mut next = 0..;
        (0..n).map(|category| if rare(&category) { frequent } else { next.next().unwrap_or(frequent) }).collect()
    }

    /// The position of each row's category in this column of `x`; `None` for what is no category.
    pub(crate) fn positions(&self, x: &dyn Table) -> Result<Vec<Option<usize>>, FitError> {
        let mut builder = PlanBuilder::new(x.schema().clone());
        let output = builder.fresh(&self.name);
        builder.push(Op::Encode {
            column: self.name.clone(),
            categories: self.categories.clone(),
            values: (0..self.categories.len()).map(|position| position as f64).collect(),
            missing: self.missing.then_some(self.categories.len() as f64),
            unknown: UnknownValue::Value(f64::NAN),
            output: output.clone(),
        });
        builder.output(&self.name, &output);
        let matrix = builder.build()?.apply(x).map_err(TransformError::from)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position that was an index")]
        let position = |position: &f64| (!position.is_nan()).then_some(*position as usize);
        Ok(matrix.values().iter().map(position).collect())
    }

    /// How many rows of `x` each category has.
    pub(crate) fn counts(&self, x: &dyn Table) -> Result<Vec<usize>, FitError> {
        let mut counts = vec![0; self.len()];
        for position in self.positions(x)?.into_iter().flatten() {
            counts[position] += 1;
        }
        Ok(counts)
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
        refuse_absent(x, self.0.keys(), encoder)?;
        x.schema().fields().iter().map(|field| self.encoded(x, field)).collect()
    }

    fn encoded(&self, x: &dyn Table, field: &Field) -> Result<EncodedColumn, FitError> {
        let values = column(x, field)?;
        let found = distinct(&values);
        let missing = has_missing(&values);
        let Some(declared) = self.0.get(&field.name) else {
            return Ok(EncodedColumn::new(&field.name, found, missing));
        };
        if !declared.matches(field.dtype) {
            return Err(FitError::CategoryType { column: field.name.clone(), dtype: field.dtype });
        }
        Ok(EncodedColumn::new(&field.name, declared.clone(), false))
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

/// Whether a value is missing.
fn has_missing(column: &Column<'_>) -> bool {
    match column {
        Column::Float64(values) => values.iter().any(|value| value.is_nan()),
        Column::Categorical(CategoricalColumn::Dictionary { codes, dictionary }) => {
            codes.iter().any(|code| usize::try_from(*code).is_ok_and(|code| code >= dictionary.len()))
        }
        column => (0..column.len()).any(|row| column.is_missing(row)),
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

/// Refuses names of columns that `x` does not have.
pub(crate) fn refuse_absent<'a>(
    x: &dyn Table,
    names: impl Iterator<Item = &'a String>,
    reader: &str,
) -> Result<(), FitError> {
    let columns: Vec<String> = names.filter(|name| x.schema().field(name).is_none()).cloned().collect();
    if columns.is_empty() { Ok(()) } else { Err(FitError::UnknownColumns { reader: reader.to_owned(), columns }) }
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
