//! Steps one after the other.

mod partial_fit;

use std::collections::BTreeSet;

use drivetrain_plan::{ColumnTable, Plan, PlanError, Table};

use self::partial_fit::FittedSteps;
pub use self::partial_fit::PipelineState;
use crate::{AnyEstimator, DynEstimator, DynPartialFit, Estimator, FitError, Fitted, ParameterError, check_input};

/// A named step of a [`Pipeline`].
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub(crate) name: String,
    pub(crate) estimator: AnyEstimator,
}

impl Step {
    /// A step called `name`.
    pub fn new(name: impl Into<String>, estimator: impl DynEstimator + 'static) -> Self {
        Self { name: name.into(), estimator: AnyEstimator::new(estimator) }
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

/// What a [`Pipeline`] learned: one plan per step.
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
    /// The plan from the step's input to its output.
    pub plan: Plan,
}

impl FittedPipeline {
    /// The fitted steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[FittedStep] {
        &self.steps
    }
}

impl Estimator for Pipeline {
    type Fitted = FittedPipeline;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        check_input(x, y)?;
        let mut whole = FittedSteps::default();
        // A table that a step wrote out because it or the next one works on whole tables, and the steps fitted since.
        let mut between: Option<(ColumnTable, FittedSteps)> = None;
        for (index, step) in self.steps.iter().enumerate() {
            let last = index + 1 == self.steps.len();
            let (table, before): (&dyn Table, _) = match &between {
                None => (x, &whole),
                Some((table, since)) => (table, since),
            };
            let (plan, output) = before.fit(step, table, y, last).map_err(|error| step.failed(error))?;
            whole.push(&step.name, plan.clone()).map_err(|error| step.failed(error))?;
            let used = match (output, &mut between) {
                (Some(output), between) => {
                    *between = Some((output, FittedSteps::default()));
                    continue;
                }
                (None, Some((_, since))) => {
                    since.push(&step.name, plan).map_err(|error| step.failed(error))?;
                    since
                }
                (None, None) => &mut whole,
            };
            if !last {
                used.prepare().map_err(|error| step.failed(error))?;
            }
        }
        let plan = match whole.plan {
            Some(plan) => plan,
            None => Plan::identity(x.schema().clone())?,
        };
        Ok(FittedPipeline { steps: whole.steps, plan })
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        let all = self.steps.iter().all(|step| step.estimator.as_partial_fit().is_some());
        all.then_some(self as &dyn DynPartialFit)
    }
}

impl Fitted for FittedPipeline {
    fn lower(&self) -> Result<Plan, PlanError> {
        Ok(self.plan.clone())
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::Column;

    use super::*;
    use crate::{OneHotEncoder, SimpleImputer, StandardScaler};

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
}
