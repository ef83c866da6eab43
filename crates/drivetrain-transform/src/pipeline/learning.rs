//! What one pass over the rows collects.

use drivetrain_plan::{Schema, Table};

use super::{FittedStep, Step};
use crate::{AnyState, DynPartialFit, Filling, FitError, Progress};

/// What was collected of the first of some steps. Where that one only fills missing numbers with constants, and the
/// statistics of the second follow from those of the rows as they are, both learn in the same pass.
#[derive(Debug, Clone)]
pub(super) struct Learning {
    first: AnyState,
    /// Of the second step, fed with the rows of the first.
    ahead: Option<AnyState>,
}

impl Step {
    /// The step's estimator as one that can be fed in chunks.
    fn partial(&self) -> Result<&dyn DynPartialFit, FitError> {
        let (estimator, reason) = (format!("step `{}`", self.name), "its estimator cannot");
        self.estimator.as_partial_fit().ok_or(FitError::NotInParts { estimator, reason })
    }
}

/// The step that learns.
fn first(steps: &[Step]) -> Result<&Step, FitError> {
    steps.first().ok_or(FitError::Merge { reason: "the state belongs to another pipeline" })
}

/// The step that learns ahead, if it does.
fn second<'s, S>(steps: &'s [Step], ahead: Option<S>) -> Option<(&'s Step, &'s dyn DynPartialFit, S)> {
    let second = steps.get(1)?;
    Some((second, second.estimator.as_partial_fit()?, ahead?))
}

impl Learning {
    /// What `steps` begin with on rows of this schema.
    pub(super) fn start(steps: &[Step], schema: &Schema) -> Result<Self, FitError> {
        let step = first(steps)?;
        let partial = step.partial()?;
        let first = partial.start_any(schema).map_err(|error| step.failed(error))?;
        let ahead = second(steps, partial.only_fills().then_some(()))
            .filter(|(_, second, ())| second.follows_filling())
            // Whatever it does not take, it may take when it is filled.
            .and_then(|(_, second, ())| second.start_any(schema).ok());
        Ok(Self { first, ahead })
    }

    /// Adds the rows of `x`.
    pub(super) fn feed(&mut self, steps: &[Step], x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        let step = first(steps)?;
        step.partial()?.partial_fit_any(&mut self.first, x, y).map_err(|error| step.failed(error))?;
        match second(steps, self.ahead.as_mut()) {
            Some((step, partial, ahead)) => partial.partial_fit_any(ahead, x, y).map_err(|error| step.failed(error)),
            None => Ok(()),
        }
    }

    /// Adds what `later` collected in the same pass.
    pub(super) fn merge(&mut self, steps: &[Step], later: Self) -> Result<(), FitError> {
        let step = first(steps)?;
        step.partial()?.merge_any(&mut self.first, later.first).map_err(|error| step.failed(error))?;
        match second(steps, self.ahead.as_mut().zip(later.ahead)) {
            Some((step, partial, (own, later))) => partial.merge_any(own, later).map_err(|error| step.failed(error)),
            None => Ok(()),
        }
    }

    /// The steps that are fitted at the end of the pass.
    pub(super) fn finish(self, steps: &[Step]) -> Result<Progress<Self, Vec<FittedStep>>, FitError> {
        let step = first(steps)?;
        let learned = match step.partial()?.finish_any(self.first).map_err(|error| step.failed(error))? {
            Progress::Again(first) => return Ok(Progress::Again(Self { first, ahead: None })),
            Progress::Done(learned) => step.fitted(learned).map_err(|error| step.failed(error))?,
        };
        let mut fitted = vec![learned];
        if let Some((step, partial, ahead)) = second(steps, self.ahead)
            && let Some(filling) = Filling::of(&fitted[0].plan)
            && let Some(state) = partial.filled_any(ahead, &filling).map_err(|error| step.failed(error))?
            && let Progress::Done(learned) = partial.finish_any(state).map_err(|error| step.failed(error))?
        {
            fitted.push(step.fitted(learned).map_err(|error| step.failed(error))?);
        }
        Ok(Progress::Done(fitted))
    }
}
