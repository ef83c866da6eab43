//! Doing again what an earlier run did, and whether that gives the same.

use std::fmt::Display;
use std::str::FromStr;

use drivetrain_artifact::Sha256;
use drivetrain_runner::JobName;
use drivetrain_runner::record::RunRecord;
use drivetrain_runner::store::Store;

use crate::cli::{DataArgs, DataSource, EvaluationArgs, ForestArgs};
use crate::error::Error;
use crate::experiments::{digests, record};
use crate::layout;
use crate::steps::EVALUATION_PREFIX;

/// What may be another way round another result.
const SURROUNDINGS: [&str; 5] = [
    "drivetrain.version",
    "drivetrain.rustc",
    "drivetrain.platform",
    "mlflow.source.git.commit",
    "drivetrain.git.changed",
];

/// What an earlier run was told.
#[derive(Debug)]
pub(crate) struct Original {
    record: RunRecord,
}

impl Original {
    /// The run called `original`, to be done again under the name `run`.
    pub(crate) fn of(store: &Store, original: &JobName, run: &JobName) -> Result<Self, Error> {
        if original == run {
            return Err(Error::SameName { run: run.to_string() });
        }
        Ok(Self { record: record(store, original)? })
    }

    /// What its pipeline was told: data, forest, seed.
    pub(crate) fn pipeline(&self) -> Result<(DataArgs, ForestArgs, u64), Error> {
        let text = |name: &str| self.text(name, "a whole pipeline");
        let seed = text("seed")?;
        if let Some(value) = self.record.parameters.get("random-state").filter(|value| **value != seed) {
            let problem = format!("its rows were split with the seed {seed}, and one command has one seed");
            return Err(self.unusable("random-state", value, &problem));
        }
        let (train_fraction, test_rows) = (text("train-fraction")?, text("test-rows")?);
        let data = self.parsed("data", &text("data")?)?;
        self.check_data(&data)?;
        Ok((DataArgs { data, train_fraction, test_rows }, forest("", text)?, self.parsed("seed", &seed)?))
    }

    /// What its evaluation was told, and its seed.
    pub(crate) fn evaluation(&self) -> Result<(EvaluationArgs, u64), Error> {
        let full = |name: &str| format!("{EVALUATION_PREFIX}{name}");
        let text = |name: &str| self.text(name, "an evaluation");
        let optional = |name: &str| self.record.parameters.get(&full(name)).cloned();
        let args = EvaluationArgs {
            data: self.parsed("data", &text(&full("data"))?)?,
            folds: text(&full("n-splits"))?,
            repeats: text(&full("n-repeats"))?,
            last_year: self.parsed("last-year", &text(&full("last-year"))?)?,
            search: optional("search"),
            grid: optional("grid"),
            forest: forest(EVALUATION_PREFIX, text)?,
        };
        self.check_data(&args.data)?;
        let seed = full("random-state");
        Ok((args, self.parsed(&seed, &text(&seed)?)?))
    }

    fn text(&self, parameter: &str, what: &'static str) -> Result<String, Error> {
        let found = self.record.parameters.get(parameter).cloned();
        let (run, parameter) = (self.record.run.to_string(), parameter.to_owned());
        found.ok_or(Error::Unreproducible { run, parameter, what })
    }

    fn parsed<T: FromStr<Err: Display>>(&self, parameter: &str, value: &str) -> Result<T, Error> {
        value.parse().map_err(|problem: T::Err| self.unusable(parameter, value, &problem.to_string()))
    }

    fn unusable(&self, parameter: &str, value: &str, problem: &str) -> Error {
        let (run, parameter) = (self.record.run.to_string(), parameter.to_owned());
        Error::RecordedParameter { run, parameter, value: value.to_owned(), problem: problem.to_owned() }
    }

    /// Refuses a local file that is not the one of that run, before anything is done with it. What is bundled or fetched
    /// is the same by its checksum in the program.
    fn check_data(&self, data: &DataSource) -> Result<(), Error> {
        let DataSource::File(path) = data else { return Ok(()) };
        let (key, project) = (layout::raw(path)?, layout::project()?);
        let known = key.below(&project).and_then(|label| self.record.artifacts.get(label));
        // A file that is not there is told of as ever.
        let Some(known) = known.filter(|_| path.is_file()) else { return Ok(()) };
        let (expected, found) = (known.sha256.to_string(), Sha256::of_file(path)?.to_string());
        if expected == found {
            return Ok(());
        }
        Err(Error::OtherData { run: self.record.run.to_string(), path: path.clone(), expected, found })
    }

    /// Says that everything that a run wrote whose label begins with one of `parts` is the same.
    pub(crate) fn check(&self, record: &RunRecord, parts: &[&str]) -> Result<String, Error> {
        // The original may since have been evaluated, say; what this run made is what it must have made.
        let (before, mut now) = (digests(&self.record), digests(record));
        now.retain(|label, _| parts.iter().any(|part| label.starts_with(part)));
        let differs = |(name, digest): &(&String, &String)| before.get(*name) != Some(*digest);
        let differences: Vec<_> = now.iter().filter(differs).map(|(name, _)| name.as_str()).collect();
        let run = &self.record.run;
        if differences.is_empty() {
            return Ok(format!("  reproduced run {run}: all {} sha256 agree\n", now.len()));
        }
        let differences = format!("other bytes in {}{}", differences.join(", "), self.surroundings(record));
        Err(Error::NotReproduced { run: run.to_string(), differences })
    }

    /// In what the surroundings of a run differ from those of this one, which may be why.
    fn surroundings(&self, record: &RunRecord) -> String {
        let value =
            |record: &RunRecord, name: &str| record.tags.get(name).cloned().unwrap_or_else(|| "unknown".to_owned());
        let differences: Vec<_> = SURROUNDINGS
            .into_iter()
            .map(|name| (name, value(&self.record, name), value(record, name)))
            .filter(|(_, then, now)| then != now)
            .map(|(name, then, now)| format!("{name} was {then}, is {now}"))
            .collect();
        if differences.is_empty() { String::new() } else { format!("; {}", differences.join("; ")) }
    }
}

/// What a forest was told, under names that begin with `prefix`.
fn forest(prefix: &str, text: impl Fn(&str) -> Result<String, Error>) -> Result<ForestArgs, Error> {
    Ok(ForestArgs {
        n_estimators: text(&format!("{prefix}n-estimators"))?,
        max_depth: text(&format!("{prefix}max-depth"))?,
        max_features: text(&format!("{prefix}max-features"))?,
    })
}

#[cfg(test)]
mod tests {
    use drivetrain_runner::Timestamp;
    use drivetrain_runner::store::Key;

    use super::*;

    const TOLD: [(&str, &str); 7] = [
        ("seed", "7"),
        ("data", "bundled"),
        ("train-fraction", "0.8"),
        ("test-rows", "10"),
        ("n-estimators", "5"),
        ("max-depth", "4"),
        ("max-features", "all"),
    ];
    const EVALUATED: [(&str, &str); 9] = [
        ("evaluate.data", "bundled"),
        ("evaluate.n-splits", "3"),
        ("evaluate.n-repeats", "2"),
        ("evaluate.random-state", "9"),
        ("evaluate.last-year", "80"),
        ("evaluate.n-estimators", "6"),
        ("evaluate.max-depth", "none"),
        ("evaluate.max-features", "sqrt"),
        ("evaluate.search", "4"),
    ];

    fn run(store: &Store, name: &str, told: &[(&str, &str)], bytes: &[u8]) -> RunRecord {
        let mut record = RunRecord::new(job(name), Timestamp::from_unix_seconds(9));
        record.parameters = told.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let stored = store.put_bytes(&Key::new(format!("m/{name}/x")).unwrap(), bytes.to_vec()).unwrap();
        record.artifacts.insert(format!("m/{name}/x"), stored);
        record.save(store, &layout::project().unwrap()).unwrap();
        record
    }

    fn job(name: &str) -> JobName {
        JobName::new(name).unwrap()
    }

    #[test]
    fn a_pipeline_is_told_the_same_and_what_it_wrote_compared() {
        let store = Store::in_memory().unwrap();
        let mut first = run(&store, "a", &TOLD, b"1");
        let original = Original::of(&store, &job("a"), &job("b")).unwrap();
        let (_, forest, seed) = original.pipeline().unwrap();
        assert_eq!((seed, forest.max_depth.as_str()), (7, "4"));
        assert!(original.check(&run(&store, "b", &TOLD, b"1"), &[""]).unwrap().contains("all 1 sha256 agree"));
        let mut other = run(&store, "c", &TOLD, b"2");
        other.tags.insert("drivetrain.rustc".into(), "rustc 2".into());
        let error = original.check(&other, &[""]).unwrap_err().to_string();
        assert!(error.contains("other bytes in m/RUN/x; drivetrain.rustc was unknown, is rustc 2"), "{error}");
        assert!(original.check(&other, &["evaluations/"]).is_ok());

        assert!(Original::of(&store, &job("none"), &job("b")).unwrap_err().to_string().contains("no run `none`"));
        assert!(Original::of(&store, &job("a"), &job("a")).unwrap_err().to_string().contains("under its own name"));
        let mut message = |change: &dyn Fn(&mut RunRecord)| {
            change(&mut first);
            first.save(&store, &layout::project().unwrap()).unwrap();
            Original::of(&store, &job("a"), &job("b")).unwrap().pipeline().unwrap_err().to_string()
        };
        let text = message(&|record| drop(record.parameters.insert("random-state".into(), "8".into())));
        assert!(text.contains("split with the seed 7"), "{text}");
        let text = message(&|record| record.parameters.retain(|name, _| name != "max-depth" && name != "random-state"));
        assert!(text.contains("does not say its max-depth, so it is not one of a whole pipeline"), "{text}");
    }

    #[test]
    fn an_evaluation_is_told_the_same() {
        let store = Store::in_memory().unwrap();
        run(&store, "a", &[&TOLD[..], &EVALUATED].concat(), b"1");
        let (args, seed) = Original::of(&store, &job("a"), &job("b")).unwrap().evaluation().unwrap();
        assert_eq!((seed, args.last_year, args.folds.as_str(), args.repeats.as_str()), (9, 80, "3", "2"));
        assert_eq!((args.forest.n_estimators.as_str(), args.search.as_deref(), args.grid), ("6", Some("4"), None));

        run(&store, "a", &TOLD, b"1");
        let error = Original::of(&store, &job("a"), &job("b")).unwrap().evaluation().unwrap_err().to_string();
        assert!(error.contains("evaluate.data, so it is not one of an evaluation"), "{error}");
    }

    #[test]
    fn a_file_that_has_changed_since_is_refused() {
        let store = Store::in_memory().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.data");
        std::fs::write(&path, "1").unwrap();
        let mut told = EVALUATED;
        let text = path.display().to_string();
        told[0].1 = &text;
        let mut first = run(&store, "a", &told, b"x");
        let key = layout::raw(&path).unwrap();
        let stored = store.put_file(&key, &path).unwrap();
        first.artifacts.insert("data/raw/my.data".into(), stored);
        first.save(&store, &layout::project().unwrap()).unwrap();
        let again = || Original::of(&store, &job("a"), &job("b")).unwrap().evaluation();
        assert!(again().is_ok());
        std::fs::write(&path, "2").unwrap();
        let error = again().unwrap_err().to_string();
        assert!(error.contains("run `a` was of other data") && error.contains("my.data"), "{error}");
    }
}
