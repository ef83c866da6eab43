//! Blocks fitted side by side on rows that are fed in chunks.

use drivetrain_plan::{Field, Schema, SelectedTable, Table};

use super::{Action, ColumnTransformer, Resolved, failed};
use crate::{
    AnyEstimator, AnyState, DynPartialFit, FitError, FittedBlock, FittedColumnTransformer, PartialFit, Progress,
    partial_fit::check_target,
};

/// What a [`ColumnTransformer`] collected so far.
#[derive(Debug, Clone)]
pub struct ColumnTransformerState {
    schema: Schema,
    n_rows: usize,
    blocks: Vec<BlockState>,
}

#[derive(Debug, Clone)]
enum BlockState {
    Learning {
        name: String,
        /// The columns that the block takes.
        schema: Schema,
        estimator: AnyEstimator,
        state: AnyState,
    },
    Done(FittedBlock),
}

fn partial<'e>(name: &str, estimator: &'e AnyEstimator) -> Result<&'e dyn DynPartialFit, FitError> {
    let reason = "its estimator cannot";
    estimator.as_partial_fit_any().ok_or_else(|| FitError::NotInParts { estimator: format!("block `{name}`"), reason })
}

impl BlockState {
    fn start(Resolved { name, action, columns }: Resolved<'_>, schema: &Schema) -> Result<Self, FitError> {
        let fields: Vec<Field> = columns.iter().filter_map(|column| schema.field(column).cloned()).collect();
        let schema = Schema::new(fields)
            .map_err(|_| FitError::UnknownColumns { reader: format!("block `{name}`"), columns: columns.clone() })?;
        let (name, empty) = (name.to_owned(), columns.is_empty());
        match action {
            Action::Passthrough if !empty => FittedBlock::passthrough(name, &schema).map(Self::Done),
            Action::Fit(estimator) if !empty => {
                let state = partial(&name, &estimator)?.start_any(&schema).map_err(failed(&name))?;
                Ok(Self::Learning { name, schema, estimator, state })
            }
            Action::Drop | Action::Passthrough | Action::Fit(_) => Ok(Self::Done(FittedBlock::empty(name, columns))),
        }
    }

    fn feed(&mut self, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        let Self::Learning { name, schema, estimator, state } = self else { return Ok(()) };
        let selected = SelectedTable::with_schema(x, schema);
        partial(name, estimator)?.partial_fit_any(state, &selected, y).map_err(failed(name))
    }

    fn merge(&mut self, later: Self) -> Result<(), FitError> {
        match (self, later) {
            (Self::Learning { name, estimator, state, .. }, Self::Learning { state: later, .. }) => {
                partial(name, estimator)?.merge_any(state, later).map_err(failed(name))
            }
            (Self::Done(_), Self::Done(_)) => Ok(()),
            _ => Err(FitError::Merge { reason: "they are in different passes" }),
        }
    }

    /// The block at the end of the pass.
    fn finish(self) -> Result<Self, FitError> {
        let Self::Learning { name, schema, estimator, state } = self else { return Ok(self) };
        match partial(&name, &estimator)?.finish_any(state).map_err(failed(&name))? {
            Progress::Again(state) => Ok(Self::Learning { name, schema, estimator, state }),
            Progress::Done(fitted) => {
                let columns = schema.names().map(str::to_owned).collect();
                FittedBlock::fitted(name, columns, fitted).map(Self::Done)
            }
        }
    }
}

/// One pass over the rows feeds every block; blocks that need more passes, such as pipelines, go on in the next one.
impl PartialFit for ColumnTransformer {
    type State = ColumnTransformerState;

    fn start(&self, schema: &Schema) -> Result<Self::State, FitError> {
        if schema.is_empty() {
            return Err(FitError::Empty { rows: 0, columns: 0 });
        }
        let blocks = self.resolve(schema)?.into_iter().map(|block| BlockState::start(block, schema));
        Ok(ColumnTransformerState { schema: schema.clone(), n_rows: 0, blocks: blocks.collect::<Result<_, _>>()? })
    }

    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        check_target(x, y)?;
        state.n_rows += x.n_rows();
        state.blocks.iter_mut().try_for_each(|block| block.feed(x, y))
    }

    fn merge(&self, state: &mut Self::State, later: Self::State) -> Result<(), FitError> {
        if state.schema != later.schema || state.blocks.len() != later.blocks.len() {
            return Err(FitError::Merge { reason: "their columns differ" });
        }
        state.n_rows += later.n_rows;
        state.blocks.iter_mut().zip(later.blocks).try_for_each(|(own, later)| own.merge(later))
    }

    fn finish(&self, state: Self::State) -> Result<Progress<Self::State, FittedColumnTransformer>, FitError> {
        let ColumnTransformerState { schema, n_rows, blocks } = state;
        if n_rows == 0 {
            return Err(FitError::Empty { rows: 0, columns: schema.len() });
        }
        let blocks = blocks.into_iter().map(BlockState::finish).collect::<Result<Vec<_>, _>>()?;
        let fitted = blocks.iter().map(|block| match block {
            BlockState::Done(block) => Some(block.clone()),
            BlockState::Learning { .. } => None,
        });
        match fitted.collect::<Option<Vec<_>>>() {
            Some(fitted) => Ok(Progress::Done(self.assemble(&schema, fitted)?)),
            None => Ok(Progress::Again(ColumnTransformerState { schema, n_rows: 0, blocks })),
        }
    }
}
