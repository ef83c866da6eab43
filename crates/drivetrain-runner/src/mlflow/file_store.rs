//! The layout of `MLflow`'s file store.

use std::collections::BTreeMap;

use super::Run;
use crate::RunnerError;
use crate::store::{Key, Store};

/// `MLflow`'s number for a run that is done.
const FINISHED: u8 = 3;
/// `MLflow`'s number for a run that a program on this machine made.
const LOCAL: u8 = 4;

/// Writes a run into a store, below `mlruns`; the run's `meta.yaml`, by which a reader finds it, last. Returns the run's
/// folder.
///
/// # Errors
/// As [`Store::put_bytes`].
pub fn write(store: &Store, run: &Run) -> Result<Key, RunnerError> {
    let experiment = Key::new(format!("mlruns/{}", run.experiment_id))?;
    let folder = experiment.join(&run.id)?;
    let put = |folder: &Key, name: &str, text: String| store.put_bytes(&folder.join(name)?, text.into_bytes());
    for (name, value) in &run.params {
        put(&folder, &format!("params/{name}"), value.clone())?;
    }
    for (name, value) in &run.tags {
        put(&folder, &format!("tags/{name}"), value.clone())?;
    }
    let mut metrics: BTreeMap<&str, String> = BTreeMap::new();
    for metric in &run.metrics {
        let line = format!("{} {:?} {}\n", run.end_ms, metric.value, metric.step);
        metrics.entry(&metric.name).or_default().push_str(&line);
    }
    for (name, lines) in metrics {
        put(&folder, &format!("metrics/{name}"), lines)?;
    }
    for (name, bytes) in &run.artifacts {
        store.put_bytes(&folder.join(&format!("artifacts/{name}"))?, bytes.clone())?;
    }
    let meta = experiment.join("meta.yaml")?;
    if !store.contains(&meta)? {
        put(&experiment, "meta.yaml", experiment_meta(run, &store.url(&experiment)))?;
    }
    put(&folder, "meta.yaml", run_meta(run, &store.url(&folder)))?;
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
    let Run { experiment_id, id, name, start_ms, end_ms, .. } = run;
    format!(
        "artifact_uri: {}\nend_time: {end_ms}\nentry_point_name: ''\nexperiment_id: '{experiment_id}'\n\
         lifecycle_stage: active\nrun_id: {}\nrun_name: {}\nsource_name: ''\nsource_type: {LOCAL}\n\
         source_version: ''\nstart_time: {start_ms}\nstatus: {FINISHED}\ntags: []\nuser_id: ''\n",
        quoted(&format!("{url}/artifacts")),
        quoted(id),
        quoted(name),
    )
}

/// A YAML scalar that is text whatever it looks like.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
