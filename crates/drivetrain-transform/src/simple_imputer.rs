//! Imputation: a constant in place of missing values.

mod partial_fit;

use drivetrain_plan::{CategoryType, DataType, Field, Op, Plan, PlanBuilder, PlanError, Schema, Table, Value};
use serde::{Deserialize, Serialize};

use crate::{DynPartialFit, Estimator, FitError, Fitted, check_input, check_numeric, fit_in_parts, statistics::median};

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
    /// The same constant in every column.
    Constant(Value),
}

/// Replaces missing values, column by column, like scikit-learn's `SimpleImputer`.
///
/// Mean and median take boolean, `int64` and `float64` columns and give `float64`; a constant takes any type that it
/// can stand in and keeps that type. A column without any value at fit is left out of the output unless
/// [`keep_empty_features`](Self::keep_empty_features) says otherwise: then it is filled with 0, or with the constant.
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
}

impl SimpleImputer {
    /// Fills by `strategy`.
    #[must_use]
    pub const fn new(strategy: Strategy) -> Self {
        Self { strategy, keep_empty_features: false }
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
        Ok(FittedSimpleImputer { schema: x.schema().clone(), columns })
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
    fn columns_without_values_are_left_out_or_filled_with_zero() {
        let input = table(Column::from(vec![f64::NAN]));
        assert_eq!(SimpleImputer::mean().fit_transform(&input, None).unwrap().n_columns(), 0);
        let kept = SimpleImputer::mean().keep_empty_features(true).fit_transform(&input, None).unwrap();
        assert_eq!(kept.values()[(0, 0)], 0.0);
    }
}
