//! The categories of columns, declared or found: what all encoders begin with.

use std::{collections::BTreeMap, sync::Arc};

use drivetrain_plan::{Categories, Op, PlanBuilder, Program, Registry, Schema, UnknownValue};
use serde::{Deserialize, Serialize};

use crate::{
    FitError, ParameterError, TransformError,
    category_counts::{CategoryCounts, ColumnCategories, EncoderState},
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

impl Declared {
    /// Adds the categories of one column.
    pub(crate) fn declare(&mut self, column: &str, categories: Categories) -> Result<(), ParameterError> {
        if let Some(category) = categories.first_repeated() {
            return Err(ParameterError::RepeatedCategory { column: column.to_owned(), category });
        }
        self.0.insert(column.to_owned(), categories);
        Ok(())
    }

    /// What is collected of columns of this schema, on behalf of `encoder`; with `refuse`, values that are not declared
    /// are an error.
    pub(crate) fn start(&self, schema: &Schema, encoder: &str, refuse: bool) -> Result<EncoderState, FitError> {
        if schema.is_empty() {
            return Err(FitError::Empty { rows: 0, columns: 0 });
        }
        let absent = self.0.keys().filter(|name| schema.field(name).is_none());
        let absent: Vec<String> = absent.cloned().collect();
        if !absent.is_empty() {
            return Err(FitError::UnknownColumns { reader: encoder.to_owned(), columns: absent });
        }
        let columns = schema.fields().iter().map(|field| match self.0.get(&field.name) {
            None => Ok(ColumnCategories::Found(CategoryCounts::new(field.dtype))),
            Some(declared) if declared.matches(field.dtype) => Ok(ColumnCategories::Declared(declared.clone())),
            Some(_) => Err(FitError::CategoryType { column: field.name.clone(), dtype: field.dtype }),
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
