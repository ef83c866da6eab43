//! Everything a job can fail with.

use std::{error::Error as StdError, io, net::IpAddr, path::PathBuf};

use drivetrain_artifact::ArtifactError;

/// Why a job failed. The text of a cause is never repeated in the text of its error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A directory cannot be made.
    #[error("cannot create {}", path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// An output cannot be put in its place.
    #[error("cannot write {}", path.display())]
    Place {
        /// The place.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing can be written to stdout.
    #[error("cannot write to stdout")]
    Stdout(#[source] io::Error),
    /// A configuration file is not what the platform writes.
    #[error("{} is not understood", path.display())]
    ParseConfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A variable of the process is not usable.
    #[error("variable {name} is `{value}`; expected {expected}")]
    Variable {
        /// The variable.
        name: String,
        /// Its value.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// A variable of the process is not Unicode.
    #[error("variable {name} is not Unicode: {value:?}")]
    VariableEncoding {
        /// The variable.
        name: String,
        /// Its value.
        value: std::ffi::OsString,
    },
    /// The job was told to stop.
    #[error("stopped before it was done ({reason})")]
    Stopped {
        /// What told it to.
        reason: &'static str,
    },
    /// This host is none of the job's.
    #[error("{}: the current host `{current}` is not among the hosts {}", path.display(), hosts.join(", "))]
    UnknownHost {
        /// The file that says so.
        path: PathBuf,
        /// The current host.
        current: String,
        /// The job's hosts.
        hosts: Vec<String>,
    },
    /// The rows of a channel are spread over hosts, each of which needs all of them.
    #[error("channel `{channel}` is sharded over {hosts} hosts, each of which needs all rows: use FullyReplicated")]
    ShardedChannel {
        /// The channel.
        channel: String,
        /// The number of hosts.
        hosts: usize,
    },
    /// The main host cannot listen for the trees of the others.
    #[cfg(feature = "train")]
    #[error("cannot listen on {address} for the trees of the other hosts")]
    ListenForHosts {
        /// The address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The main host does not answer.
    #[cfg(feature = "train")]
    #[error("cannot reach the main host {host} at {address} within {seconds} s")]
    HostUnreachable {
        /// The main host.
        host: String,
        /// Where it was looked for.
        address: String,
        /// For how long.
        seconds: u64,
        /// How the last attempt failed.
        source: io::Error,
    },
    /// The main host wants nothing of this one.
    #[cfg(feature = "train")]
    #[error("the main host {host} refuses this one: {reason}")]
    HostRefused {
        /// The main host.
        host: String,
        /// What it says.
        reason: String,
    },
    /// The main host is gone.
    #[cfg(feature = "train")]
    #[error("lost the main host {host} before it had the trees of this one")]
    HostLost {
        /// The main host.
        host: String,
        /// What the connection says.
        source: io::Error,
    },
    /// Trees or their parameters cannot be put into bytes.
    #[cfg(feature = "train")]
    #[error("cannot encode the trees for the main host")]
    EncodeTrees(#[source] Box<dyn StdError + Send + Sync>),
    /// A hyper-parameter is not usable.
    #[error("hyper-parameter `{name}` is `{value}`")]
    Hyperparameter {
        /// The hyper-parameter.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Hyper-parameters that mean nothing to the job.
    #[error("unknown hyper-parameters: {}; known are {}", names.join(", "), known.join(", "))]
    UnknownHyperparameters {
        /// Their names.
        names: Vec<String>,
        /// The names that mean something.
        known: Vec<&'static str>,
    },
    /// A hyper-parameter is given twice, once with hyphens and once with underscores.
    #[error("hyper-parameter `{name}` is given twice, with hyphens and with underscores")]
    RepeatedHyperparameter {
        /// Its name with hyphens.
        name: String,
    },
    /// A feature matrix has no row, or no column beside the target.
    #[error("{} has {rows} rows and {columns} columns; expected at least one row, the target and one feature", path.display())]
    EmptyFeatures {
        /// The file.
        path: PathBuf,
        /// Its rows.
        rows: usize,
        /// Its columns, the target included.
        columns: usize,
    },
    /// A feature matrix and its description differ in width.
    #[error("{} names {names} features; {} has {columns} columns, of which the first is the target", names_path.display(), path.display())]
    FeatureNameCount {
        /// The matrix.
        path: PathBuf,
        /// The description.
        names_path: PathBuf,
        /// The number of names.
        names: usize,
        /// The columns of the matrix, the target included.
        columns: usize,
    },
    /// Two feature matrices differ in width.
    #[error("{} has {val_columns} columns where {} has {train_columns}", val_path.display(), train_path.display())]
    WidthMismatch {
        /// The training features.
        train_path: PathBuf,
        /// The columns of the training features, the target included.
        train_columns: usize,
        /// The validation features.
        val_path: PathBuf,
        /// The columns of the validation features, the target included.
        val_columns: usize,
    },
    /// Two feature matrices differ in the names of their columns.
    #[error("feature {index} is `{val_name}` in {} where it is `{train_name}` in {}", val_path.display(), train_path.display())]
    FeatureNameMismatch {
        /// The feature, counted from 0 without the target.
        index: usize,
        /// The training features.
        train_path: PathBuf,
        /// Its name there.
        train_name: String,
        /// The validation features.
        val_path: PathBuf,
        /// Its name there.
        val_name: String,
    },
    /// Two feature matrices were made by different preprocessors.
    #[error("{} and {} were made by different preprocessors", train_path.display(), val_path.display())]
    PreprocessorMismatch {
        /// The training features.
        train_path: PathBuf,
        /// The validation features.
        val_path: PathBuf,
    },
    /// A value of a feature matrix is missing or infinite.
    #[error("{}: row {row}, column {column} (`{name}`) is {value}; expected a finite number", path.display())]
    NonFinite {
        /// The file.
        path: PathBuf,
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0; 0 is the target.
        column: usize,
        /// The column's name.
        name: String,
        /// The value.
        value: f64,
    },
    /// A table lacks a target value.
    #[error("{}, row {row} below the header: column `{column}` is missing, and it is the target", path.display())]
    MissingTarget {
        /// The file.
        path: PathBuf,
        /// The row, counted from 1 below the header.
        row: usize,
        /// The target column.
        column: String,
    },
    /// An artifact or a feature matrix cannot be read or written.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The plan of a model cannot be run by this program.
    #[cfg(feature = "serve")]
    #[error("the model cannot be run")]
    Prepare(#[source] drivetrain_plan::ApplyError),
    /// Two artifacts do not make a pipeline.
    #[cfg(feature = "serve")]
    #[error(
        "the artifacts in {} and {} are no preprocessor and the regressor trained with it: {problem}",
        preprocessor.display(), regressor.display()
    )]
    NotAPair {
        /// What should hold a preprocessor.
        preprocessor: PathBuf,
        /// What should hold a regressor.
        regressor: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The port cannot be had.
    #[error("cannot listen on {host} port {port}")]
    Listen {
        /// The address.
        host: IpAddr,
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The threads, signals or sockets of the server fail.
    #[error("the server cannot run")]
    Runtime(#[source] io::Error),
    /// A data set cannot be acquired, read or written.
    #[cfg(feature = "process")]
    #[error(transparent)]
    Dataset(#[from] drivetrain_dataset::DatasetError),
    /// The task's own definition does not hold together.
    #[cfg(feature = "process")]
    #[error("the definition of the Auto MPG task is not valid")]
    Task(#[source] Box<dyn StdError + Send + Sync>),
    /// A data frame is not a table.
    #[cfg(feature = "process")]
    #[error(transparent)]
    Frame(#[from] drivetrain_frame::FrameError),
    /// The preprocessing pipeline cannot be fitted.
    #[cfg(feature = "process")]
    #[error("cannot fit the preprocessing pipeline on {}", path.display())]
    Fit {
        /// The training rows.
        path: PathBuf,
        /// Why.
        source: drivetrain_transform::FitError,
    },
    /// The evaluation cannot be done.
    #[cfg(feature = "evaluate")]
    #[error("cannot evaluate on {data}")]
    Evaluate {
        /// The data.
        data: String,
        /// Why.
        source: drivetrain_evaluate::EvaluateError,
    },
    /// Rows cannot be transformed.
    #[cfg(feature = "process")]
    #[error("cannot transform {}", path.display())]
    Apply {
        /// The rows.
        path: PathBuf,
        /// Why.
        source: drivetrain_plan::ApplyError,
    },
    /// The forest cannot be grown or evaluated.
    #[cfg(feature = "train")]
    #[error("cannot {action}")]
    Forest {
        /// What was tried.
        action: &'static str,
        /// Why.
        source: drivetrain_forest::ForestError,
    },
    /// An artifact holds something else than is needed here.
    #[cfg(feature = "report")]
    #[error("{} holds {found}, not {expected}", path.display())]
    ModelKind {
        /// The artifact.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
        /// What is in it.
        found: drivetrain_artifact::ModelKind,
    },
    /// Models and rows are not those of one run.
    #[cfg(feature = "report")]
    #[error("these are not the models and rows of one run: {problem}; process and train again, or name another run")]
    NotOneRun {
        /// What does not belong.
        problem: String,
    },
    /// The names of the rows cannot be read.
    #[cfg(feature = "report")]
    #[error("cannot read the names of the rows in {}", path.display())]
    Names {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: csv::Error,
    },
    /// The model cannot be looked into.
    #[cfg(feature = "report")]
    #[error("cannot look into the model")]
    Inspect(#[from] drivetrain_evaluate::EvaluateError),
    /// The page cannot be drawn.
    #[cfg(feature = "report")]
    #[error("cannot draw the page")]
    Report(#[from] drivetrain_report::ReportError),
}
