//! The directory a job runs in, shaped as `/opt/ml`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::TempDir;

use crate::RunnerError;
use crate::error::file;

/// A temporary directory that holds a job's `/opt/ml` and its log, and goes when the job is done.
#[derive(Debug)]
pub(crate) struct JobDirectory {
    root: TempDir,
}

impl JobDirectory {
    /// Makes an empty one for a job, with a name that is its own.
    pub(crate) fn create(work: &Path, job: &str) -> Result<Self, RunnerError> {
        let root = tempfile::Builder::new()
            .prefix(&format!("{job}-"))
            .tempdir_in(work)
            .map_err(file("make a job directory in", work))?;
        let directory = Self { root };
        for folder in ["output", "input"] {
            directory.folder(folder)?;
        }
        Ok(directory)
    }

    /// The directory itself, where the job's process starts.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// What the job knows as `/opt/ml`.
    pub(crate) fn base(&self) -> PathBuf {
        self.root.path().join("ml")
    }

    /// The log; outside of the base, so that a job cannot upload or delete it by accident.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.path().join("log.txt")
    }

    /// A path below the base, with `/` between segments.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        below.split('/').fold(self.base(), |path, segment| path.join(segment))
    }

    /// Makes a folder below the base.
    pub(crate) fn folder(&self, below: &str) -> Result<PathBuf, RunnerError> {
        let path = self.path(below);
        fs::create_dir_all(&path).map_err(file("make", &path))?;
        Ok(path)
    }

    /// Writes a configuration file below the base.
    pub(crate) fn write_json(&self, below: &str, value: &impl Serialize) -> Result<(), RunnerError> {
        let path = self.path(below);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(file("make", folder))?;
        }
        let text = serde_json::to_vec_pretty(value).map_err(|error| RunnerError::File {
            action: "write",
            path: path.clone(),
            source: error.into(),
        })?;
        fs::write(&path, text).map_err(file("write", &path))
    }

    /// Opens the log for the job to write to; appending, so that output and errors interleave as they come.
    pub(crate) fn create_log(&self) -> Result<File, RunnerError> {
        let path = self.log();
        File::options().create(true).append(true).open(&path).map_err(file("write", &path))
    }
}
