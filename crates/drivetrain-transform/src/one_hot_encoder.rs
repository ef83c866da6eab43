//! One-hot encoding of categories.

use drivetrain_plan::{Categories, Op, Plan, PlanBuilder, PlanError, Schema, Table, UnknownCategory};
use serde::{Deserialize, Serialize};

use crate::{
    DynPartialFit, EncodedColumn, EncoderState, Estimator, FitError, Fitted, ParameterError, PartialFit, Progress,
    categories::Declared, fit_in_parts,
};

/// One `float64` column per category, 1 in the row's own and 0 in the others, like scikit-learn's `OneHotEncoder` with
/// `sparse_output=False`.
///
/// Takes columns of every type. Categories are sorted, numbers as numbers and text by code point; a missing value, if
/// there is one at fit, is a category of its own and comes last. Outputs are called `column_category`.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, OneHotEncoder};
///
/// let table = ColumnTable::new(vec![("cylinders".into(), Column::from(vec![8_i64, 4, 10]))])?;
/// let encoded = OneHotEncoder::new().fit_transform(&table, None)?;
/// assert_eq!(encoded.feature_names(), ["cylinders_4", "cylinders_8", "cylinders_10"]);
/// assert_eq!(encoded.values().row(0).to_vec(), [0.0, 1.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneHotEncoder {
    categories: Declared,
    handle_unknown: UnknownCategory,
}

impl OneHotEncoder {
    /// An encoder that finds the categories at fit and refuses others later.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What happens at transform to a value that is not a category.
    #[must_use]
    pub fn handle_unknown(self, handle_unknown: UnknownCategory) -> Self {
        Self { handle_unknown, ..self }
    }

    /// Declares the categories of one column, in output order, instead of finding them.
    ///
    /// # Errors
    /// [`ParameterError::RepeatedCategory`] when one appears twice or is NaN.
    pub fn categories(mut self, column: &str, categories: Categories) -> Result<Self, ParameterError> {
        self.categories.declare(column, categories)?;
        Ok(self)
    }
}

/// What a [`OneHotEncoder`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedOneHotEncoder {
    handle_unknown: UnknownCategory,
    schema: Schema,
    columns: Vec<EncodedColumn>,
}

impl EncodedColumn {
    fn feature_names(&self) -> Vec<String> {
        let labels = (0..self.categories.len()).filter_map(|index| self.categories.label(index));
        let missing = self.missing.then(|| "nan".to_owned());
        labels.chain(missing).map(|label| format!("{}_{label}", self.name)).collect()
    }
}

impl FittedOneHotEncoder {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[EncodedColumn] {
        &self.columns
    }
}

impl Estimator for OneHotEncoder {
    type Fitted = FittedOneHotEncoder;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        fit_in_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Some(self)
    }
}

impl PartialFit for OneHotEncoder {
    type State = EncoderState;

    fn start(&self, schema: &Schema) -> Result<EncoderState, FitError> {
        self.categories.start(schema, "OneHotEncoder", self.handle_unknown == UnknownCategory::Error)
    }

    fn partial_fit(&self, state: &mut EncoderState, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        state.feed(x, y)
    }

    fn merge(&self, state: &mut EncoderState, later: EncoderState) -> Result<(), FitError> {
        state.merge(later)
    }

    fn finish(&self, state: EncoderState) -> Result<Progress<EncoderState, Self::Fitted>, FitError> {
        let (schema, columns) = state.finish()?;
        Ok(Progress::Done(FittedOneHotEncoder { handle_unknown: self.handle_unknown, schema, columns }))
    }
}

impl Fitted for FittedOneHotEncoder {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        for encoded in &self.columns {
            let names = encoded.feature_names();
            let outputs: Vec<String> = names.iter().map(|name| builder.fresh(name)).collect();
            for (name, output) in names.iter().zip(&outputs) {
                builder.output(name, output);
            }
            builder.push(Op::OneHot {
                column: encoded.name.clone(),
                categories: encoded.categories.clone(),
                missing: encoded.missing,
                unknown: self.handle_unknown,
                outputs,
            });
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    fn table(column: Column<'static>) -> ColumnTable {
        ColumnTable::new(vec![("x".into(), column)]).unwrap()
    }

    fn names(column: Column<'static>) -> Vec<String> {
        OneHotEncoder::new().fit_transform(&table(column), None).unwrap().feature_names().to_vec()
    }

    #[test]
    fn categories_are_sorted_with_missing_last() {
        assert_eq!(names(Column::from(vec![Some(10_i64), None, Some(9)])), ["x_9", "x_10", "x_nan"]);
        assert_eq!(names(Column::from(vec![f64::NAN, 2.5, -1.0])), ["x_-1.0", "x_2.5", "x_nan"]);
        assert_eq!(names(Column::from(vec![Some(true), Some(false)])), ["x_False", "x_True"]);
        assert_eq!(names(Column::from(vec![Some("ß"), Some("z"), Some("")])), ["x_", "x_z", "x_ß"]);
    }

    #[test]
    fn both_zeros_are_one_category() {
        assert_eq!(names(Column::from(vec![0.0, -0.0])), ["x_0.0"]);
    }

    #[test]
    fn declared_categories_keep_their_order_and_refuse_others_at_fit() {
        let declared = |texts: &[&str]| Categories::String(texts.iter().map(ToString::to_string).collect());
        let encoder = OneHotEncoder::new().categories("x", declared(&["b", "a"])).unwrap();
        let input = table(Column::from(vec![Some("a"), Some("b")]));
        assert_eq!(encoder.fit_transform(&input, None).unwrap().feature_names(), ["x_b", "x_a"]);
        let error = encoder.fit(&table(Column::from(vec![Some("a"), Some("c")])), None).unwrap_err();
        assert_eq!(error.to_string(), "column `x`, row 1: `c` is not among the declared categories");
        assert!(encoder.fit(&table(Column::from(vec![Some(1_i64)])), None).is_err());
        assert!(OneHotEncoder::new().categories("x", declared(&["a", "a"])).is_err());
        let elsewhere = OneHotEncoder::new().categories("y", declared(&["a"])).unwrap();
        assert!(
            matches!(elsewhere.fit(&input, None).unwrap_err(), FitError::UnknownColumns { columns, .. } if columns == ["y"])
        );
    }

    #[test]
    fn missing_where_there_was_none_is_an_unknown_category() {
        let fitted = OneHotEncoder::new().fit(&table(Column::from(vec![Some("a")])), None).unwrap();
        let error = fitted.transform(&table(Column::from(vec![Some("a"), None]))).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "column `x`, row 1: unknown category `missing`");
    }
}
