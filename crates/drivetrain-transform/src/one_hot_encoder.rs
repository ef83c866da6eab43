//! One-hot encoding of categories.

use std::{collections::BTreeMap, num::NonZeroUsize};

use drivetrain_plan::{
    Categories, Op, Plan, PlanBuilder, PlanError, Schema, Table, UnknownCategory, UnknownValue, Value,
};
use serde::{Deserialize, Serialize};

use crate::{
    DynPartialFit, EncodedColumn, EncoderState, Estimator, FitError, Fitted, MinFrequency, ParameterError, PartialFit,
    Progress, Summary, arithmetic,
    categories::{Declared, refuse_absent},
    fit_in_parts,
    infrequent::infrequent,
};

/// What a [`OneHotEncoder`] does at transform with a value that is not a category.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, Fitted, HandleUnknown, OneHotEncoder};
///
/// let table = |text| ColumnTable::new(vec![("x".into(), Column::from(vec![Some(text)]))]);
/// let fitted = OneHotEncoder::new().handle_unknown(HandleUnknown::Ignore).fit(&table("a")?, None)?;
/// assert_eq!(fitted.transform(&table("b")?)?.values()[(0, 0)], 0.0);
/// let unknown = fitted.lower()?.unknown_categories(&table("b")?)?;
/// assert_eq!(unknown.column("x").map(|column| column.n_rows()), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HandleUnknown {
    /// It is an error that names column, row and value.
    #[default]
    Error,
    /// All columns of the row are 0.
    Ignore,
    /// It counts as one of the rare categories of its column; all columns of the row are 0 where there are none.
    InfrequentIfExist,
}

impl From<UnknownCategory> for HandleUnknown {
    fn from(unknown: UnknownCategory) -> Self {
        match unknown {
            UnknownCategory::Error => Self::Error,
            UnknownCategory::Ignore => Self::Ignore,
        }
    }
}

/// Which category of a column a [`OneHotEncoder`] has no output for; a row of it is all 0.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{DropCategory, Estimator, OneHotEncoder};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![Some("b"), Some("a"), Some("c")]))])?;
/// let encoded = OneHotEncoder::new().drop(DropCategory::First).fit_transform(&table, None)?;
/// assert_eq!(encoded.feature_names(), ["x_b", "x_c"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DropCategory {
    /// The first one of every column.
    First,
    /// The first one of every column that has two.
    IfBinary,
    /// These, by column; `None` is missing. Columns that are not named keep all of theirs.
    Named(BTreeMap<String, Option<Value>>),
}

/// One `float64` column per category, 1 in the row's own and 0 in the others, like scikit-learn's `OneHotEncoder` with
/// `sparse_output=False`.
///
/// Takes columns of every type. Categories are sorted, numbers as numbers and text by code point; a missing value, if
/// there is one at fit, is a category of its own and comes last. Outputs are called `column_category`.
///
/// Categories that are too rare by `min_frequency` or `max_categories` share one output, the last of their column, called
/// `column_infrequent_sklearn` as scikit-learn calls it.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, OneHotEncoder};
///
/// let table = ColumnTable::new(vec![("cylinders".into(), Column::from(vec![8_i64, 4, 10]))])?;
/// let encoded = OneHotEncoder::new().fit_transform(&table, None)?;
/// assert_eq!(encoded.feature_names(), ["cylinders_4", "cylinders_8", "cylinders_10"]);
/// assert_eq!(encoded.values().row(0).to_vec(), [0.0, 1.0, 0.0]);
///
/// let table = ColumnTable::new(vec![("cylinders".into(), Column::from(vec![8_i64, 4, 4, 5, 3, 4, 8]))])?;
/// let encoded = OneHotEncoder::new().max_categories(3)?.fit_transform(&table, None)?;
/// assert_eq!(encoded.feature_names(), ["cylinders_4", "cylinders_8", "cylinders_infrequent_sklearn"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneHotEncoder {
    categories: Declared,
    handle_unknown: HandleUnknown,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drop: Option<DropCategory>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_frequency: Option<MinFrequency>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_categories: Option<NonZeroUsize>,
}

impl OneHotEncoder {
    /// An encoder that finds the categories at fit and refuses others later.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What happens at transform to a value that is not a category.
    #[must_use]
    pub fn handle_unknown(self, handle_unknown: impl Into<HandleUnknown>) -> Self {
        Self { handle_unknown: handle_unknown.into(), ..self }
    }

    /// Declares the categories of one column, in output order, instead of finding them.
    ///
    /// # Errors
    /// [`ParameterError::RepeatedCategory`] when one appears twice or is NaN.
    pub fn categories(mut self, column: &str, categories: Categories) -> Result<Self, ParameterError> {
        self.categories.declare(column, categories)?;
        Ok(self)
    }

    /// The categories that have no output.
    #[must_use]
    pub fn drop(self, drop: DropCategory) -> Self {
        Self { drop: Some(drop), ..self }
    }

    /// How often a category must appear at fit to have an output of its own.
    #[must_use]
    pub fn min_frequency(self, min_frequency: MinFrequency) -> Self {
        Self { min_frequency: Some(min_frequency), ..self }
    }

    /// The largest number of outputs per column, the one of rare categories among them; dropped ones count.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when it is 0.
    pub fn max_categories(self, max_categories: usize) -> Result<Self, ParameterError> {
        Ok(Self { max_categories: Some(ParameterError::at_least_1("max_categories", max_categories)?), ..self })
    }

    /// The position of the category of `column` that is dropped.
    fn dropped(&self, column: &EncodedColumn) -> Result<Option<usize>, FitError> {
        let codes = column.codes(column.len());
        let first = || codes.iter().position(|code| *code == 0);
        let named = match &self.drop {
            None => return Ok(None),
            Some(DropCategory::First) => return Ok(first()),
            Some(DropCategory::IfBinary) => return Ok(first().filter(|_| codes.iter().max() == Some(&1))),
            Some(DropCategory::Named(named)) => named.get(&column.name),
        };
        let Some(category) = named else { return Ok(None) };
        let position = match category {
            None => column.missing.then_some(column.categories.len()),
            Some(value) => position(&column.categories, value),
        };
        let reason = match position {
            None => "it is not one of its categories",
            Some(position) if column.infrequent.contains(&position) => "it is too rare to have an output",
            Some(position) => return Ok(Some(position)),
        };
        let category = category.as_ref().map_or_else(|| "missing".to_owned(), Value::to_string);
        Err(FitError::DropCategory { column: column.name.clone(), category, reason })
    }
}

fn position(categories: &Categories, value: &Value) -> Option<usize> {
    match (categories, value) {
        (Categories::Boolean(categories), Value::Boolean(value)) => categories.iter().position(|found| found == value),
        (Categories::Int64(categories), Value::Int64(value)) => categories.iter().position(|found| found == value),
        (Categories::Float64(categories), Value::Float64(value)) => categories.iter().position(|found| found == value),
        (Categories::String(categories), Value::String(value)) => categories.iter().position(|found| found == value),
        _ => None,
    }
}

/// What a [`OneHotEncoder`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedOneHotEncoder {
    handle_unknown: HandleUnknown,
    schema: Schema,
    columns: Vec<EncodedColumn>,
    drop_idx: Vec<Option<usize>>,
}

impl EncodedColumn {
    /// The names of the outputs, in order, dropped ones among them.
    fn feature_names(&self) -> Vec<String> {
        let labels = self.labels().enumerate();
        let frequent =
            labels.filter(|(index, _)| self.infrequent.binary_search(index).is_err()).map(|(_, label)| label);
        let infrequent = (!self.infrequent.is_empty()).then(|| "infrequent_sklearn".to_owned());
        frequent.chain(infrequent).map(|label| format!("{}_{label}", self.name)).collect()
    }
}

impl FittedOneHotEncoder {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[EncodedColumn] {
        &self.columns
    }

    /// Per column the position of the category that has no output; of several rare ones, that of the first.
    #[must_use]
    pub fn drop_idx(&self) -> &[Option<usize>] {
        &self.drop_idx
    }

    /// Numbers the rare categories alike, and then one output per number.
    fn push_grouped(&self, builder: &mut PlanBuilder, encoded: &EncodedColumn, outputs: Vec<String>) {
        let codes: Vec<f64> = encoded.codes(encoded.len()).into_iter().map(|code| code as f64).collect();
        let (known, missing) = codes.split_at(encoded.categories.len());
        let last = (outputs.len() - 1) as f64;
        let column = builder.fresh(&encoded.name);
        builder.push(Op::Encode {
            column: encoded.name.clone(),
            categories: encoded.categories.clone(),
            values: known.to_vec(),
            missing: missing.first().copied(),
            unknown: match self.handle_unknown {
                HandleUnknown::Error => UnknownValue::Error,
                HandleUnknown::Ignore => UnknownValue::Value(f64::NAN),
                HandleUnknown::InfrequentIfExist => UnknownValue::Value(last),
            },
            output: column.clone(),
        });
        builder.push(Op::OneHot {
            column,
            categories: Categories::Float64((0..outputs.len()).map(|code| code as f64).collect()),
            missing: false,
            unknown: UnknownCategory::Ignore,
            outputs,
        });
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
        if let Some(DropCategory::Named(named)) = &self.drop {
            refuse_absent(schema, named.keys(), "OneHotEncoder")?;
        }
        let count = self.min_frequency.is_some() || self.max_categories.is_some();
        self.categories.start(schema, "OneHotEncoder", self.handle_unknown == HandleUnknown::Error, count)
    }

    fn partial_fit(&self, state: &mut EncoderState, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        state.feed(x, y)
    }

    fn merge(&self, state: &mut EncoderState, later: EncoderState) -> Result<(), FitError> {
        state.merge(later)
    }

    fn finish(&self, state: EncoderState) -> Result<Progress<EncoderState, Self::Fitted>, FitError> {
        let rare = |_: &EncodedColumn, counts: &[usize], n_rows| {
            infrequent(counts, n_rows, self.min_frequency, self.max_categories)
        };
        let (schema, columns) = state.finish(rare)?;
        let drop_idx = columns.iter().map(|column| self.dropped(column)).collect::<Result<_, _>>()?;
        Ok(Progress::Done(FittedOneHotEncoder { handle_unknown: self.handle_unknown, schema, columns, drop_idx }))
    }
}

impl Fitted for FittedOneHotEncoder {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        for (encoded, dropped) in self.columns.iter().zip(&self.drop_idx) {
            let dropped = dropped.and_then(|position| encoded.codes(encoded.len()).get(position).copied());
            let names = encoded.feature_names();
            let outputs: Vec<String> = names.iter().map(|name| builder.fresh(name)).collect();
            for (code, (name, output)) in names.iter().zip(&outputs).enumerate() {
                if dropped != Some(code) {
                    builder.output(name, output);
                }
            }
            if self.handle_unknown == HandleUnknown::Error && names.len() == usize::from(dropped.is_some()) {
                refuse_unknown(&mut builder, encoded);
                continue;
            }
            if !encoded.infrequent.is_empty() {
                self.push_grouped(&mut builder, encoded, outputs);
                continue;
            }
            builder.push(Op::OneHot {
                column: encoded.name.clone(),
                categories: encoded.categories.clone(),
                missing: encoded.missing,
                unknown: match self.handle_unknown {
                    HandleUnknown::Error => UnknownCategory::Error,
                    HandleUnknown::Ignore | HandleUnknown::InfrequentIfExist => UnknownCategory::Ignore,
                },
                outputs,
            });
        }
        builder.build()
    }

    /// There is none where rare categories share an output, and none from no output at all.
    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let forward = self.lower()?;
        if forward.outputs().is_empty() {
            return Ok(None);
        }
        let mut builder = PlanBuilder::new(forward.output_schema().clone());
        for ((encoded, field), dropped) in self.columns.iter().zip(self.schema.fields()).zip(&self.drop_idx) {
            let mut columns = encoded.feature_names();
            if columns.is_empty() || !encoded.infrequent.is_empty() {
                return Ok(None);
            }
            let mut codes: Vec<f64> = (0..encoded.len()).map(|code| code as f64).collect();
            let unknown = match self.handle_unknown {
                HandleUnknown::Error => UnknownCategory::Error,
                HandleUnknown::Ignore | HandleUnknown::InfrequentIfExist => UnknownCategory::Ignore,
            };
            let mut code = builder.fresh(&encoded.name);
            if let Some(dropped) = dropped.filter(|dropped| *dropped < columns.len()) {
                columns.remove(dropped);
                let zeros = codes.remove(columns.len());
                codes.insert(dropped, zeros);
                code = undrop(&mut builder, &encoded.name, columns, zeros);
            } else {
                builder.push(Op::ArgMax { columns, output: code.clone() });
            }
            let missing = codes.split_off(encoded.categories.len()).first().copied();
            encoded.decode(&mut builder, code, codes, missing, unknown, field.dtype);
        }
        builder.build().map(Some)
    }

    fn summary(&self) -> Summary {
        let columns = self.columns.iter().zip(&self.drop_idx);
        let rows = columns.map(|(column, dropped)| [column.name.clone(), column.described(*dropped)]);
        Summary::new("OneHotEncoder").table(["column", "categories"], rows)
    }
}

/// Appends what refuses unknown categories of a column that has no output, as if it had some.
fn refuse_unknown(builder: &mut PlanBuilder, encoded: &EncodedColumn) {
    let known = builder.fresh(&encoded.name);
    builder.push(Op::Encode {
        column: encoded.name.clone(),
        categories: encoded.categories.clone(),
        values: vec![0.0; encoded.categories.len()],
        missing: encoded.missing.then_some(0.0),
        unknown: UnknownValue::Error,
        output: known.clone(),
    });
    // Nothing is missing here; a check is what makes the operation before it run.
    builder.push(Op::RefuseMissing { columns: vec![known] });
}

/// Appends the number of each row's category where one has no output: `zeros`, that of the row without any 1.
fn undrop(builder: &mut PlanBuilder, name: &str, columns: Vec<String>, zeros: f64) -> String {
    if columns.is_empty() {
        return arithmetic::constant(builder, zeros, name);
    }
    let found = builder.fresh(name);
    builder.push(Op::ArgMax { columns, output: found.clone() });
    let output = builder.fresh(name);
    builder.push(Op::Impute { column: found, value: Value::Float64(zeros), output: output.clone() });
    output
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{CategoricalColumn, Column, ColumnTable, Int64Column};

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
    fn the_inverse_finds_the_categories_in_the_type_of_the_column() {
        let columns = [
            Column::from(vec![Some("b"), None, Some("a")]),
            Column::from(vec![Some(10_i64), None, Some(-3)]),
            Column::from(vec![Some(true), Some(false), None]),
            Column::Categorical(CategoricalColumn::Int64(Int64Column::new(vec![7_i64, 8, 7]))),
        ];
        for column in columns {
            let input = table(column);
            let fitted = OneHotEncoder::new().fit(&input, None).unwrap();
            assert_eq!(fitted.inverse_transform(&fitted.run(&input).unwrap()).unwrap(), input);
        }
    }

    #[test]
    fn a_row_of_zeros_is_refused_or_missing_as_unknown_values_are() {
        let input = table(Column::from(vec![Some("a"), Some("b")]));
        let zeros = ["x_a", "x_b"].map(|name| (name.to_owned(), Column::from(vec![0.0])));
        let zeros = ColumnTable::new(zeros.to_vec()).unwrap();
        let back = |unknown| {
            let fitted = OneHotEncoder::new().handle_unknown(unknown).fit(&input, None).unwrap();
            fitted.inverse_transform(&zeros)
        };
        let error = back(UnknownCategory::Error).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "column `x`, row 0: NaN stands for no category");
        assert!(back(UnknownCategory::Ignore).unwrap().column("x").unwrap().is_missing(0));
    }

    #[test]
    fn missing_where_there_was_none_is_an_unknown_category() {
        let fitted = OneHotEncoder::new().fit(&table(Column::from(vec![Some("a")])), None).unwrap();
        let error = fitted.transform(&table(Column::from(vec![Some("a"), None]))).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "column `x`, row 1: unknown category `missing`");
    }

    #[test]
    fn dropped_categories_have_no_output_and_are_known_all_the_same() {
        let input = table(Column::from(vec![Some(1_i64), Some(2), None]));
        let encoded = |drop| OneHotEncoder::new().drop(drop).fit_transform(&input, None);
        assert_eq!(encoded(DropCategory::First).unwrap().feature_names(), ["x_2", "x_nan"]);
        assert_eq!(encoded(DropCategory::First).unwrap().values().row(0).to_vec(), [0.0, 0.0]);
        assert_eq!(encoded(DropCategory::IfBinary).unwrap().feature_names(), ["x_1", "x_2", "x_nan"]);
        let named = |category| DropCategory::Named([("x".to_owned(), category)].into());
        assert_eq!(encoded(named(None)).unwrap().feature_names(), ["x_1", "x_2"]);
        let error = encoded(named(Some(Value::Int64(3)))).unwrap_err();
        assert_eq!(error.to_string(), "column `x`: cannot drop 3: it is not one of its categories");
        let elsewhere = encoded(DropCategory::Named([("y".to_owned(), None)].into())).unwrap_err();
        assert_eq!(elsewhere.to_string(), "OneHotEncoder names columns that are not there: y");
        let rare = OneHotEncoder::new().max_categories(2).unwrap().drop(named(Some(Value::Int64(1))));
        let error = rare.fit(&input, None).unwrap_err();
        assert_eq!(error.to_string(), "column `x`: cannot drop 1: it is too rare to have an output");
    }

    #[test]
    fn where_the_only_category_is_dropped_an_unknown_one_is_refused_all_the_same() {
        let input = table(Column::from(vec![Some("a"), Some("a")]));
        let later = table(Column::from(vec![Some("a"), Some("b"), None]));
        let encoder = OneHotEncoder::new().drop(DropCategory::First);
        let fitted = encoder.fit(&input, None).unwrap();
        assert_eq!(fitted.transform(&input).unwrap().n_columns(), 0);
        let error = fitted.transform(&later).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "column `x`, row 1: unknown category `b`");
        let ignoring = encoder.clone().handle_unknown(UnknownCategory::Ignore).fit(&input, None).unwrap();
        assert_eq!(ignoring.transform(&later).unwrap().n_columns(), 0);
        let rare = encoder.min_frequency(MinFrequency::count(9).unwrap()).fit(&later, None).unwrap();
        assert_eq!(rare.transform(&later).unwrap().n_columns(), 0);
        assert!(rare.transform(&table(Column::from(vec![Some("c")]))).is_err());
    }

    #[test]
    fn a_rare_category_is_known_and_an_unknown_one_is_still_an_error() {
        let input = table(Column::from(vec![Some("a"), Some("b"), Some("a"), Some("c")]));
        let encoder = OneHotEncoder::new().min_frequency(MinFrequency::count(2).unwrap());
        let fitted = encoder.fit(&input, None).unwrap();
        assert_eq!(fitted.columns()[0].infrequent, [1, 2]);
        let later = |text| table(Column::from(vec![Some(text)]));
        assert_eq!(fitted.transform(&later("c")).unwrap().values().row(0).to_vec(), [0.0, 1.0]);
        let error = fitted.transform(&later("d")).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "column `x`, row 0: unknown category `d`");
    }

    #[test]
    fn parameters_without_the_rarer_ones_are_written_without_them() {
        let text = r#"{"categories":{},"handle_unknown":"ignore"}"#;
        let encoder: OneHotEncoder = serde_json::from_str(text).unwrap();
        assert_eq!(encoder, OneHotEncoder::new().handle_unknown(UnknownCategory::Ignore));
        assert_eq!(serde_json::to_string(&encoder).unwrap(), text);
        assert!(serde_json::from_str::<OneHotEncoder>(&text.replace('}', r#","max_categories":0}"#)).is_err());
    }
}
