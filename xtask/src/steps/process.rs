//! The CSV files into feature matrices and a preprocessor.

use std::collections::BTreeMap;

use drivetrain_runner::Program;
use drivetrain_runner::job::{Argument, CompletedJob, ContainerPath, ProcessingInput, ProcessingJob, ProcessingOutput};
use drivetrain_runner::store::Key;

use crate::error::Error;
use crate::layout;
use crate::session::Session;

pub(super) fn run(session: &mut Session<'_>, program: &Program) -> Result<CompletedJob, Error> {
    let name = session.run().with_suffix("process")?;
    let step = session.start("process", "rows into features, and the preprocessor that makes them", Some(&name))?;
    let names = [
        ("train-filename", "train.csv"),
        ("val-filename", "val.csv"),
        ("train-feats-filename", "train_feats.npy"),
        ("val-feats-filename", "val_feats.npy"),
        ("model-filename", "model.tar.gz"),
    ];
    let mut arguments = vec![Argument::from("process")];
    arguments.extend(names.iter().flat_map(|(flag, name)| [format!("--{flag}").into(), Argument::from(*name)]));
    let job = ProcessingJob {
        name,
        program: program.clone(),
        arguments,
        environment: BTreeMap::new(),
        inputs: vec![input("train", layout::bronze("train")?)?, input("val", layout::bronze("val")?)?],
        outputs: vec![
            output("train", layout::gold("train")?)?,
            output("val", layout::gold("val")?)?,
            output("output", layout::preprocessor_folder()?)?,
        ],
        publication: Some(layout::gold_publication()?),
    };
    let done = session.platform.run_processing(&job, &mut |line| step.show(line))?;
    done.outputs.iter().try_for_each(|object| session.artifact(object))?;
    session.finish(step, Some(done.log.key.clone()))?;
    Ok(done)
}

fn input(part: &str, source: Key) -> Result<ProcessingInput, Error> {
    let destination = ContainerPath::new(format!("/opt/ml/processing/input/{part}"))?;
    let publication = Some(layout::bronze_publication()?);
    Ok(ProcessingInput { name: part.to_owned(), source, publication, destination })
}

fn output(folder: &str, destination: Key) -> Result<ProcessingOutput, Error> {
    let source = ContainerPath::new(format!("/opt/ml/processing/{folder}"))?;
    Ok(ProcessingOutput { name: folder.to_owned(), source, destination })
}
