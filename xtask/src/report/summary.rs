//! The tables of a summary.

use std::time::Duration;

use drivetrain_runner::job::{CompletedJob, CompletedTraining};
use drivetrain_runner::metrics::Metric;
use drivetrain_runner::record::RunRecord;
use drivetrain_runner::store::{Key, StoredObject};

use super::paint::for_stdout;
use super::table::{Side, Table};
use crate::error::Error;
use crate::layout;
use crate::session::Session;
use crate::steps::{METRICS, Models, PARTS, Prediction, Predictions};

/// Everything about a run of the pipeline.
pub(crate) fn pipeline(
    session: &Session<'_>,
    predictions: &Predictions,
    page: Option<&StoredObject>,
    elapsed: Duration,
) -> Result<String, Error> {
    let run = session.run();
    let mut places: Vec<_> = page.map(|page| ("report", page.key.clone())).into_iter().collect();
    places.extend([
        ("rows", Key::new("auto_mpg/data/bronze")?),
        ("features", Key::new("auto_mpg/data/gold")?),
        ("preprocessor", layout::preprocessor()?),
        ("regressor", layout::regressor(run)?),
        ("predictions", predictions.stored.key.clone()),
        ("record", RunRecord::key(&layout::project()?, run)?),
        ("logs of jobs", Key::new("auto_mpg/jobs")?),
        ("logs of endpoints", Key::new("auto_mpg/endpoints")?),
    ]);
    let mut text = format!("\nRun {run}\n\n");
    text.push_str(&metrics(&session.record.metrics));
    text.push_str(&prediction_table(predictions));
    text.push_str(&place_table(session, &places));
    text.push_str(&model_table(&predictions.models));
    text.push_str(&digests(&session.record));
    text.push_str(&times(&session.record, predictions, elapsed));
    Ok(text)
}

/// Where a page lies.
pub(crate) fn page(session: &Session<'_>, page: &StoredObject) -> String {
    format!("\nOpen it in a browser: {}\n", session.store().describe(&page.key))
}

/// What a processing job wrote.
pub(crate) fn job(session: &Session<'_>, job: &CompletedJob) -> Result<String, Error> {
    let mut text = format!("\nRun {}\n\n", session.run());
    text.push_str(&output_table(session, job)?);
    Ok(text)
}

/// What a training job wrote, and how good it is.
pub(crate) fn training(session: &Session<'_>, training: &CompletedTraining) -> Result<String, Error> {
    let mut text = format!("\nRun {}\n\n", session.run());
    text.push_str(&metrics(&training.metrics));
    text.push_str(&output_table(session, &training.job)?);
    Ok(text)
}

/// What an endpoint predicted.
pub(crate) fn predictions(session: &Session<'_>, predictions: &Predictions) -> Result<String, Error> {
    let mut text = format!("\nRun {}\n\n", session.run());
    text.push_str(&prediction_table(predictions));
    let places = [
        ("predictions", predictions.stored.key.clone()),
        ("record", RunRecord::key(&layout::project()?, session.run())?),
    ];
    text.push_str(&place_table(session, &places));
    text.push_str(&model_table(&predictions.models));
    Ok(text)
}

fn metrics(found: &[Metric]) -> String {
    let mut table = Table::new("Metrics", &[Side::Left, Side::Right, Side::Right]).header(&["", PARTS[0], PARTS[1]]);
    for metric in METRICS {
        let value = |part: &str| {
            let name = format!("{part}:{metric}");
            // A job may print a metric more than once; the last word counts.
            found
                .iter()
                .rfind(|metric| metric.name == name)
                .map_or_else(|| "-".to_owned(), |m| format!("{:.4}", m.value))
        };
        table.row(std::iter::once(metric.to_owned()).chain(PARTS.map(value)));
    }
    table.render(for_stdout())
}

fn prediction_table(predictions: &Predictions) -> String {
    let sides = [Side::Right; 4];
    let title = format!("Predictions of the test rows ({})", predictions.target);
    let mut table = Table::new(&title, &sides).header(&["row", "true", "predicted", "error"]);
    for (index, Prediction { truth, predicted }) in predictions.rows.iter().enumerate() {
        let error = predicted - truth;
        table.row([(index + 1).to_string(), format!("{truth:.2}"), format!("{predicted:.2}"), format!("{error:+.2}")]);
    }
    let absolute: f64 = predictions.rows.iter().map(|row| (row.predicted - row.truth).abs()).sum();
    let mean = absolute / predictions.rows.len() as f64;
    let table = table.render(for_stdout());
    format!("{}\n  mean absolute error {mean:.2}\n\n", table.trim_end())
}

fn place_table(session: &Session<'_>, places: &[(&str, Key)]) -> String {
    let mut table = Table::new("Where everything lies", &[Side::Left, Side::Left]);
    for (what, key) in places {
        table.row([(*what).to_owned(), session.store().describe(key)]);
    }
    table.render(for_stdout())
}

/// The outputs, the log and the record of a job.
fn output_table(session: &Session<'_>, job: &CompletedJob) -> Result<String, Error> {
    let mut text = String::new();
    let mut places: Vec<_> = job.outputs.iter().map(|object| ("written", object.key.clone())).collect();
    places.push(("log", job.log.key.clone()));
    places.push(("record", RunRecord::key(&layout::project()?, session.run())?));
    text.push_str(&place_table(session, &places));
    text.push_str(&digest_table(job.outputs.iter()));
    for link in &job.skipped {
        text.push_str(&format!("  not a regular file, left out: {}\n", link.display()));
    }
    Ok(text)
}

/// A model's id stands for all that it holds, however it is packed.
fn model_table(models: &Models) -> String {
    let mut table = Table::new("Models", &[Side::Left, Side::Left]).header(&["kind", "id"]);
    for (kind, id) in [("preprocessor", models.preprocessor), ("regressor", models.regressor)] {
        table.row([kind.to_owned(), id.to_string()]);
    }
    table.render(for_stdout())
}

fn digests(record: &RunRecord) -> String {
    digest_table(record.artifacts.values())
}

fn digest_table<'a>(objects: impl Iterator<Item = &'a StoredObject>) -> String {
    let mut table = Table::new("Artifacts", &[Side::Left, Side::Right, Side::Left]).header(&["key", "bytes", "sha256"]);
    for object in objects {
        table.row([object.key.to_string(), object.size.to_string(), object.sha256.to_string()]);
    }
    table.render(for_stdout())
}

fn times(record: &RunRecord, predictions: &Predictions, elapsed: Duration) -> String {
    let mut table = Table::new("Time", &[Side::Left, Side::Right, Side::Left]);
    let seconds = |seconds: f64| format!("{seconds:.3} s");
    for step in &record.steps {
        table.row([step.name.clone(), seconds(step.seconds)]);
    }
    table.row(["all steps".to_owned(), seconds(elapsed.as_secs_f64())]);
    let ready = |milliseconds: f64| format!("{milliseconds:.1} ms");
    for container in &predictions.containers {
        let what = format!("{} answers /ping after", container.name);
        table.row([what, ready(container.start_up.as_secs_f64() * 1e3)]);
    }
    table.render(for_stdout())
}
