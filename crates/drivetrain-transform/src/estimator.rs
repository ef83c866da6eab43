//! The contract between what learns and what it learned.

use std::{any::Any, fmt, ops::Deref, sync::Arc};

use drivetrain_plan::{ColumnTable, Matrix, Plan, PlanError, Program, Registry, Table};

use crate::{DynPartialFit, FitError, TransformError};

/// Hyper-parameters that can be fitted to a table.
///
/// Fitting changes neither the estimator nor the table, and gives the same result every time. Anyone implements it,
/// anywhere, without registering anything; the laws it keeps are in `drivetrain-conformance`.
pub trait Estimator {
    /// What fitting gives.
    type Fitted: Fitted;

    /// Learns from `x` and, where the estimator uses one, the target `y` of as many values as `x` has rows.
    ///
    /// # Errors
    /// [`FitError`] when nothing can be learned from these data.
    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError>;

    /// Learns from `x` and transforms it.
    ///
    /// # Errors
    /// As [`fit`](Self::fit) and [`Fitted::transform`].
    fn fit_transform(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Matrix, FitError> {
        Ok(self.fit(x, y)?.transform(x)?)
    }

    /// This estimator as one whose fit can be fed in chunks, if it is one: what pipelines and column transformers ask.
    ///
    /// Whoever implements [`PartialFit`](crate::PartialFit) returns `Some(self)` here.
    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        None
    }
}

/// What an estimator learned, and nothing else: no code, no reference to the data.
pub trait Fitted {
    /// The plan that computes what this transforms to.
    ///
    /// # Errors
    /// [`PlanError`] when what was learned does not form a valid plan.
    fn lower(&self) -> Result<Plan, PlanError>;

    /// The outputs as typed columns: what the next step of a pipeline reads.
    ///
    /// Fitted types that lower to an extension operation override this with their own code.
    ///
    /// # Errors
    /// [`TransformError`] when `x` does not fit.
    fn run(&self, x: &dyn Table) -> Result<ColumnTable, TransformError> {
        Ok(self.lower()?.run(x)?)
    }

    /// The feature matrix of `x`, shape (rows, features).
    ///
    /// # Errors
    /// [`TransformError`] when `x` does not fit or an output is not numeric.
    fn transform(&self, x: &dyn Table) -> Result<Matrix, TransformError> {
        Ok(self.lower()?.apply(x)?)
    }

    /// Like [`transform`](Self::transform), into memory of the caller's: `rows x features` numbers, row after row.
    ///
    /// Fresh memory costs more than what is computed into it. Whoever transforms many tables also keeps a
    /// [`Program`] of [`lower`](Self::lower) and calls [`Program::apply_into`].
    ///
    /// ```
    /// use drivetrain_plan::{Column, ColumnTable};
    /// use drivetrain_transform::{Estimator, Fitted, MaxAbsScaler};
    ///
    /// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 4.0]))])?;
    /// let mut buffer = [0.0; 2];
    /// MaxAbsScaler::new().fit(&table, None)?.transform_into(&table, &mut buffer)?;
    /// assert_eq!(buffer, [0.25, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`transform`](Self::transform), and [`ApplyError::BufferLength`](drivetrain_plan::ApplyError::BufferLength);
    /// what the buffer then holds means nothing.
    fn transform_into(&self, x: &dyn Table, buffer: &mut [f64]) -> Result<(), TransformError> {
        Ok(Program::new(&self.lower()?, &Registry::new())?.apply_into(x, buffer)?)
    }
}

/// An estimator of any type, as pipelines and column transformers hold them.
///
/// Implemented for every [`Estimator`] that can be compared and sent between threads.
pub trait DynEstimator: fmt::Debug + Send + Sync {
    /// Fits and lowers.
    ///
    /// # Errors
    /// As [`Estimator::fit`] and [`Fitted::lower`].
    fn fit_plan(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Plan, FitError>;

    /// Fits, lowers, and transforms what it was fitted on to typed columns.
    ///
    /// # Errors
    /// As [`Estimator::fit`], [`Fitted::lower`] and [`Fitted::run`].
    fn fit_run(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<(Plan, ColumnTable), FitError>;

    /// As [`Estimator::as_partial_fit`].
    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit>;

    /// Whether both are the same type with the same parameters.
    fn equals(&self, other: &dyn DynEstimator) -> bool;

    /// The estimator itself, to be downcast.
    fn as_any(&self) -> &dyn Any;
}

impl<E> DynEstimator for E
where
    E: Estimator + fmt::Debug + PartialEq + Send + Sync + 'static,
{
    fn fit_plan(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Plan, FitError> {
        Ok(self.fit(x, y)?.lower()?)
    }

    fn fit_run(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<(Plan, ColumnTable), FitError> {
        let fitted = self.fit(x, y)?;
        Ok((fitted.lower()?, fitted.run(x)?))
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Estimator::as_partial_fit(self)
    }

    fn equals(&self, other: &dyn DynEstimator) -> bool {
        other.as_any().downcast_ref::<E>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// An estimator whose type is not known: what a step or a block holds. Clones share it.
#[derive(Debug, Clone)]
pub struct AnyEstimator(Arc<dyn DynEstimator>);

impl AnyEstimator {
    /// `estimator`, its type forgotten.
    pub fn new(estimator: impl DynEstimator + 'static) -> Self {
        Self(Arc::new(estimator))
    }
}

impl Deref for AnyEstimator {
    type Target = dyn DynEstimator;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref()
    }
}

impl PartialEq for AnyEstimator {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&**other)
    }
}
