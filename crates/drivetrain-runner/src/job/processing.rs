//! Processing jobs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::execution::{Execution, HOST};
use super::{CompletedJob, ContainerPath, JobDirectory, Platform, limits};
use crate::store::Key;
use crate::tree::Tree;
use crate::{JobName, Program, RunnerError};

/// The most characters of a variable's name or value.
const MAX_VARIABLE_LENGTH: usize = 256;

/// A request for a processing job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessingJob {
    /// The job's name.
    pub name: JobName,
    /// What stands in for the image.
    pub program: Program,
    /// The arguments of the container.
    pub arguments: Vec<Argument>,
    /// The variables of the container.
    pub environment: BTreeMap<String, String>,
    /// What is moved in before the job starts.
    pub inputs: Vec<ProcessingInput>,
    /// What is moved out after it succeeded, in this order: what tells readers that the rest is there goes last.
    pub outputs: Vec<ProcessingOutput>,
    /// Where the list of all outputs goes, last; see [`Publication`](crate::store::Publication).
    pub publication: Option<Key>,
}

/// An argument of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// Passed as it is.
    Text(String),
    /// A path in the container, passed as the path of the same place in the job's directory.
    Path(ContainerPath),
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<ContainerPath> for Argument {
    fn from(path: ContainerPath) -> Self {
        Self::Path(path)
    }
}

/// Objects moved into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessingInput {
    /// The input's name.
    pub name: String,
    /// An object, or the folder of several.
    pub source: Key,
    /// The list that they must agree with, if there is one under that key.
    pub publication: Option<Key>,
    /// The folder they are put in.
    pub destination: ContainerPath,
}

/// Files moved out of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessingOutput {
    /// The output's name.
    pub name: String,
    /// The folder; it exists before the job starts.
    pub source: ContainerPath,
    /// The folder of the objects.
    pub destination: Key,
}

impl Platform<'_> {
    /// Runs a processing job; `on_line` sees its log as it grows.
    ///
    /// # Errors
    /// [`RunnerError::InvalidJob`] for a request the platform would refuse, [`RunnerError::JobFailed`] with the job's own
    /// message if it exits with anything but 0, [`RunnerError::Interrupted`], and whatever the store can fail with.
    pub fn run_processing(
        &self,
        job: &ProcessingJob,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<CompletedJob, RunnerError> {
        let as_requested: Vec<_> = job.arguments.iter().map(Argument::to_string).collect();
        limits::arguments(&job.name, &as_requested)?;
        limits::environment(&job.name, &job.environment, MAX_VARIABLE_LENGTH)?;
        let directory = JobDirectory::create(&self.work, job.name.as_str())?;
        directory.write_json("config/processingjobconfig.json", &self.processing_config(job, &as_requested))?;
        directory.write_json("config/resourceconfig.json", &json!({ "current_host": HOST, "hosts": [HOST] }))?;
        let base = directory.base();
        for output in &job.outputs {
            let folder = output.source.below(&base);
            std::fs::create_dir_all(&folder).map_err(crate::error::file("make", &folder))?;
        }
        for input in &job.inputs {
            self.bring(&input.source, input.publication.as_ref(), &input.destination.below(&base))?;
        }
        let success = self.execute(
            std::slice::from_ref(&directory),
            &Execution {
                kind: "processing",
                name: &job.name,
                program: &job.program,
                arguments: job.arguments.iter().map(|argument| argument.below(&base)).collect(),
                environment: job.environment.clone(),
                message: "output/message",
            },
            on_line,
        )?;
        let (mut files, mut skipped) = (Vec::new(), Vec::new());
        for output in &job.outputs {
            let tree = Tree::read(&output.source.below(&base))?;
            files.extend(tree.keyed(&output.destination)?);
            skipped.extend(tree.skipped);
        }
        let mut outputs = self.store.put_all(&files, &self.unpublished(&job.name)?, job.publication.as_ref())?;
        outputs.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(CompletedJob {
            name: job.name.clone(),
            duration: success.duration,
            log: success.log,
            outputs,
            exit_message: success.message,
            skipped,
        })
    }

    /// The request as the platform mirrors it into the container.
    fn processing_config(&self, job: &ProcessingJob, arguments: &[String]) -> Value {
        let inputs: Vec<_> = job
            .inputs
            .iter()
            .map(|input| {
                json!({
                    "InputName": input.name,
                    "AppManaged": false,
                    "S3Input": {
                        "LocalPath": input.destination.as_str(),
                        "S3Uri": self.store.url(&input.source),
                        "S3DataDistributionType": "FullyReplicated",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                        "S3CompressionType": "None",
                    },
                })
            })
            .collect();
        let outputs: Vec<_> = job
            .outputs
            .iter()
            .map(|output| {
                json!({
                    "OutputName": output.name,
                    "AppManaged": false,
                    "S3Output": {
                        "LocalPath": output.source.as_str(),
                        "S3Uri": self.store.url(&output.destination),
                        "S3UploadMode": "EndOfJob",
                    },
                })
            })
            .collect();
        json!({
            "ProcessingJobArn": format!("arn:aws:sagemaker:local:000000000000:processing-job/{}", job.name),
            "ProcessingJobName": job.name,
            "AppSpecification": {
                "ImageUri": job.program.path().display().to_string(),
                "ContainerEntrypoint": null,
                "ContainerArguments": arguments,
            },
            "Environment": job.environment,
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": { "Outputs": outputs, "KmsKeyId": null },
            "ProcessingResources": {
                "ClusterConfig": { "InstanceCount": 1, "InstanceType": "local", "VolumeSizeInGB": 30 },
            },
        })
    }
}

impl Argument {
    fn below(&self, base: &std::path::Path) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Path(path) => path.below(base).display().to_string(),
        }
    }
}

impl std::fmt::Display for Argument {
    /// As the platform would be asked for it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Path(path) => f.write_str(path.as_str()),
        }
    }
}
