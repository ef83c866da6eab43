//! The layout of `MLflow`'s file store.

use std::collections::{BTreeMap, BTreeSet};

use super::Run;
use crate::RunnerError;
use crate::store::{Key, Store};

/// `MLflow`'s number for a run that a program on this machine made.
const LOCAL: u8 = 4;

/// What a run has as files of its own that say something of it.
const REPLACED: [&str; 3] = ["params", "metrics", "tags"];

/// Writes a run into a store, below `mlruns`; the run's `meta.yaml`, by which a reader finds it, last. Returns the run's
/// folder. Parameters, metrics and tags that the run had when it was written before, and has no longer, are removed; an
/// artifact stays.
///
/// # Errors
/// As [`Store::put_bytes`], [`Store::list`] and [`Store::remove`].
pub fn write(store: &Store, run: &Run) -> Result<Key, RunnerError> {
    let experiment = Key::new(format!("mlruns/{}", run.experiment_id))?;
    let folder = experiment.join(&run.id)?;
    let meta = folder.join("meta.yaml")?;
    let mut written = BTreeSet::new();
    let mut put = |name: String, bytes: Vec<u8>| {
        let key = folder.join(&name)?;
        written.insert(key.clone());
        store.put_bytes(&key, bytes)
    };
    for (name, value) in &run.params {
        put(format!("params/{name}"), value.clone().into_bytes())?;
    }
    for (name, value) in &run.tags {
        put(format!("tags/{name}"), value.clone().into_bytes())?;
    }
    let mut metrics: BTreeMap<&str, String> = BTreeMap::new();
    for metric in &run.metrics {
        let line = format!("{} {:?} {}\n", run.end_ms, metric.value, metric.step);
        metrics.entry(&metric.name).or_default().push_str(&line);
    }
    for (name, lines) in metrics {
        put(format!("metrics/{name}"), lines.into_bytes())?;
    }
    for (name, bytes) in &run.artifacts {
        put(format!("artifacts/{name}"), bytes.clone())?;
    }
    for kind in REPLACED {
        for object in store.list(&folder.join(kind)?)? {
            if !written.contains(&object.key) {
                store.remove(&object.key)?;
            }
        }
    }
    let about = experiment.join("meta.yaml")?;
    if !store.contains(&about)? {
        store.put_bytes(&about, experiment_meta(run, &store.url(&experiment)).into_bytes())?;
    }
    store.put_bytes(&meta, run_meta(run, &store.url(&folder)).into_bytes())?;
    Ok(folder)
}

fn experiment_meta(run: &Run, url: &str) -> String {
    let Run { experiment, experiment_id, start_ms, .. } = run;
    format!(
        "artifact_location: {}\ncreation_time: {start_ms}\nexperiment_id: '{experiment_id}'\n\
         last_update_time: {start_ms}\nlifecycle_stage: active\nname: {}\n",
        quoted(url),
        quoted(experiment),
    )
}

fn run_meta(run: &Run, url: &str) -> String {
    let Run { experiment_id, id, name, start_ms, end_ms, status, .. } = run;
    let status = status.number();
    format!(
        "artifact_uri: {}\nend_time: {end_ms}\nentry_point_name: ''\nexperiment_id: '{experiment_id}'\n\
         lifecycle_stage: active\nrun_id: {}\nrun_name: {}\nsource_name: ''\nsource_type: {LOCAL}\n\
         source_version: ''\nstart_time: {start_ms}\nstatus: {status}\ntags: []\nuser_id: ''\n",
        quoted(&format!("{url}/artifacts")),
        quoted(id),
        quoted(name),
    )
}

/// A YAML scalar that is text whatever it looks like.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
