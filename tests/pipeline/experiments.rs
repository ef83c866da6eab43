//! Evaluations, and what is kept of runs.

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
    assert!(record["tags"]["drivetrain.version"].is_string(), "{record}");
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

    let message = place.fail(&["pipeline", "--reproduce", "none"]);
    assert!(message.contains("there is no run `none`"), "{message}");
    let message = place.fail(&["experiments", "show", "none"]);
    assert!(message.contains("there is no run `none`"), "{message}");
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
    let runs = std::fs::read_dir(place.store().join("mlruns")).unwrap();
    let runs: Vec<_> = runs.map(|experiment| experiment.unwrap().path()).collect();
    assert_eq!(runs.len(), 1);
    assert!(runs[0].join("meta.yaml").is_file());
}
