//! What can go wrong on the command line.

use std::io;
use std::path::PathBuf;

use drivetrain_artifact::{ArtifactError, Sha256};
use drivetrain_bench::chart::ChartError;
use drivetrain_bench::results::ResultsError;
use drivetrain_runner::RunnerError;

/// Everything a command can fail with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Runner(#[from] RunnerError),
    #[error(
        "a store in memory would be gone with this command, results and all; give --store a folder or s3://bucket/prefix"
    )]
    MemoryStore,
    #[error("cannot read the data file {}", path.display())]
    Data { path: PathBuf, source: io::Error },
    #[error("the data file {} is not a regular file", path.display())]
    DataKind { path: PathBuf },
    #[error("cannot read what cargo says while it builds {binary}")]
    CargoOutput { binary: &'static str, source: io::Error },
    #[error("building {binary} failed ({status}); cargo's messages are above")]
    Build { binary: &'static str, status: String },
    #[error("cargo built {binary} without saying where it is")]
    NoExecutable { binary: &'static str },
    #[error("cannot use the test rows at {location}: {problem}")]
    TestRows { location: String, problem: String },
    #[error("there is no trained model below {location}; train one with `cargo xtask pipeline` or `cargo xtask train`")]
    NoModel { location: String },
    #[error(
        "the preprocessor at {location} has the id {found}; the regressor of run `{run}` was trained with {}; \
         process and train again, or name another run with --run-name",
        expected.map_or_else(|| "one that it does not name".to_owned(), |id| id.to_string())
    )]
    OtherPreprocessor { location: String, found: Sha256, run: String, expected: Option<Sha256> },
    #[error(
        "the rows at {location} are not those that the preprocessor was fitted on, so the test rows beside them may be \
         known to the model; process and train again"
    )]
    OtherRows { location: String },
    #[error("cannot use the evaluation at {location}: {problem}")]
    Evaluation { location: String, problem: String },
    #[error("there is no run `{run}` in the store; `cargo xtask experiments list` shows those there are")]
    NoRun { run: String },
    #[error("the record of run `{run}` does not say its {parameter}, so it is not one of {what}")]
    Unreproducible { run: String, parameter: String, what: &'static str },
    #[error(
        "run `{run}` was of other data: {} had the sha256 {expected}, and has {found}", path.display()
    )]
    OtherData { run: String, path: PathBuf, expected: String, found: String },
    #[error("the record of run `{run}` has `{value}` for its {parameter}: {problem}")]
    RecordedParameter { run: String, parameter: String, value: String, problem: String },
    #[error("a run cannot be reproduced under its own name, `{run}`: what it wrote would be replaced")]
    SameName { run: String },
    #[error("run `{run}` is not reproduced: {differences}")]
    NotReproduced { run: String, differences: String },
    #[error("cannot use the model at {location}")]
    Model { location: String, source: ArtifactError },
    #[error("the endpoint's answer cannot be used: {problem}")]
    Answer { problem: String },
    #[error("there is neither podman nor docker to build an image with; install one, or name another with --engine")]
    NoEngine,
    #[error("the clients met something else than the pipeline did; what they said is above")]
    Clients,
    #[error("the report job left no {name} in {folder}")]
    NoPage { name: &'static str, folder: String },
    #[error("cannot watch for Ctrl-C")]
    Signal { source: io::Error },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot start {}", program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("{command} failed ({status}): {problem}")]
    Tool { command: String, status: String, problem: String },
    #[error("scikit-learn and ours disagree on the tables of seed {seed}; the tables are in {}", folder.display())]
    Parity { seed: u64, folder: PathBuf },
    #[error("{engine} cannot {work}: {problem}")]
    Peer { engine: String, work: String, problem: String },
    #[error("the suite {suite} has no engine `{name}`; there are {}", known.join("; "))]
    NoSuchEngine { name: String, suite: &'static str, known: Vec<&'static str> },
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error(transparent)]
    Results(#[from] ResultsError),
    #[error(transparent)]
    Chart(#[from] ChartError),
    #[error("cannot print the result")]
    Print { source: io::Error },
}
