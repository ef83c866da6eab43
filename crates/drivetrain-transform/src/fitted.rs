//! What pipelines keep of their steps.

use std::{any::Any, fmt, ops::Deref, sync::Arc};

use crate::Fitted;

/// Something fitted whose type is not known.
///
/// Implemented for everything [`Fitted`] that can be compared and sent between threads.
pub trait DynFitted: Fitted + fmt::Debug + Send + Sync {
    /// Whether both are the same type with the same content.
    fn equals(&self, other: &dyn DynFitted) -> bool;

    /// What was fitted itself, to be downcast.
    fn as_any(&self) -> &dyn Any;
}

impl<F> DynFitted for F
where
    F: Fitted + fmt::Debug + PartialEq + Send + Sync + 'static,
{
    fn equals(&self, other: &dyn DynFitted) -> bool {
        other.as_any().downcast_ref::<F>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What a step or a block learned, to be looked at. Clones share it.
///
/// It is the value that [`Estimator::fit`](crate::Estimator::fit) gave, its type forgotten;
/// [`downcast_ref`](Self::downcast_ref) finds it again. What a pipeline runs and saves is its
/// [`Plan`](drivetrain_plan::Plan).
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, FittedStandardScaler, Pipeline, SimpleImputer, StandardScaler, Step};
///
/// let pipeline =
///     Pipeline::new(vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())])?;
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, f64::NAN, 3.0]))])?;
/// let fitted = pipeline.fit(&table, None)?;
/// let scaler = fitted.step("scale").and_then(|step| step.fitted.downcast_ref::<FittedStandardScaler>());
/// assert_eq!(scaler.map(|scaler| scaler.columns()[0].mean), Some(2.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct AnyFitted(Arc<dyn DynFitted>);

impl AnyFitted {
    /// `fitted`, its type forgotten.
    pub fn new(fitted: impl DynFitted + 'static) -> Self {
        Self(Arc::new(fitted))
    }

    /// What was fitted, if it is an `F`.
    #[must_use]
    pub fn downcast_ref<F: 'static>(&self) -> Option<&F> {
        self.0.as_any().downcast_ref()
    }
}

impl Deref for AnyFitted {
    type Target = dyn DynFitted;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref()
    }
}

impl PartialEq for AnyFitted {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&**other)
    }
}
