//! The categories of columns, declared or found: what all encoders begin with.

use std::{collections::BTreeMap, sync::Arc};

use drivetrain_plan::{
    Categories, DataType, Op, PlanBuilder, Program, Registry, Schema, Table, UnknownCategory, UnknownValue,
};
use serde::{Deserialize, Serialize};

use crate::{
    FitError, ParameterError, TransformError,
    category_counts::{CategoryCounts, ColumnCategories, EncoderState},
    summary::list,
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
    /// The positions of the categories that are too rare to be encoded by themselves, ascending; the one after the last
    /// category is missing.
    pub infrequent: Vec<usize>,
}

impl EncodedColumn {
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

    /// The categories as text, a missing one last.
    pub(crate) fn labels(&self) -> impl Iterator<Item = String> {
        let labels = (0..self.categories.len()).filter_map(|index| self.categories.label(index));
        labels.chain(self.missing.then(|| "nan".to_owned()))
    }

    /// For people to read: the categories, those of `dropped` and the rare ones marked.
    pub(crate) fn described(&self, dropped: Option<usize>) -> String {
        list(self.labels().enumerate().map(|(position, label)| {
            let rare = self.infrequent.binary_search(&position).is_ok();
            match (dropped == Some(position), rare) {
                (true, _) => format!("{label} (dropped)"),
                (_, true) => format!("{label} (infrequent)"),
                _ => label,
            }
        }))
    }

    /// Appends what finds the category by its number in `code`, and its output; `values` are the numbers of the categories,
    /// `missing` is that of a missing value.
    pub(crate) fn decode(
        &self,
        builder: &mut PlanBuilder,
        code: String,
        values: Vec<f64>,
        missing: Option<f64>,
        unknown: UnknownCategory,
        to: DataType,
    ) {
        let output = builder.fresh(&self.name);
        builder.output(&self.name, &output);
        let categories = self.categories.clone();
        builder.push(Op::Decode { column: code, categories, values, missing, unknown, to, output });
    }
}

impl Declared {
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
        let mut state = self.start(x.schema(), encoder, false, false)?;
        state.feed(x, None)?;
        Ok(state.finish(|_, _, _| Vec::new())?.1)
    }

    /// What is collected of columns of this schema, on behalf of `encoder`; with `refuse`, values that are not declared
    /// are an error, and with `count`, declared categories are counted as the others are.
    pub(crate) fn start(
        &self,
        schema: &Schema,
        encoder: &str,
        refuse: bool,
        count: bool,
    ) -> Result<EncoderState, FitError> {
        if schema.is_empty() {
            return Err(FitError::Empty { rows: 0, columns: 0 });
        }
        refuse_absent(schema, self.0.keys(), encoder)?;
        let columns = schema.fields().iter().map(|field| match self.0.get(&field.name) {
            Some(declared) if !declared.matches(field.dtype) => {
                Err(FitError::CategoryType { column: field.name.clone(), dtype: field.dtype })
            }
            declared => {
                let counts = (declared.is_none() || count).then(|| CategoryCounts::new(field.dtype));
                Ok(ColumnCategories { declared: declared.cloned(), counts })
            }
        });
        let columns = columns.collect::<Result<_, FitError>>()?;
        let check = if refuse && !self.0.is_empty() { Some(Arc::new(self.check(schema)?)) } else { None };
        Ok(EncoderState { schema: schema.clone(), columns, check, n_rows: 0 })
    }

    /// The program that fails at the first value that is not declared.
    fn check(&self, schema: &Schema) -> Result<Program, FitError> {
        let mut plan = PlanBuilder::new(schema.clone());
        for (name, categories) in &self.0 {
            let output = plan.fresh(name);
            plan.push(Op::Encode {
                column: name.clone(),
                categories: categories.clone(),
                values: vec![0.0; categories.len()],
                missing: None,
                unknown: UnknownValue::Error,
                output: output.clone(),
            });
            plan.output(name, &output);
        }
        Ok(Program::new(&plan.build()?, &Registry::new()).map_err(TransformError::from)?)
    }
}

/// Refuses names of columns that are not in `schema`.
pub(crate) fn refuse_absent<'a>(
    schema: &Schema,
    names: impl Iterator<Item = &'a String>,
    reader: &str,
) -> Result<(), FitError> {
    let columns: Vec<String> = names.filter(|name| schema.field(name).is_none()).cloned().collect();
    if columns.is_empty() { Ok(()) } else { Err(FitError::UnknownColumns { reader: reader.to_owned(), columns }) }
}
