//! The processing job: raw rows in, feature matrices and the fitted preprocessor out.
//!
//! The pipeline is fitted on the training rows alone; what it learned is then applied to both parts. A feature matrix
//! is a `.npy` file with the target in column 0; `features.json` beside it says what the other columns are. Beside the
//! preprocessor, `summary.json` says in words what each of its steps learned.

use std::{collections::BTreeMap, io::Write};

use clap::{Args, ValueEnum};
use drivetrain_artifact::{Artifact, ArtifactBuilder, Producer, Sha256, Training, npy};
use drivetrain_autompg::{AutoMpgFeatures, PipelineOptions, pipeline};
use drivetrain_frame::FrameTable;
use drivetrain_plan::{Plan, UnknownCategory};
use drivetrain_transform::{Estimator, FitError, Fitted, Summary};
use serde_json::{Value, json};

use super::{FEATURES_FILE, FeatureDescription, outputs::Outputs, part::Part};
use crate::{Error, environment::SageMakerEnv, stop::Stop};

/// The file beside the preprocessor that says what each of its steps learned: a [`Summary`] as JSON.
pub const SUMMARY_FILE: &str = "summary.json";

/// Flags of the processing job.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ProcessArgs {
    /// The training rows, a file in processing/input/train
    #[arg(long, value_name = "FILE", default_value = "train.csv")]
    pub train_filename: String,

    /// The validation rows, a file in processing/input/val
    #[arg(long, value_name = "FILE", default_value = "val.csv")]
    pub val_filename: String,

    /// The training features, a file in processing/train
    #[arg(long, value_name = "FILE", default_value = "train_feats.npy", value_parser = output_name)]
    pub train_feats_filename: String,

    /// The validation features, a file in processing/val
    #[arg(long, value_name = "FILE", default_value = "val_feats.npy", value_parser = output_name)]
    pub val_feats_filename: String,

    /// The fitted preprocessor, a file in processing/output
    #[arg(long, value_name = "FILE", default_value = "model.tar.gz", value_parser = output_name)]
    pub model_filename: String,

    /// The year up to which the age of a car is counted, in the two digits of the data
    #[arg(long, value_name = "YEAR", default_value_t = 82, allow_negative_numbers = true)]
    pub reference_year: i32,

    /// What happens to a category that the training rows do not hold
    #[arg(long, value_name = "HOW", default_value = "ignore")]
    pub handle_unknown: HandleUnknown,
}

/// The name of an output: a plain one, and not that of the file that is written beside it.
fn output_name(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("it is empty"),
        FEATURES_FILE => Err("a file of this name describes the features"),
        SUMMARY_FILE => Err("a file of this name describes the preprocessor"),
        text if text.starts_with('.') || text.contains(['/', '\\']) => Err("it is not the plain name of a file"),
        text => Ok(text.to_owned()),
    }
}

/// scikit-learn's `handle_unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HandleUnknown {
    /// The job fails and names the row
    Error,
    /// All columns of the category are 0, and the log says so
    Ignore,
}

impl HandleUnknown {
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Ignore => "ignore",
        }
    }
}

impl From<HandleUnknown> for UnknownCategory {
    fn from(how: HandleUnknown) -> Self {
        match how {
            HandleUnknown::Error => Self::Error,
            HandleUnknown::Ignore => Self::Ignore,
        }
    }
}

/// Reads both parts, fits the pipeline on the training rows, and writes the features of both parts and the
/// preprocessor: all of them, or none.
///
/// # Errors
/// [`Error::Dataset`] or [`Error::MissingTarget`] for the rows, [`Error::Fit`] and [`Error::Apply`] for what the
/// pipeline makes of them, [`Error::Create`] and [`Error::Artifact`] when the outputs cannot be written, [`Error::Stopped`] when told to stop.
pub fn run(args: &ProcessArgs, env: &SageMakerEnv, stop: &Stop, stdout: &mut dyn Write) -> Result<(), Error> {
    let paths = env.paths();
    let train = Part::read(paths.processing_input("train").join(&args.train_filename))?;
    let val = Part::read(paths.processing_input("val").join(&args.val_filename))?;
    let (train_table, val_table) = (train.table()?, val.table()?);

    let (plan, summary) = fit(args, &train, &train_table)?;
    let train_features = train.apply(&plan, &train_table)?;
    let val_features = val.apply(&plan, &val_table)?;
    let unknown =
        plan.unknown_categories(&val_table).map_err(|source| Error::Apply { path: val.path().to_owned(), source })?;
    for (column, unknown) in unknown.columns() {
        for (value, rows) in unknown.values() {
            let value = value.unwrap_or("missing");
            tracing::warn!(column, value, rows, "category unknown to the training rows, encoded as all zero");
        }
    }
    let artifact = pack(args, plan, &train, &train_table)?;

    let mut outputs = Outputs::new(stop);
    for (name, file, part, features) in [
        ("train", &args.train_feats_filename, &train, &train_features),
        ("val", &args.val_feats_filename, &val, &val_features),
    ] {
        let directory = paths.processing(name);
        outputs.directory(&directory)?;
        let path = directory.join(file);
        outputs.file(path.clone(), |path| npy::write(path, part.with_target(features).view()))?;
        let names = features.feature_names().to_vec();
        let description = FeatureDescription { names, preprocessor: Some(artifact.model_id()) };
        outputs.json(directory.join(FEATURES_FILE), &description)?;
        let (rows, columns) = (features.n_rows(), features.n_columns());
        writeln!(stdout, "{name}_rows={rows};  {name}_features={columns};").map_err(Error::Stdout)?;
        tracing::info!(rows, features = columns, path = %path.display(), "written");
    }
    let output = paths.processing("output");
    outputs.directory(&output)?;
    let path = output.join(&args.model_filename);
    let id = outputs.file(path.clone(), |path| artifact.write_tar_gz(path))?;
    tracing::info!(%id, path = %path.display(), "written");
    outputs.json(output.join(SUMMARY_FILE), &summary)?;
    outputs.commit()?;
    Ok(())
}

/// The plan of the fitted pipeline, and what its steps learned.
fn fit(args: &ProcessArgs, train: &Part, table: &FrameTable<'_>) -> Result<(Plan, Summary), Error> {
    let options = PipelineOptions {
        features: AutoMpgFeatures::new(args.reference_year),
        handle_unknown: args.handle_unknown.into(),
    };
    let pipeline = pipeline(&options).map_err(|error| Error::Task(error.into()))?;
    let fitted = pipeline.fit(table, Some(train.target())).and_then(|fitted| {
        let plan = fitted.lower().map_err(FitError::Plan)?;
        Ok((plan, fitted.summary()))
    });
    fitted.map_err(|source| Error::Fit { path: train.path().to_owned(), source })
}

fn pack(args: &ProcessArgs, plan: Plan, train: &Part, table: &FrameTable<'_>) -> Result<Artifact, Error> {
    let hyper_parameters: BTreeMap<String, Value> = BTreeMap::from([
        ("handle_unknown".to_owned(), json!(args.handle_unknown.name())),
        ("reference_year".to_owned(), json!(args.reference_year)),
    ]);
    let training =
        Training { data_sha256: Some(Sha256::of_file(train.path())?), hyper_parameters, ..Training::default() };
    let artifact = ArtifactBuilder::preprocessor(plan, table)
        .producer(Producer::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")))
        .training(training)
        .build()?;
    Ok(artifact)
}

#[cfg(test)]
mod tests;
