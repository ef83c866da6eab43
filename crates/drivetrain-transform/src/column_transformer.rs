//! Different estimators for different columns, side by side.

mod partial_fit;

use std::{collections::BTreeSet, fmt, ops::Range};

use drivetrain_plan::{
    ApplyError, Column, ColumnTable, Matrix, Plan, PlanBuilder, PlanError, Schema, SelectedTable, Table,
};

use crate::{
    AnyEstimator, AnyFitted, Columns, DynPartialFit, Estimator, FitError, Fitted, ParameterError, Summary,
    TransformError, check_input, estimator::fit_transform_of_parts, pipeline::check_names, summary,
};

pub use partial_fit::ColumnTransformerState;

/// The name of the block of columns that no other block takes.
const REMAINDER: &str = "remainder";

/// What happens to columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    Drop,
    Passthrough,
    Fit(AnyEstimator),
}

impl Action {
    /// Whether it can be fed in chunks.
    pub(crate) fn is_partial(&self) -> bool {
        match self {
            Self::Fit(estimator) => estimator.as_partial_fit_any().is_some(),
            Self::Drop | Self::Passthrough => true,
        }
    }
}

/// A named block of a [`ColumnTransformer`]: some columns and what happens to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub(crate) name: String,
    pub(crate) action: Action,
    pub(crate) columns: Columns,
}

impl Block {
    /// A block that fits `estimator` on `columns`.
    pub fn new(name: impl Into<String>, estimator: impl Into<AnyEstimator>, columns: impl Into<Columns>) -> Self {
        Self { name: name.into(), action: Action::Fit(estimator.into()), columns: columns.into() }
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
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Block, ColumnTransformer, Estimator, MaxAbsScaler, Remainder};
///
/// let columns = [("id", vec![7.0, 8.0]), ("x", vec![1.0, 4.0])];
/// let columns = columns.map(|(name, values)| (name.to_owned(), Column::from(values)));
/// let scale_the_rest = ColumnTransformer::new(vec![Block::drop("ids", ["id"])])?
///     .remainder(Remainder::Estimator(MaxAbsScaler::new().into()));
/// let features = scale_the_rest.fit_transform(&ColumnTable::new(columns.into())?, None)?;
/// assert_eq!(features.column("remainder__x"), Some(vec![0.25, 1.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
        Ok(Self::of(blocks))
    }

    /// Blocks whose names are known to be right.
    pub(crate) const fn of(blocks: Vec<Block>) -> Self {
        Self { blocks, remainder: Remainder::Drop, verbose_feature_names_out: true }
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
    /// What its estimator learned; `None` when it has none or no column for it.
    pub fitted: Option<AnyFitted>,
    /// The plan from these columns to the block's output; `None` when there is none.
    pub plan: Option<Plan>,
    /// The positions of the block's output among the features.
    pub outputs: Range<usize>,
}

impl FittedColumnTransformer {
    /// The fitted block called `name`; `remainder` for the columns that no block takes.
    #[must_use]
    pub fn block(&self, name: &str) -> Option<&FittedBlock> {
        self.blocks.iter().find(|block| block.name == name)
    }

    /// The fitted blocks in order, the remainder last.
    #[must_use]
    pub fn blocks(&self) -> &[FittedBlock] {
        &self.blocks
    }
}

impl FittedBlock {
    /// A block without output.
    const fn empty(name: String, columns: Vec<String>) -> Self {
        Self { name, columns, fitted: None, plan: None, outputs: 0..0 }
    }

    /// A block that hands columns of this schema through.
    fn passthrough(name: String, schema: &Schema) -> Result<Self, FitError> {
        let columns = schema.names().map(str::to_owned).collect();
        Ok(Self { plan: Some(Plan::identity(schema.clone())?), ..Self::empty(name, columns) })
    }

    /// A block whose estimator learned `fitted`.
    fn fitted(name: String, columns: Vec<String>, fitted: AnyFitted) -> Result<Self, FitError> {
        let plan = fitted.lower().map_err(|error| failed(&name)(error.into()))?;
        Ok(Self { fitted: Some(fitted), plan: Some(plan), ..Self::empty(name, columns) })
    }
}

/// Names the block in whose fit something failed.
fn failed(name: &str) -> impl Fn(FitError) -> FitError {
    move |source| FitError::Step { step: name.to_owned(), source: Box::new(source) }
}

/// Fits one block, with its output when that is asked for; where it stands among all outputs is not known yet.
fn fit_block(
    Resolved { name, action, columns }: Resolved<'_>,
    x: &dyn Table,
    y: Option<&[f64]>,
    output: bool,
) -> Result<(FittedBlock, Option<ColumnTable>), FitError> {
    let block = name.to_owned();
    if columns.is_empty() || action == Action::Drop {
        return Ok((FittedBlock::empty(block, columns), None));
    }
    let selected = SelectedTable::new(x, &columns)
        .map_err(|column| FitError::UnknownColumns { reader: format!("block `{name}`"), columns: vec![column] })?;
    match action {
        Action::Drop => Ok((FittedBlock::empty(block, columns), None)),
        Action::Passthrough => {
            let output = output.then(|| ColumnTable::copy_of(&selected)).transpose();
            let output = output.map_err(|error| TransformError::Apply(ApplyError::Output(error)))?;
            Ok((FittedBlock::passthrough(block, selected.schema())?, output))
        }
        Action::Fit(estimator) => {
            let fitted = if output {
                estimator.fit_run_any(&selected, y).map(|(fitted, output)| (fitted, Some(output)))
            } else {
                estimator.fit_any(&selected, y).map(|fitted| (fitted, None))
            };
            let (fitted, output) = fitted.map_err(failed(name))?;
            Ok((FittedBlock::fitted(block, columns, fitted)?, output))
        }
    }
}

impl Estimator for ColumnTransformer {
    type Fitted = FittedColumnTransformer;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        Ok(self.fit_blocks(x, y, false)?.0)
    }

    fn fit_run(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<(Self::Fitted, ColumnTable), FitError> {
        let (fitted, outputs) = self.fit_blocks(x, y, true)?;
        let names = fitted.plan.output_schema().names().map(str::to_owned);
        let output = ColumnTable::new(names.zip(outputs).collect()).map_err(ApplyError::Output);
        Ok((fitted, output.map_err(TransformError::from)?))
    }

    fn fit_transform(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Matrix, FitError> {
        fit_transform_of_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        let remainder = match &self.remainder {
            Remainder::Estimator(estimator) => estimator.as_partial_fit_any().is_some(),
            Remainder::Drop | Remainder::Passthrough => true,
        };
        let all = remainder && self.blocks.iter().all(|block| block.action.is_partial());
        all.then_some(self as &dyn DynPartialFit)
    }
}

impl ColumnTransformer {
    /// Fits the blocks; their outputs, in order, only when they are asked for.
    fn fit_blocks(
        &self,
        x: &dyn Table,
        y: Option<&[f64]>,
        output: bool,
    ) -> Result<(FittedColumnTransformer, Vec<Column<'static>>), FitError> {
        check_input(x, y)?;
        let (mut blocks, mut outputs) = (Vec::new(), Vec::new());
        for resolved in self.resolve(x.schema())? {
            let (block, output) = fit_block(resolved, x, y, output)?;
            let output = output.into_iter().flat_map(Vec::from);
            outputs.extend(output.map(|(_, column): (String, Column<'static>)| column));
            blocks.push(block);
        }
        Ok((self.assemble(x.schema(), blocks)?, outputs))
    }

    /// What was learned, from the blocks, whose outputs are put one behind the other.
    fn assemble(&self, schema: &Schema, mut blocks: Vec<FittedBlock>) -> Result<FittedColumnTransformer, FitError> {
        let mut builder = PlanBuilder::new(schema.clone());
        let mut width = 0;
        for FittedBlock { name, plan, outputs, .. } in &mut blocks {
            let start = width;
            if let Some(plan) = plan {
                for output in builder.inline(plan, |column| Some(column.to_owned()))? {
                    let verbose = format!("{name}__{}", output.name);
                    builder
                        .output(if self.verbose_feature_names_out { &verbose } else { &output.name }, &output.column);
                    width += 1;
                }
            }
            *outputs = start..width;
        }
        Ok(FittedColumnTransformer { blocks, plan: builder.build()? })
    }
}

impl Fitted for FittedColumnTransformer {
    fn lower(&self) -> Result<Plan, PlanError> {
        Ok(self.plan.clone())
    }

    fn summary(&self) -> Summary {
        summarise("ColumnTransformer", &self.blocks)
    }
}

/// A part for every block, with the columns it takes.
pub(crate) fn summarise(title: &str, blocks: &[FittedBlock]) -> Summary {
    blocks.iter().fold(Summary::new(title), |summary, block| {
        let columns = summary::list(block.columns.iter().cloned());
        let part = match (&block.fitted, &block.plan) {
            (Some(fitted), _) => fitted.summary(),
            (None, Some(_)) => Summary::new("passthrough"),
            (None, None) => Summary::new("drop"),
        };
        summary.part(format!("{} [{columns}]", block.name), part)
    })
}

impl fmt::Display for FittedColumnTransformer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary().fmt(f)
    }
}

#[cfg(test)]
mod tests;
