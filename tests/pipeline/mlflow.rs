//! Recorded runs in the hands of `MLflow`: its file store, and a server.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::command::Workplace;

/// The interpreter that has mlflow.
const VARIABLE: &str = "DRIVETRAIN_MLFLOW";
/// A server makes its database first.
const START: Duration = Duration::from_mins(3);

/// Prints what `MLflow` knows of the run called `first`, as JSON.
const SCRIPT: &str = "
import json, sys
from mlflow import MlflowClient
client = MlflowClient(tracking_uri=sys.argv[1])
[experiment] = [e for e in client.search_experiments() if e.name == 'auto_mpg']
[run] = client.search_runs([experiment.experiment_id], filter_string=\"run_name = 'first'\")
history = client.get_metric_history(run.info.run_id, 'fold_random_forest_rmse')
print(json.dumps({
    'status': run.info.status, 'params': run.data.params, 'metrics': run.data.metrics, 'tags': run.data.tags,
    'folds': [[metric.step, metric.value] for metric in history],
    'artifacts': sorted(artifact.path for artifact in client.list_artifacts(run.info.run_id)),
    'milliseconds': run.info.end_time - run.info.start_time,
}))
";

/// A server of `MLflow` that ends with the test.
struct Server {
    process: Child,
    uri: String,
}

impl Server {
    fn start(python: &PathBuf, place: &Workplace) -> Self {
        // Free a moment ago, which is as good as it gets.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = place.file("server.log", "").parent().unwrap().to_owned();
        let log = std::fs::File::create(folder.join("server.log")).unwrap();
        let mut command = Command::new(python);
        command
            .args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1", "--port", &port.to_string()])
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}", folder.join("server.db").display()))
            .arg("--artifacts-destination")
            .arg(folder.join("server-artifacts"))
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let server = Self { process: command.spawn().unwrap(), uri: format!("http://127.0.0.1:{port}") };
        let started = Instant::now();
        while !answers(port) {
            assert!(started.elapsed() < START, "MLflow's server does not answer");
            std::thread::sleep(Duration::from_millis(200));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server is a process of workers: all of its group.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn answers(port: u16) -> bool {
    let Ok(mut socket) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = format!("GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    socket.write_all(request.as_bytes()).is_ok()
        && socket.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

/// What `MLflow` knows of the run called `first`.
fn known(python: &PathBuf, uri: &str) -> Value {
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT, uri]).env("MLFLOW_ALLOW_FILE_STORE", "true");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn mlflow_reads_the_runs_in_the_store_and_is_sent_them() {
    let Some(python) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        // Around the capture of the test harness: a skipped test is to be noticed.
        let _ = writeln!(std::io::stderr(), "SKIPPED mlflow_reads_the_runs: {VARIABLE} names no Python with mlflow");
        return;
    };
    let place = Workplace::new();
    let server = Server::start(&python, &place);
    let tell = [("MLFLOW_TRACKING_URI", server.uri.as_str())];
    let pipeline = ["pipeline", "--run-name", "first", "--n-estimators", "5"];
    let evaluate = ["evaluate", "--run-name", "other", "--n-estimators", "2", "--folds", "3", "--repeats", "1"];
    for command in [&pipeline[..], &evaluate] {
        let output = place.run(command, &tell);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !errors.contains("MLflow"), "{errors}");
    }
    let file_store = format!("file://{}", place.store().join("mlruns").display());
    for uri in [&file_store, &server.uri] {
        let run = known(&python, uri);
        assert_eq!(run["status"], "FINISHED", "{uri}: {run}");
        assert_eq!(run["params"]["n-estimators"], "5");
        assert!(run["metrics"]["val_rmse"].as_f64().unwrap() < 6.0, "{run}");
        assert!(run["metrics"]["seconds_train"].as_f64().unwrap() > 0.0, "{run}");
        let digest = &run["tags"]["sha256.models_preprocessor_model.tar.gz"];
        assert_eq!(digest.as_str().map(str::len), Some(64), "{run}");
        assert_eq!(run["artifacts"], serde_json::json!(["logs", "report.html", "run.json"]));
        assert!(run["milliseconds"].as_i64().unwrap() >= 0, "{run}");
    }
    // The folds of the evaluation are the steps of a metric.
    let evaluated =
        Command::new(&python).args(["-c", &SCRIPT.replace("= 'first'", "= 'other'"), &server.uri]).output().unwrap();
    let run: Value = serde_json::from_slice(&evaluated.stdout).unwrap();
    let steps: Vec<_> = run["folds"].as_array().unwrap().iter().map(|fold| fold[0].as_u64().unwrap()).collect();
    assert_eq!(steps, [0, 1, 2], "{run}");
    assert_eq!(run["artifacts"], serde_json::json!(["evaluation.json", "logs", "run.json"]));
}
