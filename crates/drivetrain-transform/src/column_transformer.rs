//! Different estimators for different columns, side by side.

mod partial_fit;

use std::{collections::BTreeSet, ops::Range};

use drivetrain_plan::{Plan, PlanBuilder, PlanError, Schema, SelectedTable, Table};

use crate::{
    AnyEstimator, Columns, DynEstimator, DynPartialFit, Estimator, FitError, Fitted, ParameterError, check_input,
    pipeline::check_names,
};

pub use partial_fit::ColumnTransformerState;

/// The name of the block of columns that no other block takes.
const REMAINDER: &str = "remainder";

/// What happens to columns.
#[derive(Debug, Clone, PartialEq)]
enum Action {
    Drop,
    Passthrough,
    Fit(AnyEstimator),
}

/// A named block of a [`ColumnTransformer`]: some columns and what happens to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    name: String,
    action: Action,
    columns: Columns,
}

impl Block {
    /// A block that fits `estimator` on `columns`.
    pub fn new(name: impl Into<String>, estimator: impl DynEstimator + 'static, columns: impl Into<Columns>) -> Self {
        Self { name: name.into(), action: Action::Fit(AnyEstimator::new(estimator)), columns: columns.into() }
    }

    /// A block that hands `columns` through as they are.
    pub fn passthrough(name: impl Into<String>, columns: impl Into<Columns>) -> Self {
        Self { name: name.into(), action: Action::Passthrough, columns: columns.into() }
    }

    /// A block that drops `columns`, so that they are not part of the remainder.
    pub fn drop(name: impl Into<String>, columns: impl Into<Columns>) -> Self {
        Self { name: name.into(), action: Action::Drop, columns: columns.into() }
    }
}

/// What happens to the columns that no block takes.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Remainder {
    /// They are dropped.
    #[default]
    Drop,
    /// They are handed through, after all blocks.
    Passthrough,
    /// An estimator is fitted on them; its output comes after all blocks.
    Estimator(AnyEstimator),
}

/// Fits an estimator per block of columns and puts their outputs side by side, like scikit-learn's `ColumnTransformer`.
///
/// Outputs are in the order of the blocks and called `block__column`. Columns that were not there at fit are ignored
/// later, in any position; an estimator without columns is not fitted and adds nothing.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Block, ColumnTransformer, Estimator, Remainder, StandardScaler};
///
/// let table = ColumnTable::new(vec![
///     ("id".into(), Column::from(vec![7_i64, 8])),
///     ("x".into(), Column::from(vec![0.0, 2.0])),
/// ])?;
/// let scale_x = ColumnTransformer::new(vec![Block::new("scale", StandardScaler::new(), ["x"])])?
///     .remainder(Remainder::Passthrough);
/// assert_eq!(scale_x.fit_transform(&table, None)?.feature_names(), ["scale__x", "remainder__id"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnTransformer {
    blocks: Vec<Block>,
    remainder: Remainder,
    verbose_feature_names_out: bool,
}

/// A block whose columns are looked up.
struct Resolved<'a> {
    name: &'a str,
    action: Action,
    columns: Vec<String>,
}

impl ColumnTransformer {
    /// A column transformer of these blocks that drops all other columns.
    ///
    /// # Errors
    /// [`ParameterError::StepName`] when a block name is empty, repeated, contains `__`, or is `remainder`.
    pub fn new(blocks: Vec<Block>) -> Result<Self, ParameterError> {
        check_names(blocks.iter().map(|block| block.name.as_str()))?;
        if blocks.iter().any(|block| block.name == REMAINDER) {
            let reason = "it is the name of the block of all other columns";
            return Err(ParameterError::StepName { name: REMAINDER.to_owned(), reason });
        }
        Ok(Self { blocks, remainder: Remainder::Drop, verbose_feature_names_out: true })
    }

    /// What happens to the columns that no block takes.
    #[must_use]
    pub fn remainder(self, remainder: Remainder) -> Self {
        Self { remainder, ..self }
    }

    /// Whether output names carry the name of their block. Without it, equal names of two blocks are an error at fit.
    #[must_use]
    pub fn verbose_feature_names_out(self, verbose: bool) -> Self {
        Self { verbose_feature_names_out: verbose, ..self }
    }

    /// All blocks with their columns looked up, the remainder last.
    fn resolve(&self, schema: &Schema) -> Result<Vec<Resolved<'_>>, FitError> {
        let mut resolved = Vec::with_capacity(self.blocks.len() + 1);
        let mut taken = BTreeSet::new();
        for Block { name, action, columns } in &self.blocks {
            let columns = columns.resolve(schema, &format!("block `{name}`"))?;
            taken.extend(columns.iter().cloned());
            resolved.push(Resolved { name, action: action.clone(), columns });
        }
        let columns = schema.names().filter(|name| !taken.contains(*name)).map(str::to_owned).collect();
        let action = match &self.remainder {
            Remainder::Drop => Action::Drop,
            Remainder::Passthrough => Action::Passthrough,
            Remainder::Estimator(estimator) => Action::Fit(estimator.clone()),
        };
        resolved.push(Resolved { name: REMAINDER, action, columns });
        Ok(resolved)
    }
}

/// What a [`ColumnTransformer`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedColumnTransformer {
    blocks: Vec<FittedBlock>,
    plan: Plan,
}

/// What a block learned, and where its output stands.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedBlock {
    /// The block's name; `remainder` for the columns that no block takes.
    pub name: String,
    /// The columns it takes, as they were found at fit.
    pub columns: Vec<String>,
    /// The plan from these columns to the block's output; `None` when there is none.
    pub plan: Option<Plan>,
    /// The positions of the block's output among the features.
    pub outputs: Range<usize>,
}

impl FittedColumnTransformer {
    /// The fitted blocks in order, the remainder last.
    #[must_use]
    pub fn blocks(&self) -> &[FittedBlock] {
        &self.blocks
    }
}

/// Fits the plan of one block; `None` when it has no output.
fn fit_block(
    action: &Action,
    name: &str,
    columns: &[String],
    x: &dyn Table,
    y: Option<&[f64]>,
) -> Result<Option<Plan>, FitError> {
    if columns.is_empty() || *action == Action::Drop {
        return Ok(None);
    }
    let selected = SelectedTable::new(x, columns)
        .map_err(|column| FitError::UnknownColumns { reader: format!("block `{name}`"), columns: vec![column] })?;
    match action {
        Action::Drop => Ok(None),
        Action::Passthrough => Ok(Some(Plan::identity(selected.schema().clone())?)),
        Action::Fit(estimator) => {
            let step = |source| FitError::Step { step: name.to_owned(), source: Box::new(source) };
            estimator.fit_plan(&selected, y).map(Some).map_err(step)
        }
    }
}

impl Estimator for ColumnTransformer {
    type Fitted = FittedColumnTransformer;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        check_input(x, y)?;
        let mut blocks = Vec::new();
        for Resolved { name, action, columns } in self.resolve(x.schema())? {
            let plan = fit_block(&action, name, &columns, x, y)?;
            blocks.push((name.to_owned(), columns, plan));
        }
        self.assemble(x.schema(), blocks)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        let remainder = match &self.remainder {
            Remainder::Estimator(estimator) => Some(estimator),
            Remainder::Drop | Remainder::Passthrough => None,
        };
        let blocks = self.blocks.iter().filter_map(|block| match &block.action {
            Action::Fit(estimator) => Some(estimator),
            Action::Drop | Action::Passthrough => None,
        });
        let all = blocks.chain(remainder).all(|estimator| estimator.as_partial_fit().is_some());
        all.then_some(self as &dyn DynPartialFit)
    }
}

impl ColumnTransformer {
    /// What was learned, from the name, the columns and the plan of each block.
    fn assemble(
        &self,
        schema: &Schema,
        fitted: impl IntoIterator<Item = (String, Vec<String>, Option<Plan>)>,
    ) -> Result<FittedColumnTransformer, FitError> {
        let mut builder = PlanBuilder::new(schema.clone());
        let mut blocks = Vec::new();
        let mut width = 0;
        for (name, columns, plan) in fitted {
            let start = width;
            if let Some(plan) = &plan {
                for output in builder.inline(plan, |column| Some(column.to_owned()))? {
                    let verbose = format!("{name}__{}", output.name);
                    builder
                        .output(if self.verbose_feature_names_out { &verbose } else { &output.name }, &output.column);
                    width += 1;
                }
            }
            blocks.push(FittedBlock { name, columns, plan, outputs: start..width });
        }
        Ok(FittedColumnTransformer { blocks, plan: builder.build()? })
    }
}

impl Fitted for FittedColumnTransformer {
    fn lower(&self) -> Result<Plan, PlanError> {
        Ok(self.plan.clone())
    }
}

#[cfg(test)]
mod tests;
