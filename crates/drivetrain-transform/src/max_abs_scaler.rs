//! Scaling by the largest magnitude.

use drivetrain_plan::{Op, Operator, Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{
    Estimator, FitError, Fitted, Summary, arithmetic, check_input, check_numeric,
    statistics::{extremes, scale_or_one},
    summary::number,
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
        check_input(x, y)?;
        let columns = x.schema().fields().iter().map(|field| {
            let (min, max) = extremes(&check_numeric(x, field, "MaxAbsScaler")?);
            let max_abs = if min.is_nan() { f64::NAN } else { max.abs().max(min.abs()) };
            Ok(MaxAbsColumn { name: field.name.clone(), max_abs, scale: scale_or_one(max_abs) })
        });
        let columns = columns.collect::<Result<_, FitError>>()?;
        Ok(FittedMaxAbsScaler { schema: x.schema().clone(), columns })
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
