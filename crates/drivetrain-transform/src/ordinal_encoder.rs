//! Categories as numbers in order.

use std::num::NonZeroUsize;

use drivetrain_plan::{Categories, Op, Plan, PlanBuilder, PlanError, Schema, Table, UnknownCategory, UnknownValue};
use serde::{Deserialize, Serialize};

use crate::{
    DynPartialFit, EncodedColumn, EncoderState, Estimator, FitError, Fitted, MinFrequency, ParameterError, PartialFit,
    Progress, Summary, categories::Declared, fit_in_parts, infrequent::infrequent,
};

/// One `float64` column per column, which holds the position of the row's category, like scikit-learn's
/// `OrdinalEncoder`.
///
/// Takes columns of every type. Categories are sorted, numbers as numbers and text by code point, unless they are
/// declared. A missing value that there was at fit becomes `encoded_missing_value`; one that there was not is unknown.
/// Categories that are too rare by `min_frequency` or `max_categories` share the number after those of the others.
///
/// ```
/// use drivetrain_plan::{Categories, Column, ColumnTable};
/// use drivetrain_transform::{Estimator, OrdinalEncoder};
///
/// let column = Column::from(vec![Some("small"), Some("large"), Some("medium")]);
/// let shirts = ColumnTable::new(vec![("size".into(), column)])?;
/// let order = Categories::String(["small", "medium", "large"].map(str::to_owned).to_vec());
/// let encoded = OrdinalEncoder::new().categories("size", order)?.fit_transform(&shirts, None)?;
/// assert_eq!(encoded.values().column(0).to_vec(), [0.0, 2.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrdinalEncoder {
    categories: Declared,
    handle_unknown: UnknownValue,
    /// None for a missing value.
    encoded_missing_value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_frequency: Option<MinFrequency>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_categories: Option<NonZeroUsize>,
}

impl OrdinalEncoder {
    /// An encoder that finds the categories at fit, refuses others later, and keeps missing values missing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares the categories of one column, in order, instead of finding them.
    ///
    /// # Errors
    /// [`ParameterError::RepeatedCategory`] when one appears twice or is NaN.
    pub fn categories(mut self, column: &str, categories: Categories) -> Result<Self, ParameterError> {
        self.categories.declare(column, categories)?;
        Ok(self)
    }

    /// What happens at transform to a value that is not a category.
    #[must_use]
    pub fn handle_unknown(self, handle_unknown: UnknownValue) -> Self {
        Self { handle_unknown, ..self }
    }

    /// The number that stands for a missing value; NaN, the default, keeps it missing.
    #[must_use]
    pub fn encoded_missing_value(self, value: f64) -> Self {
        Self { encoded_missing_value: (!value.is_nan()).then_some(value), ..self }
    }

    /// How often a category must appear at fit to have a number of its own.
    #[must_use]
    pub fn min_frequency(self, min_frequency: MinFrequency) -> Self {
        Self { min_frequency: Some(min_frequency), ..self }
    }

    /// The largest number of numbers per column, the one for rare categories among them and that of missing values not.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when it is 0.
    pub fn max_categories(self, max_categories: usize) -> Result<Self, ParameterError> {
        Ok(Self { max_categories: Some(ParameterError::at_least_1("max_categories", max_categories)?), ..self })
    }

    /// Refuses a number that stands for two things.
    fn check_values(&self, columns: &[EncodedColumn]) -> Result<(), FitError> {
        let taken = |column: &EncodedColumn, value: f64| {
            column.codes(column.categories.len()).into_iter().any(|code| code as f64 == value)
        };
        let unknown = match self.handle_unknown {
            UnknownValue::Value(value) => Some(value),
            UnknownValue::Error => None,
        };
        for column in columns {
            let missing = self.encoded_missing_value.filter(|_| column.missing);
            for (value, name) in [(unknown, "unknown_value"), (missing, "encoded_missing_value")] {
                if let Some(value) = value.filter(|value| taken(column, *value)) {
                    return Err(FitError::CodeTaken { column: column.name.clone(), name, value });
                }
            }
        }
        Ok(())
    }
}

/// What an [`OrdinalEncoder`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedOrdinalEncoder {
    handle_unknown: UnknownValue,
    encoded_missing_value: Option<f64>,
    schema: Schema,
    columns: Vec<EncodedColumn>,
}

impl FittedOrdinalEncoder {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[EncodedColumn] {
        &self.columns
    }
}

impl Estimator for OrdinalEncoder {
    type Fitted = FittedOrdinalEncoder;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        fit_in_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Some(self)
    }
}

impl PartialFit for OrdinalEncoder {
    type State = EncoderState;

    fn start(&self, schema: &Schema) -> Result<EncoderState, FitError> {
        let count = self.min_frequency.is_some() || self.max_categories.is_some();
        self.categories.start(schema, "OrdinalEncoder", self.handle_unknown == UnknownValue::Error, count)
    }

    fn partial_fit(&self, state: &mut EncoderState, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        state.feed(x, y)
    }

    fn merge(&self, state: &mut EncoderState, later: EncoderState) -> Result<(), FitError> {
        state.merge(later)
    }

    fn finish(&self, state: EncoderState) -> Result<Progress<EncoderState, Self::Fitted>, FitError> {
        // Missing is none of the rare categories.
        let rare = |column: &EncodedColumn, counts: &[usize], n_rows| {
            infrequent(&counts[..column.categories.len()], n_rows, self.min_frequency, self.max_categories)
        };
        let (schema, columns) = state.finish(rare)?;
        self.check_values(&columns)?;
        Ok(Progress::Done(FittedOrdinalEncoder {
            handle_unknown: self.handle_unknown,
            encoded_missing_value: self.encoded_missing_value,
            schema,
            columns,
        }))
    }
}

impl Fitted for FittedOrdinalEncoder {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        for column in &self.columns {
            let EncodedColumn { name, categories, missing, .. } = column;
            let output = builder.fresh(name);
            builder.push(Op::Encode {
                column: name.clone(),
                categories: categories.clone(),
                values: column.codes(categories.len()).into_iter().map(|code| code as f64).collect(),
                missing: missing.then_some(self.encoded_missing_value.unwrap_or(f64::NAN)),
                unknown: self.handle_unknown,
                output: output.clone(),
            });
            builder.output(name, &output);
        }
        builder.build()
    }

    /// There is none where rare categories share a number.
    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        if self.columns.iter().any(|column| !column.infrequent.is_empty()) {
            return Ok(None);
        }
        let mut builder = PlanBuilder::new(self.lower()?.output_schema().clone());
        // What stood for all unknown values, and any number beyond, comes back as missing.
        let unknown = match self.handle_unknown {
            UnknownValue::Error => UnknownCategory::Error,
            UnknownValue::Value(_) => UnknownCategory::Ignore,
        };
        for (encoded, field) in self.columns.iter().zip(self.schema.fields()) {
            let missing = encoded.missing.then_some(self.encoded_missing_value.unwrap_or(f64::NAN));
            let codes = (0..encoded.categories.len()).map(|code| code as f64).collect();
            encoded.decode(&mut builder, encoded.name.clone(), codes, missing, unknown, field.dtype);
        }
        builder.build().map(Some)
    }

    fn summary(&self) -> Summary {
        let rows = self.columns.iter().map(|column| [column.name.clone(), column.described(None)]);
        Summary::new("OrdinalEncoder").table(["column", "categories"], rows)
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    fn table(values: Vec<Option<i64>>) -> ColumnTable {
        ColumnTable::new(vec![("x".into(), Column::from(values))]).unwrap()
    }

    fn encoded(encoder: &OrdinalEncoder, later: Vec<Option<i64>>) -> Result<Vec<f64>, String> {
        let fitted = encoder.fit(&table(vec![Some(30), None, Some(4)]), None).map_err(|error| error.to_string())?;
        let matrix = fitted
            .transform(&table(later))
            .map_err(|error| format!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string)))?;
        Ok(matrix.values().column(0).to_vec())
    }

    #[test]
    fn numbers_sort_as_numbers_and_missing_stays_missing() {
        let found = encoded(&OrdinalEncoder::new(), vec![Some(4), Some(30), None]).unwrap();
        assert_eq!(found[..2], [0.0, 1.0]);
        assert!(found[2].is_nan());
        let error = encoded(&OrdinalEncoder::new(), vec![Some(4), Some(5)]).unwrap_err();
        assert!(error.contains("column `x`, row 1: unknown category `5`"), "{error}");
    }

    #[test]
    fn unknown_and_missing_become_the_numbers_asked_for_unless_those_are_taken() {
        let encoder = OrdinalEncoder::new().handle_unknown(UnknownValue::Value(-1.0)).encoded_missing_value(-2.0);
        assert_eq!(encoded(&encoder, vec![None, Some(7), Some(30)]), Ok(vec![-2.0, -1.0, 1.0]));
        let error = encoded(&encoder.clone().encoded_missing_value(1.0), vec![]).unwrap_err();
        assert_eq!(error, "column `x`: encoded_missing_value is 1, which stands for a category already");
        let error = encoded(&encoder.handle_unknown(UnknownValue::Value(0.0)), vec![]).unwrap_err();
        assert_eq!(error, "column `x`: unknown_value is 0, which stands for a category already");
    }

    #[test]
    fn the_inverse_gives_categories_gaps_for_unknown_values_and_refuses_what_was_no_code() {
        let fit = |encoder: OrdinalEncoder| encoder.fit(&table(vec![Some(30), None, Some(4)]), None).unwrap();
        let codes = |codes: Vec<f64>| ColumnTable::new(vec![("x".into(), Column::from(codes))]).unwrap();
        let back = fit(OrdinalEncoder::new()).inverse_transform(&codes(vec![1.0, f64::NAN, 0.0])).unwrap();
        assert_eq!(back, table(vec![Some(30), None, Some(4)]));
        let error = fit(OrdinalEncoder::new()).inverse_transform(&codes(vec![2.0])).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "column `x`, row 0: 2 stands for no category");
        let encoder = OrdinalEncoder::new().handle_unknown(UnknownValue::Value(-1.0)).encoded_missing_value(-2.0);
        let back = fit(encoder).inverse_transform(&codes(vec![-1.0, -2.0, 0.0])).unwrap();
        assert_eq!(back, table(vec![None, None, Some(4)]));
    }

    #[test]
    fn rare_categories_share_a_number_that_nothing_else_may_have() {
        let encoder = OrdinalEncoder::new().max_categories(2).unwrap();
        let fitted = encoder.fit(&table(vec![Some(7), Some(9), Some(9), Some(8), None]), None).unwrap();
        let found = fitted.transform(&table(vec![Some(7), Some(8), Some(9)])).unwrap();
        assert_eq!(found.values().column(0).to_vec(), [1.0, 1.0, 0.0]);
        let taken = encoder.handle_unknown(UnknownValue::Value(1.0)).fit(&table(vec![Some(1), Some(2), Some(3)]), None);
        let message = "column `x`: unknown_value is 1, which stands for a category already";
        assert_eq!(taken.unwrap_err().to_string(), message);
        assert!(OrdinalEncoder::new().max_categories(0).is_err());
    }
}
