//! What can be typed after `cargo xtask`.
#![expect(clippy::doc_markdown, reason = "doc comments are what --help prints, where backticks are noise")]

mod bench;
mod groups;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use bench::{
    ArtifactBenchArgs, BenchArgs, ForestBenchArgs, ForestCell, ProgramBenchArgs, ServeBenchArgs, Suite,
    TransformBenchArgs, TurnsArgs,
};
pub(crate) use groups::{
    BuildArgs, DataArgs, Engine, EvaluationArgs, ForestArgs, HostsArgs, JobArgs, PythonArgs, SeedArgs, StoreArgs,
};
pub(crate) use values::{DEFAULT_SEED, DataSource, RunName};

const EXAMPLES: &str = "\
Examples:
  cargo xtask pipeline
  cargo xtask pipeline --run-name first --seed 7 --n-estimators 300
  cargo xtask predict --run-name first";

/// Takes the Auto MPG data from the raw file to a served model.
///
/// Every step is a job as Amazon SageMaker runs it: a process that finds its inputs below /opt/ml (relocated to a
/// directory of its own), writes its outputs there, and fails with an exit code and a message. Inputs and outputs move
/// between that directory and the store, a folder or a bucket of S3.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything: acquire, process, train, predict, and a report
    ///
    /// Builds the job binaries, then runs the five steps in order. Read their own help for what each reads and writes.
    /// The summary shows the metrics, the predictions of the test rows, where everything lies in the store, and the
    /// sha256 of the artifacts: the same flags give the same digests on any machine.
    #[command(after_help = PIPELINE_EXAMPLES)]
    Pipeline(PipelineArgs),
    /// The raw file into train.csv, val.csv and test.csv
    ///
    /// A processing job fetches the data (by default the copy in the binary, without any network), verifies its
    /// checksum, parses it, drops the car names, and splits the rows by a seeded shuffle. Missing values stay missing:
    /// what replaces them is learned later, from the training rows alone.
    ///
    /// Reads   the data; a local file is first kept as auto_mpg/data/raw/NAME
    /// Writes  auto_mpg/data/bronze/{train,val,test}/{train,val,test}.csv
    ///         auto_mpg/data/bronze/cars/cars.csv, which car each row is
    ///         auto_mpg/data/bronze/published.json, the list of what belongs together
    #[command(verbatim_doc_comment, after_help = ACQUIRE_EXAMPLES)]
    Acquire(AcquireArgs),
    /// The CSV files into feature matrices and a preprocessor
    ///
    /// A processing job fits the preprocessing pipeline on the training rows (model year to age, one-hot encoded
    /// categories, imputed and standardised numbers) and applies it to the training and the validation rows.
    ///
    /// Reads   auto_mpg/data/bronze/{train,val}/{train,val}.csv
    /// Writes  auto_mpg/data/gold/{train,val}/{train,val}_feats.npy, the target in column 0,
    ///         with features.json beside it
    ///         auto_mpg/models/preprocessor/model.tar.gz, and summary.json, what it learned
    ///         auto_mpg/data/gold/published.json, the list of all of these
    #[command(verbatim_doc_comment, after_help = PROCESS_EXAMPLES)]
    Process(JobArgs),
    /// The feature matrices into a random forest and its metrics
    ///
    /// A training job grows the forest and prints the mean absolute error, the mean squared error, its root and the
    /// coefficient of determination of both parts; they are scraped from its log by regular expressions. On several
    /// hosts each grows a share of the trees, and the first one joins them.
    ///
    /// Reads   auto_mpg/data/gold/{train,val}/{train,val}_feats.npy
    /// Writes  auto_mpg/models/ml/RUN/output/model.tar.gz, output.tar.gz and published.json
    #[command(verbatim_doc_comment, after_help = TRAIN_EXAMPLES)]
    Train(TrainArgs),
    /// The test rows through the served preprocessor and regressor
    ///
    /// Two processes serve one artifact each, as the containers of an inference pipeline: rows go to the first as
    /// text/csv without the target, its answer goes to the second, and that one's predictions are shown beside the
    /// true values.
    ///
    /// Reads   auto_mpg/data/bronze/test/test.csv
    ///         auto_mpg/models/preprocessor/model.tar.gz
    ///         auto_mpg/models/ml/RUN/output/model.tar.gz
    /// Writes  auto_mpg/predictions/RUN/test.csv
    #[command(verbatim_doc_comment, after_help = PREDICT_EXAMPLES)]
    Predict(PredictArgs),
    /// A page that shows a run: what the model goes by, and where it is right and wrong
    ///
    /// A processing job looks into the run's model and draws report.html, one file with charts and tables in it, for a
    /// browser; `cargo xtask pipeline` does so at its end. With `compare` two runs that have a report are shown side by
    /// side.
    ///
    /// Reads   auto_mpg/data/bronze, auto_mpg/models, auto_mpg/runs/RUN/run.json
    ///         and the report written last, for comparison
    /// Writes  auto_mpg/reports/RUN/report.html and report.json
    #[command(verbatim_doc_comment, after_help = REPORT_EXAMPLES, args_conflicts_with_subcommands = true)]
    Report(ReportArgs),
    /// The random forest cross-validated beside its baselines, and looked into
    ///
    /// A processing job takes the whole raw table and splits it into folds, several times over. In each it fits the
    /// preprocessing and the model on the rows to learn from, and scores both on the others, which nothing has seen.
    /// The same is done with baselines: the mean, a line, a line with a penalty, a line through logarithms, support vectors,
    /// and extra trees.
    ///
    /// What is printed: errors with intervals (95 %, by resampling rows); which columns matter; how well prediction
    /// intervals hold; what happens when the forest learns from the past and predicts later years, which it cannot do
    /// well; and with --search which parameters do best, and how good a search's choice really is.
    ///
    /// Reads   the data; a local file is first kept as auto_mpg/data/raw/NAME
    /// Writes  auto_mpg/evaluations/RUN/evaluation.json and data.json, the sha256 of the data
    #[command(verbatim_doc_comment, after_help = EVALUATE_EXAMPLES)]
    Evaluate(EvaluateArgs),
    /// What earlier runs were told and what came out
    ///
    /// Every pipeline, train and evaluate run is recorded in the store, also one that failed or was stopped: as
    /// auto_mpg/runs/RUN/run.json, and in the layout of MLflow's file store below mlruns. With
    /// MLFLOW_TRACKING_URI=http://HOST:PORT it is sent to that server too; a server that cannot be reached does not stop a
    /// run.
    #[command(after_help = EXPERIMENTS_EXAMPLES)]
    Experiments(ExperimentsArgs),
    /// Measure ours beside its peers, in turns, in one run
    ///
    /// Every engine has a process of its own for every piece of work, on the same data, so that ratios hold on a noisy
    /// machine and the peak memory is its own. Peers in Rust are built from benches/peers into target/peers on first
    /// use (featrs brings a polars along, minutes of building), peers in Python run in a virtual environment with pinned
    /// packages below target/python.
    ///
    /// Prints tables of medians, spread, CPU time, memory and how many times ours that is, and warns if the machine was
    /// busy with other work.
    ///
    /// Writes  benches/results/SUITE.jsonl, the measurements, with date, machine and versions
    ///         benches/results/SUITE.svg and BENCHMARKS.md, made from all measurements there
    #[command(verbatim_doc_comment, after_help = bench::EXAMPLES)]
    Bench(BenchArgs),
    /// Compare the transformers with a live scikit-learn, on fresh random tables
    ///
    /// Makes a virtual environment with the pinned scikit-learn below target/python on first use, has it fit and
    /// transform random tables, runs the parity tests on them, and prints the largest difference per transformer.
    /// More than 1e-12, relative, is a failure.
    #[command(after_help = PARITY_EXAMPLES)]
    Parity(ParityArgs),
    /// The container image that runs every job: one static binary
    ///
    /// Links the jobs statically, with a cargo profile of its own, and has podman or docker put the binary into an image
    /// that holds nothing else. The first build takes minutes.
    #[command(after_help = IMAGE_EXAMPLES)]
    Image(ImageArgs),
    /// Drive the jobs with boto3 and with the SageMaker Python SDK, its versions 2 and 3
    ///
    /// Runs the pipeline in a store that goes away, then makes the SDK's local mode run the same jobs and endpoints, and
    /// compares: the same rows, features and models, byte for byte, and the same predictions. What stands in for `docker
    /// compose` there runs the jobs in an image, if one is named, or else the binary where the image's folders are mounted.
    /// The Python packages are pinned, and installed below target/python on first use.
    #[command(after_help = CLIENTS_EXAMPLES)]
    Clients(ClientsArgs),
}

const PIPELINE_EXAMPLES: &str = "\
Examples:
  cargo xtask pipeline
  cargo xtask pipeline --release --n-estimators 300 --max-features sqrt
  cargo xtask pipeline --data my-cars.data --store /tmp/cars
  cargo xtask pipeline --store s3://my-bucket/cars";
const ACQUIRE_EXAMPLES: &str = "\
Examples:
  cargo xtask acquire
  cargo xtask acquire --seed 7 --train-fraction 0.7 --test-rows 20
  cargo xtask acquire --data my-cars.data";
const PROCESS_EXAMPLES: &str = "\
Example:
  cargo xtask process --run-name first";
const TRAIN_EXAMPLES: &str = "\
Examples:
  cargo xtask train --run-name deep --n-estimators 300
  cargo xtask train --run-name shallow --max-depth 4 --max-features 0.5
  cargo xtask train --run-name large --n-estimators 10000 --hosts 3";
const PREDICT_EXAMPLES: &str = "\
Examples:
  cargo xtask predict
  cargo xtask predict --run-name shallow";

const REPORT_EXAMPLES: &str = "\
Examples:
  cargo xtask report
  cargo xtask report --run-name first
  cargo xtask report compare first second";
const EVALUATE_EXAMPLES: &str = "\
Examples:
  cargo xtask evaluate
  cargo xtask evaluate --folds 5 --repeats 1 --n-estimators 300
  cargo xtask evaluate --search 20 --run-name searched";
const EXPERIMENTS_EXAMPLES: &str = "\
Examples:
  cargo xtask experiments list
  cargo xtask experiments show first
  cargo xtask experiments compare first second
  cargo xtask pipeline --reproduce first
  cargo xtask evaluate --reproduce first";

const IMAGE_EXAMPLES: &str = "\
Examples:
  cargo xtask image
  cargo xtask image --tag registry.example.org/drivetrain:1 --engine docker
  podman run --rm drivetrain serve --help";

const CLIENTS_EXAMPLES: &str = "\
Examples:
  cargo xtask clients
  cargo xtask image && cargo xtask clients --image drivetrain";

const PARITY_EXAMPLES: &str = "\
Examples:
  cargo xtask parity
  cargo xtask parity --seed 7";

#[derive(Debug, Args)]
pub(crate) struct PipelineArgs {
    /// Do again what the run of this name did, under another name, and compare the sha256 of all it wrote
    #[arg(long, value_name = "RUN", conflicts_with_all = ["seed", "data", "train_fraction", "test_rows", "n_estimators", "max_depth", "max_features"])]
    pub(crate) reproduce: Option<RunName>,
    #[command(flatten)]
    pub(crate) job: JobArgs,
    #[command(flatten)]
    pub(crate) seed: SeedArgs,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) forest: ForestArgs,
    #[command(flatten)]
    pub(crate) hosts: HostsArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AcquireArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    #[command(flatten)]
    pub(crate) seed: SeedArgs,
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    #[command(flatten)]
    pub(crate) seed: SeedArgs,
    #[command(flatten)]
    pub(crate) forest: ForestArgs,
    #[command(flatten)]
    pub(crate) hosts: HostsArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The run whose regressor is served [default: the one trained last]
    #[arg(long, value_name = "NAME")]
    pub(crate) run_name: Option<RunName>,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(subcommand)]
    pub(crate) compare: Option<ReportCommand>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The run to be shown [default: the one trained last]
    #[arg(long, visible_alias = "run", value_name = "NAME")]
    pub(crate) run_name: Option<RunName>,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Two runs side by side: scores, parameters, and the rows on which they differ most
    Compare(CompareArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// A run that has a report
    pub(crate) first: RunName,
    /// Another one
    pub(crate) second: RunName,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Do again the evaluation of the run of this name, under another name, and compare its sha256
    #[arg(long, value_name = "RUN", conflicts_with_all = ["seed", "data", "folds", "repeats", "last_year", "search", "grid", "n_estimators", "max_depth", "max_features"])]
    pub(crate) reproduce: Option<RunName>,
    #[command(flatten)]
    pub(crate) job: JobArgs,
    #[command(flatten)]
    pub(crate) seed: SeedArgs,
    #[command(flatten)]
    pub(crate) evaluation: EvaluationArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExperimentsArgs {
    #[command(subcommand)]
    pub(crate) question: Question,
}

/// What can be asked about runs.
#[derive(Debug, Subcommand)]
pub(crate) enum Question {
    /// All runs, the latest last
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Everything about a run
    Show {
        /// The run
        run: RunName,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Where two runs differ: parameters, metrics, artifacts, surroundings
    Compare {
        /// The first run
        first: RunName,
        /// The second run
        second: RunName,
        #[command(flatten)]
        store: StoreArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ParityArgs {
    /// The seed of the tables
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED, allow_negative_numbers = true)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) python: PythonArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImageArgs {
    /// The name of the image
    #[arg(long, value_name = "NAME", default_value = "drivetrain")]
    pub(crate) tag: String,
    /// What builds it [default: podman, or docker where there is no podman]
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) engine: Option<Engine>,
    /// Build the binary with this cargo profile
    #[arg(long, value_name = "NAME", default_value = "image")]
    pub(crate) profile: String,
    /// Cargo's folder for what it builds [default: cargo's own]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) target_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ClientsArgs {
    /// Run the jobs in this image, with podman [default: run the binary, without any image]
    #[arg(long, value_name = "NAME")]
    pub(crate) image: Option<String>,
    /// Only install the Python packages, and print what a shell must evaluate for other tests to find them
    #[arg(long, conflicts_with = "image")]
    pub(crate) only_install: bool,
    #[command(flatten)]
    pub(crate) python: PythonArgs,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
}

#[cfg(test)]
mod tests;
