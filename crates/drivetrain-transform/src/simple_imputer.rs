//! Imputation: a constant in place of missing values.

mod partial_fit;

use drivetrain_plan::{
    Categories, CategoryType, DataType, Field, Function, Op, Operand, Operator, Plan, PlanBuilder, PlanError, Schema,
    Table, UnknownValue, Value,
};
use serde::{Deserialize, Serialize};

use crate::{
    DynPartialFit, Estimator, FitError, Fitted, MissingIndicatorState, Summary, arithmetic, check_input, check_numeric,
    fit_in_parts,
    missing_indicator::{indicate, indicator_name},
    statistics::median,
    summary::number,
    widen,
};

pub use partial_fit::ImputerState;

/// What stands in for a missing value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Strategy {
    /// The mean of the column's other values.
    Mean,
    /// Their median; the mean of the middle two when their number is even.
    Median,
    /// The value that appears most often; of several the smallest.
    MostFrequent,
    /// The same constant in every column.
    Constant(Value),
}

/// Replaces missing values, column by column, like scikit-learn's `SimpleImputer`.
///
/// Mean and median take boolean, `int64` and `float64` columns and give `float64`; the most frequent value takes every
/// type and keeps it, as a constant does where it can stand. A column without any value at fit is left out of the output
/// unless [`keep_empty_features`](Self::keep_empty_features) says otherwise: then it is filled with 0, or with the
/// constant. [`add_indicator`](Self::add_indicator) appends where values were missing, and then what was filled can be made
/// missing again by the inverse.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, SimpleImputer};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, f64::NAN, 3.0]))])?;
/// let filled = SimpleImputer::mean().fit_transform(&table, None)?;
/// assert_eq!(filled.values()[(1, 0)], 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimpleImputer {
    strategy: Strategy,
    keep_empty_features: bool,
    add_indicator: bool,
}

impl SimpleImputer {
    /// Fills by `strategy`.
    #[must_use]
    pub const fn new(strategy: Strategy) -> Self {
        Self { strategy, keep_empty_features: false, add_indicator: false }
    }

    /// Fills with the mean.
    #[must_use]
    pub const fn mean() -> Self {
        Self::new(Strategy::Mean)
    }

    /// Fills with the median.
    #[must_use]
    pub const fn median() -> Self {
        Self::new(Strategy::Median)
    }

    /// Fills with the most frequent value.
    #[must_use]
    pub const fn most_frequent() -> Self {
        Self::new(Strategy::MostFrequent)
    }

    /// Fills with `value`.
    #[must_use]
    pub const fn constant(value: Value) -> Self {
        Self::new(Strategy::Constant(value))
    }

    /// Whether columns without any value at fit stay in the output.
    #[must_use]
    pub fn keep_empty_features(self, keep: bool) -> Self {
        Self { keep_empty_features: keep, ..self }
    }

    /// Whether an indicator follows the output of all columns, for each column that has a missing value at fit: 1 where
    /// the value was missing, 0 elsewhere, called `missingindicator_column`.
    #[must_use]
    pub fn add_indicator(self, add: bool) -> Self {
        Self { add_indicator: add, ..self }
    }

    /// What finds the columns that get an indicator, if any do.
    fn gaps(&self, schema: &Schema) -> Result<Option<MissingIndicatorState>, FitError> {
        self.add_indicator.then(|| MissingIndicatorState::start(schema)).transpose()
    }
}

/// The columns that have an indicator, of an imputer that adds them.
fn indicated(gaps: Option<&MissingIndicatorState>) -> Result<Option<Vec<String>>, FitError> {
    let columns = gaps.map(MissingIndicatorState::finish).transpose()?;
    Ok(columns.map(|(with, _)| with))
}

/// `value` in the form in which it can stand in the column.
fn fill_value(field: &Field, value: &Value) -> Result<Value, FitError> {
    match (field.dtype, value) {
        (DataType::Float64, Value::Int64(value)) => Ok(Value::Float64(*value as f64)),
        (DataType::Float64 | DataType::Int64, Value::Float64(number)) if number.is_finite() => Ok(value.clone()),
        (DataType::Int64 | DataType::Categorical(CategoryType::Int64), Value::Int64(_))
        | (DataType::Boolean, Value::Boolean(_))
        | (DataType::String | DataType::Categorical(CategoryType::String), Value::String(_)) => Ok(value.clone()),
        (dtype, value) => Err(FitError::FillValue { column: field.name.clone(), dtype, value: value.to_string() }),
    }
}

/// What a [`SimpleImputer`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedSimpleImputer {
    schema: Schema,
    columns: Vec<ImputedColumn>,
    /// The columns that have an indicator, of an imputer that adds them.
    indicated: Option<Vec<String>>,
}

/// What a [`SimpleImputer`] learned of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct ImputedColumn {
    /// The column.
    pub name: String,
    /// What stands in for a missing value; `None` when the column had no value and is left out.
    pub statistic: Option<Value>,
}

impl FittedSimpleImputer {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[ImputedColumn] {
        &self.columns
    }

    /// The columns that have an indicator.
    #[must_use]
    pub fn indicated(&self) -> &[String] {
        self.indicated.as_deref().unwrap_or_default()
    }
}

impl Estimator for SimpleImputer {
    type Fitted = FittedSimpleImputer;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        if self.is_mergeable() {
            return fit_in_parts(self, x, y);
        }
        check_input(x, y)?;
        let columns = x.schema().fields().iter().map(|field| {
            let median = median(check_numeric(x, field, "SimpleImputer")?.into_owned());
            let statistic = median.or_else(|| self.keep_empty_features.then_some(0.0)).map(Value::Float64);
            Ok(ImputedColumn { name: field.name.clone(), statistic })
        });
        let columns = columns.collect::<Result<_, FitError>>()?;
        let mut gaps = self.gaps(x.schema())?;
        gaps.iter_mut().try_for_each(|gaps| gaps.feed(x, y))?;
        let indicated = indicated(gaps.as_ref())?;
        Ok(FittedSimpleImputer { schema: x.schema().clone(), columns, indicated })
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        self.is_mergeable().then_some(self as &dyn DynPartialFit)
    }
}

impl Fitted for FittedSimpleImputer {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        for ImputedColumn { name, statistic } in &self.columns {
            let Some(value) = statistic else { continue };
            let output = builder.fresh(name);
            builder.push(Op::Impute { column: name.clone(), value: value.clone(), output: output.clone() });
            builder.output(name, &output);
        }
        indicate(&mut builder, self.indicated());
        builder.build()
    }

    /// What was missing is so again. There is none without indicators, nor where texts have one.
    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let Some(indicated) = &self.indicated else { return Ok(None) };
        let mut builder = widen::back_from(&self.lower()?);
        for (field, ImputedColumn { name, statistic }) in self.schema.fields().iter().zip(&self.columns) {
            if !indicated.contains(name) {
                builder.output(name, name);
                continue;
            }
            if !field.dtype.is_numeric() {
                return Ok(None);
            }
            let indicator = indicator_name(name);
            let column = match statistic {
                Some(_) => unfill(&mut builder, name, indicator),
                // Of a column that was left out there is nothing.
                None => arithmetic::steps(&mut builder, &indicator, &[(Operator::Multiply, f64::NAN)]),
            };
            builder.output(name, &column);
        }
        builder.build().map(Some)
    }

    fn summary(&self) -> Summary {
        let fill = |column: &ImputedColumn| match &column.statistic {
            Some(Value::Float64(value)) => number(*value),
            Some(value) => value.to_string(),
            None => "left out: no value".to_owned(),
        };
        let columns = self.columns.iter();
        if self.indicated().is_empty() {
            let rows = columns.map(|column| [column.name.clone(), fill(column)]);
            return Summary::new("SimpleImputer").table(["column", "fill"], rows);
        }
        let indicator = |name: &String| if self.indicated().contains(name) { "yes" } else { "no" }.to_owned();
        let rows = columns.map(|column| [column.name.clone(), fill(column), indicator(&column.name)]);
        Summary::new("SimpleImputer").table(["column", "fill", "indicator"], rows)
    }
}

/// Appends the numbers of `column` where `indicator` is 0, and missing ones where it is 1; it is one of both but for the
/// rounding of steps that come after and are undone before.
fn unfill(builder: &mut PlanBuilder, column: &str, indicator: String) -> String {
    let (marked, gap) = (builder.fresh(&indicator), builder.fresh(column));
    let function = Function::Bin { edges: vec![0.5] };
    builder.push(Op::Function { function, column: indicator, output: marked.clone() });
    builder.push(Op::Encode {
        column: marked,
        categories: Categories::Float64(vec![0.0]),
        // What changes no number that it is added to, zeros of either sign among them.
        values: vec![-0.0],
        missing: None,
        unknown: UnknownValue::Value(f64::NAN),
        output: gap.clone(),
    });
    arithmetic::compute(builder, Operator::Add, Operand::Column(column.to_owned()), Operand::Column(gap), column)
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    fn table(column: Column<'static>) -> ColumnTable {
        ColumnTable::new(vec![("x".into(), column)]).unwrap()
    }

    #[test]
    fn the_median_of_integers_is_a_float() {
        let input = table(Column::from(vec![Some(1_i64), Some(2), None, Some(3), Some(10)]));
        let filled = SimpleImputer::median().fit_transform(&input, None).unwrap();
        assert_eq!(filled.values()[(2, 0)], 2.5);
    }

    #[test]
    fn a_constant_keeps_the_type() {
        let input = table(Column::from(vec![Some("a"), None]));
        let fitted = SimpleImputer::constant(Value::String("none".into())).fit(&input, None).unwrap();
        let output = fitted.run(&input).unwrap();
        assert_eq!(output.column("x").unwrap().text(1), Some("none"));
        let error = SimpleImputer::constant(Value::Int64(0)).fit(&input, None).unwrap_err();
        assert_eq!(error.to_string(), "column `x` is string, where 0 cannot stand");
    }

    #[test]
    fn the_most_frequent_value_is_of_the_columns_type_and_the_smallest_of_several() {
        let statistic = |column| SimpleImputer::most_frequent().fit(&table(column), None).unwrap().columns()[0].clone();
        let text = |text: &str| Some(Value::String(text.to_owned()));
        assert_eq!(
            statistic(Column::from(vec![Some("b"), None, Some("a"), Some("b"), Some("a")])).statistic,
            text("a")
        );
        assert_eq!(
            statistic(Column::from(vec![Some(3_i64), Some(10), None, Some(10)])).statistic,
            Some(Value::Int64(10))
        );
        assert_eq!(statistic(Column::from(vec![2.0, -0.0, 0.0, f64::NAN])).statistic, Some(Value::Float64(0.0)));
        assert_eq!(statistic(Column::from(vec![Some(true), Some(false)])).statistic, Some(Value::Boolean(false)));
        assert_eq!(statistic(Column::from(vec![None::<i64>, None])).statistic, None);
        let empty = table(Column::from(vec![None::<&str>]));
        let error = SimpleImputer::most_frequent().keep_empty_features(true).fit(&empty, None).unwrap_err();
        assert_eq!(error.to_string(), "column `x` is string, where 0 cannot stand");
    }

    #[test]
    fn indicators_follow_all_columns_also_for_those_left_out() {
        let columns = vec![
            ("none".into(), Column::from(vec![f64::NAN, f64::NAN])),
            ("some".into(), Column::from(vec![Some(1_i64), None])),
            ("all".into(), Column::from(vec![1.0, 2.0])),
        ];
        let table = ColumnTable::new(columns).unwrap();
        let filled = SimpleImputer::mean().add_indicator(true).fit_transform(&table, None).unwrap();
        assert_eq!(filled.feature_names(), ["some", "all", "missingindicator_none", "missingindicator_some"]);
        assert_eq!(filled.values().row(1).to_vec(), [1.0, 2.0, 1.0, 1.0]);
    }

    #[test]
    fn indicators_lead_back_to_what_was_missing_and_without_them_nothing_does() {
        let columns = vec![
            ("none".into(), Column::from(vec![None::<i64>, None])),
            ("x".into(), Column::from(vec![-0.0, f64::NAN])),
            ("full".into(), Column::from(vec![Some("a"), Some("b")])),
        ];
        let table = ColumnTable::new(columns).unwrap();
        let imputer = SimpleImputer::most_frequent().add_indicator(true);
        let fitted = imputer.fit(&table, None).unwrap();
        let back = fitted.inverse_transform(&fitted.run(&table).unwrap()).unwrap();
        let number = |name: &str, row: usize| back.column(name).unwrap().to_f64().unwrap()[row];
        assert!(number("none", 0).is_nan() && number("none", 1).is_nan() && number("x", 1).is_nan());
        assert_eq!(number("x", 0).to_bits(), (-0.0_f64).to_bits());
        assert_eq!(back.column("full").unwrap().text(1), Some("b"));
        for (imputer, table) in
            [(SimpleImputer::most_frequent(), table), (imputer, self::table(Column::from(vec![Some("a"), None])))]
        {
            assert!(imputer.fit(&table, None).unwrap().inverse().unwrap().is_none());
        }
    }

    #[test]
    fn columns_without_values_are_left_out_or_filled_with_zero() {
        let input = table(Column::from(vec![f64::NAN]));
        assert_eq!(SimpleImputer::mean().fit_transform(&input, None).unwrap().n_columns(), 0);
        let kept = SimpleImputer::mean().keep_empty_features(true).fit_transform(&input, None).unwrap();
        assert_eq!(kept.values()[(0, 0)], 0.0);
    }
}
