//! The SageMaker container contract: directories, configuration files, hyper-parameters and `SM_*` variables.
//!
//! The process's variables come in as a map, read once at the edge, so nothing in this crate asks the process for them
//! and a test passes its own. `SAGEMAKER_BASE_DIR` moves the whole tree away from `/opt/ml`.
//!
//! The platform sets only the user's own variables. The `SM_*` ones come from a toolkit inside of other images; here
//! they are derived from the same configuration files, and one that is already set wins over the file.

mod hyperparameters;
mod paths;
mod variables;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

pub use hyperparameters::Hyperparameters;
pub use paths::Paths;

use crate::Error;

/// The host that a single job on one machine sees.
const DEFAULT_HOST: &str = "algo-1";

/// Everything that a job knows about where it runs.
///
/// ```
/// use std::collections::BTreeMap;
/// use drivetrain_container::environment::SageMakerEnv;
///
/// let variables = BTreeMap::from([
///     ("SAGEMAKER_BASE_DIR".to_owned(), "/tmp/no-such-job".to_owned()),
///     ("SM_MODEL_DIR".to_owned(), "/models".to_owned()),
/// ]);
/// let env = SageMakerEnv::load(variables)?;
/// assert_eq!(env.variable("SM_MODEL_DIR"), Some("/models"));
/// assert_eq!(env.variable("SM_OUTPUT_DATA_DIR"), Some("/tmp/no-such-job/output/data"));
/// assert_eq!(env.channel("train"), std::path::Path::new("/tmp/no-such-job/input/data/train"));
/// # Ok::<(), drivetrain_container::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SageMakerEnv {
    paths: Paths,
    set: BTreeMap<String, String>,
    derived: BTreeMap<String, String>,
    hosts: Hosts,
    hyperparameters: Hyperparameters,
    sharded_channels: Vec<String>,
}

/// The machines of a job.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "ResourceConfig")]
pub struct Hosts {
    /// The name of this machine.
    pub current: String,
    /// The names of all machines; never empty.
    pub all: Vec<String>,
}

#[derive(Deserialize)]
struct ResourceConfig {
    current_host: Option<String>,
    #[serde(default)]
    hosts: Vec<String>,
}

impl From<ResourceConfig> for Hosts {
    fn from(config: ResourceConfig) -> Self {
        let current = config.current_host.unwrap_or_else(|| DEFAULT_HOST.to_owned());
        let mut all = config.hosts;
        if all.is_empty() {
            all.push(current.clone());
        }
        Self { current, all }
    }
}

impl Default for Hosts {
    fn default() -> Self {
        ResourceConfig { current_host: None, hosts: Vec::new() }.into()
    }
}

impl Hosts {
    /// The machine that speaks for all of them: the first by name.
    #[must_use]
    pub fn main(&self) -> &str {
        self.all.iter().min().unwrap_or(&self.current)
    }

    /// Whether this machine is the [`main`](Self::main) one.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.main() == self.current
    }
}

impl SageMakerEnv {
    /// The variable that moves the tree away from `/opt/ml`.
    pub const BASE_DIR: &'static str = "SAGEMAKER_BASE_DIR";

    /// Reads the configuration files below the base directory; each of them may be absent.
    ///
    /// # Errors
    /// [`Error::Read`] when a file that is there cannot be read, [`Error::ParseConfig`] when it does not say what it
    /// should.
    pub fn load(variables: BTreeMap<String, String>) -> Result<Self, Error> {
        let paths = Self::locate(variables.get(Self::BASE_DIR).map(OsStr::new));
        let hyperparameters = Hyperparameters::read(&paths.hyperparameters_file())?;
        let resource_file = [paths.training_resource_config_file(), paths.processing_resource_config_file()]
            .into_iter()
            .find(|path| path.exists());
        let (hosts, resource_config) = match resource_file {
            Some(path) => {
                let Hosts { current, all } = read_json(&path)?.unwrap_or_default();
                if !all.contains(&current) {
                    return Err(Error::UnknownHost { path, current, hosts: all });
                }
                (Hosts { current, all }, read_json(&path)?.unwrap_or_default())
            }
            None => (Hosts::default(), BTreeMap::new()),
        };
        let channels: BTreeMap<String, Value> = match read_json(&paths.input_data_config_file())? {
            Some(channels) => channels,
            None => list_directories(&paths.channels_dir())?,
        };
        let job_name = variables.get("TRAINING_JOB_NAME").map(String::as_str);
        let derived = variables::derive(&variables::Sources {
            paths: &paths,
            hosts: &hosts,
            channels: &channels,
            hyperparameters: &hyperparameters,
            resource_config: &resource_config,
            job_name,
        });
        let sharded = |config: &Value| config["S3DistributionType"] == "ShardedByS3Key";
        let sharded_channels = channels.iter().filter(|(_, config)| sharded(config)).map(|(name, _)| name.clone());
        let sharded_channels = sharded_channels.collect();
        Ok(Self { paths, set: variables, derived, hosts, hyperparameters, sharded_channels })
    }

    /// The directories alone: what is known even when a configuration file is broken.
    ///
    /// `base_dir` is the value of [`BASE_DIR`](Self::BASE_DIR), if it is set.
    #[must_use]
    pub fn locate(base_dir: Option<&OsStr>) -> Paths {
        Paths::new(base_dir.filter(|base| !base.is_empty()).unwrap_or(OsStr::new(Paths::DEFAULT_BASE)))
    }

    /// The directories.
    #[must_use]
    pub const fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The machines of the job.
    #[must_use]
    pub const fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The decoded hyper-parameters of the file.
    #[must_use]
    pub const fn hyperparameters(&self) -> &Hyperparameters {
        &self.hyperparameters
    }

    /// The training channels whose files are spread over the machines (`ShardedByS3Key`).
    #[must_use]
    pub fn sharded_channels(&self) -> &[String] {
        &self.sharded_channels
    }

    /// The variable called `name`: as the process has it, unless that is empty, or else as derived.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let set = self.set.get(name).filter(|value| !value.is_empty());
        set.or_else(|| self.derived.get(name)).map(String::as_str)
    }

    /// All variables, set and derived, sorted by name.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<&str, &str> {
        self.derived.iter().chain(&self.set).map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The directory of the training channel `name`: `SM_CHANNEL_<NAME>`, or else its place in the tree.
    #[must_use]
    pub fn channel(&self, name: &str) -> PathBuf {
        self.variable(&format!("SM_CHANNEL_{}", name.to_uppercase()))
            .map_or_else(|| self.paths.channel(name), PathBuf::from)
    }

    /// The model directory: `SM_MODEL_DIR`, or else its place in the tree.
    #[must_use]
    pub fn model_dir(&self) -> PathBuf {
        self.variable("SM_MODEL_DIR").map_or_else(|| self.paths.model_dir(), PathBuf::from)
    }

    /// The directory of a training job's other outputs: `SM_OUTPUT_DATA_DIR`, or else its place in the tree.
    #[must_use]
    pub fn output_data_dir(&self) -> PathBuf {
        self.variable("SM_OUTPUT_DATA_DIR").map_or_else(|| self.paths.output_data_dir(), PathBuf::from)
    }

    /// The hyper-parameter `name` as text: `SM_HP_<NAME>` where the process has it, or else the file's value.
    ///
    /// Hyphens and underscores in `name` are one and the same.
    #[must_use]
    pub fn hyperparameter(&self, name: &str) -> Option<String> {
        let spellings = [name.replace('_', "-"), name.replace('-', "_")];
        let variable = |spelling: &String| {
            let set = self.set.get(&format!("SM_HP_{}", spelling.to_uppercase())).filter(|value| !value.is_empty())?;
            Some(variables::text(&hyperparameters::decode_text(set.clone())))
        };
        let value = |spelling: &String| self.hyperparameters.get(spelling).map(variables::text);
        spellings.iter().find_map(variable).or_else(|| spellings.iter().find_map(value))
    }
}

/// Reads a JSON file; `None` when there is no such file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|source| Error::ParseConfig { path: path.to_owned(), source })
}

/// One entry per directory in `path`, for a tree that somebody laid out without a channel configuration.
fn list_directories(path: &Path) -> Result<BTreeMap<String, Value>, Error> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(read(error)),
    };
    let mut directories = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(read)?;
        if entry.path().is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            directories.insert(name, Value::Object(serde_json::Map::new()));
        }
    }
    Ok(directories)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn load(base: &Path, set: &[(&str, &str)]) -> Result<SageMakerEnv, Error> {
        let mut variables: BTreeMap<_, _> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        variables.insert("SAGEMAKER_BASE_DIR".to_owned(), base.display().to_string());
        SageMakerEnv::load(variables)
    }

    fn write(base: &Path, file: &str, text: &str) {
        let path = base.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn an_empty_tree_is_one_host_without_channels() {
        let base = tempfile::tempdir().unwrap();
        let env = load(base.path(), &[]).unwrap();
        assert!(env.hosts().is_main());
        assert_eq!(env.variable("SM_CURRENT_HOST"), Some("algo-1"));
        assert_eq!(env.variable("SM_HOSTS"), Some("[\"algo-1\"]"));
        assert_eq!(env.variable("SM_CHANNELS"), Some("[]"));
        assert_eq!(env.variable("SM_HPS"), Some("{}"));
        assert_eq!(env.variable("SM_USER_ARGS"), Some("[]"));
        assert_eq!(env.variable("SM_INSTANCE_GROUPS"), Some("[]"));
        assert_eq!(env.variable("SM_CURRENT_INSTANCE_TYPE"), Some("local"));
        assert_eq!(env.variable("SM_NETWORK_INTERFACE_NAME"), Some("eth0"));
        assert!(env.variable("SM_NUM_CPUS").unwrap().parse::<usize>().unwrap() >= 1);
        assert_eq!(env.model_dir(), base.path().join("model"));
    }

    #[test]
    fn variables_follow_from_the_configuration_files() {
        let base = tempfile::tempdir().unwrap();
        write(base.path(), "input/config/hyperparameters.json", r#"{"n-estimators": "20", "name": "\"rf\""}"#);
        write(
            base.path(),
            "input/config/inputdataconfig.json",
            r#"{"val": {}, "train": {"TrainingInputMode": "File"}}"#,
        );
        write(
            base.path(),
            "input/config/resourceconfig.json",
            r#"{"current_host": "algo-2", "hosts": ["algo-2", "algo-1"], "current_instance_type": "ml.m5.large",
                "current_group_name": "workers", "instance_groups": [
                    {"instance_group_name": "workers", "instance_type": "ml.m5.large", "hosts": ["algo-2"]},
                    {"instance_group_name": "other", "instance_type": "ml.c5.large", "hosts": ["algo-1"]}]}"#,
        );
        let env = load(base.path(), &[("TRAINING_JOB_NAME", "cars-1")]).unwrap();
        assert_eq!(env.variable("SM_HPS"), Some(r#"{"n-estimators":20,"name":"rf"}"#));
        assert_eq!(env.variable("SM_HP_N-ESTIMATORS"), Some("20"));
        assert_eq!(env.variable("SM_HP_NAME"), Some("rf"));
        assert_eq!(env.variable("SM_CHANNELS"), Some(r#"["train","val"]"#));
        assert_eq!(env.variable("SM_INPUT_DATA_CONFIG"), Some(r#"{"train":{"TrainingInputMode":"File"},"val":{}}"#));
        assert_eq!(env.variable("SM_HOSTS"), Some(r#"["algo-2","algo-1"]"#));
        assert_eq!(env.variable("SM_CURRENT_INSTANCE_TYPE"), Some("ml.m5.large"));
        assert_eq!(env.variable("SM_INSTANCE_GROUPS"), Some(r#"["workers","other"]"#));
        assert_eq!(env.variable("SM_CURRENT_INSTANCE_GROUP_HOSTS"), Some(r#"["algo-2"]"#));
        assert_eq!(env.variable("SM_USER_ARGS"), Some(r#"["--n-estimators","20","--name","rf"]"#));
        let training_env: Value = serde_json::from_str(env.variable("SM_TRAINING_ENV").unwrap()).unwrap();
        assert_eq!(training_env["hyperparameters"]["n-estimators"], 20);
        assert_eq!(training_env["channel_input_dirs"]["val"], base.path().join("input/data/val").display().to_string());
        assert_eq!(training_env["log_level"], 20);
        assert_eq!(training_env["job_name"], "cars-1");
        assert_eq!(env.channel("train"), base.path().join("input/data/train"));
        assert!(!env.hosts().is_main());
    }

    #[test]
    fn channels_without_a_configuration_are_the_directories() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir_all(base.path().join("input/data/train")).unwrap();
        write(base.path(), "input/data/notes.txt", "not a channel");
        assert_eq!(load(base.path(), &[]).unwrap().variable("SM_CHANNELS"), Some(r#"["train"]"#));
    }

    #[test]
    fn a_variable_that_is_set_wins_over_the_file() {
        let base = tempfile::tempdir().unwrap();
        write(base.path(), "input/config/hyperparameters.json", r#"{"n-estimators": "20", "max_depth": "3"}"#);
        let set = [("SM_HP_N_ESTIMATORS", "7"), ("SM_HP_OOB-SCORE", "True"), ("SM_CHANNEL_TRAIN", "/elsewhere")];
        let env = load(base.path(), &set).unwrap();
        assert_eq!(env.hyperparameter("n-estimators").as_deref(), Some("7"));
        assert_eq!(env.hyperparameter("max-depth").as_deref(), Some("3"));
        assert_eq!(env.hyperparameter("oob_score").as_deref(), Some("true"));
        let empty = load(base.path(), &[("SM_HP_MAX_DEPTH", ""), ("SM_CHANNEL_TRAIN", "")]).unwrap();
        assert_eq!(empty.hyperparameter("max-depth").as_deref(), Some("3"));
        assert_eq!(empty.channel("train"), base.path().join("input/data/train"));
        assert_eq!(env.hyperparameter("bootstrap"), None);
        assert_eq!(env.channel("train"), Path::new("/elsewhere"));
        assert_eq!(env.variables()["SM_CHANNEL_TRAIN"], "/elsewhere");
    }

    #[test]
    fn a_processing_job_has_its_hosts_elsewhere() {
        let base = tempfile::tempdir().unwrap();
        write(
            base.path(),
            "config/resourceconfig.json",
            r#"{"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}"#,
        );
        let env = load(base.path(), &[]).unwrap();
        assert_eq!(env.hosts().all, ["algo-1", "algo-2"]);
        assert!(env.hosts().is_main());
    }

    #[test]
    fn a_host_that_is_none_of_the_jobs_is_refused() {
        let base = tempfile::tempdir().unwrap();
        write(base.path(), "input/config/resourceconfig.json", r#"{"current_host": "x", "hosts": ["a", "b"]}"#);
        let message = load(base.path(), &[]).unwrap_err().to_string();
        assert!(message.contains("the current host `x` is not among the hosts a, b"), "{message}");
    }

    #[test]
    fn a_broken_file_is_named() {
        let base = tempfile::tempdir().unwrap();
        write(base.path(), "input/config/resourceconfig.json", "{");
        let error = load(base.path(), &[]).unwrap_err();
        assert!(error.to_string().contains("resourceconfig.json"), "{error}");
    }
}
