//! What can go wrong between the store, a job and an endpoint.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::Sha256;

/// An error of a crate behind this one, kept as the cause.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Everything this crate can fail with.
///
/// The text of a cause is never repeated in the text of its error: print the chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunnerError {
    /// A name, key, path or metric definition breaks its rule.
    #[error("`{value}` is not a valid {what}: {rule}")]
    Invalid {
        /// What the value was meant to be.
        what: &'static str,
        /// The value as given.
        value: String,
        /// The rule it breaks.
        rule: String,
    },
    /// A job's request breaks a limit of the platform.
    #[error("job `{job}` cannot be submitted: {problem}")]
    InvalidJob {
        /// The job.
        job: String,
        /// The limit, and what was asked for.
        problem: String,
    },
    /// No port is free for a host of a job.
    #[error("cannot find a free port for a host of the job")]
    Port {
        /// The cause.
        source: io::Error,
    },
    /// The store's location is of a kind that cannot be opened.
    #[error("cannot open the store `{location}`: {reason}")]
    UnsupportedStore {
        /// The location as given.
        location: String,
        /// Why not, and what can be opened.
        reason: String,
    },
    /// The folder of the store cannot be made or read, or the bucket's settings are not as they should be.
    #[error("cannot open the store `{location}`")]
    OpenStore {
        /// The location as given.
        location: String,
        /// The cause.
        source: Cause,
    },
    /// There is no object under a key.
    #[error("there is no object at {location}")]
    ObjectNotFound {
        /// Where it was looked for: a path or a URL.
        location: String,
    },
    /// A key names neither an object nor a prefix of one.
    #[error("there is neither an object nor a folder of objects at {location}")]
    NothingUnderPrefix {
        /// Where it was looked for: a path or a URL.
        location: String,
    },
    /// The store failed.
    #[error("cannot {action} {location}")]
    StoreAccess {
        /// What was tried.
        action: &'static str,
        /// The object: a path or a URL.
        location: String,
        /// The cause.
        source: Cause,
    },
    /// An object arrived with another length than the store announced.
    #[error("{location} was cut short: {received} of {expected} bytes arrived")]
    Truncated {
        /// The object: a path or a URL.
        location: String,
        /// The announced length in bytes.
        expected: u64,
        /// The received length in bytes.
        received: u64,
    },
    /// An object arrived with other bytes than it was stored with, again and again.
    #[error("{location} was stored with the sha256 {expected}, but arrives with {found}")]
    Corrupt {
        /// The object: a path or a URL.
        location: String,
        /// The digest it was stored with.
        expected: Sha256,
        /// The digest of what arrived last.
        found: Sha256,
    },
    /// An object is not the one that was published together with others.
    #[error(
        "{location} {problem} the publication {publication}: a run was ended while it put the objects in their places, \
         or one of them was changed since; run the step that writes them again, or delete the publication to use them \
         as they are"
    )]
    NotAsPublished {
        /// The object: a path or a URL.
        location: String,
        /// How it differs.
        problem: &'static str,
        /// The list of the objects that belong together: a path or a URL.
        publication: String,
    },
    /// A publication is not what this version writes.
    #[error("the publication {location} cannot be read")]
    Publication {
        /// The publication: a path or a URL.
        location: String,
        /// The cause.
        source: serde_json::Error,
    },
    /// Something is larger than its limit.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A local file or directory cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A program cannot be started.
    #[error("cannot start {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A started program cannot be waited for or signalled.
    #[error("lost control of the process of `{job}`")]
    Process {
        /// The job or container.
        job: String,
        /// The cause.
        source: io::Error,
    },
    /// A job ended with a status other than success.
    #[error("{kind} job `{job}` failed with {status}; its log is {log}")]
    JobFailed {
        /// `processing` or `training`.
        kind: &'static str,
        /// The job.
        job: String,
        /// How the process ended.
        status: String,
        /// Where the log was kept: a path or a URL.
        log: String,
        /// What the job itself said about it.
        source: FailureReason,
    },
    /// A training job succeeded without leaving a model.
    #[error("training job `{job}` left no file in its model directory {}", path.display())]
    EmptyModel {
        /// The job.
        job: String,
        /// The model directory.
        path: PathBuf,
    },
    /// The caller asked to stop.
    #[error("`{job}` was stopped")]
    Interrupted {
        /// The job or container that was stopped.
        job: String,
    },
    /// An archive cannot be read or written.
    #[error("cannot {action} the archive {}", path.display())]
    Archive {
        /// What was tried.
        action: &'static str,
        /// The archive.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// An archive holds an entry that must not be unpacked.
    #[error("the archive {} holds `{entry}`, which is not unpacked: {problem}", path.display())]
    UnsafeEntry {
        /// The archive.
        path: PathBuf,
        /// The entry's path as written in the archive.
        entry: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A serving container ended before it was ready.
    #[error("container `{container}` ended with {status} before it answered /ping; its log is {log}")]
    ContainerExited {
        /// The container.
        container: String,
        /// How the process ended.
        status: String,
        /// Where the log was kept: a path or a URL.
        log: String,
        /// The end of its log.
        source: FailureReason,
    },
    /// A serving container did not become ready in time.
    #[error("container `{container}` did not answer /ping with 200 within {seconds} s; its log is {log}")]
    PingTimedOut {
        /// The container.
        container: String,
        /// The time it had, in seconds.
        seconds: f64,
        /// Where the log was kept: a path or a URL.
        log: String,
        /// The end of its log.
        source: FailureReason,
    },
    /// A serving container answered a request with an error.
    #[error("container `{container}` (number {position} of the chain) answered {status}: {body}")]
    ContainerRefused {
        /// The container.
        container: String,
        /// Its place in the chain, from 1.
        position: usize,
        /// The HTTP status.
        status: u16,
        /// The start of the response body.
        body: String,
    },
    /// A serving container could not be reached.
    #[error("no answer from container `{container}` (number {position} of the chain)")]
    ContainerUnreachable {
        /// The container.
        container: String,
        /// Its place in the chain, from 1.
        position: usize,
        /// The cause.
        source: Cause,
    },
    /// A tracking server cannot be told of a run.
    #[error("cannot tell the MLflow server at {uri} of the run: {problem}")]
    Tracking {
        /// The server.
        uri: String,
        /// What went wrong, with what was asked of it.
        problem: String,
    },
    /// A run record is not what this version writes.
    #[error("the run record {location} cannot be read")]
    Record {
        /// The record: a path or a URL.
        location: String,
        /// The cause.
        source: serde_json::Error,
    },
}

/// What a job or container said about its own failure: its failure file, or the end of its log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FailureReason {
    /// The text, trimmed; never empty.
    pub text: String,
}

impl FailureReason {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.trim();
        let text = if text.is_empty() { "it said nothing" } else { text };
        Self { text: text.to_owned() }
    }
}

/// For `map_err`: an I/O error with what was tried and where.
pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> RunnerError {
    let path = path.into();
    move |source| RunnerError::File { action, path, source }
}
