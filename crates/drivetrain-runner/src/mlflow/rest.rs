//! `MLflow`'s REST calls.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::Agent;

use super::{Metric, Run};
use crate::RunnerError;

/// A server that is there answers a call sooner.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Nobody waits longer for a run to be told of, however many calls that takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// The most entries of each kind in a `log-batch` call.
const BATCH: usize = 100;
/// Characters of a refusal that are quoted.
const QUOTED: usize = 300;

/// Tells the server at `uri`, such as `http://127.0.0.1:5000`, of a run that has ended; it becomes a new run there, with the
/// tag `drivetrain.run_id` for the id it has in the store.
///
/// # Errors
/// [`RunnerError::Tracking`] if the server cannot be reached or refuses.
pub fn send(uri: &str, run: &Run) -> Result<(), RunnerError> {
    send_within(PATIENCE, uri, run)
}

pub(super) fn send_within(patience: Duration, uri: &str, run: &Run) -> Result<(), RunnerError> {
    let server = Server::new(uri, patience)?;
    let experiment = server.experiment(&run.experiment)?;
    let mut tags = vec![json!({ "key": "drivetrain.run_id", "value": run.id })];
    tags.extend(run.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })));
    let created = server.post(
        "runs/create",
        &json!({ "experiment_id": experiment, "run_name": run.name, "start_time": run.start_ms }),
    )?;
    let id =
        created["run"]["info"]["run_id"].as_str().ok_or_else(|| server.failed("runs/create", "it names no run"))?;

    let pairs = |pairs: &[(String, String)]| -> Vec<Value> {
        pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
    };
    let metric = |Metric { name, value, step }: &Metric| json!({ "key": name, "value": value, "timestamp": run.end_ms, "step": step });
    let metrics = run.metrics.iter().map(metric).collect();
    for (kind, all) in [("params", pairs(&run.params)), ("tags", tags), ("metrics", metrics)] {
        for some in all.chunks(BATCH) {
            server.post("runs/log-batch", &json!({ "run_id": id, kind: some }))?;
        }
    }
    for (name, bytes) in &run.artifacts {
        server.put(&format!("api/2.0/mlflow-artifacts/artifacts/{experiment}/{id}/artifacts/{name}"), bytes)?;
    }
    server.post("runs/update", &json!({ "run_id": id, "status": run.status.name(), "end_time": run.end_ms }))?;
    Ok(())
}

#[derive(Debug)]
struct Server<'a> {
    agent: Agent,
    uri: &'a str,
    /// When nothing more is asked of it.
    end: Instant,
}

impl<'a> Server<'a> {
    fn new(uri: &'a str, patience: Duration) -> Result<Self, RunnerError> {
        let config = Agent::config_builder().http_status_as_error(false).build();
        let server = Self { agent: config.new_agent(), uri: uri.trim_end_matches('/'), end: Instant::now() + patience };
        if uri.starts_with("http://") {
            Ok(server)
        } else {
            Err(server.failed("its address", "only http:// is spoken"))
        }
    }

    /// The id of an experiment, made if it is not there.
    fn experiment(&self, name: &str) -> Result<String, RunnerError> {
        // Two who make it at the same time: the second is told that it exists, and finds it.
        let (status, answer) = self.call("experiments/create", &json!({ "name": name }))?;
        let found = if status == 200 {
            answer["experiment_id"].clone()
        } else {
            let path = "api/2.0/mlflow/experiments/get-by-name";
            let request = self.agent.get(format!("{}/{path}", self.uri)).query("experiment_name", name);
            let request = request.config().timeout_global(Some(self.patience(path)?)).build();
            let answer = self.answer(path, request.call())?;
            self.accepted(path, answer)?["experiment"]["experiment_id"].clone()
        };
        found.as_str().map(str::to_owned).ok_or_else(|| self.failed("experiments/create", "it names no experiment"))
    }

    fn post(&self, call: &str, body: &Value) -> Result<Value, RunnerError> {
        let answer = self.call(call, body)?;
        self.accepted(call, answer)
    }

    fn call(&self, call: &str, body: &Value) -> Result<(u16, Value), RunnerError> {
        let request = self.agent.post(format!("{}/api/2.0/mlflow/{call}", self.uri));
        let request = request.header("Content-Type", "application/json");
        let request = request.config().timeout_global(Some(self.patience(call)?)).build();
        self.answer(call, request.send(body.to_string().as_bytes()))
    }

    fn put(&self, path: &str, bytes: &[u8]) -> Result<(), RunnerError> {
        let request = self.agent.put(format!("{}/{path}", self.uri)).header("Content-Type", "application/octet-stream");
        let request = request.config().timeout_global(Some(self.patience(path)?)).build();
        let answer = self.answer(path, request.send(bytes))?;
        self.accepted(path, answer).map(|_| ())
    }

    /// How long it has for one more call.
    fn patience(&self, call: &str) -> Result<Duration, RunnerError> {
        let left = self.end.saturating_duration_since(Instant::now()).min(TIMEOUT);
        if left.is_zero() { Err(self.too_slow(call)) } else { Ok(left) }
    }

    fn too_slow(&self, call: &str) -> RunnerError {
        let (one, all) = (TIMEOUT.as_secs(), PATIENCE.as_secs());
        self.failed(call, &format!("it takes too long (a call has {one} s, all of them {all} s)"))
    }

    /// The status and what was said, as JSON or else as text.
    fn answer(
        &self,
        call: &str,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<(u16, Value), RunnerError> {
        let failed = |error: ureq::Error| match error {
            ureq::Error::Timeout(_) => self.too_slow(call),
            error => self.failed(call, &error.to_string()),
        };
        let mut response = answer.map_err(failed)?;
        let text = response.body_mut().read_to_string().map_err(failed)?;
        Ok((response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    fn accepted(&self, call: &str, (status, answer): (u16, Value)) -> Result<Value, RunnerError> {
        if status == 200 {
            return Ok(answer);
        }
        let said: String = answer.to_string().chars().take(QUOTED).collect();
        Err(self.failed(call, &format!("status {status}, {said}")))
    }

    fn failed(&self, call: &str, problem: &str) -> RunnerError {
        RunnerError::Tracking { uri: self.uri.to_owned(), problem: format!("{call}: {problem}") }
    }
}
