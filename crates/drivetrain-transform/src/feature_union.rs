//! Several estimators on the same columns, side by side.

use std::{collections::BTreeMap, fmt};

use drivetrain_plan::{ColumnTable, Matrix, Operand, Operator, Plan, PlanBuilder, PlanError, Schema, Table};

use crate::{
    AnyEstimator, Block, ColumnTransformer, ColumnTransformerState, Columns, DynPartialFit, Estimator, FitError,
    Fitted, FittedBlock, FittedColumnTransformer, ParameterError, PartialFit, Progress, Summary, TransformError,
    arithmetic,
    column_transformer::{Action, summarise},
    estimator::fit_transform_of_parts,
    pipeline::check_names,
    summary::number,
};

/// A named branch of a [`FeatureUnion`].
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    name: String,
    action: Action,
}

impl Branch {
    /// A branch that fits `estimator`.
    pub fn new(name: impl Into<String>, estimator: impl Into<AnyEstimator>) -> Self {
        Self { name: name.into(), action: Action::Fit(estimator.into()) }
    }

    /// A branch that hands all columns through as they are.
    pub fn passthrough(name: impl Into<String>) -> Self {
        Self { name: name.into(), action: Action::Passthrough }
    }

    /// A branch without output: it holds the place of one that is switched off.
    pub fn drop(name: impl Into<String>) -> Self {
        Self { name: name.into(), action: Action::Drop }
    }
}

/// Fits estimators on the same table and puts their outputs side by side, like scikit-learn's `FeatureUnion`.
///
/// Outputs are in the order of the branches and called `branch__column`. No branch sees another one's output.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Branch, Estimator, FeatureUnion, MissingIndicator, SimpleImputer};
///
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, f64::NAN]))])?;
/// let union = FeatureUnion::new(vec![
///     Branch::new("filled", SimpleImputer::mean()),
///     Branch::new("gaps", MissingIndicator::new()),
/// ])?;
/// let both = union.fit_transform(&table, None)?;
/// assert_eq!(both.feature_names(), ["filled__x", "gaps__missingindicator_x"]);
/// assert_eq!(both.values().row(1).to_vec(), [1.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureUnion {
    branches: Vec<Branch>,
    transformer_weights: BTreeMap<String, f64>,
    verbose_feature_names_out: bool,
}

impl FeatureUnion {
    /// A union of these branches.
    ///
    /// # Errors
    /// [`ParameterError::StepName`] when a name is empty, repeated, or contains `__`.
    pub fn new(branches: Vec<Branch>) -> Result<Self, ParameterError> {
        check_names(branches.iter().map(|branch| branch.name.as_str()))?;
        Ok(Self { branches, transformer_weights: BTreeMap::new(), verbose_feature_names_out: true })
    }

    /// What the outputs of some branches, by their names, are multiplied by; those of others stay as they are.
    ///
    /// ```
    /// use drivetrain_plan::{Column, ColumnTable};
    /// use drivetrain_transform::{Branch, Estimator, FeatureUnion, MaxAbsScaler};
    ///
    /// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, 2.0]))])?;
    /// let branches = vec![Branch::new("scaled", MaxAbsScaler::new()), Branch::passthrough("same")];
    /// let union = FeatureUnion::new(branches)?.transformer_weights([("scaled", 10.0)])?;
    /// assert_eq!(union.fit_transform(&table, None)?.values().row(0).to_vec(), [5.0, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ParameterError::StepName`] when no branch has a name, [`ParameterError::OutOfRange`] when a weight is not finite.
    pub fn transformer_weights<S: Into<String>>(
        self,
        weights: impl IntoIterator<Item = (S, f64)>,
    ) -> Result<Self, ParameterError> {
        let weights: BTreeMap<String, f64> = weights.into_iter().map(|(name, weight)| (name.into(), weight)).collect();
        for (name, weight) in &weights {
            if !self.branches.iter().any(|branch| branch.name == *name) {
                let reason = "no branch has it, so that none can be weighted";
                return Err(ParameterError::StepName { name: name.clone(), reason });
            }
            if !weight.is_finite() {
                let (value, expected) = (weight.to_string(), "a finite number");
                return Err(ParameterError::OutOfRange { name: "transformer_weights", value, expected });
            }
        }
        Ok(Self { transformer_weights: weights, ..self })
    }

    /// Whether output names carry the name of their branch. Without it, equal names of two branches are an error at fit.
    #[must_use]
    pub fn verbose_feature_names_out(self, verbose: bool) -> Self {
        Self { verbose_feature_names_out: verbose, ..self }
    }
}

/// What a [`FeatureUnion`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedFeatureUnion {
    columns: FittedColumnTransformer,
    weights: BTreeMap<String, f64>,
}

impl FittedFeatureUnion {
    /// The plan that multiplies what the branches give by their weights.
    fn weigh(&self, outputs: &Schema) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(outputs.clone());
        for block in self.branches() {
            for name in outputs.names().skip(block.outputs.start).take(block.outputs.len()) {
                let column = self.weights.get(&block.name).map(|weight| {
                    let (value, weight) = (Operand::Column(name.to_owned()), Operand::Constant(*weight));
                    arithmetic::compute(&mut builder, Operator::Multiply, value, weight, name)
                });
                builder.output(name, column.as_deref().unwrap_or(name));
            }
        }
        builder.build()
    }

    /// The fitted branch called `name`.
    #[must_use]
    pub fn branch(&self, name: &str) -> Option<&FittedBlock> {
        self.branches().iter().find(|branch| branch.name == name)
    }

    /// The fitted branches, in order.
    #[must_use]
    pub fn branches(&self) -> &[FittedBlock] {
        // The last block is that of the columns that no other takes; here every branch takes all.
        self.columns.blocks().split_last().map_or(&[], |(_, branches)| branches)
    }
}

impl FeatureUnion {
    /// The same as blocks of a column transformer, each of all columns.
    fn on_columns(&self, schema: &Schema) -> ColumnTransformer {
        let all: Vec<String> = schema.names().map(str::to_owned).collect();
        let block = |branch: &Branch| Block {
            name: branch.name.clone(),
            action: branch.action.clone(),
            columns: Columns::Names(all.clone()),
        };
        let columns = ColumnTransformer::of(self.branches.iter().map(block).collect());
        columns.verbose_feature_names_out(self.verbose_feature_names_out)
    }

    /// What was learned by the branches, with their weights; it is an error where one is of no number.
    fn fitted(&self, columns: FittedColumnTransformer) -> Result<FittedFeatureUnion, FitError> {
        let fitted = FittedFeatureUnion { columns, weights: self.transformer_weights.clone() };
        fitted.lower()?;
        Ok(fitted)
    }
}

impl Estimator for FeatureUnion {
    type Fitted = FittedFeatureUnion;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        self.fitted(self.on_columns(x.schema()).fit(x, y)?)
    }

    fn fit_run(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<(Self::Fitted, ColumnTable), FitError> {
        let (fitted, output) = self.on_columns(x.schema()).fit_run(x, y)?;
        let fitted = self.fitted(fitted)?;
        if fitted.weights.is_empty() {
            return Ok((fitted, output));
        }
        let output = fitted.weigh(output.schema())?.run(&output).map_err(TransformError::from)?;
        Ok((fitted, output))
    }

    fn fit_transform(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Matrix, FitError> {
        fit_transform_of_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        let all = self.branches.iter().all(|branch| branch.action.is_partial());
        all.then_some(self as &dyn DynPartialFit)
    }
}

/// What a [`FeatureUnion`] collected so far.
#[derive(Debug, Clone)]
pub struct FeatureUnionState {
    columns: ColumnTransformer,
    state: ColumnTransformerState,
}

impl PartialFit for FeatureUnion {
    type State = FeatureUnionState;

    fn start(&self, schema: &Schema) -> Result<Self::State, FitError> {
        let columns = self.on_columns(schema);
        let state = columns.start(schema)?;
        Ok(FeatureUnionState { columns, state })
    }

    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        state.columns.partial_fit(&mut state.state, x, y)
    }

    fn merge(&self, state: &mut Self::State, later: Self::State) -> Result<(), FitError> {
        state.columns.merge(&mut state.state, later.state)
    }

    fn finish(&self, state: Self::State) -> Result<Progress<Self::State, Self::Fitted>, FitError> {
        let FeatureUnionState { columns, state } = state;
        Ok(match columns.finish(state)? {
            Progress::Again(state) => Progress::Again(FeatureUnionState { columns, state }),
            Progress::Done(fitted) => Progress::Done(self.fitted(fitted)?),
        })
    }
}

impl Fitted for FittedFeatureUnion {
    fn lower(&self) -> Result<Plan, PlanError> {
        let plan = self.columns.lower()?;
        if self.weights.is_empty() { Ok(plan) } else { plan.then(&self.weigh(plan.output_schema())?) }
    }

    fn summary(&self) -> Summary {
        let weights = self.weights.iter().map(|(name, weight)| format!("{name} times {}", number(*weight)));
        let weights = weights.collect::<Vec<_>>().join(", ");
        let title = if weights.is_empty() { "FeatureUnion".to_owned() } else { format!("FeatureUnion, {weights}") };
        summarise(&title, self.branches())
    }
}

impl fmt::Display for FittedFeatureUnion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::Column;

    use super::*;
    use crate::{OneHotEncoder, StandardScaler};

    fn table() -> ColumnTable {
        let columns = vec![("a".into(), Column::from(vec![0_i64, 2])), ("b".into(), Column::from(vec![1.0, 1.0]))];
        ColumnTable::new(columns).unwrap()
    }

    #[test]
    fn branches_see_the_same_columns_and_a_dropped_one_adds_none() {
        let union = FeatureUnion::new(vec![
            Branch::new("scaled", StandardScaler::new()),
            Branch::drop("off"),
            Branch::passthrough("remainder"),
        ])
        .unwrap();
        let fitted = union.fit(&table(), None).unwrap();
        let features = fitted.transform(&table()).unwrap();
        assert_eq!(features.feature_names(), ["scaled__a", "scaled__b", "remainder__a", "remainder__b"]);
        assert_eq!(features.values().row(1).to_vec(), [1.0, 0.0, 2.0, 1.0]);
        let outputs: Vec<_> = fitted.branches().iter().map(|branch| branch.outputs.clone()).collect();
        assert_eq!(outputs, [0..2, 2..2, 2..4]);
    }

    #[test]
    fn names_without_prefix_may_not_collide() {
        let union = |second| FeatureUnion::new(vec![Branch::new("scaled", StandardScaler::new()), second]).unwrap();
        let plain = union(Branch::new("one-hot", OneHotEncoder::new())).verbose_feature_names_out(false);
        let names = plain.fit_transform(&table(), None).unwrap().feature_names().to_vec();
        assert_eq!(names, ["a", "b", "a_0", "a_2", "b_1.0"]);
        let collides = union(Branch::passthrough("same")).verbose_feature_names_out(false);
        let error = collides.fit(&table(), None).unwrap_err();
        assert!(matches!(error, FitError::Plan(PlanError::DuplicateOutput { name }) if name == "a"));
        assert!(FeatureUnion::new(vec![Branch::drop("a"), Branch::drop("a")]).is_err());
    }

    #[test]
    fn weights_multiply_the_branches_that_have_one_and_are_shown() {
        let branches = || vec![Branch::new("scaled", StandardScaler::new()), Branch::passthrough("same")];
        let union = FeatureUnion::new(branches()).unwrap();
        let weighted = union.clone().transformer_weights([("same", -0.5)]).unwrap();
        let fitted = weighted.fit(&table(), None).unwrap();
        let expected = [1.0, 0.0, -1.0, -0.5];
        assert_eq!(fitted.transform(&table()).unwrap().values().row(1).to_vec(), expected);
        let (again, output) = weighted.fit_run(&table(), None).unwrap();
        assert_eq!((&again, &output), (&fitted, &fitted.run(&table()).unwrap()));
        assert!(fitted.to_string().starts_with("FeatureUnion, same times -0.5\n"), "{fitted}");
        let error = union.clone().transformer_weights([("other", 1.0)]).unwrap_err();
        assert_eq!(error.to_string(), "step name `other`: no branch has it, so that none can be weighted");
        assert!(union.transformer_weights([("same", f64::NAN)]).is_err());
        let text = ColumnTable::new(vec![("x".into(), Column::from(vec![Some("a")]))]).unwrap();
        let union = FeatureUnion::new(vec![Branch::passthrough("same")]).unwrap();
        let error = union.transformer_weights([("same", 2.0)]).unwrap().fit(&text, None).unwrap_err();
        assert!(matches!(error, FitError::Plan(PlanError::ColumnType { .. })), "{error:?}");
    }

    #[test]
    fn a_failing_branch_is_named() {
        let text = ColumnTable::new(vec![("x".into(), Column::from(vec![Some("a")]))]).unwrap();
        let union = FeatureUnion::new(vec![Branch::new("scaled", StandardScaler::new())]).unwrap();
        assert_eq!(union.fit(&text, None).unwrap_err().to_string(), "step `scaled` failed");
    }
}
