//! What one pass over the rows collects.

use drivetrain_plan::{Schema, Table};

use super::{FittedStep, Step};
use crate::{AnyState, DynPartialFit, Filling, FitError, Progress};

/// What was collected for the first of some steps.
///
/// Two passes are one where the first step only fills missing numbers, and both it and the second can learn from what
/// the second collects of the rows as they are: an imputer's means are part of a scaler's moments, and the moments of
/// the filled rows follow.
#[derive(Debug, Clone)]
pub(super) enum Learning {
    /// Of the first step.
    One(AnyState),
    /// Of the second step, from the rows of the first.
    Two(AnyState),
}

impl Step {
    /// The step's estimator as one that can be fed in chunks.
    fn partial(&self) -> Result<&dyn DynPartialFit, FitError> {
        let (estimator, reason) = (format!("step `{}`", self.name), "its estimator cannot");
        self.estimator.as_partial_fit_any().ok_or(FitError::NotInParts { estimator, reason })
    }
}

const OTHER_PIPELINE: FitError = FitError::Merge { reason: "the state belongs to another pipeline" };

impl Learning {
    /// What `steps` begin with on rows of this schema.
    pub(super) fn start(steps: &[Step], schema: &Schema) -> Result<Self, FitError> {
        let first = steps.first().ok_or(OTHER_PIPELINE)?;
        let partial = first.partial()?;
        let second = steps.get(1).and_then(|second| second.estimator.as_partial_fit_any());
        if let Some(second) = second.filter(|second| second.follows_filling())
            && let Ok(state) = second.start_any(schema)
            && partial.learn_from_any(&state).is_some()
        {
            return Ok(Self::Two(state));
        }
        Ok(Self::One(partial.start_any(schema).map_err(|error| first.failed(error))?))
    }

    /// The step whose state it is.
    fn collector<'s>(&self, steps: &'s [Step]) -> Result<&'s dyn DynPartialFit, FitError> {
        let position = match self {
            Self::One(_) => 0,
            Self::Two(_) => 1,
        };
        steps.get(position).ok_or(OTHER_PIPELINE)?.partial()
    }

    /// Adds the rows of `x`.
    pub(super) fn feed(&mut self, steps: &[Step], x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        let (first, collector) = (steps.first().ok_or(OTHER_PIPELINE)?, self.collector(steps)?);
        let (Self::One(state) | Self::Two(state)) = self;
        // The rows are those of the first step, whoever collects.
        collector.partial_fit_any(state, x, y).map_err(|error| first.failed(error))
    }

    /// Adds what `later` collected in the same pass.
    pub(super) fn merge(&mut self, steps: &[Step], later: Self) -> Result<(), FitError> {
        let (first, collector) = (steps.first().ok_or(OTHER_PIPELINE)?, self.collector(steps)?);
        match (self, later) {
            (Self::One(own), Self::One(later)) | (Self::Two(own), Self::Two(later)) => {
                collector.merge_any(own, later).map_err(|error| first.failed(error))
            }
            _ => Err(OTHER_PIPELINE),
        }
    }

    /// The steps that are fitted at the end of the pass.
    pub(super) fn finish(self, steps: &[Step]) -> Result<Progress<Self, Vec<FittedStep>>, FitError> {
        let (first, collector) = (steps.first().ok_or(OTHER_PIPELINE)?, self.collector(steps)?);
        let fitted = |step: &Step, learned| step.fitted(learned).map_err(|error| step.failed(error));
        let state = match self {
            Self::One(state) => {
                return Ok(match collector.finish_any(state).map_err(|error| first.failed(error))? {
                    Progress::Again(state) => Progress::Again(Self::One(state)),
                    Progress::Done(learned) => Progress::Done(vec![fitted(first, learned)?]),
                });
            }
            Self::Two(state) => state,
        };
        let learned = first.partial()?.learn_from_any(&state).ok_or(OTHER_PIPELINE)?;
        let mut done = vec![fitted(first, learned.map_err(|error| first.failed(error))?)?];
        if let (Some(second), Some(filling)) = (steps.get(1), Filling::of(&done[0].plan))
            && let Some(state) = collector.filled_any(state, &filling).map_err(|error| second.failed(error))?
            && let Progress::Done(learned) = collector.finish_any(state).map_err(|error| second.failed(error))?
        {
            done.push(fitted(second, learned)?);
        }
        Ok(Progress::Done(done))
    }
}
