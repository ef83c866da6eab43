//! What is found out about a trained model.

use drivetrain_autompg::{PipelineOptions, WEIGHT, YEAR, pipeline};
use drivetrain_evaluate::{
    Bootstrap, ColumnImportance, CvPlus, EvaluateError, FittedModel, Fold, FoldScore, Grid, Interval, KFold,
    PartialDependence, PipelineModel, Summary, cross_validate, fold_back, partial_dependence, permutation_importance,
};
use drivetrain_forest::{Forest, RandomForestRegressor, metrics::RegressionMetrics};
use drivetrain_plan::{ColumnTable, Plan, Program, Registry, Table};

use super::inputs::Inputs;
use crate::{
    Error,
    jobs::{
        baselines::{self as simpler, with_parameters},
        evaluate::MODEL,
    },
};

/// The resamples behind a confidence interval.
const RESAMPLES: usize = 2000;
/// The confidence level of the intervals around scores.
const CONFIDENCE: f64 = 0.95;
/// The shuffles of a column.
const SHUFFLES: usize = 10;
/// The folds behind prediction intervals.
const FOLDS: usize = 10;
/// The values of a column in a partial dependence, and the share of its range that they cover.
const GRID: (usize, (f64, f64)) = (30, (0.02, 0.98));
/// The shares of rows that prediction intervals promise to hold.
const COVERAGES: [f64; 7] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98];
/// The one that is shown row by row.
pub(super) const SHOWN: f64 = 0.9;

/// What is found out, on the validation rows.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) predictions: Vec<f64>,
    /// The model, then the baselines, by name.
    pub(super) models: Vec<(String, Summary)>,
    pub(super) permutation: Vec<ColumnImportance>,
    pub(super) impurity: Vec<ColumnImportance>,
    pub(super) dependence: Vec<PartialDependence>,
    /// Of the coverages that the number of training rows allows, each with an interval per row.
    pub(super) intervals: Vec<(f64, Vec<Interval>)>,
}

impl Findings {
    pub(super) fn of(inputs: &Inputs, seed: u64) -> Result<Self, Error> {
        let model = Trained::new(&inputs.plan, inputs.regressor.forest())?;
        let (x, y) = (inputs.val.columns()?, inputs.val.target());
        let predictions = model.predict(&x)?;
        let bootstrap = Bootstrap::new(RESAMPLES, CONFIDENCE, seed)?;
        let summary = |predictions: &[f64]| {
            let metrics = RegressionMetrics::new(y, predictions).map_err(EvaluateError::from)?;
            let (n_train, test) = (inputs.train.target().len(), (0..y.len()).collect());
            bootstrap.summarise(&[FoldScore { n_train, test, predictions: predictions.to_vec(), metrics }], y)
        };
        let mut models = vec![(MODEL.to_owned(), summary(&predictions)?)];
        for (name, found) in possible("baselines", baselines(inputs))? {
            models.push((name.to_owned(), summary(&found)?));
        }
        let grid = Grid::new(GRID.0, GRID.1)?;
        // A column without any value cannot be varied.
        let known =
            |name: &&str| x.column(name).is_some_and(|column| (0..column.len()).any(|row| !column.is_missing(row)));
        let varied = [WEIGHT, YEAR].into_iter().filter(known);
        let dependence = varied.map(|column| partial_dependence(&model, &x, column, &grid));
        Ok(Self {
            models,
            permutation: permutation_importance(&model, &x, y, SHUFFLES, seed)?,
            impurity: model.column_importances().unwrap_or_default(),
            dependence: dependence.collect::<Result<_, _>>()?,
            intervals: possible("prediction intervals", intervals(inputs, &x, seed))?,
            predictions,
        })
    }
}

/// What is found, or nothing where the rows are too few or too equal for it.
fn possible<T>(what: &str, found: Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
    use EvaluateError::{ConstantTarget, SupportVectors, TooFewResiduals, TooFewRows};
    match found {
        Err(Error::Inspect(
            error @ (ConstantTarget { .. } | SupportVectors { .. } | TooFewResiduals { .. } | TooFewRows { .. }),
        )) => {
            tracing::warn!("no {what}: {error}");
            Ok(Vec::new())
        }
        found => found,
    }
}

/// What simpler models, fitted on the same training rows, say of the validation rows.
fn baselines(inputs: &Inputs) -> Result<Vec<(&'static str, Vec<f64>)>, Error> {
    let pipeline = || pipeline(&options(inputs)).map_err(|error| Error::Task(error.into()));
    let (x, y) = inputs.train.stacked(&inputs.val)?;
    let rows = inputs.train.target().len();
    let fold = Fold { train: (0..rows).collect(), test: (rows..y.len()).collect() };
    // The best first, as a rule.
    let models = simpler::baselines(&forest(inputs)?, &y[..rows])?.into_iter().rev();
    let scored = models.map(|(name, regressor)| {
        let model = PipelineModel::new(pipeline()?, regressor);
        let scores = cross_validate(&model, &x, &y, std::slice::from_ref(&fold), None)?;
        Ok((name, scores.into_iter().flat_map(|score| score.predictions).collect()))
    });
    scored.collect()
}

/// Intervals around the predictions of models that are fitted as this one was, on parts of its training rows.
fn intervals(inputs: &Inputs, x: &ColumnTable, seed: u64) -> Result<Vec<(f64, Vec<Interval>)>, Error> {
    let pipeline = pipeline(&options(inputs)).map_err(|error| Error::Task(error.into()))?;
    let model = PipelineModel::new(pipeline, forest(inputs)?);
    let folds = KFold::new(FOLDS)?.shuffle(seed);
    let plus = CvPlus::fit(&model, &inputs.train.columns()?, inputs.train.target(), &folds)?;
    // A share of rows takes as many residuals as tell it from all of them.
    let n_residuals = inputs.train.target().len() as f64;
    let coverages: Vec<f64> = COVERAGES.into_iter().filter(|share| share / (1.0 - share) <= n_residuals).collect();
    let found = plus.predict_intervals(x, &coverages)?;
    Ok(coverages.into_iter().zip(found).collect())
}

/// The forest as it was before it was fitted.
fn forest(inputs: &Inputs) -> Result<RandomForestRegressor, EvaluateError> {
    with_parameters(&RandomForestRegressor::default(), &inputs.training.training.hyper_parameters)
}

/// What the preprocessor was fitted with.
fn options(inputs: &Inputs) -> PipelineOptions {
    let value = |name: &str| inputs.preprocessor.training.hyper_parameters.get(name);
    let mut options = PipelineOptions::default();
    if let Some(year) = value("reference_year").and_then(|year| i32::try_from(year.as_i64()?).ok()) {
        options.features = drivetrain_autompg::AutoMpgFeatures::new(year);
    }
    // Unknown categories are never refused here: folds of the training rows lack the rare ones now and then.
    options
}

/// The two artifacts of a run as one model.
#[derive(Debug)]
struct Trained<'a> {
    plan: &'a Plan,
    program: Program,
    forest: &'a Forest,
}

impl<'a> Trained<'a> {
    fn new(plan: &'a Plan, forest: &'a Forest) -> Result<Self, EvaluateError> {
        Ok(Self { plan, program: Program::new(plan, &Registry::new())?, forest })
    }
}

impl FittedModel for Trained<'_> {
    fn predict(&self, x: &dyn Table) -> Result<Vec<f64>, EvaluateError> {
        Ok(self.forest.predict(self.program.apply(x)?.values())?)
    }

    fn column_importances(&self) -> Option<Vec<ColumnImportance>> {
        Some(fold_back(self.plan, self.forest.feature_importances()))
    }
}
