//! Steps fitted one after the other on rows that are fed in chunks.

use std::sync::Arc;

use drivetrain_plan::{ColumnTable, Op, Plan, Program, Registry, RowBlocks, Schema, Table};

use super::{FittedPipeline, FittedStep, Pipeline, Step};
use crate::{
    AnyFitted, AnyState, DynPartialFit, FitError, PartialFit, Progress, TransformError, partial_fit::one_pass,
};

/// What a [`Pipeline`] collected so far.
#[derive(Debug, Clone)]
pub struct PipelineState {
    fitted: Arc<FittedSteps>,
    /// The state of the first step that is not fitted.
    learning: AnyState,
}

/// The steps that are fitted.
#[derive(Debug, Default)]
pub(super) struct FittedSteps {
    pub(super) steps: Vec<FittedStep>,
    /// All of them together.
    pub(super) plan: Option<Plan>,
    /// The plan, ready to run.
    program: Option<Program>,
}

impl FittedSteps {
    /// These steps and one more.
    pub(super) fn push(&mut self, step: FittedStep) -> Result<(), FitError> {
        self.plan = Some(match &self.plan {
            None => step.plan.clone(),
            Some(before) => before.then(&step.plan)?,
        });
        self.steps.push(step);
        self.program = None;
        Ok(())
    }

    /// Makes the steps ready to run.
    pub(super) fn prepare(&mut self) -> Result<(), FitError> {
        if let (Some(plan), None) = (&self.plan, &self.program) {
            self.program = Some(Program::new(plan, &Registry::new()).map_err(TransformError::from)?);
        }
        Ok(())
    }

    /// What these steps make of `table`; `None` when there are none.
    pub(super) fn run(&self, table: &dyn Table) -> Result<Option<ColumnTable>, TransformError> {
        Ok(self.program.as_ref().map(|program| program.run(table)).transpose()?)
    }

    /// Fits `step` on what these steps make of `table`. Chunk by chunk where the step can be fed so; otherwise, unless it is
    /// the last one, its output is written out for the next step.
    pub(super) fn fit(
        &self,
        step: &Step,
        table: &dyn Table,
        y: Option<&[f64]>,
        last: bool,
    ) -> Result<(FittedStep, Option<ColumnTable>), FitError> {
        if let Some(partial) = step.estimator.as_partial_fit_any() {
            let fitted = step.fitted(self.fit_next(partial, table, y)?)?;
            if last || !is_opaque(&fitted.plan) {
                return Ok((fitted, None));
            }
        }
        let input = self.run(table)?;
        let input: &dyn Table = input.as_ref().map_or(table, |input| input);
        if last {
            return Ok((step.fitted(step.estimator.fit_any(input, y)?)?, None));
        }
        let (fitted, output) = step.estimator.fit_run_any(input, y)?;
        Ok((step.fitted(fitted)?, Some(output)))
    }

    /// Fits `next` on what these steps make of `table`, chunk by chunk.
    fn fit_next(&self, next: &dyn DynPartialFit, table: &dyn Table, y: Option<&[f64]>) -> Result<AnyFitted, FitError> {
        let schema = self.plan.as_ref().map_or(table.schema(), Plan::output_schema);
        if schema.is_empty() {
            return Err(FitError::Empty { rows: table.n_rows(), columns: 0 });
        }
        let blocks = RowBlocks::new(table);
        let mut state = next.start_any(schema)?;
        loop {
            let feed = |state: &mut AnyState, x: &dyn Table, y: Option<&[f64]>| self.feed(next, state, x, y);
            state = one_pass(&blocks, y, state, feed, |state, later| next.merge_any(state, later))?;
            match next.finish_any(state)? {
                Progress::Done(fitted) => return Ok(fitted),
                Progress::Again(again) => state = again,
            }
        }
    }

    /// Feeds `step` with what these steps make of the rows of `x`.
    fn feed(
        &self,
        step: &dyn DynPartialFit,
        state: &mut AnyState,
        x: &dyn Table,
        y: Option<&[f64]>,
    ) -> Result<(), FitError> {
        match &self.program {
            None => step.partial_fit_any(state, x, y),
            Some(program) => {
                program.run_with(x, |outputs| step.partial_fit_any(state, outputs, y)).map_err(TransformError::from)?
            }
        }
    }
}

/// Whether a plan runs only where its extensions are registered: not while a pipeline is fitted.
fn is_opaque(plan: &Plan) -> bool {
    plan.ops().iter().any(|op| matches!(op, Op::Extension { .. }))
}

impl Step {
    /// The step's estimator as one that can be fed in chunks.
    fn partial(&self) -> Result<&dyn DynPartialFit, FitError> {
        let (estimator, reason) = (format!("step `{}`", self.name), "its estimator cannot");
        self.estimator.as_partial_fit_any().ok_or(FitError::NotInParts { estimator, reason })
    }

    /// The step with what its estimator learned.
    pub(super) fn fitted(&self, fitted: AnyFitted) -> Result<FittedStep, FitError> {
        let plan = fitted.lower()?;
        Ok(FittedStep { name: self.name.clone(), fitted, plan })
    }

    pub(super) fn failed(&self, source: FitError) -> FitError {
        FitError::Step { step: self.name.clone(), source: Box::new(source) }
    }
}

impl Pipeline {
    /// The step that learns when `fitted` are fitted.
    fn learning(&self, fitted: &FittedSteps) -> Result<&Step, FitError> {
        self.steps.get(fitted.steps.len()).ok_or(FitError::Merge { reason: "the state belongs to another pipeline" })
    }
}

/// One pass over the rows fits one step: it learns from what the steps before it make of them, chunk by chunk.
impl PartialFit for Pipeline {
    type State = PipelineState;

    fn start(&self, schema: &Schema) -> Result<Self::State, FitError> {
        let fitted = FittedSteps::default();
        let step = self.learning(&fitted)?;
        let learning = step.partial()?.start_any(schema).map_err(|error| step.failed(error))?;
        Ok(PipelineState { fitted: Arc::new(fitted), learning })
    }

    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        let step = self.learning(&state.fitted)?;
        let fed = state.fitted.feed(step.partial()?, &mut state.learning, x, y);
        fed.map_err(|error| step.failed(error))
    }

    fn merge(&self, state: &mut Self::State, later: Self::State) -> Result<(), FitError> {
        // Every state of a later pass is a copy of the one that ended the pass before it.
        let first = state.fitted.steps.is_empty() && later.fitted.steps.is_empty();
        if !first && !Arc::ptr_eq(&state.fitted, &later.fitted) {
            return Err(FitError::Merge { reason: "they are in different passes" });
        }
        let step = self.learning(&state.fitted)?;
        step.partial()?.merge_any(&mut state.learning, later.learning).map_err(|error| step.failed(error))
    }

    fn finish(&self, state: Self::State) -> Result<Progress<Self::State, FittedPipeline>, FitError> {
        let PipelineState { fitted, learning } = state;
        let step = self.learning(&fitted)?;
        let learned = match step.partial()?.finish_any(learning).map_err(|error| step.failed(error))? {
            Progress::Again(learning) => return Ok(Progress::Again(PipelineState { fitted, learning })),
            Progress::Done(learned) => learned,
        };
        let mut fitted = FittedSteps { steps: fitted.steps.clone(), plan: fitted.plan.clone(), program: None };
        step.fitted(learned).and_then(|learned| fitted.push(learned)).map_err(|error| step.failed(error))?;
        match (self.steps.get(fitted.steps.len()), &fitted.plan) {
            (None, Some(plan)) => Ok(Progress::Done(FittedPipeline { plan: plan.clone(), steps: fitted.steps })),
            (Some(next), Some(plan)) => {
                let learning = next.partial()?.start_any(plan.output_schema()).map_err(|error| next.failed(error))?;
                fitted.prepare()?;
                Ok(Progress::Again(PipelineState { fitted: Arc::new(fitted), learning }))
            }
            (_, None) => Err(FitError::Merge { reason: "the state belongs to another pipeline" }),
        }
    }
}
