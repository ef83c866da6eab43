//! Flags that several commands share; each is defined once.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{
    DEFAULT_SEED, DataSource, RunName, hosts, max_depth, max_features, n_estimators, positive, train_fraction,
};

const BUNDLED: &str = "bundled";
const TRAIN_FRACTION: &str = "0.8";
const TEST_ROWS: &str = "10";
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

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The run's name: of its training job, its record and its logs; steps of the same name share a record
    /// [default: auto-mpg-YYYYMMDD-HHMMSS-mmm, by the clock]
    #[arg(long, value_name = "NAME")]
    pub(crate) run_name: Option<RunName>,
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
