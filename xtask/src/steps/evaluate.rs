//! The random forest and its baselines, cross-validated.

use std::collections::BTreeMap;

use drivetrain_evaluate::{Evaluation, RegressionMetrics};
use drivetrain_runner::Program;
use drivetrain_runner::job::{Argument, ContainerPath, ProcessingJob, ProcessingOutput};
use drivetrain_runner::metrics::Metric;
use drivetrain_runner::store::StoredObject;
use serde_json::Value;

use super::acquire;
use crate::cli::EvaluationArgs;
use crate::error::Error;
use crate::layout;
use crate::session::Session;

/// The name of the step.
pub(crate) const STEP: &str = "evaluate";
/// How the names of its parameters begin in a record.
pub(crate) const PREFIX: &str = "evaluate.";
/// The tag of a record that says which data was evaluated on.
const DATA: &str = "drivetrain.evaluate.data.sha256";
/// How the names of its metrics begin in a record.
const FOUND: [&str; 5] = ["cv:", "oob:", "later:", "covered:", "nested:"];
/// An evaluation is some hundred kilobytes.
const MAX_EVALUATION: u64 = 256 << 20;

/// The evaluation, and where it is kept.
pub(super) fn run(
    session: &mut Session<'_>,
    program: &Program,
    args: &EvaluationArgs,
    seed: u64,
) -> Result<(Evaluation, StoredObject), Error> {
    let seed = seed.to_string();
    let about = format!("{} folds, {} times over, of the {} data", args.folds, args.repeats, args.data);
    let name = session.run().with_suffix(STEP)?;
    let step = session.start(STEP, &about, Some(&name))?;
    let (data, inputs) = acquire::source(session, &args.data)?;
    let last_year = args.last_year.to_string();
    let mut flags = vec![
        ("n-splits", args.folds.as_str()),
        ("n-repeats", &args.repeats),
        ("random-state", &seed),
        ("last-year", &last_year),
        ("n-estimators", &args.forest.n_estimators),
        ("max-depth", &args.forest.max_depth),
        ("max-features", &args.forest.max_features),
    ];
    let optional = [("search", &args.search), ("grid", &args.grid)];
    flags.extend(optional.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
    // Under names of their own: the run may have been trained with others.
    session.parameter(&format!("{PREFIX}data"), &args.data.to_string());
    for (name, value) in &flags {
        session.parameter(&format!("{PREFIX}{name}"), value);
    }
    let mut arguments: Vec<Argument> = vec![STEP.into(), "--data".into(), data];
    arguments.extend(flags.iter().flat_map(|(name, value)| [format!("--{name}").into(), (*value).into()]));
    let job = ProcessingJob {
        name,
        program: program.clone(),
        arguments,
        environment: BTreeMap::new(),
        inputs,
        outputs: vec![ProcessingOutput {
            name: "evaluation".to_owned(),
            source: ContainerPath::new("/opt/ml/processing/output/evaluation")?,
            destination: layout::evaluation(session.run())?,
        }],
        publication: None,
    };
    let done = session.platform.run_processing(&job, &mut |line| step.show(line))?;
    let location = layout::evaluation(session.run())?;
    let unusable = |problem: String| Error::Evaluation { location: session.store().describe(&location), problem };
    let written = |name: &str| done.outputs.iter().find(|object| object.key.file_name() == name).cloned();
    let missing = |name: &str| unusable(format!("the job wrote no {name}"));
    let stored = written("evaluation.json").ok_or_else(|| missing("evaluation.json"))?;
    let data = written("data.json").ok_or_else(|| missing("data.json"))?;
    let text = session.store().get_bytes(&data.key, MAX_EVALUATION)?;
    let data: Value = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
    let text = session.store().get_bytes(&stored.key, MAX_EVALUATION)?;
    let evaluation: Evaluation = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;

    record(session, &evaluation);
    // Of bundled or fetched data there is no copy in the store, whose digest would tell.
    if let Some(sha256) = data["sha256"].as_str() {
        session.record.tags.insert(DATA.to_owned(), sha256.to_owned());
    }
    session.artifact(&stored)?;
    session.finish(step, Some(done.log.key.clone()))?;
    Ok((evaluation, stored))
}

/// Notes the metrics of every model, and those of its folds, in place of what an earlier evaluation left.
fn record(session: &mut Session<'_>, evaluation: &Evaluation) {
    session.record.parameters.retain(|name, _| !name.starts_with(PREFIX));
    session.record.metrics.retain(|metric| !FOUND.iter().any(|found| metric.name.starts_with(found)));
    session.record.series.retain(|name, _| !name.starts_with("fold:"));
    for model in &evaluation.models {
        let of_folds = |of: fn(&RegressionMetrics) -> f64| model.folds.iter().map(of).collect();
        let folds: [Vec<f64>; 3] = [of_folds(|m| m.rmse), of_folds(|m| m.mae), of_folds(|m| m.r2)];
        let summary = &model.summary;
        for ((metric, estimate), folds) in
            [("rmse", summary.rmse), ("mae", summary.mae), ("r2", summary.r2)].into_iter().zip(folds)
        {
            let name = format!("{}:{metric}", model.name);
            session.record.metrics.push(Metric { name: format!("cv:{name}"), value: estimate.mean });
            session.record.series.insert(format!("fold:{name}"), folds);
        }
    }
    let mut note = |name: String, value| session.record.metrics.push(Metric { name, value });
    let mut note_all = |name: &str, found: &RegressionMetrics| {
        for (metric, value) in [("rmse", found.rmse), ("mae", found.mae), ("r2", found.r2)] {
            note(format!("{name}:{metric}"), value);
        }
    };
    if let Some(found) = &evaluation.out_of_bag {
        note_all("oob", found);
    }
    for (model, found) in evaluation.models.iter().zip(evaluation.time_split.iter().flat_map(|split| &split.metrics)) {
        note_all(&format!("later:{}", model.name), found);
    }
    for level in &evaluation.calibration.levels {
        note(format!("covered:{}", level.coverage), level.covered);
    }
    if let Some(search) = &evaluation.search {
        note("nested:rmse".to_owned(), search.nested.rmse.mean);
    }
}
