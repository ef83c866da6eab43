//! Where the platform puts things.

use std::path::{Path, PathBuf};

/// The directory tree a job sees, below one base directory.
///
/// ```
/// use drivetrain_container::environment::Paths;
///
/// let paths = Paths::new("/opt/ml");
/// assert_eq!(paths.channel("train"), std::path::Path::new("/opt/ml/input/data/train"));
/// assert_eq!(paths.failure_file(), std::path::Path::new("/opt/ml/output/failure"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    base: PathBuf,
}

impl Paths {
    /// The platform's base directory, unless `SAGEMAKER_BASE_DIR` names another.
    pub const DEFAULT_BASE: &'static str = "/opt/ml";

    /// The tree below `base`.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Self { base: base.into() }
    }

    /// The base directory.
    #[must_use]
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The inputs of a training job.
    #[must_use]
    pub fn input_dir(&self) -> PathBuf {
        self.base.join("input")
    }

    /// The configuration files of a training job.
    #[must_use]
    pub fn input_config_dir(&self) -> PathBuf {
        self.base.join("input/config")
    }

    /// The hyper-parameters of a training job: a JSON object of encoded strings.
    #[must_use]
    pub fn hyperparameters_file(&self) -> PathBuf {
        self.input_config_dir().join("hyperparameters.json")
    }

    /// The channels of a training job: a JSON object with one key per channel.
    #[must_use]
    pub fn input_data_config_file(&self) -> PathBuf {
        self.input_config_dir().join("inputdataconfig.json")
    }

    /// The hosts of a training job.
    #[must_use]
    pub fn training_resource_config_file(&self) -> PathBuf {
        self.input_config_dir().join("resourceconfig.json")
    }

    /// The hosts of a processing job.
    #[must_use]
    pub fn processing_resource_config_file(&self) -> PathBuf {
        self.base.join("config/resourceconfig.json")
    }

    /// The directory that holds one directory per channel.
    #[must_use]
    pub fn channels_dir(&self) -> PathBuf {
        self.base.join("input/data")
    }

    /// The files of the training channel `name`.
    #[must_use]
    pub fn channel(&self, name: &str) -> PathBuf {
        self.channels_dir().join(name)
    }

    /// What a training job leaves here is packed as `model.tar.gz`; a serving job finds it unpacked here.
    #[must_use]
    pub fn model_dir(&self) -> PathBuf {
        self.base.join("model")
    }

    /// An endpoint of many models finds them below this directory.
    #[must_use]
    pub fn models_dir(&self) -> PathBuf {
        self.base.join("models")
    }

    /// The outputs of a job other than the model.
    #[must_use]
    pub fn output_dir(&self) -> PathBuf {
        self.base.join("output")
    }

    /// What a training job leaves here is packed as `output.tar.gz`.
    #[must_use]
    pub fn output_data_dir(&self) -> PathBuf {
        self.base.join("output/data")
    }

    /// Files that are copied out while a training job runs.
    #[must_use]
    pub fn output_intermediate_dir(&self) -> PathBuf {
        self.base.join("output/intermediate")
    }

    /// Why a training job failed.
    #[must_use]
    pub fn failure_file(&self) -> PathBuf {
        self.base.join("output/failure")
    }

    /// Why a processing job failed.
    #[must_use]
    pub fn message_file(&self) -> PathBuf {
        self.base.join("output/message")
    }

    /// The directory `name` among the inputs of a processing job.
    #[must_use]
    pub fn processing_input(&self, name: &str) -> PathBuf {
        self.base.join("processing/input").join(name)
    }

    /// The directory `name` of a processing job.
    #[must_use]
    pub fn processing(&self, name: &str) -> PathBuf {
        self.base.join("processing").join(name)
    }
}
