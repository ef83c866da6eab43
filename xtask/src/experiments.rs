//! What earlier runs were told and what came out.

use std::collections::{BTreeMap, BTreeSet};

use drivetrain_runner::JobName;
use drivetrain_runner::record::RunRecord;
use drivetrain_runner::store::Store;

use crate::cli::{ExperimentsArgs, Question, StoreArgs};
use crate::error::Error;
use crate::layout;
use crate::report::{self, Side, Table};

/// The metrics of the list, of those that a run has.
const LISTED: [&str; 2] = ["val:rmse", "cv:random forest:rmse"];

/// Answers a question about runs of a store that `open` opens.
pub(crate) fn run(args: &ExperimentsArgs, open: impl Fn(&StoreArgs) -> Result<Store, Error>) -> Result<String, Error> {
    match &args.question {
        Question::List { store } => list(&open(store)?),
        Question::Show { run, store } => show(&record(&open(store)?, run.job())?),
        Question::Compare { first, second, store } => {
            let store = open(store)?;
            Ok(compare(&record(&store, first.job())?, &record(&store, second.job())?))
        }
    }
}

/// The record of a run that there must be.
pub(crate) fn record(store: &Store, run: &JobName) -> Result<RunRecord, Error> {
    let found = RunRecord::load(store, &layout::project()?, run)?;
    found.ok_or_else(|| Error::NoRun { run: run.to_string() })
}

fn list(store: &Store) -> Result<String, Error> {
    let (records, damaged) = RunRecord::all(store, &layout::project()?)?;
    let sides = [Side::Left, Side::Left, Side::Left, Side::Right, Side::Right, Side::Right, Side::Left];
    let header = ["run", "started", "ended", "seconds", "val RMSE", "cv RMSE", "steps"];
    let mut table = Table::new("Runs", &sides).header(&header);
    for record in &records {
        let seconds: f64 = record.steps.iter().map(|step| step.seconds).sum();
        let metrics = metrics(record);
        let [val, cv] = LISTED.map(|name| metrics.get(name).cloned().unwrap_or_else(|| "-".to_owned()));
        let steps: Vec<_> = record.steps.iter().map(|step| step.name.as_str()).collect();
        let started = record.started.to_string();
        let ended = ended(record).to_owned();
        table.row([record.run.to_string(), started, ended, format!("{seconds:.2}"), val, cv, steps.join(" ")]);
    }
    let mut text = format!("\n{}", table.render(report::for_stdout()));
    for error in damaged {
        text.push_str(&format!("  left out: {}\n", report::explain(&error.into())));
    }
    Ok(text)
}

/// How a run ended, in a word.
fn ended(record: &RunRecord) -> &'static str {
    match &record.failure {
        Some(failure) if failure.interrupted => "killed",
        Some(_) => "failed",
        None => "well",
    }
}

fn show(record: &RunRecord) -> Result<String, Error> {
    let mut text = format!("\nRun {}, started {}, ended {}\n\n", record.run, record.started, ended(record));
    if let Some(failure) = &record.failure {
        let step = failure.step.as_ref().map_or_else(String::new, |step| format!("{}: ", step.name));
        text.push_str(&format!("  {step}{}\n\n", failure.error.replace('\n', "\n  ")));
    }
    for (title, values) in facts(record) {
        text.push_str(&pairs(title, values));
    }
    let steps = record.steps.iter().map(|step| (step.name.clone(), format!("{:.3} s", step.seconds)));
    text.push_str(&pairs("Time", steps.collect()));
    let key = RunRecord::key(&layout::project()?, &record.run)?;
    text.push_str(&format!("  recorded as {key}\n"));
    Ok(text)
}

fn pairs(title: &str, values: BTreeMap<String, String>) -> String {
    let mut table = Table::new(title, &[Side::Left, Side::Left]);
    for (name, value) in values {
        table.row([name, value]);
    }
    table.render(report::for_stdout())
}

fn compare(first: &RunRecord, second: &RunRecord) -> String {
    let mut text = "\n".to_owned();
    for ((title, of_first), (_, of_second)) in facts(first).into_iter().zip(facts(second)) {
        let names: BTreeSet<&String> = of_first.keys().chain(of_second.keys()).collect();
        let header = ["", first.run.as_str(), second.run.as_str()];
        let mut table = Table::new(title, &[Side::Left; 3]).header(&header);
        let mut same = 0;
        for name in names {
            let [a, b] = [&of_first, &of_second].map(|of| of.get(name).cloned().unwrap_or_else(|| "-".to_owned()));
            if a == b {
                same += 1;
            } else {
                table.row([name.clone(), a, b]);
            }
        }
        text.push_str(table.render(report::for_stdout()).trim_end());
        text.push_str(&format!("\n  the same: {same}\n\n"));
    }
    text
}

/// Everything that two runs can differ in, by name.
fn facts(record: &RunRecord) -> [(&'static str, BTreeMap<String, String>); 4] {
    [
        ("Parameters", record.parameters.clone()),
        ("Metrics", metrics(record)),
        ("Artifacts (sha256)", digests(record)),
        ("Surroundings", record.tags.clone()),
    ]
}

/// The last word of each metric.
fn metrics(record: &RunRecord) -> BTreeMap<String, String> {
    record.metrics.iter().map(|metric| (metric.name.clone(), format!("{:.4}", metric.value))).collect()
}

/// The digest of each artifact, under a label that does not name the run.
pub(crate) fn digests(record: &RunRecord) -> BTreeMap<String, String> {
    let label = |label: &str| {
        let segments: Vec<_> =
            label.split('/').map(|part| if part == record.run.as_str() { "RUN" } else { part }).collect();
        segments.join("/")
    };
    record.artifacts.iter().map(|(name, object)| (label(name), object.sha256.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use drivetrain_runner::Timestamp;
    use drivetrain_runner::metrics::Metric;
    use drivetrain_runner::record::{Failure, StepRecord};
    use drivetrain_runner::store::Key;

    use super::*;

    fn run(store: &Store, name: &str, depth: &str) -> RunRecord {
        let mut record = RunRecord::new(JobName::new(name).unwrap(), Timestamp::from_unix_seconds(9));
        for (parameter, value) in [("seed", "7"), ("n-estimators", "5"), ("max-depth", depth)] {
            record.parameters.insert(parameter.into(), value.into());
        }
        record.metrics.push(Metric { name: "val:rmse".into(), value: 2.5 });
        let stored = store.put_bytes(&Key::new(format!("m/{name}/x")).unwrap(), vec![1]).unwrap();
        record.artifacts.insert(format!("m/{name}/x"), stored);
        record.save(store, &layout::project().unwrap()).unwrap();
        record
    }

    #[test]
    fn runs_are_listed_shown_and_compared() {
        let store = Store::in_memory().unwrap();
        let (mut a, b) = (run(&store, "a", "none"), run(&store, "b", "4"));
        let text = list(&store).unwrap();
        assert!(
            text.lines().any(|line| line.contains("a    1970-01-01T00:00:09Z") && line.contains("2.5000")),
            "{text}"
        );
        assert!(text.lines().any(|line| line.starts_with("  b") && line.contains("  well  ")), "{text}");
        let cut_off = RunRecord::key(&layout::project().unwrap(), &JobName::new("c").unwrap()).unwrap();
        store.put_bytes(&cut_off, b"{".to_vec()).unwrap();
        let with_damage = list(&store).unwrap();
        assert!(with_damage.starts_with(&text) && with_damage.contains("left out: the run record"), "{with_damage}");
        assert!(with_damage.contains("runs/c/run.json"), "{with_damage}");
        store.remove(&cut_off).unwrap();
        let text = show(&a).unwrap();
        assert!(text.contains("max-depth     none") && text.contains("m/RUN/x"), "{text}");
        let text = compare(&a, &b);
        assert!(text.contains("max-depth  none  4\n  the same: 2") && !text.contains("m/RUN/x"), "{text}");

        let step = StepRecord { name: "train".into(), seconds: 1.0, log: None };
        a.failure = Some(Failure { error: "no rows\n  caused by: x".into(), interrupted: true, step: Some(step) });
        a.save(&store, &layout::project().unwrap()).unwrap();
        let text = list(&store).unwrap();
        assert!(text.lines().any(|line| line.starts_with("  a") && line.contains("  killed")), "{text}");
        assert!(show(&a).unwrap().contains("ended killed\n\n  train: no rows\n    caused by: x\n"));
    }
}
