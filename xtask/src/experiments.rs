//! What earlier runs were told and what came out; and whether doing the same again gives the same.

use std::collections::{BTreeMap, BTreeSet};

use drivetrain_runner::JobName;
use drivetrain_runner::record::RunRecord;
use drivetrain_runner::store::Store;

use crate::cli::{DataArgs, ExperimentsArgs, ForestArgs, Question, StoreArgs};
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

fn record(store: &Store, run: &JobName) -> Result<RunRecord, Error> {
    let found = RunRecord::load(store, &layout::project()?, run)?;
    found.ok_or_else(|| Error::NoRun { run: run.to_string() })
}

fn list(store: &Store) -> Result<String, Error> {
    let records = RunRecord::all(store, &layout::project()?)?;
    let sides = [Side::Left, Side::Left, Side::Right, Side::Right, Side::Right, Side::Left];
    let header = ["run", "started", "seconds", "val RMSE", "cv RMSE", "steps"];
    let mut table = Table::new("Runs", &sides).header(&header);
    for record in &records {
        let seconds: f64 = record.steps.iter().map(|step| step.seconds).sum();
        let metrics = metrics(record);
        let [val, cv] = LISTED.map(|name| metrics.get(name).cloned().unwrap_or_else(|| "-".to_owned()));
        let steps: Vec<_> = record.steps.iter().map(|step| step.name.as_str()).collect();
        let started = record.started.to_string();
        table.row([record.run.to_string(), started, format!("{seconds:.2}"), val, cv, steps.join(" ")]);
    }
    Ok(format!("\n{}", table.render(report::for_stdout())))
}

fn show(record: &RunRecord) -> Result<String, Error> {
    let mut text = format!("\nRun {}, started {}\n\n", record.run, record.started);
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
fn digests(record: &RunRecord) -> BTreeMap<String, String> {
    let label = |label: &str| {
        let segments: Vec<_> =
            label.split('/').map(|part| if part == record.run.as_str() { "RUN" } else { part }).collect();
        segments.join("/")
    };
    record.artifacts.iter().map(|(name, object)| (label(name), object.sha256.to_string())).collect()
}

/// A pipeline run that does again what an earlier one did.
#[derive(Debug)]
pub(crate) struct Reproduction {
    original: RunRecord,
    pub(crate) data: DataArgs,
    pub(crate) forest: ForestArgs,
    pub(crate) seed: u64,
}

impl Reproduction {
    /// Of the run called `original`, under the name `run`.
    pub(crate) fn of(store: &Store, original: &JobName, run: &JobName) -> Result<Self, Error> {
        if original == run {
            return Err(Error::SameName { run: run.to_string() });
        }
        let record = record(store, original)?;
        let parameter = |parameter: &'static str| {
            let found = record.parameters.get(parameter).cloned();
            found.ok_or_else(|| Error::Unreproducible { run: original.to_string(), parameter })
        };
        let seed = parameter("seed")?;
        if let Some(value) = record.parameters.get("random-state").filter(|value| **value != seed) {
            let (run, value) = (original.to_string(), value.clone());
            let problem = format!("its rows were split with the seed {seed}, and one command has one seed");
            return Err(Error::RecordedParameter { run, parameter: "random-state", value, problem });
        }
        let seed = seed.parse().map_err(|error: std::num::ParseIntError| {
            let (run, problem) = (original.to_string(), error.to_string());
            Error::RecordedParameter { run, parameter: "seed", value: seed, problem }
        })?;
        let data = parameter("data")?.parse().unwrap_or_else(|never: std::convert::Infallible| match never {});
        Ok(Self {
            data: DataArgs { data, train_fraction: parameter("train-fraction")?, test_rows: parameter("test-rows")? },
            forest: ForestArgs {
                n_estimators: parameter("n-estimators")?,
                max_depth: parameter("max-depth")?,
                max_features: parameter("max-features")?,
            },
            seed,
            original: record,
        })
    }

    /// Says that everything the runs wrote is the same.
    pub(crate) fn check(&self, record: &RunRecord) -> Result<String, Error> {
        // The original may since have been evaluated, say; what this run made is what it must have made.
        let (before, now) = (digests(&self.original), digests(record));
        let differs = |(name, digest): &(&String, &String)| before.get(*name) != Some(*digest);
        let differences: Vec<_> = now.iter().filter(differs).map(|(name, _)| name.as_str()).collect();
        if differences.is_empty() {
            return Ok(format!("  reproduced run {}: all {} sha256 agree\n", self.original.run, now.len()));
        }
        let differences = format!("other bytes in {}", differences.join(", "));
        Err(Error::NotReproduced { run: self.original.run.to_string(), differences })
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_runner::Timestamp;
    use drivetrain_runner::metrics::Metric;
    use drivetrain_runner::store::Key;

    use super::*;

    fn run(store: &Store, name: &str, depth: &str, bytes: &[u8]) -> RunRecord {
        let mut record = RunRecord::new(JobName::new(name).unwrap(), Timestamp::from_unix_seconds(9));
        for (parameter, value) in [
            ("seed", "7"),
            ("data", "bundled"),
            ("train-fraction", "0.8"),
            ("test-rows", "10"),
            ("n-estimators", "5"),
            ("max-depth", depth),
            ("max-features", "all"),
        ] {
            record.parameters.insert(parameter.into(), value.into());
        }
        record.metrics.push(Metric { name: "val:rmse".into(), value: 2.5 });
        let stored = store.put_bytes(&Key::new(format!("m/{name}/x")).unwrap(), bytes.to_vec()).unwrap();
        record.artifacts.insert(format!("m/{name}/x"), stored);
        record.save(store, &layout::project().unwrap()).unwrap();
        record
    }

    #[test]
    fn runs_are_listed_shown_and_compared() {
        let store = Store::in_memory().unwrap();
        let (a, b) = (run(&store, "a", "none", b"1"), run(&store, "b", "4", b"1"));
        let text = list(&store).unwrap();
        assert!(
            text.lines().any(|line| line.contains("a    1970-01-01T00:00:09Z") && line.contains("2.5000")),
            "{text}"
        );
        let text = show(&a).unwrap();
        assert!(text.contains("max-depth       none") && text.contains("m/RUN/x"), "{text}");
        let text = compare(&a, &b);
        assert!(text.contains("max-depth  none  4\n  the same: 6") && !text.contains("m/RUN/x"), "{text}");
    }

    #[test]
    fn a_reproduction_takes_the_parameters_and_compares_what_was_written() {
        let store = Store::in_memory().unwrap();
        let name = |name| JobName::new(name).unwrap();
        let first = run(&store, "a", "4", b"1");
        let again = Reproduction::of(&store, &name("a"), &name("b")).unwrap();
        assert_eq!((again.seed, again.forest.max_depth.as_str()), (7, "4"));
        assert!(again.check(&run(&store, "b", "4", b"1")).unwrap().contains("all 1 sha256 agree"));
        let error = again.check(&run(&store, "c", "4", b"2")).unwrap_err().to_string();
        assert!(error.contains("other bytes in m/RUN/x"), "{error}");
        let message = |original, run| Reproduction::of(&store, &name(original), &name(run)).unwrap_err().to_string();
        assert!(message("none", "b").contains("no run `none`"));
        assert!(message("a", "a").contains("under its own name"));
        let mut short = first;
        short.parameters.remove("max-depth");
        short.save(&store, &layout::project().unwrap()).unwrap();
        assert!(message("a", "b").contains("does not say its max-depth"));
    }
}
