//! Scaling by the largest magnitude.

use drivetrain_plan::{Op, Operator, Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{
    DynPartialFit, Estimator, Extremes, FitError, Fitted, PerColumn, Summary, arithmetic, fit_in_parts,
    statistics::scale_or_one, summary::number,
};

/// Divides each column by its largest magnitude at fit, so that zero stays zero, like scikit-learn's `MaxAbsScaler`.
///
/// Takes boolean, `int64` and `float64` columns and gives `float64`. Missing values are skipped at fit and stay missing.
/// A column whose largest magnitude is below 10 times the machine epsilon stays as it is.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, MaxAbsScaler};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![-4.0, 0.0, 2.0]))])?;
/// let scaled = MaxAbsScaler::new().fit_transform(&table, None)?;
/// assert_eq!(scaled.values().column(0).to_vec(), [-1.0, 0.0, 0.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxAbsScaler {}

impl MaxAbsScaler {
    /// A scaler; it has no parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// What a [`MaxAbsScaler`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedMaxAbsScaler {
    schema: Schema,
    columns: Vec<MaxAbsColumn>,
}

/// What a [`MaxAbsScaler`] learned of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxAbsColumn {
    /// The column.
    pub name: String,
    /// Its largest magnitude; NaN when there was no value.
    pub max_abs: f64,
    /// What values are divided by; NaN when there was no value.
    pub scale: f64,
}

impl FittedMaxAbsScaler {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[MaxAbsColumn] {
        &self.columns
    }
}

impl Estimator for MaxAbsScaler {
    type Fitted = FittedMaxAbsScaler;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        fit_in_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Some(self)
    }
}

impl PerColumn for MaxAbsScaler {
    type Statistic = Extremes;
    const NAME: &'static str = "MaxAbsScaler";

    fn learn(&self, schema: Schema, columns: Vec<Extremes>) -> Result<Self::Fitted, FitError> {
        let learn = |(name, extremes): (&str, Extremes)| {
            // Not a number where there was no value, which `max` would hide.
            let max_abs =
                if extremes.min().is_nan() { f64::NAN } else { extremes.max().abs().max(extremes.min().abs()) };
            MaxAbsColumn { name: name.to_owned(), max_abs, scale: scale_or_one(max_abs) }
        };
        let columns = schema.names().zip(columns).map(learn).collect();
        Ok(FittedMaxAbsScaler { schema, columns })
    }
}

impl Fitted for FittedMaxAbsScaler {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        for MaxAbsColumn { name, scale, .. } in &self.columns {
            let output = builder.fresh(name);
            let (center, scale) = if scale.is_nan() { (f64::NAN, 1.0) } else { (0.0, *scale) };
            builder.push(Op::Scale { column: name.clone(), center, scale, output: output.clone() });
            builder.output(name, &output);
        }
        builder.build()
    }

    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let back = |column: &MaxAbsColumn| vec![(Operator::Multiply, column.scale)];
        arithmetic::inverse(&self.lower()?, self.columns.iter().map(|column| (column.name.as_str(), back(column))))
    }

    fn summary(&self) -> Summary {
        let rows = self.columns.iter().map(|column| [column.name.clone(), number(column.max_abs)]);
        Summary::new("MaxAbsScaler").table(["column", "max_abs"], rows)
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    #[test]
    fn zeros_and_columns_without_values_are_not_divided() {
        let columns = vec![
            ("zero".into(), Column::from(vec![0.0, 0.0])),
            ("none".into(), Column::from(vec![f64::NAN, f64::NAN])),
            ("flag".into(), Column::from(vec![Some(true), None])),
        ];
        let table = ColumnTable::new(columns).unwrap();
        let fitted = MaxAbsScaler::new().fit(&table, None).unwrap();
        assert_eq!((fitted.columns()[0].max_abs, fitted.columns()[0].scale), (0.0, 1.0));
        let scaled = fitted.transform(&table).unwrap();
        assert_eq!(scaled.column("zero"), Some(vec![0.0, 0.0]));
        assert!(scaled.column("none").unwrap().iter().all(|value| value.is_nan()));
        assert_eq!(scaled.values()[(0, 2)], 1.0);
    }
}
