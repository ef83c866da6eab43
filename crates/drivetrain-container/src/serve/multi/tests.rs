//! Models that come and go, asked for without a socket.

use std::{fs, path::PathBuf};

use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header},
};
use drivetrain_artifact::ArtifactBuilder;
use drivetrain_plan::{Column, ColumnTable, DataType, Field, Op, PlanBuilder, Schema};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::serve::request::OutputFormat;

const CAPACITY: Capacity = Capacity { models: 2, bytes: 1 << 20 };

/// A directory of models, and an endpoint that may load from it.
struct Place {
    folder: tempfile::TempDir,
    router: Router,
}

impl Place {
    fn new(capacity: Capacity) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("models")).unwrap();
        let models = Models::new(folder.path().join("models"), capacity);
        let options = Options { default_output: OutputFormat::Json, max_in_flight: 2 };
        Self { router: router(models, options), folder }
    }

    /// Writes a model that multiplies `weight` by `factor` into this directory, counted from the place.
    fn model(&self, directory: &str, factor: f64) -> PathBuf {
        let schema = Schema::new(vec![Field::new("weight", DataType::Float64)]).unwrap();
        let mut plan = PlanBuilder::new(schema);
        let output = "scaled".to_owned();
        plan.push(Op::Scale { column: "weight".into(), center: 0.0, scale: 1.0 / factor, output });
        plan.output("weight", "scaled");
        let rows = ColumnTable::new(vec![("weight".into(), Column::from(vec![1.0]))]).unwrap();
        let path = self.folder.path().join(directory);
        ArtifactBuilder::preprocessor(plan.build().unwrap(), &rows).build().unwrap().write_dir(&path).unwrap();
        path
    }

    async fn send(&self, request: Request) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        if parts.status != StatusCode::OK {
            assert_eq!(parts.headers[header::CONTENT_TYPE], "application/json");
        }
        (parts.status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn call(&self, method: &str, path: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        self.send(Request::builder().method(method).uri(path).body(body.into()).unwrap()).await
    }

    async fn load(&self, name: &str, url: &str) -> StatusCode {
        self.call("POST", "/models", json!({"model_name": name, "url": url}).to_string()).await.0
    }
}

fn text(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn models_are_loaded_listed_asked_and_forgotten() {
    let place = Place::new(CAPACITY);
    let (double, triple) = (place.model("models/1a/model", 2.0), place.model("models/2b/model", 4.0));
    assert_eq!(place.call("GET", "/ping", "").await.0, StatusCode::OK);
    assert_eq!(place.call("GET", "/models", "").await, (StatusCode::OK, json!({"models": []})));
    assert_eq!(place.load("double", text(&double)).await, StatusCode::OK);
    assert_eq!(place.load("quadruple", text(&triple)).await, StatusCode::OK);

    let listed = |name: &str, path: &std::path::Path| json!({"modelName": name, "modelUrl": text(path)});
    let both = json!({"models": [listed("double", &double), listed("quadruple", &triple)]});
    assert_eq!(place.call("GET", "/models", "").await, (StatusCode::OK, both));
    assert_eq!(place.call("GET", "/models/double", "").await, (StatusCode::OK, listed("double", &double)));

    let asked = async |name: &str| place.call("POST", &format!("/models/{name}/invoke"), "[[3.0]]").await;
    assert_eq!(asked("double").await, (StatusCode::OK, json!([[6.0]])));
    assert_eq!(asked("quadruple").await, (StatusCode::OK, json!([[12.0]])));

    assert_eq!(place.call("DELETE", "/models/double", "").await.0, StatusCode::OK);
    assert_eq!(asked("double").await.0, StatusCode::NOT_FOUND);
    for (method, path) in [("GET", "/models/double"), ("DELETE", "/models/double")] {
        let (status, body) = place.call(method, path, "").await;
        assert_eq!(
            (status, &body["error"]["message"]),
            (StatusCode::NOT_FOUND, &json!("model `double` is not loaded"))
        );
    }
    assert_eq!(asked("quadruple").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_client_without_the_platform_names_the_model_in_a_header() {
    let place = Place::new(CAPACITY);
    let path = place.model("models/double", 2.0);
    assert_eq!(place.load("cars/double.tar.gz", text(&path)).await, StatusCode::OK);
    for uri in ["/invocations", "/endpoints/cars/invocations"] {
        let request = |target: Option<&str>| {
            let builder = Request::builder().method("POST").uri(uri);
            let builder = target.into_iter().fold(builder, |builder, target| builder.header(TARGET_MODEL, target));
            builder.body(Body::from("[[3.0]]")).unwrap()
        };
        assert_eq!(place.send(request(Some("cars/double.tar.gz"))).await, (StatusCode::OK, json!([[6.0]])));
        assert_eq!(place.send(request(Some("other"))).await.0, StatusCode::NOT_FOUND);
        assert_eq!(place.send(request(None)).await.0, StatusCode::BAD_REQUEST);
    }
    // A name with slashes is one segment of a path once it is encoded.
    assert_eq!(place.call("DELETE", "/models/cars%2Fdouble.tar.gz", "").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_name_is_taken_once_and_there_is_room_for_so_many() {
    let place = Place::new(CAPACITY);
    let path = place.model("models/double", 2.0);
    assert_eq!(place.load("a", text(&path)).await, StatusCode::OK);
    assert_eq!(place.load("a", text(&path)).await, StatusCode::CONFLICT);
    assert_eq!(place.load("b", text(&path)).await, StatusCode::OK);
    assert_eq!(place.load("c", text(&path)).await, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(place.call("DELETE", "/models/a", "").await.0, StatusCode::OK);
    assert_eq!(place.load("c", text(&path)).await, StatusCode::OK);

    let small = Place::new(Capacity { models: 2, bytes: 10 });
    let path = small.model("models/double", 2.0);
    assert_eq!(small.load("a", text(&path)).await, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(small.call("GET", "/models", "").await.1, json!({"models": []}));
}

#[tokio::test]
async fn nothing_outside_of_the_directory_of_models_is_read() {
    let place = Place::new(CAPACITY);
    let inside = place.model("models/double", 2.0);
    // A model, so that only where it lies can be the reason to refuse it.
    let outside = place.model("elsewhere", 2.0);
    let beside = place.model("models-of-others", 2.0);
    let root = inside.parent().unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
    for url in [
        text(&outside).to_owned(),
        text(&beside).to_owned(),
        text(root).to_owned(),
        format!("{}/../elsewhere", root.display()),
        format!("{}/double/../../elsewhere", root.display()),
        format!("{}/link", root.display()),
        format!("{}/absent", root.display()),
        format!("file://{}", inside.display()),
        "double".to_owned(),
        "/etc/passwd".to_owned(),
        "https://example.org/model.tar.gz".to_owned(),
        String::new(),
    ] {
        let (status, body) = place.call("POST", "/models", json!({"model_name": "x", "url": url}).to_string()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{url}");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains("is not the path of a model below"), "{url}: {message}");
    }
    assert_eq!(place.load("x", text(&inside)).await, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_model_and_no_request_is_refused() {
    let place = Place::new(CAPACITY);
    let path = place.model("models/double", 2.0);
    fs::write(path.join("plan.msgpack"), "something else").unwrap();
    assert_eq!(place.load("x", text(&path)).await, StatusCode::BAD_REQUEST);
    assert_eq!(place.load("  ", text(&path)).await, StatusCode::BAD_REQUEST);
    assert_eq!(place.load(&"x".repeat(300), text(&path)).await, StatusCode::BAD_REQUEST);
    for body in ["", "[]", r#"{"model_name": "x"}"#] {
        assert_eq!(place.call("POST", "/models", body).await.0, StatusCode::BAD_REQUEST, "{body}");
    }
    for (method, path) in [("POST", "/models/%ff/invoke"), ("GET", "/models/%ff"), ("DELETE", "/models/%ff")] {
        assert_eq!(place.call(method, path, "").await.0, StatusCode::BAD_REQUEST, "{method} {path}");
    }
    assert_eq!(place.call("PUT", "/models", "").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(place.call("GET", "/models/x/invoke", "").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_directory_of_models_may_come_later() {
    let place = Place::new(CAPACITY);
    let path = place.folder.path().join("models");
    fs::remove_dir(&path).unwrap();
    assert_eq!(place.load("x", text(&path.join("double"))).await, StatusCode::BAD_REQUEST);
    assert_eq!(place.load("x", text(&place.model("models/double", 2.0))).await, StatusCode::OK);
}
