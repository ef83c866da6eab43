//! A fitted model written to a file, and loaded.

use std::fs;
use std::path::PathBuf;

use bincode::config::standard;
use drivetrain_artifact::{Artifact, ArtifactBuilder, Limits, Model, Regressor};
use drivetrain_bench::Task;
use drivetrain_transform::{Estimator, Fitted};

use crate::data::{self, Rows};
use crate::forest::{Shape, regressor};
use crate::transform::{Lent, column_transformer};
use crate::{Failure, Printer, unknown};

const WRITE: &str = "write";
const LOAD: &str = "load";

pub(crate) fn run(task: &Task, rows: usize, trees: usize, meter: &mut Printer) -> Result<(), Failure> {
    let shape = Shape { trees, max_depth: None, max_features: None, threads: task.threads };
    let folder = task.folder.join("models");
    fs::create_dir_all(&folder)?;
    // One file per process: those of a run interrupted are overwritten.
    let path = folder.join(format!("{}-{trees}", task.engine.replace(' ', "-")));
    match (task.engine.as_str(), trees) {
        ("drivetrain", 0) => {
            let table = Lent::new(data::columns(&task.folder, rows, true)?)?;
            let plan = column_transformer(true)?.fit(&table, None)?.lower()?;
            ours(|| ArtifactBuilder::preprocessor(plan.clone(), &table), path, meter)
        }
        ("drivetrain", _) => {
            let [train, test] = data::train_and_test(&task.folder, rows)?;
            let forest = regressor(shape)?.fit(train.x.view(), &train.y)?;
            let names = (0..forest.n_features()).map(|index| format!("x{index}")).collect();
            let regressor = Regressor::new(forest, names)?;
            ours(|| ArtifactBuilder::regressor(regressor.clone(), test.x.view()), path, meter)
        }
        ("rafor", 1..) => rafor(data::train_and_test(&task.folder, rows)?, shape, path, meter),
        _ => Err(unknown(task)),
    }
}

/// Encodes, verifies and writes `model.tar.gz`; loads it with all its checks.
fn ours<'a>(builder: impl Fn() -> ArtifactBuilder<'a>, path: PathBuf, meter: &mut Printer) -> Result<(), Failure> {
    let path = path.with_extension("tar.gz");
    let id = meter.measure(WRITE, || builder().build().and_then(|artifact| artifact.write_tar_gz(&path)))?;
    meter.size(fs::metadata(&path)?.len());
    let artifact = meter.measure(LOAD, || Artifact::read_tar_gz(&path, &Limits::default()))?;
    if artifact.model_id() != id {
        return Err("another model was loaded than was written".into());
    }
    match artifact.model() {
        Model::Preprocessor(plan) => meter.check(plan.feature_names().len() as f64),
        Model::Regressor(regressor) => meter.check(regressor.forest().n_trees() as f64),
        Model::Pipeline(_) => return Err("a pipeline was loaded that nobody wrote".into()),
    }
    Ok(())
}

/// bincode, as its documentation says; nothing is checked.
fn rafor([train, _]: [Rows; 2], shape: Shape, path: PathBuf, meter: &mut Printer) -> Result<(), Failure> {
    let forest = crate::forest::rafor_forest(&train, shape);
    let path = path.with_extension("bin");
    meter.measure(WRITE, || -> Result<(), Failure> {
        fs::write(&path, bincode::serde::encode_to_vec(&forest, standard())?)?;
        Ok(())
    })?;
    meter.size(fs::metadata(&path)?.len());
    meter.measure(LOAD, || -> Result<::rafor::rf::Regressor, Failure> {
        Ok(bincode::serde::decode_from_slice(&fs::read(&path)?, standard())?.0)
    })?;
    meter.check(shape.trees as f64);
    Ok(())
}
