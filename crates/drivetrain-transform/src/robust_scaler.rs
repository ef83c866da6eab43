//! Scaling by median and quantile range.

use drivetrain_plan::{Op, Operator, Plan, PlanBuilder, PlanError, Schema, Table, normal_quantile};
use serde::{Deserialize, Serialize};

use crate::{
    Estimator, FitError, Fitted, ParameterError, Summary, arithmetic, check_input, check_numeric,
    statistics::{median, percentile, scale_or_one},
    summary::number,
};

/// Subtracts the median and divides by the distance of two quantiles, which outliers do not move, like scikit-learn's
/// `RobustScaler`.
///
/// Takes boolean, `int64` and `float64` columns and gives `float64`. Missing values are skipped at fit and stay missing.
/// A column whose quantile range is below 10 times the machine epsilon is not divided.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, RobustScaler};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 2.0, 3.0, 4.0, 1000.0]))])?;
/// let scaled = RobustScaler::new().fit_transform(&table, None)?;
/// assert_eq!(scaled.values().column(0).to_vec(), [-1.0, -0.5, 0.0, 0.5, 498.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RobustScalerData", into = "RobustScalerData")]
pub struct RobustScaler {
    with_centering: bool,
    with_scaling: bool,
    range: (f64, f64),
    unit_variance: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RobustScalerData {
    with_centering: bool,
    with_scaling: bool,
    quantile_range: (f64, f64),
    unit_variance: bool,
}

impl From<RobustScaler> for RobustScalerData {
    fn from(scaler: RobustScaler) -> Self {
        let RobustScaler { with_centering, with_scaling, range: quantile_range, unit_variance } = scaler;
        Self { with_centering, with_scaling, quantile_range, unit_variance }
    }
}

impl TryFrom<RobustScalerData> for RobustScaler {
    type Error = ParameterError;

    fn try_from(data: RobustScalerData) -> Result<Self, ParameterError> {
        let scaler = Self::new().with_centering(data.with_centering).with_scaling(data.with_scaling);
        let (low, high) = data.quantile_range;
        scaler.unit_variance(data.unit_variance).quantile_range(low, high)
    }
}

impl Default for RobustScaler {
    fn default() -> Self {
        Self { with_centering: true, with_scaling: true, range: (25.0, 75.0), unit_variance: false }
    }
}

impl RobustScaler {
    /// A scaler by median and interquartile range.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the median is subtracted.
    #[must_use]
    pub const fn with_centering(self, with_centering: bool) -> Self {
        Self { with_centering, ..self }
    }

    /// Whether values are divided by the quantile range.
    #[must_use]
    pub const fn with_scaling(self, with_scaling: bool) -> Self {
        Self { with_scaling, ..self }
    }

    /// The quantiles whose distance values are divided by, in percent.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] unless `0 <= low <= high <= 100`.
    pub fn quantile_range(self, low: f64, high: f64) -> Result<Self, ParameterError> {
        if 0.0 <= low && low <= high && high <= 100.0 {
            return Ok(Self { range: (low, high), ..self });
        }
        let (value, expected) = (format!("({low}, {high})"), "two percentages from 0 to 100, the lower one first");
        Err(ParameterError::OutOfRange { name: "quantile_range", value, expected })
    }

    /// Whether normally distributed values come out with variance 1.
    #[must_use]
    pub const fn unit_variance(self, unit_variance: bool) -> Self {
        Self { unit_variance, ..self }
    }

    fn scale(&self, values: &[f64]) -> f64 {
        let (low, high) = self.range;
        let (Some(from), Some(to)) = (percentile(values, low), percentile(values, high)) else { return f64::NAN };
        let scale = scale_or_one(to - from);
        if !self.unit_variance {
            return scale;
        }
        scale / (normal_quantile(high / 100.0) - normal_quantile(low / 100.0))
    }
}

/// What a [`RobustScaler`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedRobustScaler {
    parameters: RobustScaler,
    schema: Schema,
    columns: Vec<RobustColumn>,
}

/// What a [`RobustScaler`] learned of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct RobustColumn {
    /// The column.
    pub name: String,
    /// Its median; NaN when there was no value.
    pub center: f64,
    /// What values are divided by; NaN when there was no value.
    pub scale: f64,
}

impl FittedRobustScaler {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[RobustColumn] {
        &self.columns
    }

    /// What is subtracted from the values of a column, and what they are then divided by.
    fn affine(&self, RobustColumn { center, scale, .. }: &RobustColumn) -> (f64, f64) {
        let RobustScaler { with_centering, with_scaling, .. } = self.parameters;
        if scale.is_nan() && (with_centering || with_scaling) {
            return (f64::NAN, 1.0);
        }
        let (center, scale) = (if with_centering { *center } else { 0.0 }, if with_scaling { *scale } else { 1.0 });
        // Two equal quantiles stretched to variance 1 are infinitely far: all that differs is infinite or missing.
        if scale.is_finite() && scale != 0.0 { (center, scale) } else { (f64::NAN, 1.0) }
    }
}

impl Estimator for RobustScaler {
    type Fitted = FittedRobustScaler;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        check_input(x, y)?;
        let columns = x.schema().fields().iter().map(|field| {
            let mut values = check_numeric(x, field, "RobustScaler")?.into_owned();
            values.retain(|value| !value.is_nan());
            values.sort_unstable_by(f64::total_cmp);
            let scale = self.scale(&values);
            Ok(RobustColumn { name: field.name.clone(), center: median(values).unwrap_or(f64::NAN), scale })
        });
        let columns = columns.collect::<Result<_, FitError>>()?;
        Ok(FittedRobustScaler { parameters: *self, schema: x.schema().clone(), columns })
    }
}

impl Fitted for FittedRobustScaler {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        for column in &self.columns {
            let name = &column.name;
            let output = builder.fresh(name);
            let (center, scale) = self.affine(column);
            builder.push(Op::Scale { column: name.clone(), center, scale, output: output.clone() });
            builder.output(name, &output);
        }
        builder.build()
    }

    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let columns = self.columns.iter().map(|column| {
            let (center, scale) = self.affine(column);
            (column.name.as_str(), vec![(Operator::Multiply, scale), (Operator::Add, center)])
        });
        arithmetic::inverse(&self.lower()?, columns)
    }

    fn summary(&self) -> Summary {
        let rows = self.columns.iter().map(|column| [column.name.clone(), number(column.center), number(column.scale)]);
        Summary::new("RobustScaler").table(["column", "center", "scale"], rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_out_of_order_or_range_are_refused() {
        for (low, high) in [(75.0, 25.0), (-1.0, 50.0), (50.0, 101.0), (f64::NAN, 50.0)] {
            let error = RobustScaler::new().quantile_range(low, high).unwrap_err();
            assert!(error.to_string().starts_with("quantile_range is"), "{error}");
        }
        let text = serde_json::to_string(&RobustScaler::new()).unwrap();
        assert_eq!(serde_json::from_str::<RobustScaler>(&text).unwrap(), RobustScaler::new());
        assert!(serde_json::from_str::<RobustScaler>(&text.replace("75.0", "7.5")).is_err());
    }
}
