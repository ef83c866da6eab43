//! What a run did: parameters, metrics, artifacts and times, as one JSON object in the store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metrics::Metric;
use crate::store::{Key, Store, StoredObject};
use crate::{JobName, RunnerError, Timestamp};

/// The most bytes a record is read with.
const MAX_RECORD: u64 = 16 << 20;

/// The record of one run, kept as `<project>/runs/<run>/run.json`.
///
/// Steps of one run may be taken by separate commands: each adds to the record, and a step taken again replaces itself.
///
/// ```
/// use drivetrain_runner::record::{RunRecord, StepRecord};
/// use drivetrain_runner::store::{Key, Store};
/// use drivetrain_runner::{JobName, Timestamp};
///
/// let store = Store::in_memory()?;
/// let (project, run) = (Key::new("auto_mpg")?, JobName::new("first-run")?);
/// let mut record = RunRecord::new(run.clone(), Timestamp::from_unix_seconds(0));
/// record.parameters.insert("seed".into(), "42".into());
/// record.set_step(StepRecord { name: "acquire".into(), seconds: 0.1, log: None });
/// record.save(&store, &project)?;
/// assert_eq!(RunRecord::load(&store, &project, &run)?, Some(record));
/// # Ok::<(), drivetrain_runner::RunnerError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// The run's name.
    pub run: JobName,
    /// When its first step began.
    pub started: Timestamp,
    /// What it was asked to do: flags and hyper-parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// The metrics of its training job, in order of appearance.
    pub metrics: Vec<Metric>,
    /// The objects its steps read and wrote, by what they are.
    pub artifacts: BTreeMap<String, StoredObject>,
    /// Its steps, in the order they were first taken.
    pub steps: Vec<StepRecord>,
    /// When it was done, as far as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Its surroundings: the command, versions, the state of the sources.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Metrics that have a value for each step: of each fold, say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub series: BTreeMap<String, Vec<f64>>,
    /// Where its last command ended, if not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// How a command ended that did not end well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What went wrong, and why.
    pub error: String,
    /// Whether it was told to stop.
    #[serde(default)]
    pub interrupted: bool,
    /// The step that it was at, which is not among the steps of the run unless it was once taken well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepRecord>,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRecord {
    /// The step's name.
    pub name: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The log of its job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Key>,
}

impl RunRecord {
    /// A record with nothing in it.
    #[must_use]
    pub fn new(run: JobName, started: Timestamp) -> Self {
        Self {
            run,
            started,
            parameters: BTreeMap::new(),
            metrics: Vec::new(),
            artifacts: BTreeMap::new(),
            steps: Vec::new(),
            ended: None,
            tags: BTreeMap::new(),
            series: BTreeMap::new(),
            failure: None,
        }
    }

    /// Where the record of a run is kept.
    ///
    /// # Errors
    /// [`RunnerError::Invalid`] if the key is too long.
    pub fn key(project: &Key, run: &JobName) -> Result<Key, RunnerError> {
        project.join(&format!("runs/{run}/run.json"))
    }

    /// The record of a run, if there is one.
    ///
    /// # Errors
    /// [`RunnerError::Record`] if it is not a record; otherwise as [`Store::get_bytes`].
    pub fn load(store: &Store, project: &Key, run: &JobName) -> Result<Option<Self>, RunnerError> {
        let key = Self::key(project, run)?;
        let text = match store.get_bytes(&key, MAX_RECORD) {
            Ok(text) => text,
            Err(RunnerError::ObjectNotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let record = serde_json::from_slice(&text);
        record.map(Some).map_err(|source| RunnerError::Record { location: store.describe(&key), source })
    }

    /// The records of all runs of a project, in order of their beginning, and what is wrong with those that are none: half
    /// written, say, or by a later version. One run's record must not keep all others from sight.
    ///
    /// # Errors
    /// As [`Store::list`] and [`Store::get_bytes`].
    pub fn all(store: &Store, project: &Key) -> Result<(Vec<Self>, Vec<RunnerError>), RunnerError> {
        let folder = project.join("runs")?;
        let names = store.list(&folder)?.into_iter().filter_map(|object| {
            let name = object.key.below(&folder)?.strip_suffix("/run.json")?.to_owned();
            JobName::new(name).ok()
        });
        let (mut records, mut damaged) = (Vec::new(), Vec::new());
        for name in names {
            match Self::load(store, project, &name) {
                Ok(record) => records.extend(record),
                Err(error @ (RunnerError::Record { .. } | RunnerError::TooLarge { .. })) => damaged.push(error),
                Err(error) => return Err(error),
            }
        }
        records.sort_by(|a: &Self, b| (a.started, &a.run).cmp(&(b.started, &b.run)));
        Ok((records, damaged))
    }

    /// Adds a step, or replaces the step of that name; where that is the one that failed, the failure is made good.
    pub fn set_step(&mut self, step: StepRecord) {
        let failed_at = |failure: &Failure| failure.step.as_ref().is_none_or(|failed| failed.name == step.name);
        if self.failure.as_ref().is_some_and(failed_at) {
            self.failure = None;
        }
        match self.steps.iter_mut().find(|known| known.name == step.name) {
            Some(known) => *known = step,
            None => self.steps.push(step),
        }
    }

    /// Writes the record.
    ///
    /// # Errors
    /// As [`Store::put_bytes`].
    pub fn save(&self, store: &Store, project: &Key) -> Result<StoredObject, RunnerError> {
        store.put_bytes(&Self::key(project, &self.run)?, self.to_json(store, project)?)
    }

    pub(crate) fn to_json(&self, store: &Store, project: &Key) -> Result<Vec<u8>, RunnerError> {
        let key = Self::key(project, &self.run)?;
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|source| RunnerError::Record { location: store.describe(&key), source })?;
        text.push(b'\n');
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RunRecord {
        RunRecord::new(JobName::new("run").unwrap(), Timestamp::from_unix_seconds(86_400))
    }

    #[test]
    fn a_step_taken_again_replaces_itself_in_its_place() {
        let mut record = record();
        for (name, seconds) in [("acquire", 1.0), ("process", 2.0), ("acquire", 3.0)] {
            record.set_step(StepRecord { name: name.into(), seconds, log: None });
        }
        let steps: Vec<_> = record.steps.iter().map(|step| (step.name.as_str(), step.seconds)).collect();
        assert_eq!(steps, [("acquire", 3.0), ("process", 2.0)]);
    }

    #[test]
    fn a_failure_is_made_good_by_the_step_that_failed() {
        let mut record = record();
        let step = |name: &str| StepRecord { name: name.into(), seconds: 1.0, log: None };
        let failure = Failure { error: "no".into(), interrupted: false, step: Some(step("train")) };
        record.failure = Some(failure);
        record.set_step(step("predict"));
        assert!(record.failure.is_some());
        record.set_step(step("train"));
        assert_eq!(record.failure, None);
    }

    #[test]
    fn what_is_not_a_record_is_refused_by_its_place() {
        let (store, project) = (Store::in_memory().unwrap(), Key::new("p").unwrap());
        let run = JobName::new("run").unwrap();
        assert_eq!(RunRecord::load(&store, &project, &run).unwrap(), None);
        store.put_bytes(&RunRecord::key(&project, &run).unwrap(), b"{\"run\": 1}".to_vec()).unwrap();
        let error = RunRecord::load(&store, &project, &run).unwrap_err();
        assert!(error.to_string().contains("p/runs/run/run.json"), "{error}");
    }

    #[test]
    fn a_record_cut_off_hides_no_other() {
        let (store, project) = (Store::in_memory().unwrap(), Key::new("p").unwrap());
        record().save(&store, &project).unwrap();
        let cut_off = RunRecord::key(&project, &JobName::new("other").unwrap()).unwrap();
        store.put_bytes(&cut_off, b"{\"run\": \"oth".to_vec()).unwrap();
        let (records, damaged) = RunRecord::all(&store, &project).unwrap();
        assert_eq!(records, [record()]);
        assert_eq!(damaged.len(), 1);
        assert!(damaged[0].to_string().contains("p/runs/other/run.json"), "{damaged:?}");
    }

    #[test]
    fn a_saved_record_comes_back() {
        let (store, project) = (Store::in_memory().unwrap(), Key::new("p").unwrap());
        let mut record = record();
        record.metrics.push(Metric { name: "val:mae".into(), value: 1.0 / 3.0 });
        record.artifacts.insert("model".into(), store.put_bytes(&Key::new("m").unwrap(), vec![1]).unwrap());
        record.save(&store, &project).unwrap();
        let text = store.get_bytes(&RunRecord::key(&project, &record.run).unwrap(), 1 << 20).unwrap();
        assert!(String::from_utf8(text).unwrap().contains("\"started\": \"1970-01-02T00:00:00Z\""));
        assert_eq!(RunRecord::load(&store, &project, &record.run).unwrap().unwrap(), record);
    }
}
