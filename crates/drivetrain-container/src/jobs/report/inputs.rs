//! What the report job reads.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use drivetrain_artifact::{Artifact, Limits, Manifest, Model, Regressor, Sha256};
use drivetrain_plan::Plan;
use drivetrain_report::{Report, Step};
use serde::{Deserialize, de::DeserializeOwned};

use super::REPORT_DATA_FILE;
use crate::{
    Error,
    environment::{Paths, read_json},
    jobs::{part::Part, process::SUMMARY_FILE},
};

/// The files of a run.
#[derive(Debug)]
pub(super) struct Inputs {
    pub(super) train: Part,
    pub(super) val: Part,
    pub(super) test: Part,
    /// What each row of the validation part is called; empty where nobody knows.
    pub(super) labels: Vec<String>,
    pub(super) plan: Plan,
    pub(super) preprocessor: Manifest,
    pub(super) preprocessor_id: String,
    pub(super) regressor: Regressor,
    pub(super) training: Manifest,
    pub(super) regressor_id: String,
    pub(super) summary: Option<Step>,
    pub(super) record: Record,
    pub(super) previous: Option<Report>,
}

/// What the report takes from the record of a run.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Record {
    pub(super) run: String,
    pub(super) started: String,
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) artifacts: BTreeMap<String, Object>,
}

/// An object of the store.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Object {
    pub(super) sha256: String,
}

/// A line of `cars.csv`.
#[derive(Debug, Deserialize)]
struct Car {
    part: String,
    row: usize,
    #[serde(rename = "car name")]
    name: String,
}

impl Inputs {
    pub(super) fn read(paths: &Paths) -> Result<Self, Error> {
        let part = |name: &str| Part::read(paths.processing_input(name).join(format!("{name}.csv")));
        let (train, val, test) = (part("train")?, part("val")?, part("test")?);
        let artifact = |name: &str| {
            let path = paths.processing_input(name).join("model.tar.gz");
            Ok::<_, Error>((Artifact::read_tar_gz(&path, &Limits::default())?, path))
        };
        let (preprocessor, path) = artifact("preprocessor")?;
        let Model::Preprocessor(plan) = preprocessor.model() else {
            return Err(Error::ModelKind { path, expected: "a preprocessor", found: preprocessor.model().kind() });
        };
        let (trained, path) = artifact("regressor")?;
        let Model::Regressor(regressor) = trained.model() else {
            return Err(Error::ModelKind { path, expected: "a regressor", found: trained.model().kind() });
        };
        // Another preprocessor would feed the forest nonsense, and of other rows some may be known to it.
        let mismatch = |problem: &str| Error::NotOneRun { problem: problem.to_owned() };
        if trained.manifest().preprocessor_id != Some(preprocessor.model_id()) {
            return Err(mismatch("the regressor was trained with the features of another preprocessor"));
        }
        if preprocessor.manifest().training.data_sha256 != Some(Sha256::of_file(train.path())?) {
            return Err(mismatch("the preprocessor was fitted on other training rows"));
        }
        let rows = val.target().len();
        Ok(Self {
            labels: labels(&paths.processing_input("cars").join("cars.csv"), rows)?,
            plan: plan.clone(),
            preprocessor: preprocessor.manifest().clone(),
            preprocessor_id: preprocessor.model_id().to_string(),
            regressor: regressor.clone(),
            training: trained.manifest().clone(),
            regressor_id: trained.model_id().to_string(),
            summary: read_json(&paths.processing_input("preprocessor").join(SUMMARY_FILE))?,
            record: required(paths.processing_input("record").join("run.json"))?,
            previous: previous(&paths.processing_input("previous").join(REPORT_DATA_FILE)),
            train,
            val,
            test,
        })
    }
}

/// The report of another run; without it this one is shown alone.
fn previous(path: &Path) -> Option<Report> {
    read_json(path).unwrap_or_else(|error| {
        tracing::warn!("not compared with an earlier run: {}", crate::failure::explain(&error));
        None
    })
}

/// The names of the validation rows, where the file is there and has one for each of them.
fn labels(path: &Path, rows: usize) -> Result<Vec<String>, Error> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let malformed = |source: csv::Error| Error::Names { path: path.to_owned(), source };
    let mut names = vec![None; rows];
    for car in csv::Reader::from_path(path).map_err(malformed)?.into_deserialize() {
        let Car { part, row, name } = car.map_err(malformed)?;
        if part == "val"
            && let Some(place) = names.get_mut(row)
        {
            *place = Some(name);
        }
    }
    Ok(names.into_iter().collect::<Option<_>>().unwrap_or_default())
}

pub(super) fn required<T: DeserializeOwned>(path: PathBuf) -> Result<T, Error> {
    match read_json(&path)? {
        Some(value) => Ok(value),
        None => Err(Error::Read { path, source: std::io::ErrorKind::NotFound.into() }),
    }
}
