//! Flags that several commands share; each is defined once.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use drivetrain_runner::{JobName, RunnerError};

use super::values::{
    DEFAULT_SEED, DataSource, RunName, hosts, max_depth, max_features, n_estimators, positive, train_fraction,
};

const BUNDLED: &str = "bundled";
const TRAIN_FRACTION: &str = "0.8";
const TEST_ROWS: &str = "10";
const FOLDS: &str = "10";
const REPEATS: &str = "5";
const LAST_YEAR: u8 = 79;
const N_ESTIMATORS: &str = "100";
const MAX_DEPTH: &str = "none";
const MAX_FEATURES: &str = "all";

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The store, which everything is kept in between steps: a folder, or s3://bucket/prefix, reached as AWS_ENDPOINT_URL,
    /// AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_ALLOW_HTTP=true say
    /// [default: `store` in the workspace root]
    #[arg(long, value_name = "FOLDER|URL")]
    pub(crate) store: Option<String>,
}

// What every command has that runs jobs of a run. (As a doc comment, clap would take it for the help of those commands.)
#[derive(Debug, Args)]
pub(crate) struct JobArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The run's name: of its training job, its record and its logs; steps of the same name share a record
    /// [default: auto-mpg-YYYYMMDD-HHMMSS-mmm, by the clock]
    #[arg(long, value_name = "NAME")]
    run_name: Option<RunName>,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
}

impl JobArgs {
    /// The name of the run.
    pub(crate) fn run(&self) -> Result<JobName, RunnerError> {
        match &self.run_name {
            Some(name) => Ok(name.job().clone()),
            None => Ok(RunName::by_clock(SystemTime::now())?.job().clone()),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SeedArgs {
    /// The seed of everything random: the split of the rows and the growing of the trees
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED, allow_negative_numbers = true)]
    pub(crate) seed: u64,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PythonArgs {
    /// The Python to make the virtual environment with
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub(crate) python: String,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataArgs {
    /// The data: `bundled`, the path of a file in the format of auto-mpg.data, or an http(s) URL
    #[arg(long, value_name = "SOURCE", default_value = BUNDLED)]
    pub(crate) data: DataSource,
    /// The share of the rows to train on, between 0 and 1
    #[arg(long, value_name = "FRACTION", default_value = TRAIN_FRACTION, value_parser = train_fraction, allow_negative_numbers = true)]
    pub(crate) train_fraction: String,
    /// How many of the other rows are kept for the predictions at the end; the rest is for validation
    #[arg(long, value_name = "COUNT", default_value = TEST_ROWS, value_parser = positive, allow_negative_numbers = true)]
    pub(crate) test_rows: String,
}

impl Default for DataArgs {
    fn default() -> Self {
        let (train_fraction, test_rows) = (TRAIN_FRACTION.to_owned(), TEST_ROWS.to_owned());
        Self { data: DataSource::Bundled, train_fraction, test_rows }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Random forest")]
pub(crate) struct ForestArgs {
    /// How many trees the forest has
    #[arg(long, value_name = "COUNT", default_value = N_ESTIMATORS, value_parser = n_estimators, allow_negative_numbers = true)]
    pub(crate) n_estimators: String,
    /// The most splits between the root of a tree and a leaf, or `none`
    #[arg(long, value_name = "DEPTH", default_value = MAX_DEPTH, value_parser = max_depth, allow_negative_numbers = true)]
    pub(crate) max_depth: String,
    /// The features looked at for each split: `all`, `sqrt`, `log2`, a count, or a fraction below 1
    #[arg(long, value_name = "FEATURES", default_value = MAX_FEATURES, value_parser = max_features, allow_negative_numbers = true)]
    pub(crate) max_features: String,
}

impl Default for ForestArgs {
    fn default() -> Self {
        let [n_estimators, max_depth, max_features] = [N_ESTIMATORS, MAX_DEPTH, MAX_FEATURES].map(str::to_owned);
        Self { n_estimators, max_depth, max_features }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Evaluation")]
pub(crate) struct EvaluationArgs {
    /// The data: `bundled`, the path of a file in the format of auto-mpg.data, or an http(s) URL
    #[arg(long, value_name = "SOURCE", default_value = BUNDLED)]
    pub(crate) data: DataSource,
    /// Into how many folds the rows are split
    #[arg(long, value_name = "COUNT", default_value = FOLDS, value_parser = positive, allow_negative_numbers = true)]
    pub(crate) folds: String,
    /// How often they are split anew
    #[arg(long, value_name = "COUNT", default_value = REPEATS, value_parser = positive, allow_negative_numbers = true)]
    pub(crate) repeats: String,
    /// The last model year to learn from where the forest is tried on later ones
    #[arg(long, value_name = "YEAR", default_value_t = LAST_YEAR)]
    pub(crate) last_year: u8,
    /// Try so many random draws from a grid of parameters, and cross-validate the search itself
    #[arg(long, value_name = "COUNT", value_parser = positive, allow_negative_numbers = true)]
    pub(crate) search: Option<String>,
    /// The grid, as JSON with scikit-learn's names, such as {"max_depth": [4, 8, null]}
    /// [default: some depths, numbers of features and sizes of leaves]
    #[arg(long, value_name = "JSON", requires = "search")]
    pub(crate) grid: Option<String>,
    #[command(flatten)]
    pub(crate) forest: ForestArgs,
}

impl Default for EvaluationArgs {
    fn default() -> Self {
        Self {
            data: DataSource::Bundled,
            folds: FOLDS.to_owned(),
            repeats: REPEATS.to_owned(),
            last_year: LAST_YEAR,
            search: None,
            grid: None,
            forest: ForestArgs::default(),
        }
    }
}

#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Hosts")]
pub(crate) struct HostsArgs {
    /// On how many hosts the training job runs, processes of this machine that share the growing of the trees: the model
    /// is the same, byte for byte
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = hosts, allow_negative_numbers = true)]
    pub(crate) hosts: usize,
}

impl Default for HostsArgs {
    fn default() -> Self {
        Self { hosts: 1 }
    }
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Build")]
pub(crate) struct BuildArgs {
    /// Build the job binaries optimised: slower to build, faster to run
    #[arg(long)]
    pub(crate) release: bool,
    /// Build the job binaries with this cargo profile
    #[arg(long, value_name = "NAME", conflicts_with = "release")]
    pub(crate) profile: Option<String>,
    /// Cargo's folder for what it builds [default: cargo's own]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) target_dir: Option<PathBuf>,
}

impl BuildArgs {
    /// The cargo profile, if it is not cargo's default.
    pub(crate) fn profile(&self) -> Option<&str> {
        if self.release { Some("release") } else { self.profile.as_deref() }
    }
}

/// A program that builds and runs images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    Podman,
    Docker,
}

impl Engine {
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
        }
    }
}
