//! The `SM_*` variables, derived the way the training toolkit (sagemaker-training 5) derives them.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};

use super::{Hosts, Hyperparameters, Paths};

/// Python's `logging.INFO`, the toolkit's default.
const DEFAULT_LOG_LEVEL: u32 = 20;

/// What a machine is called that is not one of the platform's.
const DEFAULT_INSTANCE_TYPE: &str = "local";
const DEFAULT_INSTANCE_GROUP: &str = "homogeneousCluster";
const DEFAULT_NETWORK_INTERFACE: &str = "eth0";

/// What the variables are derived from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) paths: &'a Paths,
    pub(super) hosts: &'a Hosts,
    pub(super) channels: &'a BTreeMap<String, Value>,
    pub(super) hyperparameters: &'a Hyperparameters,
    pub(super) resource_config: &'a BTreeMap<String, Value>,
    pub(super) job_name: Option<&'a str>,
}

/// Derives every `SM_*` variable that follows from the configuration files.
///
/// Strings are bare; everything else is compact JSON with sorted keys. Names are upper-cased and otherwise kept, so the
/// hyper-parameter `max-depth` becomes `SM_HP_MAX-DEPTH`.
pub(super) fn derive(sources: &Sources<'_>) -> BTreeMap<String, String> {
    let properties = properties(sources);
    // What the toolkit passes on under the name that the property has in its environment ...
    let mut derived: BTreeMap<String, String> =
        properties.iter().map(|(name, value)| (variable(name), text(value))).collect();
    // ... and under a name of its own.
    let hyperparameters = &properties["hyperparameters"];
    let channel_dirs = properties["channel_input_dirs"].as_object().into_iter().flatten();
    let channels: Vec<_> = sources.channels.keys().cloned().collect();
    for renamed in ["hyperparameters", "channel_input_dirs", "job_name", "is_master", "master_hostname"] {
        derived.remove(&variable(renamed));
    }
    derived.insert(variable("hps"), text(hyperparameters));
    derived.insert(variable("channels"), text(&json!(channels)));
    derived.insert(variable("user_args"), text(&json!(user_args(sources.hyperparameters))));
    for (name, directory) in channel_dirs {
        derived.insert(variable(&format!("channel_{name}")), text(directory));
    }
    for (name, value) in sources.hyperparameters.iter() {
        derived.insert(variable(&format!("hp_{name}")), text(value));
    }
    derived.insert(variable("training_env"), text(&Value::Object(properties)));
    derived
}

/// The toolkit's view of a training job: its property names and their values.
fn properties(sources: &Sources<'_>) -> Map<String, Value> {
    let Sources { paths, hosts, channels, hyperparameters, resource_config, job_name } = sources;
    let setting = |key: &str, default: &str| resource_config.get(key).map_or_else(|| default.to_owned(), text);
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);

    let group = setting("current_group_name", DEFAULT_INSTANCE_GROUP);
    let groups = resource_config.get("instance_groups").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let group_name = |group: &Value| group["instance_group_name"].as_str().unwrap_or_default().to_owned();
    let group_names: Vec<_> = groups.iter().map(group_name).collect();
    let groups_by_name: Map<_, _> = groups.iter().map(|group| (group_name(group), group.clone())).collect();
    let group_hosts = groups_by_name.get(&group).map_or_else(|| json!([]), |group| group["hosts"].clone());

    let channel_dirs: Map<_, _> =
        channels.keys().map(|name| (name.clone(), json!(display(&paths.channel(name))))).collect();
    let hyperparameters: Map<_, _> =
        hyperparameters.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let properties = [
        ("input_dir", json!(display(&paths.input_dir()))),
        ("input_config_dir", json!(display(&paths.input_config_dir()))),
        ("model_dir", json!(display(&paths.model_dir()))),
        ("output_dir", json!(display(&paths.output_dir()))),
        ("output_data_dir", json!(display(&paths.output_data_dir()))),
        ("output_intermediate_dir", json!(display(&paths.output_intermediate_dir()))),
        ("hosts", json!(hosts.all)),
        ("current_host", json!(hosts.current)),
        ("is_master", json!(hosts.is_main())),
        ("master_hostname", json!(hosts.main())),
        ("resource_config", json!(resource_config)),
        ("current_instance_type", json!(setting("current_instance_type", DEFAULT_INSTANCE_TYPE))),
        ("current_instance_group", json!(group)),
        ("current_instance_group_hosts", group_hosts),
        ("instance_groups", json!(group_names)),
        ("instance_groups_dict", Value::Object(groups_by_name)),
        ("is_hetero", json!(groups.len() > 1)),
        ("network_interface_name", json!(setting("network_interface_name", DEFAULT_NETWORK_INTERFACE))),
        ("input_data_config", json!(channels)),
        ("channel_input_dirs", Value::Object(channel_dirs)),
        ("hyperparameters", Value::Object(hyperparameters)),
        ("job_name", json!(job_name)),
        ("num_cpus", json!(cpus)),
        ("num_gpus", json!(0)),
        ("log_level", json!(DEFAULT_LOG_LEVEL)),
    ];
    properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The hyper-parameters as the command line of a training script: `["--max-depth", "3", ...]`, values as Python prints
/// them.
fn user_args(hyperparameters: &Hyperparameters) -> Vec<String> {
    let flag = |name: &str| if name.chars().count() == 1 { format!("-{name}") } else { format!("--{name}") };
    hyperparameters.iter().flat_map(|(name, value)| [flag(name), argument(value)]).collect()
}

fn argument(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| format!("{name}={}", argument(value)));
            entries.collect::<Vec<_>>().join(",")
        }
        other => text(other),
    }
}

fn variable(name: &str) -> String {
    format!("SM_{}", name.to_uppercase())
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

/// A value as the text of a variable or of a flag: strings bare, all else compact JSON; `serde_json`'s objects are
/// sorted by key.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
