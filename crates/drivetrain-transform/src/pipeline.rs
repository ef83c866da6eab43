//! Steps one after the other.

mod learning;
mod partial_fit;

use std::{collections::BTreeSet, fmt};

use drivetrain_plan::{ColumnTable, Matrix, Plan, PlanError, Table};

use self::partial_fit::FittedSteps;
pub use self::partial_fit::PipelineState;
use crate::{
    AnyEstimator, AnyFitted, DynPartialFit, Estimator, FitError, Fitted, ParameterError, Summary, check_input,
    estimator::fit_transform_of_parts, widen,
};

/// A named step of a [`Pipeline`].
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub(crate) name: String,
    pub(crate) estimator: AnyEstimator,
}

impl Step {
    /// A step called `name`.
    pub fn new(name: impl Into<String>, estimator: impl Into<AnyEstimator>) -> Self {
        Self { name: name.into(), estimator: estimator.into() }
    }

    /// The step's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Checks that step names are there, unique, and free of the `__` that separates them from columns.
pub(crate) fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), ParameterError> {
    let mut seen = BTreeSet::new();
    for name in names {
        let reason = match name {
            "" => "it is empty",
            name if name.contains("__") => "it contains `__`, which separates steps from columns",
            name if !seen.insert(name) => "it appears twice",
            _ => continue,
        };
        return Err(ParameterError::StepName { name: name.to_owned(), reason });
    }
    Ok(())
}

/// Estimators fitted one after the other, each on the output of the one before, like scikit-learn's `Pipeline`.
///
/// A pipeline is an estimator itself, so pipelines nest. Its output names are those of its last step.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, Pipeline, SimpleImputer, StandardScaler, Step};
///
/// let pipeline =
///     Pipeline::new(vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())])?;
/// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, f64::NAN, 3.0]))])?;
/// assert_eq!(pipeline.fit_transform(&table, None)?.values()[(1, 0)], 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    steps: Vec<Step>,
}

impl Pipeline {
    /// A pipeline of these steps.
    ///
    /// # Errors
    /// [`ParameterError::NoSteps`], and [`ParameterError::StepName`] when a name is empty, repeated, or contains `__`.
    pub fn new(steps: Vec<Step>) -> Result<Self, ParameterError> {
        if steps.is_empty() {
            return Err(ParameterError::NoSteps);
        }
        check_names(steps.iter().map(|step| step.name.as_str()))?;
        Ok(Self { steps })
    }

    /// The steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

/// What a [`Pipeline`] learned: the plan of the whole, and what each step learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedPipeline {
    steps: Vec<FittedStep>,
    plan: Plan,
}

/// What one step learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedStep {
    /// The step's name.
    pub name: String,
    /// What it learned.
    pub fitted: AnyFitted,
    /// The plan from the step's input to its output.
    pub plan: Plan,
}

impl FittedPipeline {
    /// The fitted step called `name`.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&FittedStep> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// The fitted steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[FittedStep] {
        &self.steps
    }
}

impl Pipeline {
    /// Fits the steps; the output of the last one only when it is asked for.
    fn fit_steps(
        &self,
        x: &dyn Table,
        y: Option<&[f64]>,
        output: bool,
    ) -> Result<(FittedPipeline, Option<ColumnTable>), FitError> {
        check_input(x, y)?;
        let mut whole = FittedSteps::default();
        // A table that a step wrote out because it or the next one works on whole tables, and the steps fitted since.
        let mut between: Option<(ColumnTable, FittedSteps)> = None;
        while let Some(step) = self.steps.get(whole.steps.len()) {
            let (table, before): (&dyn Table, _) = match &between {
                None => (x, &whole),
                Some((table, since)) => (table, since),
            };
            let (fitted, written) = before.fit(&self.steps[whole.steps.len()..], table, y, output)?;
            for step in fitted {
                whole.push(step.clone())?;
                if let (Some((_, since)), None) = (&mut between, &written) {
                    since.push(step)?;
                }
            }
            let last = !output && whole.steps.len() == self.steps.len();
            let used = match (written, &mut between) {
                (Some(written), between) => {
                    *between = Some((written, FittedSteps::default()));
                    continue;
                }
                (None, Some((_, since))) => since,
                (None, None) => &mut whole,
            };
            if !last {
                used.prepare().map_err(|error| step.failed(error))?;
            }
        }
        let output = match between {
            _ if !output => None,
            None => whole.run(x)?,
            Some((table, since)) => Some(since.run(&table)?.unwrap_or(table)),
        };
        let plan = match whole.plan {
            Some(plan) => plan,
            None => Plan::identity(x.schema().clone())?,
        };
        Ok((FittedPipeline { steps: whole.steps, plan }, output))
    }
}

impl Estimator for Pipeline {
    type Fitted = FittedPipeline;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        Ok(self.fit_steps(x, y, false)?.0)
    }

    fn fit_run(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<(Self::Fitted, ColumnTable), FitError> {
        let (fitted, output) = self.fit_steps(x, y, true)?;
        let output = output.map_or_else(|| fitted.run(x), Ok)?;
        Ok((fitted, output))
    }

    fn fit_transform(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Matrix, FitError> {
        fit_transform_of_parts(self, x, y)
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        let all = self.steps.iter().all(|step| step.estimator.as_partial_fit_any().is_some());
        all.then_some(self as &dyn DynPartialFit)
    }
}

impl Fitted for FittedPipeline {
    fn lower(&self) -> Result<Plan, PlanError> {
        Ok(self.plan.clone())
    }

    /// The inverses of the steps, the last one first, when all of them have one.
    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        let mut whole: Option<Plan> = None;
        for step in self.steps.iter().rev() {
            let Some(inverse) = step.fitted.inverse()? else { return Ok(None) };
            whole = Some(match whole {
                None => inverse,
                Some(after) => widen::then(&after, &inverse)?,
            });
        }
        Ok(whole)
    }

    fn summary(&self) -> Summary {
        let part = |summary: Summary, step: &FittedStep| summary.part(&step.name, step.fitted.summary());
        self.steps.iter().fold(Summary::new("Pipeline"), part)
    }
}

impl fmt::Display for FittedPipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, Function, Value};

    use super::*;
    use crate::{
        Block, ColumnTransformer, FittedSimpleImputer, FunctionTransformer, OneHotEncoder, Remainder, SimpleImputer,
        StandardScaler, TransformError,
    };

    fn table() -> ColumnTable {
        ColumnTable::new(vec![("x".into(), Column::from(vec![1.0, f64::NAN, 5.0]))]).unwrap()
    }

    #[test]
    fn a_pipeline_is_the_composition_of_its_steps() {
        let steps = vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())];
        let whole = Pipeline::new(steps).unwrap().fit_transform(&table(), None).unwrap();
        let imputed = SimpleImputer::mean().fit(&table(), None).unwrap().run(&table()).unwrap();
        let by_hand = StandardScaler::new().fit_transform(&imputed, None).unwrap();
        assert!(whole.bit_eq(&by_hand));
    }

    #[test]
    fn names_that_cannot_be_told_apart_are_refused() {
        let step = |name: &str| Step::new(name, StandardScaler::new());
        for names in [vec!["a", "a"], vec!["a__b"], vec![""]] {
            assert!(Pipeline::new(names.iter().map(|name| step(name)).collect()).is_err(), "{names:?}");
        }
        assert!(matches!(Pipeline::new(vec![]), Err(ParameterError::NoSteps)));
    }

    #[test]
    fn a_failing_step_is_named() {
        let text = ColumnTable::new(vec![("x".into(), Column::from(vec![Some("a")]))]).unwrap();
        let pipeline = Pipeline::new(vec![Step::new("scale", StandardScaler::new())]).unwrap();
        assert_eq!(pipeline.fit(&text, None).unwrap_err().to_string(), "step `scale` failed");
    }

    #[test]
    fn pipelines_of_the_same_steps_are_equal() {
        let pipeline = |mean| {
            let scaler = StandardScaler::new().with_mean(mean);
            Pipeline::new(vec![Step::new("a", scaler), Step::new("b", OneHotEncoder::new())]).unwrap()
        };
        assert_eq!(pipeline(true), pipeline(true));
        assert_ne!(pipeline(true), pipeline(false));
    }

    #[test]
    fn steps_are_found_by_name_and_hold_what_they_learned() {
        let steps = vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())];
        let fitted = Pipeline::new(steps).unwrap().fit(&table(), None).unwrap();
        let imputer = fitted.step("impute").unwrap().fitted.downcast_ref::<FittedSimpleImputer>().unwrap();
        assert_eq!(imputer.columns()[0].statistic, Some(Value::Float64(3.0)));
        assert!(fitted.step("scale").unwrap().fitted.downcast_ref::<FittedSimpleImputer>().is_none());
        assert_eq!(fitted.step("other"), None);
    }

    #[test]
    fn the_inverse_undoes_the_steps_from_the_last_one_on_when_all_can_be_undone() {
        let log = FunctionTransformer::new(Function::Log1p).unwrap();
        let undone = |log: FunctionTransformer| {
            let steps = vec![Step::new("log", log), Step::new("scale", StandardScaler::new())];
            let fitted = Pipeline::new(steps).unwrap().fit(&table(), None).unwrap();
            fitted.inverse_transform(&fitted.run(&table()).unwrap())
        };
        let back = undone(log.clone().inverse_func(Function::Expm1).unwrap()).unwrap();
        let back = back.column("x").unwrap().to_f64().unwrap().into_owned();
        assert!((back[0] - 1.0).abs() < 1e-14 && back[1].is_nan() && (back[2] - 5.0).abs() < 1e-14, "{back:?}");
        assert!(matches!(undone(log), Err(TransformError::NoInverse)));
    }

    #[test]
    fn a_fitted_pipeline_shows_what_each_step_learned() {
        let columns = vec![
            ("weight".into(), Column::from(vec![2000.0, f64::NAN, 3500.5])),
            ("origin".into(), Column::from(vec![Some("usa"), Some("japan"), None])),
            ("id".into(), Column::from(vec![1_i64, 2, 3])),
        ];
        let table = ColumnTable::new(columns).unwrap();
        let numbers =
            Pipeline::new(vec![Step::new("impute", SimpleImputer::mean()), Step::new("scale", StandardScaler::new())]);
        let blocks = ColumnTransformer::new(vec![
            Block::new("numbers", numbers.unwrap(), ["weight"]),
            Block::new("text", OneHotEncoder::new(), ["origin"]),
        ]);
        let columns = blocks.unwrap().remainder(Remainder::Passthrough);
        let fitted = Pipeline::new(vec![Step::new("columns", columns)]).unwrap().fit(&table, None).unwrap();
        let expected = "\
Pipeline
  columns: ColumnTransformer
    numbers [weight]: Pipeline
      impute: SimpleImputer
        column  fill
        weight  2750.25
      scale: StandardScaler
        column  mean     scale
        weight  2750.25  612.577
    text [origin]: OneHotEncoder
      column  categories
      origin  japan, usa, nan
    remainder [id]: passthrough
";
        assert_eq!(fitted.to_string(), expected);
    }
}
