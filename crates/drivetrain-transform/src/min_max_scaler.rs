//! Scaling to a range.

use drivetrain_plan::{Function, Op, Operand, Operator, Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{
    DynPartialFit, Estimator, Extremes, FitError, Fitted, ParameterError, PerColumn, Summary, arithmetic, fit_in_parts,
    statistics::scale_or_one, summary::number,
};

/// Scales each column so that its smallest and largest value at fit become the ends of a range, like scikit-learn's
/// `MinMaxScaler`.
///
/// Takes boolean, `int64` and `float64` columns and gives `float64`. Missing values are skipped at fit and stay missing.
/// A column whose range is below 10 times the machine epsilon is shifted but not stretched.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, MinMaxScaler};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![-1.0, 0.0, 3.0]))])?;
/// let scaled = MinMaxScaler::new().feature_range(0.0, 2.0)?.fit_transform(&table, None)?;
/// assert_eq!(scaled.values().column(0).to_vec(), [0.0, 0.5, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "MinMaxScalerData", into = "MinMaxScalerData")]
pub struct MinMaxScaler {
    range: (f64, f64),
    clip: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MinMaxScalerData {
    feature_range: (f64, f64),
    clip: bool,
}

impl From<MinMaxScaler> for MinMaxScalerData {
    fn from(scaler: MinMaxScaler) -> Self {
        Self { feature_range: scaler.range, clip: scaler.clip }
    }
}

impl TryFrom<MinMaxScalerData> for MinMaxScaler {
    type Error = ParameterError;

    fn try_from(data: MinMaxScalerData) -> Result<Self, ParameterError> {
        Ok(Self::new().feature_range(data.feature_range.0, data.feature_range.1)?.clip(data.clip))
    }
}

impl Default for MinMaxScaler {
    fn default() -> Self {
        Self { range: (0.0, 1.0), clip: false }
    }
}

impl MinMaxScaler {
    /// A scaler to the range from 0 to 1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The range to scale to.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] unless both ends are finite and `low` is below `high`.
    pub fn feature_range(self, low: f64, high: f64) -> Result<Self, ParameterError> {
        if low.is_finite() && high.is_finite() && low < high {
            return Ok(Self { range: (low, high), ..self });
        }
        let (value, expected) = (format!("({low}, {high})"), "two finite numbers, the lower one first");
        Err(ParameterError::OutOfRange { name: "feature_range", value, expected })
    }

    /// Whether values beyond those at fit are moved to the ends of the range.
    #[must_use]
    pub const fn clip(self, clip: bool) -> Self {
        Self { clip, ..self }
    }
}

/// What a [`MinMaxScaler`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedMinMaxScaler {
    parameters: MinMaxScaler,
    schema: Schema,
    columns: Vec<RangedColumn>,
}

/// What a [`MinMaxScaler`] learned of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct RangedColumn {
    /// The column.
    pub name: String,
    /// Its smallest value; NaN when there was none.
    pub data_min: f64,
    /// Its largest value; NaN when there was none.
    pub data_max: f64,
    /// What values are multiplied by.
    pub scale: f64,
    /// What is then added; NaN when there was no value.
    pub min: f64,
}

impl FittedMinMaxScaler {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[RangedColumn] {
        &self.columns
    }
}

impl Estimator for MinMaxScaler {
    type Fitted = FittedMinMaxScaler;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        fit_in_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Some(self)
    }
}

impl PerColumn for MinMaxScaler {
    type Statistic = Extremes;
    const NAME: &'static str = "MinMaxScaler";

    fn learn(&self, schema: Schema, columns: Vec<Extremes>) -> Result<Self::Fitted, FitError> {
        let (low, high) = self.range;
        let learn = |(name, extremes): (&str, Extremes)| {
            let (data_min, data_max) = (extremes.min(), extremes.max());
            let scale = (high - low) / scale_or_one(data_max - data_min);
            RangedColumn { name: name.to_owned(), data_min, data_max, scale, min: low - data_min * scale }
        };
        let columns = schema.names().zip(columns).map(learn).collect();
        Ok(FittedMinMaxScaler { parameters: *self, schema, columns })
    }
}

impl Fitted for FittedMinMaxScaler {
    fn lower(&self) -> Result<Plan, PlanError> {
        let (low, high) = self.parameters.range;
        let mut builder = PlanBuilder::new(self.schema.clone());
        for RangedColumn { name, scale, min, .. } in &self.columns {
            let mut output = builder.fresh(name);
            if min.is_nan() {
                // Nothing was learned, so nothing can be said.
                builder.push(Op::Scale { column: name.clone(), center: *min, scale: 1.0, output: output.clone() });
            } else {
                let product = std::mem::replace(&mut output, builder.fresh(name));
                for (operator, left, constant, output) in
                    [(Operator::Multiply, name, *scale, &product), (Operator::Add, &product, *min, &output)]
                {
                    let (left, right) = (Operand::Column(left.clone()), Operand::Constant(constant));
                    builder.push(Op::Arithmetic { operator, left, right, output: output.clone() });
                }
            }
            if self.parameters.clip {
                let column = std::mem::replace(&mut output, builder.fresh(name));
                let function = Function::Clip { low, high };
                builder.push(Op::Function { function, column, output: output.clone() });
            }
            builder.output(name, &output);
        }
        builder.build()
    }

    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let back = |column: &RangedColumn| vec![(Operator::Subtract, column.min), (Operator::Divide, column.scale)];
        arithmetic::inverse(&self.lower()?, self.columns.iter().map(|column| (column.name.as_str(), back(column))))
    }

    fn summary(&self) -> Summary {
        let (low, high) = self.parameters.range;
        let rows = self.columns.iter();
        let rows = rows.map(|column| [column.name.clone(), number(column.data_min), number(column.data_max)]);
        Summary::new(format!("MinMaxScaler to {low:?} .. {high:?}")).table(["column", "data_min", "data_max"], rows)
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    fn table(values: Vec<f64>) -> ColumnTable {
        ColumnTable::new(vec![("x".into(), Column::from(values))]).unwrap()
    }

    #[test]
    fn later_values_leave_the_range_unless_they_are_clipped() {
        let values = |scaler: MinMaxScaler| {
            let fitted = scaler.fit(&table(vec![0.0, 4.0]), None).unwrap();
            fitted.transform(&table(vec![-4.0, 1.0, 8.0])).unwrap().values().column(0).to_vec()
        };
        assert_eq!(values(MinMaxScaler::new()), [-1.0, 0.25, 2.0]);
        assert_eq!(values(MinMaxScaler::new().clip(true)), [0.0, 0.25, 1.0]);
    }

    #[test]
    fn a_range_that_is_none_is_refused_also_when_it_is_read() {
        let error = MinMaxScaler::new().feature_range(1.0, 1.0).unwrap_err();
        assert!(error.to_string().starts_with("feature_range is (1, 1): expected"), "{error}");
        let read = serde_json::from_str::<MinMaxScaler>;
        assert!(read(r#"{"feature_range": [2.0, 1.0], "clip": false}"#).is_err());
        assert_eq!(read(r#"{"feature_range": [0.0, 1.0], "clip": false}"#).unwrap(), MinMaxScaler::new());
    }
}
