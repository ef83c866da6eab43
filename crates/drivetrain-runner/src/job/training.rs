//! Training jobs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::execution::{Execution, Success};
use super::hosts;
use super::{CompletedJob, JobDirectory, Platform, limits};
use crate::archive::pack;
use crate::metrics::{Metric, MetricDefinitions};
use crate::store::{Key, StoredObject};
use crate::tree::Tree;
use crate::{JobName, Program, RunnerError};

/// The most characters of a variable's name or value.
const MAX_VARIABLE_LENGTH: usize = 512;
/// The platform's name for a cluster of equal machines.
const INSTANCE_GROUP: &str = "homogeneousCluster";

/// A request for a training job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingJob {
    /// The job's name.
    pub name: JobName,
    /// What stands in for the image; it is called with the argument `train`.
    pub program: Program,
    /// On how many machines it runs: `algo-1`, which leaves the model, `algo-2` and so on.
    pub hosts: usize,
    /// The input channels.
    pub channels: Vec<Channel>,
    /// The hyper-parameters; values are text, as the platform passes them.
    pub hyper_parameters: BTreeMap<String, String>,
    /// The variables of the container.
    pub environment: BTreeMap<String, String>,
    /// What to look for in the log.
    pub metric_definitions: MetricDefinitions,
    /// The folder of results: the model goes to `<output>/<job>/output/model.tar.gz`.
    pub output: Key,
}

/// An input of a training job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The channel's name: its objects are in `input/data/<name>`.
    pub name: String,
    /// An object, or the folder of several.
    pub source: Key,
    /// The list that its objects must agree with, if there is one under that key.
    pub publication: Option<Key>,
    /// The content type, if the job wants to know it.
    pub content_type: Option<String>,
}

/// A training job that ended well.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletedTraining {
    /// What every job leaves; its outputs are `model.tar.gz`, and `output.tar.gz` if there was anything to pack.
    pub job: CompletedJob,
    /// The model.
    pub model: StoredObject,
    /// What the metric definitions found in the log, in order of appearance.
    pub metrics: Vec<Metric>,
}

impl Platform<'_> {
    /// Runs a training job; `on_line` sees its log as it grows.
    ///
    /// Of several hosts each is a process with a directory of its own, in which are all objects of every channel. The
    /// variable `DRIVETRAIN_HOSTS` tells each where the others would listen on this machine, for their names do not
    /// resolve. If one fails the others are stopped, and the job has failed. What hosts but the first leave goes nowhere;
    /// their logs are kept as `log-<host>.txt`.
    ///
    /// Both archives are packed before either is uploaded, and the model goes last: where a model is, the rest is too.
    /// `published.json` beside them is their [`Publication`](crate::store::Publication).
    ///
    /// # Errors
    /// [`RunnerError::InvalidJob`] for a request the platform would refuse, [`RunnerError::JobFailed`] with the job's
    /// failure file if it exits with anything but 0, [`RunnerError::EmptyModel`] if it leaves no model,
    /// [`RunnerError::Interrupted`], and whatever the store can fail with.
    pub fn run_training(
        &self,
        job: &TrainingJob,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<CompletedTraining, RunnerError> {
        limits::environment(&job.name, &job.environment, MAX_VARIABLE_LENGTH)?;
        limits::hyper_parameters(&job.name, &job.hyper_parameters)?;
        limits::channels(&job.name, job.channels.iter().map(|channel| channel.name.as_str()))?;
        limits::hosts(&job.name, job.hosts)?;
        let hosts: Vec<String> = (1..=job.hosts).map(|number| format!("algo-{number}")).collect();
        let directories = hosts
            .iter()
            .map(|host| {
                let directory = JobDirectory::create(&self.work, job.name.as_str())?;
                self.prepare_training(job, &directory, host, &hosts)?;
                Ok(directory)
            })
            .collect::<Result<Vec<_>, RunnerError>>()?;
        let directory = &directories[0];
        let mut environment = job.environment.clone();
        let arn = format!("arn:aws:sagemaker:local:000000000000:training-job/{}", job.name);
        environment.insert("TRAINING_JOB_NAME".to_owned(), job.name.to_string());
        environment.insert("TRAINING_JOB_ARN".to_owned(), arn);
        if let [_, _, ..] = &hosts[..] {
            environment.entry(hosts::VARIABLE.to_owned()).or_insert(hosts::addresses(&hosts)?);
        }
        let success = self.execute(
            &directories,
            &Execution {
                kind: "training",
                name: &job.name,
                program: &job.program,
                arguments: vec!["train".to_owned()],
                environment,
                message: "output/failure",
            },
            on_line,
        )?;
        let metrics = job.metric_definitions.scrape_file(&directory.log())?;
        self.export_training(job, directory, success, metrics)
    }

    /// Lays out configuration, data and empty folders.
    fn prepare_training(
        &self,
        job: &TrainingJob,
        directory: &JobDirectory,
        host: &str,
        hosts: &[String],
    ) -> Result<(), RunnerError> {
        let channels: Map<String, Value> =
            job.channels.iter().map(|channel| (channel.name.clone(), channel_config(channel))).collect();
        directory.write_json("input/config/hyperparameters.json", &job.hyper_parameters)?;
        directory.write_json("input/config/inputdataconfig.json", &channels)?;
        directory.write_json("input/config/resourceconfig.json", &resource_config(host, hosts))?;
        for folder in ["model", "output/data", "checkpoints", "input/data"] {
            directory.folder(folder)?;
        }
        for channel in &job.channels {
            let folder = directory.path("input/data").join(&channel.name);
            self.bring(&channel.source, channel.publication.as_ref(), &folder)?;
        }
        Ok(())
    }

    fn export_training(
        &self,
        job: &TrainingJob,
        directory: &JobDirectory,
        success: Success,
        metrics: Vec<Metric>,
    ) -> Result<CompletedTraining, RunnerError> {
        let exports = job.output.join(&format!("{}/output", job.name))?;
        let (model, data) = (directory.path("model"), directory.path("output/data"));
        let (model_archive, data_archive) =
            (directory.root().join("model.tar.gz"), directory.root().join("output.tar.gz"));
        if pack(&model, &model_archive)? == 0 {
            return Err(RunnerError::EmptyModel { job: job.name.to_string(), path: model });
        }
        let has_data = pack(&data, &data_archive)? > 0;
        let mut skipped = Tree::read(&model)?.skipped;
        skipped.extend(Tree::read(&data)?.skipped);
        let mut files = Vec::new();
        if has_data {
            files.push((exports.join("output.tar.gz")?, data_archive));
        }
        files.push((exports.join("model.tar.gz")?, model_archive));
        let publication = exports.join("published.json")?;
        let mut outputs = self.store.put_all(&files, &self.unpublished(&job.name)?, Some(&publication))?;
        outputs.reverse();
        let model = outputs[0].clone();
        let job = CompletedJob {
            name: job.name.clone(),
            duration: success.duration,
            log: success.log,
            outputs,
            exit_message: success.message,
            skipped,
        };
        Ok(CompletedTraining { job, model, metrics })
    }
}

fn channel_config(channel: &Channel) -> Value {
    let mut config = json!({
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    });
    if let Some(content_type) = &channel.content_type {
        config["ContentType"] = json!(content_type);
    }
    config
}

fn resource_config(host: &str, hosts: &[String]) -> Value {
    json!({
        "current_host": host,
        "hosts": hosts,
        "current_instance_type": "local",
        "current_group_name": INSTANCE_GROUP,
        "instance_groups": [{
            "instance_group_name": INSTANCE_GROUP,
            "instance_type": "local",
            "hosts": hosts,
        }],
        "network_interface_name": "lo",
    })
}
