//! What is evaluated: everything from a raw table to predictions.

use std::fmt;
use std::sync::Arc;

use drivetrain_forest::metrics::RegressionMetrics;
use drivetrain_plan::{ColumnTable, Matrix, Plan, Program, Registry, Table};
use drivetrain_transform::AnyEstimator;

use crate::inspect::fold_back;
use crate::regressor::{FittedRegressor, Regressor};
use crate::{ColumnImportance, EvaluateError};

/// A model yet to be fitted, preprocessing and all.
///
/// Whoever scores one hands it the raw rows to learn from, and nothing else: so nothing that is fitted can have seen the
/// rows that are scored on.
pub trait Model: fmt::Debug + Send + Sync {
    /// Learns from the raw rows `x` and the target of each.
    ///
    /// # Errors
    /// [`EvaluateError`] when nothing can be learned from these rows.
    fn fit(&self, x: &ColumnTable, y: &[f64]) -> Result<Box<dyn FittedModel>, EvaluateError>;

    /// The error on rows that parts of the model have not seen while learning, if it has such parts: trees that did not
    /// draw them.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    fn out_of_bag(&self, _x: &ColumnTable, _y: &[f64]) -> Result<Option<RegressionMetrics>, EvaluateError> {
        Ok(None)
    }
}

/// A model that has learned.
pub trait FittedModel: fmt::Debug + Send + Sync {
    /// One prediction per raw row.
    ///
    /// # Errors
    /// [`EvaluateError`] when `x` does not fit.
    fn predict(&self, x: &dyn Table) -> Result<Vec<f64>, EvaluateError>;

    /// How much each raw column mattered while learning, if the model knows; shares of 1.
    fn column_importances(&self) -> Option<Vec<ColumnImportance>> {
        None
    }
}

/// Preprocessing, then a regressor on its features.
///
/// ```
/// use drivetrain_evaluate::regressor::LinearRegression;
/// use drivetrain_evaluate::{Model, PipelineModel};
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::StandardScaler;
///
/// let model = PipelineModel::new(StandardScaler::new(), LinearRegression);
/// let x = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 2.0, 4.0]))])?;
/// let fitted = model.fit(&x, &[3.0, 5.0, 9.0])?;
/// assert!((fitted.predict(&x)?[2] - 9.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct PipelineModel {
    preprocessing: AnyEstimator,
    regressor: Arc<dyn Regressor>,
}

#[derive(Debug)]
struct FittedPipelineModel {
    plan: Plan,
    program: Program,
    regressor: Box<dyn FittedRegressor>,
}

impl PipelineModel {
    /// `preprocessing`, then `regressor`.
    pub fn new(preprocessing: impl Into<AnyEstimator>, regressor: impl Regressor + 'static) -> Self {
        Self { preprocessing: preprocessing.into(), regressor: Arc::new(regressor) }
    }

    /// What the preprocessing learned, and the features of the rows it learned from: not a transform of them, as an
    /// encoder of the target must not let a row see its own.
    fn features(&self, x: &ColumnTable, y: &[f64]) -> Result<(Plan, Matrix), EvaluateError> {
        let (fitted, columns) = self.preprocessing.fit_run_any(x, Some(y))?;
        Ok((fitted.lower()?, Plan::identity(columns.schema().clone())?.apply(&columns)?))
    }
}

impl Model for PipelineModel {
    fn fit(&self, x: &ColumnTable, y: &[f64]) -> Result<Box<dyn FittedModel>, EvaluateError> {
        let (plan, features) = self.features(x, y)?;
        let regressor = self.regressor.fit(features.values(), y).map_err(|error| named(error, &plan))?;
        let program = Program::new(&plan, &Registry::new())?;
        Ok(Box::new(FittedPipelineModel { plan, program, regressor }))
    }

    fn out_of_bag(&self, x: &ColumnTable, y: &[f64]) -> Result<Option<RegressionMetrics>, EvaluateError> {
        let (_, features) = self.features(x, y)?;
        let Some(predictions) = self.regressor.out_of_bag(features.values(), y)? else { return Ok(None) };
        // A row that every tree has drawn has no prediction.
        let (truth, seen): (Vec<f64>, Vec<f64>) = y.iter().zip(predictions).filter(|(_, p)| !p.is_nan()).unzip();
        Ok(if truth.is_empty() { None } else { Some(RegressionMetrics::new(&truth, &seen)?) })
    }
}

/// The error with the name of the feature that a regressor knows the position of.
fn named(error: EvaluateError, plan: &Plan) -> EvaluateError {
    match error {
        EvaluateError::InvalidFeature { row, feature, value } => {
            let output = feature.parse().ok().and_then(|position: usize| plan.outputs().get(position));
            EvaluateError::InvalidFeature { row, feature: output.map_or(feature, |output| output.name.clone()), value }
        }
        error => error,
    }
}

impl FittedModel for FittedPipelineModel {
    fn predict(&self, x: &dyn Table) -> Result<Vec<f64>, EvaluateError> {
        self.regressor.predict(self.program.apply(x)?.values()).map_err(|error| named(error, &self.plan))
    }

    fn column_importances(&self) -> Option<Vec<ColumnImportance>> {
        Some(fold_back(&self.plan, self.regressor.feature_importances()?))
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::Column;
    use drivetrain_transform::StandardScaler;

    use super::*;
    use crate::regressor::Ridge;

    #[test]
    fn a_feature_that_cannot_be_learned_from_is_called_by_its_name() {
        let table = |gap: f64| {
            let columns = [("mass", vec![1.0, 2.0, 4.0]), ("length", vec![3.0, gap, 5.0])];
            ColumnTable::new(columns.map(|(name, values)| (name.to_owned(), Column::from(values))).into()).unwrap()
        };
        let model = PipelineModel::new(StandardScaler::new(), Ridge::default());
        let message = "row 1, feature `length` is NaN: expected a finite number";
        assert_eq!(model.fit(&table(f64::NAN), &[1.0, 2.0, 3.0]).unwrap_err().to_string(), message);
        let fitted = model.fit(&table(4.0), &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(fitted.predict(&table(f64::NAN)).unwrap_err().to_string(), message);
    }
}
