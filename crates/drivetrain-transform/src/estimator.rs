//! The contract between what learns and what it learned.

use std::{
    any::{Any, type_name},
    fmt,
    ops::Deref,
    sync::Arc,
};

use drivetrain_plan::{ColumnTable, Matrix, Plan, PlanError, Program, Registry, Table};

use crate::{AnyFitted, DynPartialFit, FitError, Summary, TransformError, widen};

/// Hyper-parameters that can be fitted to a table.
///
/// Fitting changes neither the estimator nor the table, and gives the same result every time. Anyone implements it,
/// anywhere, without registering anything; the laws it keeps are in `drivetrain-conformance`.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable, Op, Plan, PlanBuilder, PlanError, Schema, Table};
/// use drivetrain_transform::{Estimator, FitError, Fitted, check_input, check_numeric};
///
/// /// Subtracts the first value of each column.
/// struct FromFirst;
/// #[derive(Debug, PartialEq)]
/// struct First(Schema, Vec<f64>);
///
/// impl Estimator for FromFirst {
///     type Fitted = First;
///
///     fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<First, FitError> {
///         check_input(x, y)?;
///         let first = x.schema().fields().iter().map(|field| Ok(check_numeric(x, field, "FromFirst")?[0]));
///         Ok(First(x.schema().clone(), first.collect::<Result<_, FitError>>()?))
///     }
/// }
///
/// impl Fitted for First {
///     fn lower(&self) -> Result<Plan, PlanError> {
///         let mut builder = PlanBuilder::new(self.0.clone());
///         for (column, center) in self.0.names().map(str::to_owned).zip(self.1.iter().copied()) {
///             let output = builder.fresh(&column);
///             builder.output(&column, &output);
///             builder.push(Op::Scale { column, center, scale: 1.0, output });
///         }
///         builder.build()
///     }
/// }
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![5_i64, 7]))])?;
/// assert_eq!(FromFirst.fit_transform(&table, None)?.column("x"), Some(vec![0.0, 2.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Estimator {
    /// What fitting gives: data, which can be compared, printed and sent between threads.
    type Fitted: Fitted + fmt::Debug + PartialEq + Send + Sync + 'static;

    /// Learns from `x` and, where the estimator uses one, the target `y` of as many values as `x` has rows.
    ///
    /// # Errors
    /// [`FitError`] when nothing can be learned from these data.
    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError>;

    /// Learns from `x` and gives, as typed columns, what the next step of a pipeline is fitted on: its transform, except
    /// where an estimator that uses the target must not let a row see its own.
    ///
    /// # Errors
    /// As [`fit`](Self::fit) and [`Fitted::run`].
    fn fit_run(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<(Self::Fitted, ColumnTable), FitError> {
        let fitted = self.fit(x, y)?;
        let output = fitted.run(x)?;
        Ok((fitted, output))
    }

    /// Learns from `x` and transforms it. An estimator with a [`fit_run`](Self::fit_run) of its own gives the same here.
    ///
    /// # Errors
    /// As [`fit`](Self::fit) and [`Fitted::transform`].
    fn fit_transform(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Matrix, FitError> {
        Ok(self.fit(x, y)?.transform(x)?)
    }

    /// This estimator as one whose fit can be fed in chunks, if it is one: what pipelines and column transformers ask.
    ///
    /// Whoever implements [`PartialFit`](crate::PartialFit) returns `Some(self)` here, unless it has a
    /// [`fit_run`](Self::fit_run) of its own: what is fed in chunks is run in chunks.
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

    /// The plan from what this transforms to back to its inputs; `None` where there is no way back.
    ///
    /// It takes numbers as `float64`, whatever their type is in [`run`](Self::run). Numbers come back as `float64` within
    /// rounding, categories in the type of their column. A value that a transform made unknown, cut off or missing does not
    /// come back; of values that it made one, such as those of a bin, one comes back that transforms to the same.
    ///
    /// # Errors
    /// [`PlanError`] when what was learned does not form a valid plan.
    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        Ok(None)
    }

    /// The inputs that `features`, a table of what this transforms to, come from: [`inverse`](Self::inverse), run.
    ///
    /// # Errors
    /// [`TransformError::NoInverse`] where there is no way back, otherwise as [`run`](Self::run).
    fn inverse_transform(&self, features: &dyn Table) -> Result<ColumnTable, TransformError> {
        widen::run(&self.inverse()?.ok_or(TransformError::NoInverse)?, features)
    }

    /// What was learned, for people to read: the operations of the plan unless the type says it better.
    fn summary(&self) -> Summary {
        let name = type_name::<Self>().rsplit("::").next().unwrap_or_default();
        let title = name.strip_prefix("Fitted").unwrap_or(name);
        match self.lower() {
            Ok(plan) => Summary::of_plan(title, &plan),
            Err(error) => Summary::new(format!("{title}: {error}")),
        }
    }
}

/// [`Estimator::fit_transform`] of an estimator made of others, some of which may cross folds.
pub(crate) fn fit_transform_of_parts<E: Estimator>(
    estimator: &E,
    x: &dyn Table,
    y: Option<&[f64]>,
) -> Result<Matrix, FitError> {
    if estimator.as_partial_fit().is_some() {
        // What is fed in chunks crosses no folds.
        return Ok(estimator.fit(x, y)?.transform(x)?);
    }
    let (fitted, output) = estimator.fit_run(x, y)?;
    matrix(&fitted, x, &output)
}

/// The feature matrix that `output`, the columns made of `x`, is.
pub(crate) fn matrix(fitted: &impl Fitted, x: &dyn Table, output: &ColumnTable) -> Result<Matrix, FitError> {
    if output.schema().is_empty() {
        // Without columns a table does not know how many rows it has.
        return Ok(fitted.transform(x)?);
    }
    let plan = Plan::identity(output.schema().clone())?;
    Ok(plan.apply(output).map_err(TransformError::from)?)
}

/// An estimator of any type, as pipelines and column transformers hold them.
///
/// Implemented for every [`Estimator`] that can be compared and sent between threads. Its methods have names of their own, so
/// that both traits can be in scope.
pub trait DynEstimator: fmt::Debug + Send + Sync {
    /// Fits.
    ///
    /// # Errors
    /// As [`Estimator::fit`].
    fn fit_any(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<AnyFitted, FitError>;

    /// As [`Estimator::fit_run`].
    ///
    /// # Errors
    /// As there.
    fn fit_run_any(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<(AnyFitted, ColumnTable), FitError>;

    /// As [`Estimator::as_partial_fit`].
    fn as_partial_fit_any(&self) -> Option<&dyn DynPartialFit>;

    /// Whether both are the same type with the same parameters.
    fn equals(&self, other: &dyn DynEstimator) -> bool;

    /// The estimator itself, to be downcast.
    fn as_any(&self) -> &dyn Any;
}

impl<E> DynEstimator for E
where
    E: Estimator + fmt::Debug + PartialEq + Send + Sync + 'static,
{
    fn fit_any(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<AnyFitted, FitError> {
        Ok(AnyFitted::new(self.fit(x, y)?))
    }

    fn fit_run_any(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<(AnyFitted, ColumnTable), FitError> {
        let (fitted, output) = self.fit_run(x, y)?;
        Ok((AnyFitted::new(fitted), output))
    }

    fn as_partial_fit_any(&self) -> Option<&dyn DynPartialFit> {
        self.as_partial_fit()
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

impl<E: DynEstimator + 'static> From<E> for AnyEstimator {
    fn from(estimator: E) -> Self {
        Self::new(estimator)
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
