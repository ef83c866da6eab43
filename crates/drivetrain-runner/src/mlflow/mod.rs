//! Runs for `MLflow`, the experiment tracker: in the layout of its file store, and to a server.
//!
//! [`write()`] leaves a run in a store as `mlruns/<experiment>/<run>/`, which `MLflow` 3 reads (with
//! `MLFLOW_ALLOW_FILE_STORE=true`) or takes over (`mlflow migrate-filestore`); [`send`] tells a server of it by its REST
//! calls. Names keep letters, digits and `-_.`; anything else becomes `_`, so that a name is one file anywhere.

mod file_store;
mod rest;

use crate::record::RunRecord;
use crate::store::{Key, Store};
use crate::{RunnerError, Sha256};

pub use file_store::write;
pub use rest::send;

/// Logs are small; of a larger one `MLflow` gets none.
const MAX_ARTIFACT: u64 = 16 << 20;

/// `MLflow` refuses longer tags.
const MAX_TAG: usize = 5000;

/// A run as `MLflow` has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The name of the experiment: the project.
    experiment: String,
    /// The experiment's id, made of its name.
    experiment_id: String,
    /// The run's id: 32 hexadecimal digits, made of the project and the run's name, so that a run written again replaces
    /// itself.
    id: String,
    name: String,
    start_ms: u64,
    end_ms: u64,
    status: Status,
    params: Vec<(String, String)>,
    metrics: Vec<Metric>,
    tags: Vec<(String, String)>,
    artifacts: Vec<(String, Vec<u8>)>,
}

/// How a run ended, as `MLflow` counts and calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Finished,
    Failed,
    Killed,
}

impl Status {
    fn of(record: &RunRecord) -> Self {
        match &record.failure {
            None => Self::Finished,
            Some(failure) if failure.interrupted => Self::Killed,
            Some(_) => Self::Failed,
        }
    }

    /// In files.
    fn number(self) -> u8 {
        match self {
            Self::Finished => 3,
            Self::Failed => 4,
            Self::Killed => 5,
        }
    }

    /// In calls.
    fn name(self) -> &'static str {
        match self {
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Metric {
    name: String,
    value: f64,
    step: usize,
}

impl Run {
    /// A run of a project from its record; the logs of its steps, the record itself and the `files` of the store, each with
    /// a name, become artifacts. One that did not end well is marked so, with the error as its note and as the tag
    /// `drivetrain.error`, and with the log of the step that failed.
    ///
    /// # Errors
    /// As [`Store::get_bytes`], and [`RunnerError::Record`] if the record cannot be written as JSON.
    pub fn of(store: &Store, project: &Key, record: &RunRecord, files: &[(&str, &Key)]) -> Result<Self, RunnerError> {
        let experiment = project.as_str().to_owned();
        let digest = Sha256::of(experiment.as_bytes()).to_string();
        // `MLflow` wants digits; fifteen hexadecimal ones fit a u64.
        let experiment_id = u64::from_str_radix(&digest[..15], 16).unwrap_or_default().to_string();
        let id = Sha256::of(format!("{project}/{}", record.run).as_bytes()).to_string()[..32].to_owned();

        let metric = |name: &str, value, step| Metric { name: plain(name), value, step };
        let mut metrics: Vec<_> = record.metrics.iter().map(|of| metric(&of.name, of.value, 0)).collect();
        metrics.extend(record.steps.iter().map(|step| metric(&format!("seconds_{}", step.name), step.seconds, 0)));
        for (name, values) in &record.series {
            metrics.extend(values.iter().enumerate().map(|(step, value)| metric(name, *value, step)));
        }
        let mut tags: Vec<(String, String)> =
            record.tags.iter().map(|(name, value)| (plain(name), value.clone())).collect();
        tags.push(("mlflow.runName".to_owned(), record.run.to_string()));
        tags.push(("mlflow.source.type".to_owned(), "LOCAL".to_owned()));
        tags.extend(
            record.artifacts.iter().map(|(label, of)| (plain(&format!("sha256.{label}")), of.sha256.to_string())),
        );

        if let Some(failure) = &record.failure {
            // The note is what `MLflow` shows on the run's page.
            let error: String = failure.error.chars().take(MAX_TAG).collect();
            tags.extend(["mlflow.note.content", "drivetrain.error"].map(|name| (name.to_owned(), error.clone())));
        }

        let mut artifacts = Vec::new();
        let failed = record.failure.as_ref().and_then(|failure| failure.step.as_ref());
        let logs = record
            .steps
            .iter()
            .filter(|step| failed.is_none_or(|failed| failed.name != step.name))
            .chain(failed)
            .filter_map(|step| Some((format!("logs/{}.txt", plain(&step.name)), step.log.as_ref()?)));
        let files = files.iter().map(|(name, key)| (plain(name), *key));
        for (name, key) in logs.chain(files) {
            match store.get_bytes(key, MAX_ARTIFACT) {
                Ok(bytes) => artifacts.push((name, bytes)),
                // Of an earlier step, removed since; or too large to be copied.
                Err(RunnerError::ObjectNotFound { .. } | RunnerError::TooLarge { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        artifacts.push(("run.json".to_owned(), record.to_json(store, project)?));
        let start_ms = record.started.unix_milliseconds();
        Ok(Self {
            experiment,
            experiment_id,
            id,
            name: record.run.to_string(),
            start_ms,
            end_ms: record.ended.map_or(start_ms, |ended| ended.unix_milliseconds()),
            status: Status::of(record),
            params: record.parameters.iter().map(|(name, value)| (plain(name), value.clone())).collect(),
            metrics,
            tags,
            artifacts,
        })
    }

    /// The id: 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A name that is one file on any system, and one segment of a key.
fn plain(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    name.chars().map(keep).collect()
}

#[cfg(test)]
mod tests;
