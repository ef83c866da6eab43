//! An endpoint whose models come and go: what the platform calls a multi-model endpoint.
//!
//! * `POST /models` with `{"model_name": ..., "url": ...}` loads a model: 409 when the name is taken, 507 when there is
//!   no room.
//! * `GET /models` and `GET /models/NAME` say what is loaded, `DELETE /models/NAME` forgets it.
//! * `POST /models/NAME/invoke` answers as `POST /invocations` of an endpoint with one model does.
//! * `POST /invocations` and `POST /endpoints/NAME/invocations` do the same for the model that the header
//!   `X-Amzn-SageMaker-Target-Model` names: what a client sends that the platform does not stand before.

mod models;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State, rejection::PathRejection},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};
pub use models::{Capacity, Listed, Models};
use serde::{Deserialize, Serialize};

use super::{
    response::Rejection,
    service::{Options, RequestBody, Service, panicked, read},
};

/// The model that a request is for.
const TARGET_MODEL: &str = "x-amzn-sagemaker-target-model";

#[derive(Debug)]
struct Endpoint {
    models: Models,
    service: Arc<Service>,
}

/// The routes of an endpoint that answers with any of `models`.
pub fn router(models: Models, options: Options) -> Router {
    let service = Service::new(options);
    let endpoint = Arc::new(Endpoint { models, service: service.clone() });
    let invocations = Router::new()
        .route("/models/{name}/invoke", post(invoke))
        .route("/invocations", post(invoke_target))
        .route("/endpoints/{name}/invocations", post(invoke_target))
        .with_state(endpoint.clone());
    let management = Router::new()
        .route("/models", get(list).post(load))
        .route("/models/{name}", get(describe).delete(unload))
        .with_state(endpoint);
    let paths = "POST and GET /models, GET and DELETE /models/NAME, POST /models/NAME/invoke, POST /invocations, \
                 POST /endpoints/NAME/invocations";
    service.router(invocations, management, paths)
}

/// What the platform sends to have a model loaded.
#[derive(Debug, Deserialize)]
struct LoadRequest {
    model_name: String,
    url: String,
}

#[derive(Debug, Serialize)]
struct List {
    models: Vec<Listed>,
}

async fn load(State(endpoint): State<Arc<Endpoint>>, body: RequestBody) -> Result<(), Rejection> {
    let LoadRequest { model_name, url } = serde_json::from_slice(&read(body)?).map_err(|error| {
        Rejection::bad_request(format!("expected {{\"model_name\": ..., \"url\": ...}}, found something else: {error}"))
    })?;
    // The task goes on when the caller goes away.
    let load = tokio::task::spawn_blocking(move || endpoint.models.load(&model_name, &url));
    load.await.unwrap_or_else(|_| Err(panicked()))
}

async fn list(State(endpoint): State<Arc<Endpoint>>) -> Json<List> {
    Json(List { models: endpoint.models.list() })
}

/// The name in a path, unless it is no text.
type Name = Result<Path<String>, PathRejection>;

fn named(name: Name) -> Result<String, Rejection> {
    name.map(|Path(name)| name).map_err(|rejection| Rejection::new(rejection.status(), rejection.body_text()))
}

async fn describe(State(endpoint): State<Arc<Endpoint>>, name: Name) -> Result<Json<Listed>, Rejection> {
    endpoint.models.describe(&named(name)?).map(Json)
}

async fn unload(State(endpoint): State<Arc<Endpoint>>, name: Name) -> Result<(), Rejection> {
    endpoint.models.unload(&named(name)?)
}

async fn invoke(
    State(endpoint): State<Arc<Endpoint>>,
    name: Name,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Rejection> {
    let model = endpoint.models.get(&named(name)?)?;
    endpoint.service.clone().invoke(model, &headers, body).await
}

async fn invoke_target(
    State(endpoint): State<Arc<Endpoint>>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Rejection> {
    let name = headers.get(TARGET_MODEL).and_then(|name| name.to_str().ok());
    let name = name.ok_or_else(|| Rejection::bad_request(format!("the header {TARGET_MODEL} names no model")))?;
    let model = endpoint.models.get(name)?;
    endpoint.service.clone().invoke(model, &headers, body).await
}

#[cfg(test)]
mod tests;
