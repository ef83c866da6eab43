//! Evaluations, and what is kept of runs.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::command::Workplace;

fn json(place: &Workplace, key: &str) -> Value {
    serde_json::from_slice(&std::fs::read(place.object(key)).unwrap()).unwrap()
}

#[test]
fn an_evaluation_is_printed_kept_and_recorded_and_the_same_for_any_number_of_threads() {
    let command = "evaluate --run-name cv --folds 3 --repeats 2 --n-estimators 3 --search 2";
    let command: Vec<_> = command.split_whitespace().collect();
    let [one, two] = ["1", "3"].map(|threads| {
        let place = Workplace::new();
        let output = place.run(&command, &[("RAYON_NUM_THREADS", threads)]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (place, String::from_utf8(output.stdout).unwrap())
    });
    let (place, text) = one;
    let key = "evaluations/cv/evaluation.json";
    assert!(json(&place, key) == json(&two.0, key), "the evaluation depends on the number of threads");
    for expected in ["random forest", "linear, log target", "out of bag", "shuffled", "to cover", "model year up to 79"]
    {
        assert!(text.contains(expected), "`{expected}` is not in: {text}");
    }
    let record = json(&place, "runs/cv/run.json");
    assert_eq!(record["series"]["fold:random forest:rmse"].as_array().map(Vec::len), Some(6), "{record}");
    assert_eq!(record["parameters"]["evaluate.n-splits"], "3");
    let names: Vec<_> =
        record["metrics"].as_array().unwrap().iter().map(|metric| metric["name"].as_str().unwrap()).collect();
    for expected in ["cv:ridge:mae", "oob:rmse", "later:random forest:r2", "covered:0.9", "nested:rmse"] {
        assert!(names.contains(&expected), "{expected} is not among {names:?}");
    }
    assert!(record["tags"]["drivetrain.version"].is_string(), "{record}");
    let sha256 = "48b830e11feee5572525f8f1691ddb9d38d3d7b7063edcd8fca672c2a5e17d8d";
    assert_eq!(record["tags"]["drivetrain.evaluate.data.sha256"], sha256);
    let list = place.succeed(&["experiments", "list"]);
    assert!(list.lines().any(|line| line.trim_start().starts_with("cv ") && line.contains("evaluate")), "{list}");
}

#[test]
fn a_run_is_reproduced_from_its_record_and_compared() {
    let place = Workplace::new();
    place.succeed(&["pipeline", "--run-name", "first", "--n-estimators", "5", "--seed", "7", "--max-depth", "6"]);
    let text = place.succeed(&["pipeline", "--reproduce", "first", "--run-name", "second"]);
    assert!(text.contains("reproduced run first: all ") && text.contains(" sha256 agree"), "{text}");
    let model = |run: &str| std::fs::read(place.object(&format!("models/ml/{run}/output/model.tar.gz"))).unwrap();
    assert!(model("first") == model("second"));
    let text = place.succeed(&["experiments", "compare", "first", "second"]);
    assert!(text.contains("Parameters") && !text.contains("max-depth"), "{text}");
    let text = place.succeed(&["experiments", "show", "first"]);
    assert!(text.contains("val:rmse") && text.contains("models/ml/RUN/output/model.tar.gz"), "{text}");

    let evaluate = "evaluate --run-name first --folds 3 --repeats 1 --n-estimators 2 --seed 9";
    place.succeed(&evaluate.split_whitespace().collect::<Vec<_>>());
    let text = place.succeed(&["evaluate", "--reproduce", "first", "--run-name", "second"]);
    assert!(text.contains("reproduced run first: all 1 sha256 agree"), "{text}");

    let message = place.fail(&["evaluate", "--reproduce", "first", "--run-name", "first"]);
    assert!(message.contains("under its own name"), "{message}");
    let message = place.fail(&["pipeline", "--reproduce", "none"]);
    assert!(message.contains("there is no run `none`"), "{message}");
    let message = place.fail(&["experiments", "show", "none"]);
    assert!(message.contains("there is no run `none`"), "{message}");
}

#[test]
fn a_run_that_fails_is_recorded_with_its_parameters_its_log_and_why() {
    let place = Workplace::new();
    let row = "18.0   8   307.0      130.0      3504.      12.0   70  1\t\"chevrolet chevelle malibu\"\n";
    let data = place.file("constant.data", row.repeat(30)).display().to_string();
    let evaluate =
        |data: &str| ["evaluate", "--run-name", "cv", "--n-estimators", "2", "--data", data].map(str::to_owned);
    let message = place.fail(&evaluate(&data));
    assert!(message.contains("all 30 values of y are 18"), "{message}");
    let record = json(&place, "runs/cv/run.json");
    assert!(record["failure"]["error"].as_str().unwrap().contains("all 30 values of y are 18"), "{record}");
    assert_eq!(
        (&record["parameters"]["evaluate.n-estimators"], &record["steps"]),
        (&"2".into(), &Value::Array(vec![]))
    );
    assert!(record["tags"]["drivetrain.rustc"].as_str().unwrap().starts_with("rustc "), "{record}");
    let (_, folder) = recorded(&place);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(read("meta.yaml").contains("status: 4\n"), "{}", read("meta.yaml"));
    assert!(read("tags/mlflow.note.content").contains("all 30 values of y are 18"));
    assert_eq!(read("params/evaluate.n-estimators"), "2");
    assert!(read("artifacts/logs/evaluate.txt").contains("30"), "{}", read("artifacts/logs/evaluate.txt"));
    let list = place.succeed(&["experiments", "list"]);
    assert!(list.lines().any(|line| line.trim_start().starts_with("cv ") && line.contains(" failed ")), "{list}");

    // Done well under the same name, it is a run as any other.
    let good = ["evaluate", "--run-name", "cv", "--folds", "3", "--repeats", "1", "--n-estimators", "2"];
    place.succeed(&good);
    assert!(read("meta.yaml").contains("status: 3\n"), "{}", read("meta.yaml"));
    assert!(!folder.join("tags/drivetrain.error").exists() && !folder.join("tags/mlflow.note.content").exists());
    assert_eq!(read("params/evaluate.data"), "bundled");
    // What stands keeps its parameters when a later attempt fails.
    place.fail(&evaluate(&data));
    let record = json(&place, "runs/cv/run.json");
    assert_eq!(
        (&record["parameters"]["evaluate.data"], &record["steps"][0]["name"]),
        (&"bundled".into(), &"evaluate".into())
    );
    assert!(record["failure"].is_object() && read("meta.yaml").contains("status: 4\n"));
}

#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_is_recorded_as_killed() {
    let place = Workplace::new();
    let mut command = place.command(&["evaluate", "--run-name", "cv", "--n-estimators", "1000"]);
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(run.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("evaluate: ") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "the evaluation did not begin");
    }
    // Cargo has become the command that it runs.
    assert!(Command::new("kill").args(["-s", "INT", &run.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    assert!(!run.wait().unwrap().success() && rest.contains("was stopped"), "{rest}");
    let record = json(&place, "runs/cv/run.json");
    assert_eq!(
        (&record["failure"]["interrupted"], &record["failure"]["step"]["name"]),
        (&true.into(), &"evaluate".into())
    );
    assert_eq!(record["parameters"]["evaluate.n-estimators"], "1000");
    let (_, folder) = recorded(&place);
    assert!(std::fs::read_to_string(folder.join("meta.yaml")).unwrap().contains("status: 5\n"));
    let list = place.succeed(&["experiments", "list"]);
    assert!(list.lines().any(|line| line.trim_start().starts_with("cv ") && line.contains(" killed ")), "{list}");
}

/// The experiment and the only run of `MLflow`'s file store.
fn recorded(place: &Workplace) -> (PathBuf, PathBuf) {
    let folders = |of: &Path| -> Vec<PathBuf> {
        let paths = std::fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_dir()).collect()
    };
    let experiments = folders(&place.store().join("mlruns"));
    let runs = folders(&experiments[0]);
    assert_eq!((experiments.len(), runs.len()), (1, 1));
    (experiments[0].clone(), runs[0].clone())
}

#[test]
fn a_tracking_server_that_is_not_there_does_not_stop_a_run() {
    let place = Workplace::new();
    let train = ["pipeline", "--run-name", "first", "--n-estimators", "2"];
    // Nothing listens on the port of the discard protocol.
    let output = place.run(&train, &[("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("cannot tell the MLflow server at http://127.0.0.1:9"), "{errors}");
    assert!(errors.contains("recorded in the store alone"), "{errors}");
    let (experiment, run) = recorded(&place);
    assert!(experiment.join("meta.yaml").is_file() && run.join("meta.yaml").is_file());
}
