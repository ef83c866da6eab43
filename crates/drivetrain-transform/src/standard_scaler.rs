//! Standardisation: zero mean, unit variance.

use drivetrain_plan::{Op, Operator, Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{
    DynPartialFit, Estimator, FitError, Fitted, InBlocks, Moments, PerColumn, Summary, arithmetic, check_input,
    check_numeric, fit_in_parts, statistics::WeightedMoments, summary::number,
};

/// Subtracts the mean and divides by the population standard deviation, column by column, like scikit-learn's
/// `StandardScaler`.
///
/// Takes boolean, `int64` and `float64` columns and gives `float64` columns of the same names. Missing values are
/// left out of the statistics and stay missing. A column that cannot be told from a constant is divided by 1.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, StandardScaler};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1_i64, 2, 3]))])?;
/// let scaled = StandardScaler::new().fit_transform(&table, None)?;
/// assert_eq!(scaled.values()[(1, 0)], 0.0);
/// assert_eq!(scaled.values()[(2, 0)], 1.5_f64.sqrt());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardScaler {
    with_mean: bool,
    with_std: bool,
}

impl Default for StandardScaler {
    fn default() -> Self {
        Self { with_mean: true, with_std: true }
    }
}

impl StandardScaler {
    /// A scaler that centres and scales.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the mean is subtracted.
    #[must_use]
    pub const fn with_mean(self, with_mean: bool) -> Self {
        Self { with_mean, ..self }
    }

    /// Whether values are divided by the standard deviation.
    #[must_use]
    pub const fn with_std(self, with_std: bool) -> Self {
        Self { with_std, ..self }
    }

    /// Like [`fit`](Estimator::fit), each row counting as often as its weight says: scikit-learn's
    /// `fit(x, sample_weight=sample_weight)`.
    ///
    /// ```
    /// use drivetrain_plan::{Column, ColumnTable};
    /// use drivetrain_transform::StandardScaler;
    ///
    /// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 3.0]))])?;
    /// let fitted = StandardScaler::new().fit_weighted(&table, &[3.0, 1.0])?;
    /// assert_eq!((fitted.columns()[0].mean, fitted.columns()[0].variance), (1.5, 0.75));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Estimator::fit), [`FitError::SampleWeights`] unless there is one weight per row, and
    /// [`FitError::SampleWeight`] when one is negative or not finite.
    pub fn fit_weighted(&self, x: &dyn Table, sample_weight: &[f64]) -> Result<FittedStandardScaler, FitError> {
        check_input(x, None)?;
        if sample_weight.len() != x.n_rows() {
            return Err(FitError::SampleWeights { rows: x.n_rows(), found: sample_weight.len() });
        }
        if let Some(row) = sample_weight.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            return Err(FitError::SampleWeight { row, value: sample_weight[row] });
        }
        let columns = x.schema().fields().iter().map(|field| {
            let moments = WeightedMoments::of(&check_numeric(x, field, Self::NAME)?, sample_weight);
            let WeightedMoments { weight, mean, variance } = moments;
            Ok(ScaledColumn {
                name: field.name.clone(),
                n_samples_seen: weight,
                mean,
                variance,
                scale: moments.scale(),
            })
        });
        let columns = columns.collect::<Result<_, FitError>>()?;
        Ok(FittedStandardScaler { parameters: *self, schema: x.schema().clone(), columns })
    }
}

/// What a [`StandardScaler`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedStandardScaler {
    parameters: StandardScaler,
    schema: Schema,
    columns: Vec<ScaledColumn>,
}

/// What a [`StandardScaler`] learned of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaledColumn {
    /// The column.
    pub name: String,
    /// The number of values that were not missing, or the sum of their weights.
    pub n_samples_seen: f64,
    /// Their mean; NaN when there was none.
    pub mean: f64,
    /// Their population variance; NaN when there was none.
    pub variance: f64,
    /// The square root of the variance; 1 for a constant and for a column without values.
    pub scale: f64,
}

impl FittedStandardScaler {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[ScaledColumn] {
        &self.columns
    }
}

impl Estimator for StandardScaler {
    type Fitted = FittedStandardScaler;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        fit_in_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Some(self)
    }
}

impl PerColumn for StandardScaler {
    type Statistic = InBlocks<Moments>;
    const NAME: &'static str = "StandardScaler";

    fn learn(&self, schema: Schema, columns: Vec<InBlocks<Moments>>) -> Result<Self::Fitted, FitError> {
        let learn = |(name, moments): (&str, InBlocks<Moments>)| {
            let moments = moments.total();
            ScaledColumn {
                name: name.to_owned(),
                n_samples_seen: moments.count() as f64,
                mean: moments.mean(),
                variance: moments.variance(),
                scale: moments.scale(),
            }
        };
        let columns = schema.names().zip(columns).map(learn).collect();
        Ok(FittedStandardScaler { parameters: *self, schema, columns })
    }
}

impl Fitted for FittedStandardScaler {
    fn lower(&self) -> Result<Plan, PlanError> {
        let StandardScaler { with_mean, with_std } = self.parameters;
        let mut builder = PlanBuilder::new(self.schema.clone());
        for ScaledColumn { name, mean, scale, .. } in &self.columns {
            let output = builder.fresh(name);
            builder.push(Op::Scale {
                column: name.clone(),
                // Where nothing was seen scikit-learn scales by NaN; a plan says so by the centre.
                center: if with_mean || (with_std && mean.is_nan()) { *mean } else { 0.0 },
                scale: if with_std { *scale } else { 1.0 },
                output: output.clone(),
            });
            builder.output(name, &output);
        }
        builder.build()
    }

    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let StandardScaler { with_mean, with_std } = self.parameters;
        let columns = self.columns.iter().map(|ScaledColumn { name, mean, scale, .. }| {
            let scale = with_std.then_some((Operator::Multiply, *scale));
            (name.as_str(), scale.into_iter().chain(with_mean.then_some((Operator::Add, *mean))).collect())
        });
        arithmetic::inverse(&self.lower()?, columns)
    }

    fn summary(&self) -> Summary {
        let rows = self.columns.iter().map(|column| [column.name.clone(), number(column.mean), number(column.scale)]);
        Summary::new("StandardScaler").table(["column", "mean", "scale"], rows)
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    fn fit(values: Vec<f64>) -> FittedStandardScaler {
        let table = ColumnTable::new(vec![("x".into(), Column::from(values))]).unwrap();
        StandardScaler::new().fit(&table, None).unwrap()
    }

    #[test]
    fn a_column_without_values_scales_to_missing() {
        let fitted = fit(vec![f64::NAN, f64::NAN]);
        let table = ColumnTable::new(vec![("x".into(), Column::from(vec![5.0]))]).unwrap();
        assert!(fitted.transform(&table).unwrap().values()[(0, 0)].is_nan());
    }

    #[test]
    fn an_infinite_value_is_refused_with_its_place() {
        let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, f64::NEG_INFINITY]))]).unwrap();
        let error = StandardScaler::new().fit(&table, None).unwrap_err();
        assert_eq!(error.to_string(), "column `x`, row 1: -inf is not finite");
    }

    #[test]
    fn a_text_column_is_refused_by_name() {
        let table = ColumnTable::new(vec![("x".into(), Column::from(vec![Some("a")]))]).unwrap();
        let error = StandardScaler::new().fit(&table, None).unwrap_err();
        assert_eq!(error.to_string(), "column `x` is string; StandardScaler takes boolean, int64 and float64");
    }

    #[test]
    fn extreme_magnitudes_neither_overflow_nor_vanish() {
        for magnitude in [1e100, 1e-100] {
            let fitted = fit(vec![magnitude, 3.0 * magnitude]);
            assert!((fitted.columns()[0].scale / magnitude - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn weights_that_are_none_are_refused_with_their_place() {
        let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 2.0]))]).unwrap();
        let refused = |weights: &[f64]| StandardScaler::new().fit_weighted(&table, weights).unwrap_err().to_string();
        assert_eq!(refused(&[1.0]), "there are 1 sample weights for 2 rows");
        assert_eq!(refused(&[1.0, -1.0]), "the sample weight of row 1 is -1; it must be finite and at least 0");
        assert_eq!(refused(&[f64::NAN, 1.0]), "the sample weight of row 0 is NaN; it must be finite and at least 0");
        let fitted = StandardScaler::new().fit_weighted(&table, &[0.0, 0.0]).unwrap();
        assert!(fitted.transform(&table).unwrap().values()[(0, 0)].is_nan());
    }
}
