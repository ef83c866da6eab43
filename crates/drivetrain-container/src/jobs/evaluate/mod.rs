//! The evaluation job: the whole raw table in, everything about the forest and its baselines out.
//!
//! A processing job that leaves `evaluation.json`, an [`Evaluation`], where SageMaker's own pipelines look for one, and beside
//! it `data.json`, which says by its sha256 on what.

mod grid;

use std::{io::Write, num::NonZeroUsize};

use clap::Args;
use drivetrain_autompg::{PipelineOptions, TARGET, pipeline};
use drivetrain_dataset::{Source, acquire};
use drivetrain_evaluate::{
    Contender, EvaluateError, Evaluation, EvaluationPlan, Model, Parameters, PipelineModel, SearchPlan, evaluate,
    regressor::Regressor,
};
use drivetrain_forest::{MaxFeatures, RandomForestRegressor};
use drivetrain_frame::{FrameError, FrameTable};
use drivetrain_plan::{Column, ColumnTable, Table};
use drivetrain_transform::Pipeline;
use serde::{Deserialize, Serialize};

use self::grid::Grid;
use super::{
    acquire::auto_mpg,
    baselines::{baselines, with_parameters},
    outputs::Outputs,
    progress::Progress,
    train::{MaxDepth, values::whole},
};
use crate::{Error, environment::SageMakerEnv, stop::Stop};

/// The file below `processing/output/evaluation`: an [`Evaluation`] as JSON.
pub const EVALUATION_FILE: &str = "evaluation.json";

/// The file beside it: what it is an evaluation on, an [`EvaluatedData`] as JSON.
pub const DATA_FILE: &str = "data.json";

/// The bytes that an evaluation is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluatedData {
    /// Their sha256.
    pub sha256: String,
    /// The rows in them.
    pub rows: usize,
}

/// The name under which the forest stands in the evaluation.
pub const MODEL: &str = "random forest";

/// The column in whose order time goes by.
const TIME: &str = "model year";

/// Flags of the evaluation job.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct EvaluateArgs {
    /// Where the data comes from: `bundled` (this program carries the Auto MPG data), a file of the same format, or an
    /// http:// or https:// URL of the known file
    #[arg(long, value_name = "SOURCE", default_value = "bundled")]
    pub data: Source,

    /// Into how many folds the rows are split
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub n_splits: usize,

    /// How often they are split anew
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub n_repeats: usize,

    /// The seed of everything random: folds, trees, shuffles, resamples
    #[arg(long, value_name = "SEED", default_value_t = 42)]
    pub random_state: u64,

    /// The last model year to learn from where the forest is tried on later ones
    #[arg(long, value_name = "YEAR", default_value_t = 79)]
    pub last_year: i32,

    /// Search for better parameters, and cross-validate the search: so many random draws from the grid
    #[arg(long, value_name = "COUNT")]
    pub search: Option<NonZeroUsize>,

    /// The values to search among, as JSON with scikit-learn's names, such as `{"max_depth": [4, 8, null]}`
    /// [default: some depths, numbers of features and sizes of leaves]
    #[arg(long, value_name = "JSON", requires = "search")]
    pub grid: Option<Grid>,

    /// The number of trees
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = whole::<usize>, help_heading = FOREST)]
    pub n_estimators: usize,

    /// The most splits between the root of a tree and a leaf, or none
    #[arg(long, value_name = "DEPTH", default_value = "none", help_heading = FOREST)]
    pub max_depth: MaxDepth,

    /// The fewest rows that a leaf may have
    #[arg(long, value_name = "ROWS", default_value = "1", value_parser = whole::<usize>, help_heading = FOREST)]
    pub min_samples_leaf: usize,

    /// The features to choose from at each split: all, sqrt, log2, a count, or a fraction below 1
    #[arg(long, value_name = "FEATURES", default_value = "all", help_heading = FOREST)]
    pub max_features: MaxFeatures,
}

const FOREST: &str = "Hyper-parameters, with scikit-learn's names";

/// Cross-validates the stock pipeline with a random forest, beside baselines on the same features, and writes what came
/// out into `processing/output/evaluation`.
///
/// # Errors
/// [`Error::Dataset`] when the data cannot be had, [`Error::Forest`] for hyper-parameters out of range,
/// [`Error::Evaluate`] for what the data or the flags do not allow, [`Error::Create`] or [`Error::Artifact`] when the
/// output cannot be written, and [`Error::Stopped`] when told to stop.
pub fn run(args: &EvaluateArgs, env: &SageMakerEnv, stop: &Stop, stdout: &mut dyn Write) -> Result<(), Error> {
    let forest = forest(args)?;
    let preprocessing = pipeline(&PipelineOptions::default()).map_err(|error| Error::Task(error.into()))?;
    let acquired = acquire(&auto_mpg()?, &args.data)?;
    tracing::info!(rows = acquired.frame.height(), sha256 = %acquired.checksum, "acquired {}", args.data);
    let raw = FrameTable::new(&acquired.frame)?;
    let y = raw.column(TARGET).as_ref().and_then(Column::to_f64).unwrap_or_default().into_owned();
    let features = acquired.frame.drop(TARGET).map_err(FrameError::Polars)?;
    let failed = |source| Error::Evaluate { data: args.data.to_string(), source };
    let x = ColumnTable::copy_of(&FrameTable::new(&features)?).map_err(|error| failed(error.into()))?;

    let evaluation = evaluate_forest(args, &preprocessing, &forest, &x, &y).map_err(failed)?;
    for model in &evaluation.models {
        let summary = &model.summary;
        let name = model.name.replace(' ', "_").replace(',', "");
        for (metric, estimate) in [("rmse", summary.rmse), ("mae", summary.mae), ("r2", summary.r2)] {
            writeln!(stdout, "{name}_{metric}={:?};", estimate.mean).map_err(Error::Stdout)?;
        }
    }
    let mut outputs = Outputs::new(stop);
    let directory = env.paths().processing("output").join("evaluation");
    outputs.directory(&directory)?;
    outputs.json(directory.join(EVALUATION_FILE), &evaluation)?;
    let data = EvaluatedData { sha256: acquired.checksum.to_string(), rows: acquired.frame.height() };
    outputs.json(directory.join(DATA_FILE), &data)?;
    outputs.commit()
}

fn forest(args: &EvaluateArgs) -> Result<RandomForestRegressor, Error> {
    let builder = RandomForestRegressor::builder()
        .n_estimators(args.n_estimators)
        .max_depth(args.max_depth.0)
        .min_samples_leaf(args.min_samples_leaf)
        .max_features(args.max_features)
        .random_state(args.random_state);
    builder.build().map_err(|source| Error::Forest { action: "use these hyper-parameters", source })
}

fn evaluate_forest(
    args: &EvaluateArgs,
    preprocessing: &Pipeline,
    forest: &RandomForestRegressor,
    x: &ColumnTable,
    y: &[f64],
) -> Result<Evaluation, EvaluateError> {
    let model = |regressor: Box<dyn Regressor>| PipelineModel::new(preprocessing.clone(), regressor);
    let baselines: Vec<_> =
        baselines(forest, y)?.into_iter().map(|(name, regressor)| (name, model(regressor))).collect();
    let subject = model(Box::new(forest.clone()));
    let make = |parameters: &Parameters| {
        let candidate: RandomForestRegressor = with_parameters(forest, parameters)?;
        Ok::<Box<dyn Model>, _>(Box::new(model(Box::new(candidate))))
    };
    let search = args.search.map(|count| {
        let grid = args.grid.clone().map_or_else(grid::default, |grid| Ok(grid.0))?;
        let candidates = grid.sample(count.get(), args.random_state)?;
        Ok::<_, EvaluateError>(SearchPlan { make: &make, candidates })
    });
    let plan = EvaluationPlan {
        baselines: baselines.iter().map(|(name, model)| Contender { name, model }).collect(),
        model: Contender { name: MODEL, model: &subject },
        n_splits: args.n_splits,
        n_repeats: args.n_repeats,
        random_state: args.random_state,
        n_resamples: 2000,
        confidence_level: 0.95,
        coverages: vec![0.9, 0.5, 0.8, 0.95],
        time_split: years_differ(x).then_some((TIME, f64::from(args.last_year))),
        search: search.transpose()?,
    };
    let progress = Progress::start();
    let tell = |what: &str, done: usize, total: usize| progress.tick(|| format!("{what}: {done} of {total}"));
    evaluate(&plan, x, y, Some(&tell))
}

/// Whether there is a later year to be predicted.
fn years_differ(x: &ColumnTable) -> bool {
    let years = x.column(TIME);
    let years = years.as_ref().and_then(Column::to_f64).unwrap_or_default();
    let differ = years.windows(2).any(|pair| pair[0] != pair[1]);
    if !differ {
        tracing::warn!("no later years are predicted: all rows are of one");
    }
    differ
}

#[cfg(test)]
mod tests;
