//! Steps fitted one after the other on rows that are fed in chunks.

use std::sync::Arc;

use drivetrain_plan::{ColumnTable, Op, Plan, Program, Registry, RowBlocks, Schema, Table};

use super::{FittedPipeline, FittedStep, Pipeline, Step, learning::Learning};
use crate::{AnyFitted, FitError, PartialFit, Progress, TransformError, partial_fit::one_pass};

/// What a [`Pipeline`] collected so far.
#[derive(Debug, Clone)]
pub struct PipelineState {
    fitted: Arc<FittedSteps>,
    /// Of the steps that are not fitted.
    learning: Learning,
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
        let plan = match &self.plan {
            None => Ok(step.plan.clone()),
            Some(before) => before.then(&step.plan),
        };
        self.plan =
            Some(plan.map_err(|source| FitError::Step { step: step.name.clone(), source: Box::new(source.into()) })?);
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

    /// Fits the first of `steps` on what these make of `table`, and the second where it learns along. Chunk by chunk where
    /// the step can be fed so; otherwise, unless it is the last one and no `output` is asked for, its output is written
    /// out for the next step.
    pub(super) fn fit(
        &self,
        steps: &[Step],
        table: &dyn Table,
        y: Option<&[f64]>,
        output: bool,
    ) -> Result<(Vec<FittedStep>, Option<ColumnTable>), FitError> {
        let Some(step) = steps.first() else { return Ok((Vec::new(), None)) };
        let last = |n_fitted: usize| !output && n_fitted == steps.len();
        if step.estimator.as_partial_fit_any().is_some() {
            let mut fitted = self.fit_in_chunks(steps, table, y)?;
            while fitted.last().is_some_and(|step| !last(fitted.len()) && is_opaque(&step.plan)) {
                fitted.pop();
            }
            if !fitted.is_empty() {
                return Ok((fitted, None));
            }
        }
        let whole = || -> Result<_, FitError> {
            let input = self.run(table)?;
            let input: &dyn Table = input.as_ref().map_or(table, |input| input);
            if last(1) {
                return Ok((vec![step.fitted(step.estimator.fit_any(input, y)?)?], None));
            }
            let (fitted, output) = step.estimator.fit_run_any(input, y)?;
            Ok((vec![step.fitted(fitted)?], Some(output)))
        };
        whole().map_err(|error| step.failed(error))
    }

    /// Fits the first of `steps` on what these make of `table`, and the second where it learns along, chunk by chunk.
    fn fit_in_chunks(&self, steps: &[Step], table: &dyn Table, y: Option<&[f64]>) -> Result<Vec<FittedStep>, FitError> {
        let schema = self.plan.as_ref().map_or(table.schema(), Plan::output_schema);
        if let (true, Some(step)) = (schema.is_empty(), steps.first()) {
            return Err(step.failed(FitError::Empty { rows: table.n_rows(), columns: 0 }));
        }
        let blocks = RowBlocks::new(table);
        let mut learning = Learning::start(steps, schema)?;
        loop {
            let feed = |learning: &mut Learning, x: &dyn Table, y: Option<&[f64]>| self.feed(steps, learning, x, y);
            learning = one_pass(&blocks, y, learning, feed, |learning, later| learning.merge(steps, later))?;
            match learning.finish(steps)? {
                Progress::Done(fitted) => return Ok(fitted),
                Progress::Again(again) => learning = again,
            }
        }
    }

    /// Feeds `steps` with what these steps make of the rows of `x`.
    fn feed(&self, steps: &[Step], learning: &mut Learning, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        let Some(program) = &self.program else { return learning.feed(steps, x, y) };
        let fed = program.run_with(x, |outputs| learning.feed(steps, outputs, y));
        fed.map_err(|error| match steps.first() {
            Some(step) => step.failed(TransformError::from(error).into()),
            None => TransformError::from(error).into(),
        })?
    }
}

/// Whether a plan runs only where its extensions are registered: not while a pipeline is fitted.
fn is_opaque(plan: &Plan) -> bool {
    plan.ops().iter().any(|op| matches!(op, Op::Extension { .. }))
}

impl Step {
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
    /// The steps that are left when `fitted` are fitted.
    fn left(&self, fitted: &FittedSteps) -> &[Step] {
        self.steps.get(fitted.steps.len()..).unwrap_or_default()
    }
}

/// One pass over the rows fits one step: it learns from what the steps before it make of them, chunk by chunk. A step
/// whose statistics follow from those of the rows before they are filled learns in the pass of the imputer before it.
impl PartialFit for Pipeline {
    type State = PipelineState;

    fn start(&self, schema: &Schema) -> Result<Self::State, FitError> {
        let fitted = FittedSteps::default();
        let learning = Learning::start(self.left(&fitted), schema)?;
        Ok(PipelineState { fitted: Arc::new(fitted), learning })
    }

    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        state.fitted.feed(self.left(&state.fitted), &mut state.learning, x, y)
    }

    fn merge(&self, state: &mut Self::State, later: Self::State) -> Result<(), FitError> {
        // Every state of a later pass is a copy of the one that ended the pass before it.
        let first = state.fitted.steps.is_empty() && later.fitted.steps.is_empty();
        if !first && !Arc::ptr_eq(&state.fitted, &later.fitted) {
            return Err(FitError::Merge { reason: "they are in different passes" });
        }
        state.learning.merge(self.left(&state.fitted), later.learning)
    }

    fn finish(&self, state: Self::State) -> Result<Progress<Self::State, FittedPipeline>, FitError> {
        let PipelineState { fitted, learning } = state;
        let learned = match learning.finish(self.left(&fitted))? {
            Progress::Again(learning) => return Ok(Progress::Again(PipelineState { fitted, learning })),
            Progress::Done(learned) => learned,
        };
        let mut fitted = FittedSteps { steps: fitted.steps.clone(), plan: fitted.plan.clone(), program: None };
        for step in learned {
            fitted.push(step)?;
        }
        match (self.left(&fitted), &fitted.plan) {
            ([], Some(plan)) => Ok(Progress::Done(FittedPipeline { plan: plan.clone(), steps: fitted.steps })),
            (left, Some(plan)) => {
                let learning = Learning::start(left, plan.output_schema())?;
                if let Some(next) = left.first() {
                    fitted.prepare().map_err(|error| next.failed(error))?;
                }
                Ok(Progress::Again(PipelineState { fitted: Arc::new(fitted), learning }))
            }
            (_, None) => Err(FitError::Merge { reason: "the state belongs to another pipeline" }),
        }
    }
}
