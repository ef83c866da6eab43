//! Processing and training jobs: what is asked for, and what came of it.

mod container_path;
mod directory;
mod execution;
mod hosts;
mod limits;
mod processing;
mod training;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use container_path::ContainerPath;
pub(crate) use directory::JobDirectory;
pub(crate) use execution::BASE_DIRECTORY;
pub use processing::{Argument, ProcessingInput, ProcessingJob, ProcessingOutput};
pub use training::{Channel, CompletedTraining, TrainingJob};

use crate::store::{Key, Store, StoredObject};
use crate::{Interrupt, JobName, RunnerError};

/// Plays the platform: moves inputs from the store into a job's directory, runs the job there, and moves its outputs back.
///
/// A job's directory is temporary and shaped as `/opt/ml`; `SAGEMAKER_BASE_DIR` tells the job where it is. The log of
/// every job, failed ones included, is kept as `<project>/jobs/<job>/log.txt`; nothing else of a failed job is. Its outputs
/// appear together or not at all, as far as an object store can promise that: see [`Store::put_all`].
///
/// A job has an open standard input, on which nothing ever comes, and the variable `DRIVETRAIN_EXIT_WITH_STDIN=1`: the input
/// ends when the runner does, however it does, and a program that wants to end with its runner, as with SIGTERM, reads
/// that. Others may ignore both.
#[derive(Debug)]
pub struct Platform<'a> {
    pub(crate) store: &'a Store,
    pub(crate) project: Key,
    pub(crate) work: PathBuf,
    pub(crate) interrupt: Interrupt,
}

impl<'a> Platform<'a> {
    /// A platform that keeps a project's objects in `store`, and makes job directories in `work`.
    ///
    /// # Errors
    /// [`RunnerError::File`] if `work` cannot be made.
    pub fn new(store: &'a Store, project: Key, work: &Path, interrupt: Interrupt) -> Result<Self, RunnerError> {
        std::fs::create_dir_all(work).map_err(crate::error::file("make", work))?;
        let work = std::path::absolute(work).map_err(crate::error::file("find", work))?;
        Ok(Self { store, project, work, interrupt })
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &'a Store {
        self.store
    }

    /// The key of a job's log.
    ///
    /// # Errors
    /// [`RunnerError::Invalid`] if the key is too long.
    pub fn log_key(&self, job: &JobName) -> Result<Key, RunnerError> {
        self.project.join(&format!("jobs/{job}/log.txt"))
    }

    /// The key of the log of a job's host, counted from 0.
    fn host_log_key(&self, job: &JobName, host: usize) -> Result<Key, RunnerError> {
        match host {
            0 => self.log_key(job),
            _ => self.project.join(&format!("jobs/{job}/log-algo-{}.txt", host + 1)),
        }
    }

    /// Moves the objects of an input into a job's directory.
    fn bring(&self, source: &Key, publication: Option<&Key>, directory: &Path) -> Result<(), RunnerError> {
        match publication {
            Some(publication) => self.store.get_published_prefix(source, directory, publication),
            None => self.store.get_prefix(source, directory),
        }
        .map(drop)
    }

    /// Where copies of what a job's outputs replace are kept until all of them are in their places.
    fn unpublished(&self, job: &JobName) -> Result<Key, RunnerError> {
        self.project.join(&format!("jobs/{job}/unpublished"))
    }
}

/// A job that ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedJob {
    /// The job.
    pub name: JobName,
    /// How long its process ran.
    pub duration: Duration,
    /// Its log.
    pub log: StoredObject,
    /// What it wrote, in order of key.
    pub outputs: Vec<StoredObject>,
    /// What it left in its message file, if anything.
    pub exit_message: Option<String>,
    /// Links and special files among its outputs, which are not uploaded.
    pub skipped: Vec<PathBuf>,
}
