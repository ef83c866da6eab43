//! The feature matrices into a random forest and its metrics.

use std::collections::BTreeMap;

use drivetrain_runner::job::{Channel, CompletedTraining, TrainingJob};
use drivetrain_runner::metrics::{MetricDefinition, MetricDefinitions};
use drivetrain_runner::{Program, RunnerError};

use crate::cli::{ForestArgs, HostsArgs};
use crate::error::Error;
use crate::layout;
use crate::session::Session;

/// The metrics a training job prints for either part.
pub(crate) const METRICS: [&str; 4] = ["mae", "mse", "rmse", "r2"];
/// The parts of the data a training job sees.
pub(crate) const PARTS: [&str; 2] = ["train", "val"];

pub(super) fn run(
    session: &mut Session<'_>,
    program: &Program,
    args: &ForestArgs,
    hosts: HostsArgs,
    seed: u64,
) -> Result<CompletedTraining, Error> {
    let seed = seed.to_string();
    let (name, about) = (session.run().clone(), format!("a random forest of {} trees", args.n_estimators));
    let step = session.start("train", &about, Some(&name))?;
    let channels = PARTS.map(|part| {
        Ok(Channel {
            name: part.to_owned(),
            source: layout::gold(part)?,
            publication: Some(layout::gold_publication()?),
            content_type: Some("application/x-npy".to_owned()),
        })
    });
    let flags = [
        ("n-estimators", args.n_estimators.as_str()),
        ("max-depth", args.max_depth.as_str()),
        ("max-features", args.max_features.as_str()),
    ];
    for (name, value) in flags {
        session.parameter(name, value);
    }
    session.parameter("random-state", &seed);
    let mut hyper_parameters: BTreeMap<_, _> =
        flags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    hyper_parameters.insert("random-state".to_owned(), seed);
    let job = TrainingJob {
        name,
        program: program.clone(),
        hosts: hosts.hosts,
        channels: channels.into_iter().collect::<Result<_, Error>>()?,
        hyper_parameters,
        environment: BTreeMap::new(),
        metric_definitions: metric_definitions()?,
        output: layout::regressors()?,
    };
    let done = session.platform.run_training(&job, &mut |line| step.show(line))?;
    // What an evaluation found under this name stays.
    session.record.metrics.retain(|metric| metric.name.starts_with("cv:"));
    session.record.metrics.extend(done.metrics.iter().cloned());
    done.job.outputs.iter().try_for_each(|object| session.artifact(object))?;
    session.finish(step, Some(done.job.log.key.clone()))?;
    Ok(done)
}

/// `train:mae` is the number of `train_mae=0.76;`, and so on.
fn metric_definitions() -> Result<MetricDefinitions, RunnerError> {
    let definitions = METRICS.iter().flat_map(|metric| {
        PARTS.map(|part| MetricDefinition::new(format!("{part}:{metric}"), format!(r"\b{part}_{metric}=([^;\s]+);")))
    });
    MetricDefinitions::new(definitions.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_training_job_are_understood() {
        let log = "train_mae=0.76;  val_mae=1.14;\ntrain_mse=1;  val_mse=3.3;\n\
                   train_rmse=1e0;  val_rmse=1.81;\ntrain_r2=0.98;  val_r2=-0.5;\n";
        let metrics = metric_definitions().unwrap().scrape(log);
        let found: Vec<_> = metrics.iter().map(|metric| (metric.name.as_str(), metric.value)).collect();
        let expected = [
            ("train:mae", 0.76),
            ("val:mae", 1.14),
            ("train:mse", 1.0),
            ("val:mse", 3.3),
            ("train:rmse", 1.0),
            ("val:rmse", 1.81),
            ("train:r2", 0.98),
            ("val:r2", -0.5),
        ];
        assert_eq!(found, expected);
    }
}
