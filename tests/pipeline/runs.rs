//! Runs that succeed.

use std::{fs, process::Stdio};

use drivetrain_artifact::{Artifact, Limits, npy};
use drivetrain_autompg::{TARGET, raw_schema};
use drivetrain_dataset::read_csv;
use drivetrain_forest::metrics::RegressionMetrics;
use drivetrain_frame::FrameTable;
use ndarray::{Axis, Slice};
use serde_json::Value;

use crate::command::{Workplace, xtask};

const KEYS: [&str; 16] = [
    "data/bronze/cars/cars.csv",
    "data/bronze/published.json",
    "data/bronze/test/test.csv",
    "data/bronze/train/train.csv",
    "data/bronze/val/val.csv",
    "data/gold/published.json",
    "data/gold/train/features.json",
    "data/gold/train/train_feats.npy",
    "data/gold/val/features.json",
    "data/gold/val/val_feats.npy",
    "models/ml/first/output/model.tar.gz",
    "models/ml/first/output/output.tar.gz",
    "models/ml/first/output/published.json",
    "models/preprocessor/model.tar.gz",
    "models/preprocessor/summary.json",
    "predictions/first/test.csv",
];

#[test]
fn the_same_command_gives_the_same_bytes_for_any_number_of_threads_and_hosts() {
    let command = ["pipeline", "--run-name", "first", "--seed", "7", "--hosts"];
    let runs = [("1", "1"), ("2", "2"), ("5", "3")].map(|(threads, hosts)| {
        let place = Workplace::new();
        let output = place.run(&[&command[..], &[hosts]].concat(), &[("RAYON_NUM_THREADS", threads)]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        place.results()
    });
    assert_eq!(runs[0].keys().collect::<Vec<_>>(), KEYS);
    for (key, bytes) in &runs[0] {
        assert!(runs[1..].iter().all(|run| run[key] == *bytes), "{key} depends on the number of threads or hosts");
    }
}

#[test]
fn a_run_has_a_page_and_two_runs_have_one_together() {
    let place = Workplace::with_first_run();
    let read = |key: &str| fs::read_to_string(place.store().join("auto_mpg").join(key)).unwrap();
    let page = read("reports/first/report.html");
    assert!(page.contains("largest errors") && page.contains("cargo xtask pipeline --data bundled --seed"), "{page}");

    // The next run is shown beside the one before, and an old run drawn again is not shown beside a later one.
    place.succeed(&["pipeline", "--run-name", "second", "--n-estimators", "5", "--test-rows", "79", "--seed", "8"]);
    assert!(read("reports/second/report.html").contains("since first"));
    let summary = place.succeed(&["report", "compare", "first", "second"]);
    assert!(summary.contains("reports/first-and-second/compare.html"), "{summary}");
    assert!(read("reports/first-and-second/compare.html").contains("first and second"));

    // The rows and the preprocessor are the second run's now: the first is shown as it was found.
    fs::remove_file(place.store().join("auto_mpg/reports/first/report.html")).unwrap();
    place.succeed(&["report", "--run", "first"]);
    assert_eq!(read("reports/first/report.html"), page);
    fs::remove_file(place.store().join("auto_mpg/reports/first/report.json")).unwrap();
    let output = place.run(&["report", "--run", "first"], &[]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && errors.contains("not the models and rows of one run"), "{errors}");
    place.succeed(&["report"]);
}

#[test]
fn single_steps_make_what_the_pipeline_makes() {
    let whole = Workplace::with_first_run();
    let steps = Workplace::new();
    for step in ["acquire", "process", "train", "predict"] {
        let mut command = vec![step, "--run-name", "first"];
        if step == "train" {
            command.extend(["--n-estimators", "5"]);
        }
        steps.succeed(&command);
    }
    assert!(steps.results() == whole.results());
}

#[test]
fn flags_decide_the_split_the_forest_and_the_names() {
    let place = Workplace::new();
    let command = "pipeline --run-name other --train-fraction 0.5 --test-rows 20 --n-estimators 3 --max-depth 2 \
                   --max-features sqrt";
    let summary = place.succeed(&command.split_whitespace().collect::<Vec<_>>());
    let rows = |part: &str| read_csv(place.object(&format!("data/bronze/{part}/{part}.csv")), &raw_schema().unwrap());
    assert_eq!(rows("train").unwrap().height(), 199);
    assert_eq!(rows("val").unwrap().height(), 179);
    assert_eq!(rows("test").unwrap().height(), 20);
    let predicted = summary.lines().skip_while(|line| !line.starts_with("Predictions")).skip(2);
    assert_eq!(predicted.take_while(|line| !line.contains("mean absolute error")).count(), 20, "{summary}");

    let model = place.object("models/ml/other/output/model.tar.gz");
    let artifact = Artifact::read_tar_gz(model, &Limits::default()).unwrap();
    let parameters = &artifact.manifest().training.hyper_parameters;
    assert_eq!(parameters["n_estimators"], 3);
    assert_eq!(parameters["max_depth"], 2);
    assert_eq!(parameters["max_features"], "sqrt");
    let forest = artifact.model().regressor().unwrap().forest();
    assert_eq!(forest.n_trees(), 3);
    assert!(forest.n_nodes() <= 3 * 7, "{} nodes", forest.n_nodes());
}

#[test]
fn another_file_of_the_same_format_will_do() {
    let place = Workplace::new();
    let data = String::from_utf8(drivetrain_autompg::BUNDLED.to_vec()).unwrap();
    let half: String = data.lines().take(200).flat_map(|line| [line, "\n"]).collect();
    let path = place.file("half.data", half).display().to_string();
    place.succeed(&["pipeline", "--data", &path, "--n-estimators", "3", "--run-name", "half"]);
    let train = read_csv(place.object("data/bronze/train/train.csv"), &raw_schema().unwrap()).unwrap();
    assert_eq!(train.height(), 160);
}

#[test]
fn what_is_served_and_reported_is_what_the_artifacts_say() {
    let place = Workplace::with_first_run();
    let read = |key: &str| Artifact::read_tar_gz(place.object(key), &Limits::default()).unwrap();
    let preprocessor = read("models/preprocessor/model.tar.gz");
    let regressor = read("models/ml/first/output/model.tar.gz");
    let forest = regressor.model().regressor().unwrap().forest();

    // The endpoint's predictions are those of the two artifacts in this process.
    let test = read_csv(place.object("data/bronze/test/test.csv"), &raw_schema().unwrap()).unwrap();
    let rows = test.drop(TARGET).unwrap();
    let features = preprocessor.model().preprocessor().unwrap().apply(&FrameTable::new(&rows).unwrap()).unwrap();
    let expected = forest.predict(features.values()).unwrap();
    let predictions = fs::read_to_string(place.object("predictions/first/test.csv")).unwrap();
    let mut lines = predictions.lines();
    assert_eq!(lines.next(), Some("mpg,prediction"));
    let served: Vec<f64> = lines.map(|line| line.split_once(',').unwrap().1.parse().unwrap()).collect();
    assert_eq!(served, expected);

    // The metrics of the record are those of the feature matrices.
    let record = fs::read(place.object("runs/first/run.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    let recorded = |name: &str| {
        let metrics = record["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["name"] == name).unwrap()["value"].as_f64().unwrap()
    };
    for part in ["train", "val"] {
        let matrix = npy::read(place.object(&format!("data/gold/{part}/{part}_feats.npy"))).unwrap();
        let predicted = forest.predict(matrix.slice_axis(Axis(1), Slice::from(1..))).unwrap();
        let metrics = RegressionMetrics::new(&matrix.column(0).to_vec(), &predicted).unwrap();
        for (name, value) in [("mae", metrics.mae), ("mse", metrics.mse), ("rmse", metrics.rmse), ("r2", metrics.r2)] {
            assert_eq!(recorded(&format!("{part}:{name}")), value, "{part} {name}");
        }
    }
    assert!(recorded("val:rmse") < 4.5, "worse than any run on this data");
}

#[test]
fn every_command_explains_itself() {
    for (command, flags) in [
        ("pipeline", &["--store", "--data", "--seed", "--train-fraction", "--test-rows", "--n-estimators"][..]),
        ("pipeline", &["--max-depth", "--max-features", "--run-name"]),
        ("acquire", &["--store", "--data", "--seed"]),
        ("process", &["--store", "--run-name"]),
        ("train", &["--n-estimators", "--max-depth", "--max-features", "--seed"]),
        ("predict", &["--store", "--run-name"]),
    ] {
        let output = xtask().args([command, "--help"]).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && help.contains("Example"), "{help}");
        assert!(flags.iter().all(|flag| help.contains(flag)), "{command}: {help}");
    }
}

#[test]
fn runs_at_the_same_time_wait_for_each_other() {
    let place = Workplace::new();
    let runs = ["1", "2", "3"].map(|seed| {
        let run = ["pipeline", "--n-estimators", "5", "--seed", seed, "--run-name", &format!("run-{seed}")];
        place.command(&run).stdout(Stdio::piped()).spawn().unwrap()
    });
    let summaries = runs.map(|run| {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    });
    for (seed, summary) in ["1", "2", "3"].iter().zip(summaries) {
        let alone = Workplace::new();
        let run = ["pipeline", "--n-estimators", "5", "--seed", seed, "--run-name", &format!("run-{seed}")];
        let metrics = |summary: &str| summary.split("Where everything lies").next().unwrap().to_owned();
        assert_eq!(metrics(&summary), metrics(&alone.succeed(&run)));
    }
}
