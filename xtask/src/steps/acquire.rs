//! The raw file into three CSV files, and one with the names of their rows.

use std::collections::BTreeMap;
use std::fs;

use drivetrain_runner::Program;
use drivetrain_runner::job::{Argument, CompletedJob, ContainerPath, ProcessingInput, ProcessingJob, ProcessingOutput};

use crate::cli::{DataArgs, DataSource};
use crate::error::Error;
use crate::layout;
use crate::session::Session;

/// Where a local file is put for the job.
const RAW: &str = "/opt/ml/processing/input/raw";

/// Looks whether a local file is there, before anything is built.
pub(super) fn check(data: &DataSource) -> Result<(), Error> {
    let DataSource::File(path) = data else { return Ok(()) };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(Error::DataKind { path: path.clone() }),
        Err(source) => Err(Error::Data { path: path.clone(), source }),
    }
}

pub(super) fn run(
    session: &mut Session<'_>,
    program: &Program,
    args: &DataArgs,
    seed: u64,
) -> Result<CompletedJob, Error> {
    let seed = seed.to_string();
    let name = session.run().with_suffix("acquire")?;
    let about = format!("the {} data into train, val and test rows", args.data);
    let step = session.start("acquire", &about, Some(&name))?;
    session.parameter("data", &args.data.to_string());
    session.parameter("seed", &seed);
    session.parameter("train-fraction", &args.train_fraction);
    session.parameter("test-rows", &args.test_rows);
    let (data, inputs) = source(session, &args.data)?;
    let flag = |name: &str, value: &str| [Argument::from(format!("--{name}")), Argument::from(value)];
    let mut arguments = vec!["acquire".into(), "--data".into(), data];
    arguments.extend(flag("seed", &seed));
    arguments.extend(flag("train-fraction", &args.train_fraction));
    arguments.extend(flag("test-rows", &args.test_rows));
    let outputs = ["train", "val", "test", "cars"].map(|part| {
        Ok(ProcessingOutput {
            name: part.to_owned(),
            source: ContainerPath::new(format!("/opt/ml/processing/output/{part}"))?,
            destination: layout::bronze(part)?,
        })
    });
    let job = ProcessingJob {
        name,
        program: program.clone(),
        arguments,
        environment: BTreeMap::new(),
        inputs,
        outputs: outputs.into_iter().collect::<Result<_, Error>>()?,
        publication: Some(layout::bronze_publication()?),
    };
    let done = session.platform.run_processing(&job, &mut |line| step.show(line))?;
    done.outputs.iter().try_for_each(|object| session.artifact(object))?;
    session.finish(step, Some(done.log.key.clone()))?;
    Ok(done)
}

/// The job's `--data`, and the inputs it needs: a local file goes through the store, as it would go through S3.
pub(super) fn source(session: &mut Session<'_>, data: &DataSource) -> Result<(Argument, Vec<ProcessingInput>), Error> {
    let path = match data {
        DataSource::Bundled | DataSource::Url(_) => return Ok((data.to_string().into(), Vec::new())),
        DataSource::File(path) => path,
    };
    let key = layout::raw(path)?;
    let stored = session.store().put_file(&key, path)?;
    session.artifact(&stored)?;
    let in_container = ContainerPath::new(format!("{RAW}/{}", key.file_name()))?;
    let destination = ContainerPath::new(RAW)?;
    let input = ProcessingInput { name: "raw".to_owned(), source: key, publication: None, destination };
    Ok((in_container.into(), vec![input]))
}
