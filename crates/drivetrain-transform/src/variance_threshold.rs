//! Leaving out columns that hardly vary.

use drivetrain_plan::{Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{
    DynPartialFit, Estimator, Extremes, FitError, Fitted, InBlocks, Moments, ParameterError, PerColumn, Summary,
    arithmetic, fit_in_parts, summary::number, widen,
};

/// Leaves out the columns whose variance at fit is not above a threshold, like scikit-learn's `VarianceThreshold`.
///
/// Takes boolean, `int64` and `float64` columns and hands those it keeps through as they are. Missing values are skipped
/// at fit and stay missing; a column without any value is left out.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, VarianceThreshold};
///
/// let columns = vec![("x".into(), Column::from(vec![1.0, 2.0])), ("same".into(), Column::from(vec![3.0, 3.0]))];
/// let kept = VarianceThreshold::new().fit_transform(&ColumnTable::new(columns)?, None)?;
/// assert_eq!(kept.feature_names(), ["x"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "VarianceThresholdData", into = "VarianceThresholdData")]
pub struct VarianceThreshold {
    limit: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VarianceThresholdData {
    threshold: f64,
}

impl From<VarianceThreshold> for VarianceThresholdData {
    fn from(selector: VarianceThreshold) -> Self {
        Self { threshold: selector.limit }
    }
}

impl TryFrom<VarianceThresholdData> for VarianceThreshold {
    type Error = ParameterError;

    fn try_from(data: VarianceThresholdData) -> Result<Self, ParameterError> {
        Self::new().threshold(data.threshold)
    }
}

impl VarianceThreshold {
    /// A selector that leaves out constant columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The variance above which a column is kept.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when it is negative or not finite.
    pub fn threshold(self, threshold: f64) -> Result<Self, ParameterError> {
        if threshold.is_finite() && threshold >= 0.0 {
            return Ok(Self { limit: threshold });
        }
        let (value, expected) = (threshold.to_string(), "a finite number of at least 0");
        Err(ParameterError::OutOfRange { name: "threshold", value, expected })
    }
}

/// What a [`VarianceThreshold`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedVarianceThreshold {
    parameters: VarianceThreshold,
    schema: Schema,
    variances: Vec<f64>,
}

impl FittedVarianceThreshold {
    /// The variance of each column, in input order; NaN where there was no value. With a threshold of 0 the smaller of
    /// the variance and the range, which for a constant is 0 without any rounding.
    #[must_use]
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// The names of the columns that are kept.
    pub fn kept(&self) -> impl Iterator<Item = &str> {
        let above = self.variances.iter().map(|variance| *variance > self.parameters.limit);
        self.schema.names().zip(above).filter_map(|(name, above)| above.then_some(name))
    }
}

impl Estimator for VarianceThreshold {
    type Fitted = FittedVarianceThreshold;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        fit_in_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Some(self)
    }
}

impl PerColumn for VarianceThreshold {
    type Statistic = (InBlocks<Moments>, Extremes);
    const NAME: &'static str = "VarianceThreshold";

    fn learn(&self, schema: Schema, columns: Vec<(InBlocks<Moments>, Extremes)>) -> Result<Self::Fitted, FitError> {
        let learn = |(moments, extremes): (InBlocks<Moments>, Extremes)| {
            let variance = moments.total().variance();
            if self.limit > 0.0 { variance } else { variance.min(extremes.max() - extremes.min()) }
        };
        let variances = columns.into_iter().map(learn).collect();
        let fitted = FittedVarianceThreshold { parameters: *self, schema, variances };
        if fitted.kept().next().is_none() {
            let reason = format!("no column has a variance above {}", self.limit);
            return Err(FitError::NothingKept { estimator: "VarianceThreshold", reason });
        }
        Ok(fitted)
    }
}

impl Fitted for FittedVarianceThreshold {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        for name in self.kept() {
            builder.output(name, name);
        }
        builder.build()
    }

    /// What was left out comes back as zeros.
    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let forward = self.lower()?;
        let mut builder = widen::back_from(&forward);
        for name in self.schema.names() {
            let column = match forward.output_schema().field(name) {
                Some(kept) => kept.name.clone(),
                None => arithmetic::constant(&mut builder, 0.0, name),
            };
            builder.output(name, &column);
        }
        builder.build().map(Some)
    }

    fn summary(&self) -> Summary {
        let columns = self.schema.names().zip(&self.variances).map(|(name, variance)| {
            let kept = if *variance > self.parameters.limit { "yes" } else { "no" };
            [name.to_owned(), number(*variance), kept.to_owned()]
        });
        Summary::new("VarianceThreshold").table(["column", "variance", "kept"], columns)
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    #[test]
    fn what_was_left_out_comes_back_as_zeros_and_integers_as_floats() {
        let columns = vec![
            ("same".into(), Column::from(vec![3.0, 3.0])),
            ("x".into(), Column::from(vec![Some(1_i64), None])),
            ("y".into(), Column::from(vec![0_i64, 2])),
        ];
        let table = ColumnTable::new(columns).unwrap();
        let fitted = VarianceThreshold::new().fit(&table, None).unwrap();
        let back = fitted.inverse_transform(&fitted.run(&table).unwrap()).unwrap();
        let expected = [("same", vec![0.0, 0.0]), ("x", vec![0.0, 0.0]), ("y", vec![0.0, 2.0])];
        assert_eq!(back, ColumnTable::new(expected.map(|(name, x)| (name.into(), Column::from(x))).to_vec()).unwrap());
    }

    #[test]
    fn what_does_not_vary_enough_is_left_out_and_all_of_it_is_an_error() {
        let columns = vec![
            ("none".into(), Column::from(vec![f64::NAN, f64::NAN])),
            ("tenth".into(), Column::from(vec![0.1, 0.1])),
            ("two".into(), Column::from(vec![0_i64, 2])),
        ];
        let table = ColumnTable::new(columns).unwrap();
        let fitted = VarianceThreshold::new().fit(&table, None).unwrap();
        assert_eq!(fitted.kept().collect::<Vec<_>>(), ["two"]);
        let error = VarianceThreshold::new().threshold(1.0).unwrap().fit(&table, None).unwrap_err();
        assert_eq!(error.to_string(), "VarianceThreshold leaves nothing: no column has a variance above 1");
        assert!(VarianceThreshold::new().threshold(-1.0).is_err());
        assert!(serde_json::from_str::<VarianceThreshold>(r#"{"threshold": -1.0}"#).is_err());
    }
}
