//! The training job: feature matrices in, a regressor and its metrics out.
//!
//! Metrics stand on stdout as `train_mae=0.76;  val_mae=1.14;`, then the same with `mse`, `rmse` and `r2`. The
//! platform reads them from there with one regular expression per metric, such as `train_mae=(.*?);`.

mod cluster;
mod features;
mod growth;
mod settings;
pub(super) mod values;

use std::{collections::BTreeMap, io::Write};

use cluster::Cluster;
use drivetrain_artifact::{Artifact, ArtifactBuilder, Producer, Regressor, Sha256, Training};
use drivetrain_forest::{Forest, RandomForestRegressor, metrics::RegressionMetrics};
use features::Features;
use growth::Growth;
use serde::Serialize;
use serde_json::{Value, json};
use settings::Settings;
pub use settings::TrainArgs;
pub use values::{InvalidValue, MaxDepth};

use super::outputs::Outputs;
use crate::{Error, environment::SageMakerEnv, stop::Stop};

/// The file below `output/data` that holds the metrics of both parts.
pub const METRICS_FILE: &str = "metrics.json";

/// The metrics of both parts, as they stand in [`METRICS_FILE`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Metrics {
    train: RegressionMetrics,
    val: RegressionMetrics,
}

impl Metrics {
    /// Name, training value and validation value, in the order in which they are printed.
    const fn named(&self) -> [(&'static str, f64, f64); 4] {
        let Self { train, val } = self;
        [
            ("mae", train.mae, val.mae),
            ("mse", train.mse, val.mse),
            ("rmse", train.rmse, val.rmse),
            ("r2", train.r2, val.r2),
        ]
    }

    fn print(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for (name, train, val) in self.named() {
            // Debug is the short form, also of numbers with three hundred digits.
            writeln!(out, "train_{name}={train:?};  val_{name}={val:?};")?;
        }
        out.flush()
    }

    fn flat(&self) -> BTreeMap<String, f64> {
        let both = |(name, train, val)| [(format!("train_{name}"), train), (format!("val_{name}"), val)];
        self.named().into_iter().flat_map(both).collect()
    }
}

/// Reads the feature matrices, grows a forest, evaluates it on both, and writes the model's files into `model/` and the
/// metrics into `output/data`: both, or neither.
///
/// Told to stop while trees are grown, it keeps those that have been begun: the job then ends as one of so many trees
/// would, with the same model, byte for byte.
///
/// Of several hosts all grow a share of the trees, and only the first by name evaluates and writes: the same model, byte for byte,
/// as one host alone.
///
/// # Errors
/// [`Error::Hyperparameter`] and its kin for what the job was told, [`Error::Artifact`], [`Error::EmptyFeatures`],
/// [`Error::NonFinite`], [`Error::WidthMismatch`] or [`Error::FeatureNameMismatch`] for the features, [`Error::Forest`]
/// when the forest cannot be grown, [`Error::Create`] or [`Error::Artifact`] when the outputs cannot be written, and
/// [`Error::Stopped`] when told to stop before there is a tree. Of several hosts, the main one
/// [`Error::ListenForHosts`], the others [`Error::HostUnreachable`], [`Error::HostRefused`] or [`Error::HostLost`].
pub fn run(args: &TrainArgs, env: &SageMakerEnv, stop: &Stop, stdout: &mut dyn Write) -> Result<(), Error> {
    if let (Some(channel), hosts @ 2..) = (env.sharded_channels().first(), env.hosts().all.len()) {
        return Err(Error::ShardedChannel { channel: channel.clone(), hosts });
    }
    let settings = Settings::new(args, env)?;
    let cluster = Cluster::new(env)?;
    let train = Features::read(&settings.train, &settings.train_file)?;
    if !cluster.is_main() {
        return cluster::grow_and_send(&cluster, &settings.regressor, &train, stop);
    }
    let val = Features::read(&settings.val, &settings.val_file)?;
    train.check_same_columns(&val)?;
    let (rows, features) = train.x().dim();
    tracing::info!(rows, features, trees = settings.regressor.n_estimators(), "growing a random forest");

    let forest = if cluster.is_one_host() {
        Growth::new(&settings.regressor, &train, stop).grow_all()?
    } else {
        cluster::grow_and_gather(&cluster, &settings.regressor, &train, stop)?
    };
    let metrics = Metrics { train: evaluate(&forest, &train)?, val: evaluate(&forest, &val)? };
    metrics.print(stdout).map_err(Error::Stdout)?;

    let artifact = pack(forest, &settings.regressor, &train, &metrics)?;
    let mut outputs = Outputs::to_the_end(stop);
    outputs.directory(&settings.output_data_dir)?;
    outputs.json(settings.output_data_dir.join(METRICS_FILE), &metrics)?;
    let id = artifact.write_dir(&settings.model_dir)?;
    outputs.commit()?;
    tracing::info!(model = %settings.model_dir.display(), %id, "written");
    Ok(())
}

fn evaluate(forest: &Forest, features: &Features) -> Result<RegressionMetrics, Error> {
    let predictions = forest.predict(features.x());
    predictions
        .and_then(|predictions| RegressionMetrics::new(&features.y(), &predictions))
        .map_err(|source| Error::Forest { action: "evaluate the forest", source })
}

fn pack(
    forest: Forest,
    estimator: &RandomForestRegressor,
    train: &Features,
    metrics: &Metrics,
) -> Result<Artifact, Error> {
    let training = Training {
        data_sha256: Some(Sha256::of_file(train.path())?),
        seed: Some(estimator.random_state()),
        hyper_parameters: hyper_parameters(estimator, &forest),
        metrics: metrics.flat(),
    };
    let mut regressor = Regressor::new(forest, train.names().to_vec())?;
    if let Some(id) = train.preprocessor() {
        regressor = regressor.with_preprocessor_id(id);
    }
    let artifact = ArtifactBuilder::regressor(regressor, train.x())
        .producer(Producer::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")))
        .training(training)
        .build()?;
    Ok(artifact)
}

/// The hyper-parameters by scikit-learn's names.
fn hyper_parameters(regressor: &RandomForestRegressor, forest: &Forest) -> BTreeMap<String, Value> {
    let values = [
        // A stopped job has fewer than it was told to grow.
        ("n_estimators", json!(forest.n_trees())),
        ("max_depth", json!(regressor.max_depth())),
        ("min_samples_split", json!(regressor.min_samples_split())),
        ("min_samples_leaf", json!(regressor.min_samples_leaf())),
        ("max_features", json!(regressor.max_features().to_string())),
        ("bootstrap", json!(regressor.bootstrap())),
        ("random_state", json!(regressor.random_state())),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests;
