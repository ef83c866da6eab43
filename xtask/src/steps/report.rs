//! What a run wrote into a page that a person looks at.

use std::collections::BTreeMap;

use drivetrain_runner::job::{Argument, CompletedJob, ContainerPath, ProcessingInput, ProcessingJob, ProcessingOutput};
use drivetrain_runner::record::RunRecord;
use drivetrain_runner::store::{Key, StoredObject};
use drivetrain_runner::{JobName, Program, RunnerError};

use crate::error::Error;
use crate::layout;
use crate::report;
use crate::session::Session;

/// The parameters of a run that its command line has as flags, in the order in which people write them.
const FLAGS: [&str; 7] = ["data", "seed", "train-fraction", "test-rows", "n-estimators", "max-depth", "max-features"];

/// What the next run overwrites.
const SHARED: [&str; 2] = ["data/bronze/", "models/preprocessor/"];

pub(super) fn run(session: &mut Session<'_>, program: &Program) -> Result<StoredObject, Error> {
    let run = session.run().clone();
    let (name, about) =
        (run.with_suffix("report")?, "what the model goes by, where it is wrong, and a page that shows it");
    let again = found_before(session)?;
    let about = if again.is_some() { "as it was found then, as the rows are another run's now" } else { about };
    let step = session.start("report", about, Some(&name))?;
    if let Some(data) = again {
        let inputs = vec![input("report", data, None)?];
        let job = job(
            name,
            program,
            vec!["report".into(), "--redraw".into()],
            inputs,
            layout::reports()?.join(run.as_str())?,
        )?;
        let done = session.platform.run_processing(&job, &mut |line| step.show(line))?;
        session.finish(step, Some(done.log.key.clone()))?;
        return page(done, "report.html", &layout::report(&run)?);
    }
    let rows = || layout::bronze_publication().map(Some);
    let mut inputs = vec![
        input("train", layout::bronze("train")?, rows()?)?,
        input("val", layout::bronze("val")?, rows()?)?,
        input("test", layout::bronze("test")?, rows()?)?,
        input("preprocessor", layout::preprocessor_folder()?, Some(layout::gold_publication()?))?,
        input("regressor", layout::regressor(&run)?, Some(layout::regressor_publication(&run)?))?,
        input("record", RunRecord::key(&layout::project()?, &run)?, None)?,
    ];
    let names = layout::bronze("cars")?;
    if !session.store().list(&names)?.is_empty() {
        inputs.push(input("cars", names, rows()?)?);
    }
    if let Some(previous) = previous(session, &run)? {
        inputs.push(input("previous", previous, None)?);
    }
    let mut arguments = vec!["report".to_owned()];
    if let Some(command) = command(&session.record) {
        arguments.extend(["--command".to_owned(), command]);
    }
    let job = job(name, program, arguments, inputs, layout::reports()?.join(run.as_str())?)?;
    let done = session.platform.run_processing(&job, &mut |line| step.show(line))?;
    session.finish(step, Some(done.log.key.clone()))?;
    page(done, "report.html", &layout::report(&run)?)
}

/// A page with two runs side by side.
pub(super) fn compare(
    session: &mut Session<'_>,
    program: &Program,
    first: &JobName,
    second: &JobName,
) -> Result<StoredObject, Error> {
    let name = session.run().clone();
    let step = session.start("compare", &format!("{first} and {second}"), Some(&name))?;
    let folder = layout::reports()?.join(&format!("{first}-and-{second}"))?;
    let inputs =
        vec![input("first", layout::report_data(first)?, None)?, input("second", layout::report_data(second)?, None)?];
    let job = job(name, program, vec!["compare".into()], inputs, folder.clone())?;
    let done = session.platform.run_processing(&job, &mut |line| step.show(line))?;
    step.done();
    page(done, "compare.html", &folder)
}

/// The report that the run has already, where the rows or the preprocessor in the store are another run's by now: runs
/// share them, and what was found of this one's cannot be found again.
fn found_before(session: &Session<'_>) -> Result<Option<Key>, Error> {
    let key = layout::report_data(session.run())?;
    let (store, project) = (session.store(), layout::project()?);
    if !store.contains(&key)? {
        return Ok(None);
    }
    for object in session.record.artifacts.values() {
        let label = object.key.below(&project).unwrap_or_default();
        if !SHARED.iter().any(|shared| label.starts_with(shared)) {
            continue;
        }
        match store.digest(&object.key) {
            Ok(now) if now == object.sha256 => {}
            Ok(_) | Err(RunnerError::ObjectNotFound { .. }) => return Ok(Some(key)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// A job that draws a page.
fn job(
    name: JobName,
    program: &Program,
    arguments: Vec<String>,
    inputs: Vec<ProcessingInput>,
    folder: Key,
) -> Result<ProcessingJob, Error> {
    Ok(ProcessingJob {
        name,
        program: program.clone(),
        arguments: arguments.into_iter().map(Argument::from).collect(),
        environment: BTreeMap::new(),
        inputs,
        outputs: vec![output(folder)?],
        publication: None,
    })
}

/// The page among what a job wrote.
fn page(done: CompletedJob, name: &'static str, folder: &Key) -> Result<StoredObject, Error> {
    let page = done.outputs.into_iter().find(|object| object.key.file_name() == name);
    page.ok_or_else(|| Error::NoPage { name, folder: folder.to_string() })
}

/// The report of the last run that began before this one and has a report.
fn previous(session: &Session<'_>, run: &JobName) -> Result<Option<Key>, Error> {
    // Of runs that began in the same second the names decide, as they do in lists.
    let own = (session.record.started, run);
    let (records, damaged) = RunRecord::all(session.store(), &layout::project()?)?;
    for error in damaged {
        report::say(&format!("not compared with this run: {}", report::explain(&error.into())));
    }
    for earlier in records.into_iter().rev().filter(|record| (record.started, &record.run) < own) {
        let key = layout::report_data(&earlier.run)?;
        if session.store().contains(&key)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// The command that does the run again, if one command does.
fn command(record: &RunRecord) -> Option<String> {
    let value = |name: &str| record.parameters.get(name);
    if value("random-state") != value("seed") {
        return None;
    }
    let flags = FLAGS.iter().map(|name| Some(format!(" --{name} {}", quoted(value(name)?))));
    Some(format!("cargo xtask pipeline{}", flags.collect::<Option<String>>()?))
}

/// A value as a shell takes it.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

fn input(name: &str, source: Key, publication: Option<Key>) -> Result<ProcessingInput, Error> {
    let destination = ContainerPath::new(format!("/opt/ml/processing/input/{name}"))?;
    Ok(ProcessingInput { name: name.to_owned(), source, publication, destination })
}

fn output(destination: Key) -> Result<ProcessingOutput, Error> {
    let source = ContainerPath::new("/opt/ml/processing/output")?;
    Ok(ProcessingOutput { name: "report".to_owned(), source, destination })
}

#[cfg(test)]
mod tests {
    use drivetrain_runner::Timestamp;

    use super::*;

    #[test]
    fn a_run_is_done_again_with_the_flags_it_had() {
        let mut record = RunRecord::new(JobName::new("r").unwrap(), Timestamp::from_unix_seconds(0));
        let values = ["my cars.data", "7", "0.8", "10", "100", "none", "all"];
        for (name, value) in FLAGS.into_iter().zip(values).chain([("random-state", "7"), ("unknown", "x")]) {
            record.parameters.insert(name.into(), value.into());
        }
        let expected = "cargo xtask pipeline --data 'my cars.data' --seed 7 --train-fraction 0.8 --test-rows 10 \
                        --n-estimators 100 --max-depth none --max-features all";
        assert_eq!(command(&record).unwrap(), expected);
        assert_eq!(quoted("it's"), r"'it'\''s'");

        // Steps of several commands are not one command.
        record.parameters.insert("random-state".into(), "8".into());
        assert_eq!(command(&record), None);
        record.parameters.retain(|name, _| name != "random-state" && name != "data");
        assert_eq!(command(&record), None);
    }
}
