//! Scaling each row.

use drivetrain_plan::{Norm, Op, Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{DynPartialFit, Estimator, FitError, Fitted, PerColumn, fit_in_parts};

/// Divides each row by its norm, like scikit-learn's `Normalizer`; a row whose norm is below 10 times the machine
/// epsilon stays as it is.
///
/// Takes boolean, `int64` and `float64` columns and gives `float64`. It learns nothing but the columns. Unlike
/// scikit-learn it does not refuse missing values: a row that has one has no norm, so all of it becomes missing.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, Normalizer};
///
/// let columns = vec![("a".into(), Column::from(vec![3.0, 0.0])), ("b".into(), Column::from(vec![4.0, 0.0]))];
/// let unit = Normalizer::new().fit_transform(&ColumnTable::new(columns)?, None)?;
/// assert_eq!(unit.values().row(0).to_vec(), [0.6, 0.8]);
/// assert_eq!(unit.values().row(1).to_vec(), [0.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalizer {
    norm: Norm,
}

impl Normalizer {
    /// A normalizer to Euclidean length 1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The norm that becomes 1.
    #[must_use]
    pub const fn norm(self, norm: Norm) -> Self {
        Self { norm }
    }
}

/// What a [`Normalizer`] learned: the columns that make up a row.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedNormalizer {
    parameters: Normalizer,
    schema: Schema,
}

impl Estimator for Normalizer {
    type Fitted = FittedNormalizer;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        fit_in_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Some(self)
    }
}

impl PerColumn for Normalizer {
    type Statistic = ();
    const NAME: &'static str = "Normalizer";

    fn learn(&self, schema: Schema, _: Vec<()>) -> Result<Self::Fitted, FitError> {
        Ok(FittedNormalizer { parameters: *self, schema })
    }
}

impl Fitted for FittedNormalizer {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        let columns: Vec<String> = self.schema.names().map(str::to_owned).collect();
        let outputs: Vec<String> = columns.iter().map(|name| builder.fresh(name)).collect();
        for (name, output) in columns.iter().zip(&outputs) {
            builder.output(name, output);
        }
        builder.push(Op::Normalize { norm: self.parameters.norm, columns, outputs });
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    #[test]
    fn each_norm_by_hand_and_a_row_with_a_gap_is_missing() {
        let columns = vec![
            ("a".into(), Column::from(vec![Some(2_i64), Some(1)])),
            ("b".into(), Column::from(vec![-6.0, f64::NAN])),
        ];
        let table = ColumnTable::new(columns).unwrap();
        for (norm, expected) in [(Norm::L1, [0.25, -0.75]), (Norm::Max, [1.0 / 3.0, -1.0])] {
            let rows = Normalizer::new().norm(norm).fit_transform(&table, None).unwrap();
            assert_eq!(rows.values().row(0).to_vec(), expected);
            assert!(rows.values().row(1).iter().all(|value| value.is_nan()), "{norm:?}");
        }
    }
}
