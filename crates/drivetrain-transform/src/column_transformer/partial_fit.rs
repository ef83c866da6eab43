//! Blocks fitted side by side on rows that are fed in chunks.

use drivetrain_plan::{Field, Plan, Schema, SelectedTable, Table};

use super::{Action, ColumnTransformer, Resolved};
use crate::{
    AnyEstimator, AnyState, DynPartialFit, FitError, FittedColumnTransformer, PartialFit, Progress,
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
struct BlockState {
    name: String,
    /// The columns that the block takes.
    schema: Schema,
    fit: BlockFit,
}

#[derive(Debug, Clone)]
enum BlockFit {
    Learning(AnyEstimator, AnyState),
    Done(Option<Plan>),
}

fn partial<'e>(name: &str, estimator: &'e AnyEstimator) -> Result<&'e dyn DynPartialFit, FitError> {
    let reason = "its estimator cannot";
    estimator.as_partial_fit().ok_or_else(|| FitError::NotInParts { estimator: format!("block `{name}`"), reason })
}

fn named(name: &str) -> impl Fn(FitError) -> FitError {
    move |source| FitError::Step { step: name.to_owned(), source: Box::new(source) }
}

impl BlockState {
    fn start(Resolved { name, action, columns }: &Resolved<'_>, schema: &Schema) -> Result<Self, FitError> {
        let fields: Vec<Field> = columns.iter().filter_map(|column| schema.field(column).cloned()).collect();
        let schema = Schema::new(fields)
            .map_err(|_| FitError::UnknownColumns { reader: format!("block `{name}`"), columns: columns.clone() })?;
        let fit = match action {
            Action::Passthrough if !columns.is_empty() => BlockFit::Done(Some(Plan::identity(schema.clone())?)),
            Action::Fit(estimator) if !columns.is_empty() => {
                let state = partial(name, estimator)?.start_any(&schema).map_err(named(name))?;
                BlockFit::Learning(estimator.clone(), state)
            }
            Action::Drop | Action::Passthrough | Action::Fit(_) => BlockFit::Done(None),
        };
        Ok(Self { name: (*name).to_owned(), schema, fit })
    }

    fn feed(&mut self, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        let BlockFit::Learning(estimator, state) = &mut self.fit else { return Ok(()) };
        let selected = SelectedTable::with_schema(x, &self.schema);
        partial(&self.name, estimator)?.partial_fit_any(state, &selected, y).map_err(named(&self.name))
    }

    fn merge(&mut self, later: Self) -> Result<(), FitError> {
        match (&mut self.fit, later.fit) {
            (BlockFit::Learning(estimator, state), BlockFit::Learning(_, later)) => {
                partial(&self.name, estimator)?.merge_any(state, later).map_err(named(&self.name))
            }
            (BlockFit::Done(_), BlockFit::Done(_)) => Ok(()),
            _ => Err(FitError::Merge { reason: "they are in different passes" }),
        }
    }

    /// The block at the end of the pass.
    fn finish(self) -> Result<Self, FitError> {
        let Self { name, schema, fit } = self;
        let fit = match fit {
            BlockFit::Learning(estimator, state) => {
                match partial(&name, &estimator)?.finish_any(state).map_err(named(&name))? {
                    Progress::Again(state) => BlockFit::Learning(estimator, state),
                    Progress::Done(plan) => BlockFit::Done(Some(plan)),
                }
            }
            done @ BlockFit::Done(_) => done,
        };
        Ok(Self { name, schema, fit })
    }
}

/// One pass over the rows feeds every block; blocks that need more passes, such as pipelines, go on in the next one.
impl PartialFit for ColumnTransformer {
    type State = ColumnTransformerState;

    fn start(&self, schema: &Schema) -> Result<Self::State, FitError> {
        if schema.is_empty() {
            return Err(FitError::Empty { rows: 0, columns: 0 });
        }
        let blocks =
            self.resolve(schema)?.iter().map(|block| BlockState::start(block, schema)).collect::<Result<_, _>>()?;
        Ok(ColumnTransformerState { schema: schema.clone(), n_rows: 0, blocks })
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
        if blocks.iter().any(|block| matches!(block.fit, BlockFit::Learning(..))) {
            return Ok(Progress::Again(ColumnTransformerState { schema, n_rows: 0, blocks }));
        }
        let plans = blocks.into_iter().map(|BlockState { name, schema, fit }| {
            let columns = schema.names().map(str::to_owned).collect();
            let plan = match fit {
                BlockFit::Done(plan) => plan,
                BlockFit::Learning(..) => None,
            };
            (name, columns, plan)
        });
        Ok(Progress::Done(self.assemble(&schema, plans)?))
    }
}
