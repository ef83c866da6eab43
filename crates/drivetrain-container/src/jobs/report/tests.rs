use std::{collections::BTreeMap, fs, path::Path};

use super::*;
use crate::jobs::{
    acquire::{self, AcquireArgs},
    process::{self, ProcessArgs},
    train::{self, TrainArgs},
};

fn environment(base: &Path) -> SageMakerEnv {
    SageMakerEnv::load(BTreeMap::from([("SAGEMAKER_BASE_DIR".to_owned(), base.display().to_string())])).unwrap()
}

/// The flags of a job that is given none.
fn defaults<A: Args>() -> A {
    let matches = A::augment_args(clap::Command::new("job")).get_matches_from(["job"]);
    A::from_arg_matches(&matches).unwrap()
}

fn put(base: &Path, from: &str, to: &str) {
    let to = base.join(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(base.join(from), to).unwrap();
}

/// Runs the jobs before, and lays out what they wrote as inputs of the report.
fn run_of_ten_trees(base: &Path) {
    let (env, stop) = (environment(base), Stop::default());
    acquire::run(&defaults::<AcquireArgs>(), &env, &stop, &mut Vec::new()).unwrap();
    for name in ["train", "val", "test", "cars"] {
        put(base, &format!("processing/output/{name}/{name}.csv"), &format!("processing/input/{name}/{name}.csv"));
    }
    process::run(&defaults::<ProcessArgs>(), &env, &stop, &mut Vec::new()).unwrap();
    for name in ["train", "val"] {
        for file in [format!("{name}_feats.npy"), "features.json".to_owned()] {
            put(base, &format!("processing/{name}/{file}"), &format!("input/data/{name}/{file}"));
        }
    }
    for file in ["model.tar.gz", "summary.json"] {
        put(base, &format!("processing/output/{file}"), &format!("processing/input/preprocessor/{file}"));
    }
    let forest = TrainArgs { n_estimators: Some(10), ..TrainArgs::default() };
    train::run(&forest, &env, &stop, &mut Vec::new()).unwrap();
    let path = base.join("processing/input/regressor/model.tar.gz");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let artifact = drivetrain_artifact::Artifact::read_dir(base.join("model"), &drivetrain_artifact::Limits::default());
    artifact.unwrap().write_tar_gz(path).unwrap();
    let record = base.join("processing/input/record/run.json");
    fs::create_dir_all(record.parent().unwrap()).unwrap();
    let text = r#"{"run": "first", "started": "2026-01-31T12:00:00Z", "parameters": {"seed": "42"}, "metrics": [],
        "artifacts": {"data/bronze/train/train.csv": {"key": "k", "size": 1, "sha256": "00ff"}}, "steps": []}"#;
    fs::write(record, text).unwrap();
}

fn report(base: &Path) -> Result<String, Error> {
    let args = ReportArgs { commands: vec!["cargo xtask pipeline --seed 42".into()], seed: 1, redraw: false };
    let mut stdout = Vec::new();
    run(&args, &environment(base), &Stop::default(), &mut stdout)?;
    Ok(String::from_utf8(stdout).unwrap())
}

fn data(base: &Path) -> Report {
    serde_json::from_slice(&fs::read(base.join("processing/output/report.json")).unwrap()).unwrap()
}

#[test]
fn a_report_says_what_the_run_found() {
    let base = tempfile::tempdir().unwrap();
    run_of_ten_trees(base.path());
    let metrics: serde_json::Value =
        serde_json::from_slice(&fs::read(base.path().join("output/data/metrics.json")).unwrap()).unwrap();
    let stdout = report(base.path()).unwrap();
    let found = data(base.path());

    // The score of the training job, found again from the artifacts and the rows.
    let rmse = &found.models[0].scores[0];
    let trained = metrics["val"]["rmse"].as_f64().unwrap();
    assert!((rmse.value - trained).abs() < 1e-9, "{} {trained}", rmse.value);
    assert!(stdout.starts_with("val_rmse="), "{stdout}");
    let (low, high) = rmse.interval.unwrap();
    assert!(low < rmse.value && rmse.value < high);
    let names: Vec<_> = found.models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["random forest", "extra trees", "SVR", "linear, log target", "ridge", "linear", "mean"]);
    // Extra trees and support vectors may be as good.
    assert!(found.models[3..].iter().all(|model| model.scores[0].value > rmse.value), "{:?}", found.models);

    assert_eq!(found.predictions.len(), 70);
    let cars = fs::read_to_string(base.path().join("processing/input/cars/cars.csv")).unwrap();
    for (row, prediction) in found.predictions.iter().enumerate() {
        assert!(cars.contains(&format!("\nval,{row},{}\n", prediction.label)), "{row} {}", prediction.label);
        let (low, high) = prediction.interval.unwrap();
        assert!(low < high);
    }
    assert_eq!(found.importances.len(), 7);
    let shares: f64 = found.importances.iter().map(|importance| importance.impurity).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    assert_eq!(found.dependence.len(), 2);
    let calibration = found.calibration.unwrap();
    assert!(calibration.levels.windows(2).all(|pair| pair[0].width < pair[1].width));
    assert_eq!(found.pipeline.unwrap().parts[0].0, "custom-preprocessing");
    assert_eq!(found.data.columns[3].missing, 6 - missing_elsewhere(base.path()));
    let page = fs::read_to_string(base.path().join("processing/output/report.html")).unwrap();
    assert!(page.contains("sha256 00ff") && page.contains("cargo xtask pipeline --seed 42"));
}

/// Cars without a horsepower that are not among the training rows.
fn missing_elsewhere(base: &Path) -> usize {
    let count = |name: &str| {
        let text = fs::read_to_string(base.join(format!("processing/input/{name}/{name}.csv"))).unwrap();
        text.lines().skip(1).filter(|line| line.split(',').nth(3) == Some("")).count()
    };
    count("val") + count("test")
}

#[test]
fn the_same_run_gives_the_same_page_and_the_next_one_is_compared_with_it() {
    let base = tempfile::tempdir().unwrap();
    run_of_ten_trees(base.path());
    report(base.path()).unwrap();
    let page = base.path().join("processing/output/report.html");
    let first = fs::read(&page).unwrap();
    report(base.path()).unwrap();
    assert_eq!(fs::read(&page).unwrap(), first);

    // From what was found alone: the rows and the models may be another run's by then.
    let redrawn = tempfile::tempdir().unwrap();
    fs::create_dir_all(redrawn.path().join("processing/input/report")).unwrap();
    let kept = base.path().join("processing/output/report.json");
    fs::copy(&kept, redrawn.path().join("processing/input/report/report.json")).unwrap();
    let args = ReportArgs { commands: Vec::new(), seed: 2, redraw: true };
    run(&args, &environment(redrawn.path()), &Stop::default(), &mut Vec::new()).unwrap();
    assert_eq!(fs::read(redrawn.path().join("processing/output/report.html")).unwrap(), first);
    assert_eq!(fs::read(redrawn.path().join("processing/output/report.json")).unwrap(), fs::read(&kept).unwrap());

    put(base.path(), "processing/output/report.json", "processing/input/previous/report.json");
    report(base.path()).unwrap();
    let found = data(base.path());
    assert_eq!(found.previous.unwrap().scores, found.models[0].scores);

    put(base.path(), "processing/input/previous/report.json", "processing/input/first/report.json");
    put(base.path(), "processing/output/report.json", "processing/input/second/report.json");
    let mut stdout = Vec::new();
    run_compare(&CompareArgs {}, &environment(base.path()), &Stop::default(), &mut stdout).unwrap();
    assert_eq!(stdout, b"compared=first first;\n");
    assert!(
        fs::read_to_string(base.path().join("processing/output/compare.html")).unwrap().contains("first and first")
    );
}

#[test]
fn what_is_missing_or_something_else_is_named_and_nothing_is_written() {
    let base = tempfile::tempdir().unwrap();
    run_of_ten_trees(base.path());
    let regressor = base.path().join("processing/input/regressor/model.tar.gz");
    fs::copy(base.path().join("processing/input/preprocessor/model.tar.gz"), &regressor).unwrap();
    let error = report(base.path()).unwrap_err();
    assert!(matches!(error, Error::ModelKind { .. }) && error.to_string().contains("regressor"), "{error}");

    fs::remove_file(base.path().join("processing/input/record/run.json")).unwrap();
    fs::remove_file(&regressor).unwrap();
    assert!(report(base.path()).is_err());
    assert!(!base.path().join("processing/output/report.html").exists());
}
