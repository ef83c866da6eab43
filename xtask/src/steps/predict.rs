//! The test rows through the served preprocessor and regressor.

use std::collections::BTreeMap;
use std::time::Duration;

use drivetrain_artifact::{Limits, Reader, Sha256};
use drivetrain_runner::endpoint::{Container, ContainerStatus, InferencePipeline, Payload};
use drivetrain_runner::store::{Key, Store, StoredObject};
use drivetrain_runner::{JobName, Program};
use serde::Deserialize;

use crate::error::Error;
use crate::layout;
use crate::session::Session;

/// Test rows are few; a file of this many bytes is something else.
const MAX_TEST_ROWS: u64 = 5 << 20;
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// What came back for the test rows.
#[derive(Debug)]
pub(crate) struct Predictions {
    /// The name of the target column.
    pub(crate) target: String,
    /// In the order of the file.
    pub(crate) rows: Vec<Prediction>,
    /// The models that answered.
    pub(crate) models: Models,
    /// The containers that answered.
    pub(crate) containers: Vec<ContainerStatus>,
    /// Where they are kept.
    pub(crate) stored: StoredObject,
}

/// The model ids of a preprocessor and of a regressor that was trained with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Models {
    pub(crate) preprocessor: Sha256,
    pub(crate) regressor: Sha256,
}

impl Models {
    /// Those of the session's run. A regressor answers nonsense to the features of another preprocessor, even where
    /// they have the same names.
    fn read(session: &Session<'_>) -> Result<Self, Error> {
        let store = session.store();
        let limits = Limits::default();
        let read = |key: &Key, publication: &Key| {
            let bytes = store.get_published_bytes(key, limits.max_compressed_bytes, publication)?;
            let artifact = Reader::new().limits(limits.clone()).read_tar_gz_bytes(&bytes);
            artifact.map_err(|source| Error::Model { location: store.describe(key), source })
        };
        let key = layout::preprocessor()?;
        let regressor = read(&layout::regressor(session.run())?, &layout::regressor_publication(session.run())?)?;
        let preprocessor = read(&key, &layout::gold_publication()?)?;
        let (found, expected) = (preprocessor.model_id(), regressor.manifest().preprocessor_id);
        if expected != Some(found) {
            let (location, run) = (store.describe(&key), session.run().to_string());
            return Err(Error::OtherPreprocessor { location, found, run, expected });
        }
        // Test rows of another split may be rows that the regressor was trained on.
        let rows = layout::bronze("train")?.join("train.csv")?;
        let fitted_on = preprocessor.manifest().training.data_sha256.map(|sha256| sha256.to_string());
        let rows_now = store.stat(&rows)?;
        store.publication(&layout::bronze_publication()?)?.check(store, std::slice::from_ref(&rows_now))?;
        if fitted_on != Some(rows_now.sha256.to_string()) {
            return Err(Error::OtherRows { location: store.describe(&rows) });
        }
        Ok(Self { preprocessor: found, regressor: regressor.model_id() })
    }
}

/// A true value and what was predicted for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Prediction {
    pub(crate) truth: f64,
    pub(crate) predicted: f64,
}

/// The run whose regressor was written last.
pub(super) fn newest_run(store: &Store) -> Result<JobName, Error> {
    let regressors = layout::regressors()?;
    let runs = store.list(&regressors)?.into_iter();
    runs.filter_map(|object| Some((object.modified, layout::job_of_regressor(&object.key)?)))
        .max()
        .map(|(_, run)| run)
        .ok_or_else(|| Error::NoModel { location: store.describe(&regressors) })
}

pub(super) fn run(session: &mut Session<'_>, program: &Program) -> Result<Predictions, Error> {
    let step = session.start("predict", "the test rows through preprocessor and regressor", None)?;
    let rows = TestRows::read(session.store())?;
    let run = session.run().clone();
    let container = |name: &str, model| {
        Ok::<_, Error>(Container {
            name: JobName::new(name)?,
            program: program.clone(),
            model,
            environment: BTreeMap::new(),
        })
    };
    let pipeline = InferencePipeline {
        name: run.clone(),
        containers: vec![
            container("preprocessor", layout::preprocessor()?)?,
            container("regressor", layout::regressor(&run)?)?,
        ],
        start_timeout: START_TIMEOUT,
    };
    let models = Models::read(session)?;
    let endpoint = session.platform.deploy(&pipeline)?;
    let containers = endpoint.containers();
    let answer = endpoint.invoke(&Payload::csv(rows.body.clone()))?;
    endpoint.stop()?;
    let rows_and_target = rows.join(&answer.body)?;
    let stored = session.store().put_bytes(&layout::predictions(&run)?, rows_and_target.csv().into_bytes())?;
    session.artifact(&stored)?;
    session.finish(step, None)?;
    let Joined { target, rows } = rows_and_target;
    Ok(Predictions { target, rows, models, containers, stored })
}

/// The test rows, taken apart: the target is column 0.
#[derive(Debug, PartialEq)]
struct TestRows {
    target: String,
    truth: Vec<f64>,
    /// The other columns, as `text/csv` without a header.
    body: String,
}

/// The test rows with their predictions.
#[derive(Debug, PartialEq)]
struct Joined {
    target: String,
    rows: Vec<Prediction>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    id: usize,
    prediction: f64,
}

impl TestRows {
    fn read(store: &Store) -> Result<Self, Error> {
        let key = layout::bronze("test")?.join("test.csv")?;
        let bytes = store.get_published_bytes(&key, MAX_TEST_ROWS, &layout::bronze_publication()?)?;
        let parsed =
            String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()).and_then(|text| Self::parse(&text));
        parsed.map_err(|problem| Error::TestRows { location: store.describe(&key), problem })
    }

    /// Cells are numbers or empty, so a comma always ends one.
    fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        let header = lines.next().unwrap_or_default();
        let (target, _) = header.split_once(',').ok_or("the header does not name a target and features")?;
        let mut rows = Self { target: target.to_owned(), truth: Vec::new(), body: String::new() };
        for (index, line) in lines.enumerate() {
            let (cell, features) =
                line.split_once(',').ok_or_else(|| format!("row {} has a single cell", index + 1))?;
            let truth =
                cell.parse().map_err(|_| format!("row {}, column `{target}`: `{cell}` is not a number", index + 1))?;
            rows.truth.push(truth);
            rows.body.push_str(features);
            rows.body.push('\n');
        }
        if rows.truth.is_empty() {
            return Err("there are no rows".to_owned());
        }
        Ok(rows)
    }

    /// Puts the endpoint's answer beside the true values.
    fn join(self, answer: &[u8]) -> Result<Joined, Error> {
        let unusable = |problem| Error::Answer { problem };
        let answers: Vec<Answer> = serde_json::from_slice(answer).map_err(|error| unusable(error.to_string()))?;
        if answers.len() != self.truth.len() {
            return Err(unusable(format!("{} predictions came for {} rows", answers.len(), self.truth.len())));
        }
        if let Some((row, answer)) = answers.iter().enumerate().find(|(row, answer)| *row != answer.id) {
            return Err(unusable(format!("prediction {row} has the id {}", answer.id)));
        }
        let rows = self.truth.iter().zip(&answers);
        let rows = rows.map(|(truth, answer)| Prediction { truth: *truth, predicted: answer.prediction }).collect();
        Ok(Joined { target: self.target, rows })
    }
}

impl Joined {
    fn csv(&self) -> String {
        let lines = self.rows.iter().map(|row| format!("{},{}\n", row.truth, row.predicted));
        std::iter::once(format!("{},prediction\n", self.target)).chain(lines).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "mpg,cylinders,horsepower\n18.5,8,130\n25,4,\n";

    #[test]
    fn the_target_stays_behind() {
        let rows = TestRows::parse(CSV).unwrap();
        assert_eq!(rows.target, "mpg");
        assert_eq!(rows.truth, [18.5, 25.0]);
        assert_eq!(rows.body, "8,130\n4,\n");
    }

    #[test]
    fn rows_that_cannot_be_used_are_named() {
        for (text, expected) in [
            ("", "header"),
            ("mpg\n1\n", "header"),
            ("mpg,a\n", "no rows"),
            ("mpg,a\n1\n", "row 1"),
            ("mpg,a\n1,2\nx,2\n", "row 2, column `mpg`: `x`"),
        ] {
            let problem = TestRows::parse(text).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn predictions_are_put_beside_the_truth() {
        let answer = br#"[{"id":0,"prediction":17.25},{"id":1,"prediction":26}]"#;
        let joined = TestRows::parse(CSV).unwrap().join(answer).unwrap();
        assert_eq!(joined.csv(), "mpg,prediction\n18.5,17.25\n25,26\n");
    }

    #[test]
    fn an_answer_that_does_not_fit_is_refused() {
        for answer in ["", "[]", r#"{"error":"x"}"#, r#"[{"id":1,"prediction":1},{"id":0,"prediction":2}]"#] {
            assert!(TestRows::parse(CSV).unwrap().join(answer.as_bytes()).is_err(), "{answer}");
        }
    }

    #[test]
    fn the_newest_run_is_the_one_trained_last() {
        let store = Store::in_memory().unwrap();
        assert!(matches!(newest_run(&store), Err(Error::NoModel { .. })));
        for name in ["b-first", "a-second"] {
            let key = layout::regressor(&JobName::new(name).unwrap()).unwrap();
            store.put_bytes(&key, vec![1]).unwrap();
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(newest_run(&store).unwrap().as_str(), "a-second");
    }
}
