//! The `SM_*` variables, derived the way the training toolkit derives them.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::{Hosts, Hyperparameters, Paths};

/// Python's `logging.INFO`, the toolkit's default.
const DEFAULT_LOG_LEVEL: &str = "20";

/// Derives every `SM_*` variable that follows from the configuration files.
///
/// Strings are bare; everything else is compact JSON with sorted keys. Names are upper-cased and otherwise kept, so the
/// hyper-parameter `max-depth` becomes `SM_HP_MAX-DEPTH`.
pub(super) fn derive(
    paths: &Paths,
    hosts: &Hosts,
    channels: &BTreeMap<String, Value>,
    hyperparameters: &Hyperparameters,
    resource_config: &BTreeMap<String, Value>,
) -> BTreeMap<String, String> {
    let mut derived = BTreeMap::new();
    let mut set = |name: &str, value: String| derived.insert(name.to_owned(), value);

    for (name, path) in [
        ("SM_INPUT_DIR", paths.input_dir()),
        ("SM_INPUT_CONFIG_DIR", paths.input_config_dir()),
        ("SM_MODEL_DIR", paths.model_dir()),
        ("SM_OUTPUT_DIR", paths.output_dir()),
        ("SM_OUTPUT_DATA_DIR", paths.output_data_dir()),
        ("SM_OUTPUT_INTERMEDIATE_DIR", paths.output_intermediate_dir()),
    ] {
        set(name, display(&path));
    }

    set("SM_HOSTS", compact(&Value::from(hosts.all.clone())));
    set("SM_CURRENT_HOST", hosts.current.clone());
    set("SM_RESOURCE_CONFIG", compact(&object(resource_config)));
    for (name, key) in [
        ("SM_CURRENT_INSTANCE_TYPE", "current_instance_type"),
        ("SM_CURRENT_INSTANCE_GROUP", "current_group_name"),
        ("SM_NETWORK_INTERFACE_NAME", "network_interface_name"),
    ] {
        if let Some(value) = resource_config.get(key) {
            set(name, text(value));
        }
    }

    set("SM_CHANNELS", compact(&channels.keys().cloned().collect()));
    set("SM_INPUT_DATA_CONFIG", compact(&object(channels)));
    for name in channels.keys() {
        set(&format!("SM_CHANNEL_{}", name.to_uppercase()), display(&paths.channel(name)));
    }

    set("SM_HPS", compact(&hyperparameters.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()));
    for (name, value) in hyperparameters.iter() {
        set(&format!("SM_HP_{}", name.to_uppercase()), text(value));
    }

    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    set("SM_NUM_CPUS", cpus.to_string());
    set("SM_NUM_GPUS", "0".to_owned());
    set("SM_LOG_LEVEL", DEFAULT_LOG_LEVEL.to_owned());
    derived
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

fn object(entries: &BTreeMap<String, Value>) -> Value {
    entries.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// JSON without spaces; `serde_json`'s objects are sorted by key.
fn compact(value: &Value) -> String {
    value.to_string()
}

/// A value as the text of a variable or of a flag: strings bare, all else compact JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => compact(other),
    }
}
