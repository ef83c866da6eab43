//! What every endpoint has, whatever models it answers with: limits, the log of requests, counters, and how a body
//! becomes an answer.

use std::{
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;
use tokio::sync::Semaphore;

use super::{
    metrics::{self, Metrics},
    model::ServedModel,
    request::{InputFormat, OutputFormat},
    response::{Rejection, RowCount, respond},
};

/// The platform's own limit for the body of a request: 6 MiB.
pub(super) const BODY_LIMIT: usize = 6 * 1024 * 1024;

/// Bodies above this many bytes are answered on a thread of their own, so that they do not hold up other connections.
const INLINE_LIMIT: usize = 64 * 1024;

/// How long a request may take, its body included: the platform waits no longer.
const REQUEST_LIMIT: Duration = Duration::from_mins(1);

/// Clients use it to follow a request through the containers; each container hands it back.
const CUSTOM_ATTRIBUTES: &str = "x-amzn-sagemaker-custom-attributes";

/// The caller's own name for a request, which goes into the log.
const INFERENCE_ID: &str = "x-amzn-sagemaker-inference-id";

/// Paths that every endpoint answers.
const COMMON_PATHS: &str = "GET /ping, GET /metrics and GET /execution-parameters";

/// How an endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The format of an answer where the request leaves it open.
    pub default_output: OutputFormat,
    /// The most invocations that are answered at a time; more are refused with 503 rather than kept waiting.
    pub max_in_flight: usize,
}

/// What the requests to an endpoint share.
#[derive(Debug)]
pub(super) struct Service {
    options: Options,
    metrics: Metrics,
    in_flight: Semaphore,
    n_requests: AtomicU64,
}

/// The body of a request, or why there is none.
pub(super) type RequestBody = Result<Bytes, BytesRejection>;

#[derive(Debug)]
struct Endpoint {
    model: Arc<ServedModel>,
    service: Arc<Service>,
}

/// The routes of an endpoint that answers with `model`.
pub fn router(model: ServedModel, options: Options) -> Router {
    let service = Service::new(options);
    let endpoint = Arc::new(Endpoint { model: Arc::new(model), service: service.clone() });
    let invocations = Router::new()
        .route("/invocations", post(invocations))
        // Where boto3 posts to when it is pointed at an endpoint of one's own; the name is the caller's.
        .route("/endpoints/{name}/invocations", post(invocations))
        .with_state(endpoint);
    service.router(invocations, Router::new(), "POST /invocations, POST /endpoints/NAME/invocations")
}

async fn invocations(
    State(endpoint): State<Arc<Endpoint>>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Rejection> {
    endpoint.service.clone().invoke(endpoint.model.clone(), &headers, body).await
}

impl Service {
    pub(super) fn new(options: Options) -> Arc<Self> {
        Arc::new(Self {
            options,
            metrics: Metrics::new(),
            in_flight: Semaphore::new(options.max_in_flight),
            n_requests: AtomicU64::new(0),
        })
    }

    /// The routes of an endpoint: `invocations`, of which only so many are answered at a time, `others`, and those that
    /// all endpoints have. `paths` says to lost callers what there is.
    pub(super) fn router(self: Arc<Self>, invocations: Router, others: Router, paths: &'static str) -> Router {
        // Before the body is read: what waits with a body takes its memory.
        let admitted = invocations.route_layer(middleware::from_fn_with_state(self.clone(), admit));
        Router::new()
            .route("/ping", get(async || StatusCode::OK))
            .route("/execution-parameters", get(execution_parameters))
            .route("/metrics", get(metrics))
            .with_state(self.clone())
            .merge(admitted)
            .merge(others)
            .fallback(async move |uri: Uri| {
                let message = format!("there is no {}; there are {COMMON_PATHS}, {paths}", uri.path());
                Rejection::new(StatusCode::NOT_FOUND, message)
            })
            .method_not_allowed_fallback(async |method: Method, uri: Uri| {
                let message = format!("{} does not take {method}", uri.path());
                Rejection::new(StatusCode::METHOD_NOT_ALLOWED, message)
            })
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(middleware::from_fn_with_state(self, log))
    }

    /// Answers a request with `model`.
    pub(super) async fn invoke(
        self: Arc<Self>,
        model: Arc<ServedModel>,
        headers: &HeaderMap,
        body: RequestBody,
    ) -> Result<Response, Rejection> {
        let output = OutputFormat::negotiate(headers, self.options.default_output)?;
        let input = InputFormat::of(headers)?;
        let body = read(body)?;
        let large = body.len() > INLINE_LIMIT;
        let work = move || self.answer(&model, input, output, &body);
        if large { tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(panicked())) } else { work() }
    }

    /// A panic is a fault of this program, which one request may meet and the others must not notice.
    fn answer(
        &self,
        model: &ServedModel,
        input: InputFormat,
        output: OutputFormat,
        body: &[u8],
    ) -> Result<Response, Rejection> {
        catch_unwind(AssertUnwindSafe(|| {
            let table = model.row_schema().read(input, body)?;
            let answer = model.answer(&table)?;
            self.metrics.observe(&model.observe(&table));
            let mut response = respond(StatusCode::OK, output, answer.write(output)?);
            response.extensions_mut().insert(RowCount(answer.n_rows()));
            Ok(response)
        }))
        .unwrap_or_else(|_| Err(panicked()))
    }
}

/// The body, unless it is too large or was cut off.
pub(super) fn read(body: RequestBody) -> Result<Bytes, Rejection> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        status => Rejection::new(status, rejection.body_text()),
    })
}

fn too_large() -> Rejection {
    Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {BODY_LIMIT} bytes"))
}

/// Whether a client asks if it may send a body that is larger than the limit. One that does not ask sends it already, and
/// may not hear an answer that comes before the end.
fn asks_too_much(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse::<u64>().ok());
    headers.contains_key(header::EXPECT) && length.is_some_and(|length| length > BODY_LIMIT as u64)
}

pub(super) fn panicked() -> Rejection {
    Rejection::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}

/// Lets an invocation in, or sends it away where there are too many.
async fn admit(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let response = if asks_too_much(request.headers()) {
        too_large().into_response()
    } else if let Ok(_permit) = service.in_flight.try_acquire() {
        let _counted = service.metrics.begin();
        next.run(request).await
    } else {
        let message = format!("{} invocations are being answered; try again", service.options.max_in_flight);
        let mut response = Rejection::new(StatusCode::SERVICE_UNAVAILABLE, message).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    };
    service.metrics.answered(response.status(), start.elapsed());
    response
}

async fn metrics(State(service): State<Arc<Service>>) -> Result<Response, Rejection> {
    let text = service.metrics.text().map_err(|error| Rejection::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response())
}

/// How batch transform is to call: the platform asks before it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExecutionParameters {
    max_concurrent_transforms: usize,
    batch_strategy: &'static str,
    #[serde(rename = "MaxPayloadInMB")]
    max_payload_in_mb: usize,
}

async fn execution_parameters() -> Json<ExecutionParameters> {
    Json(ExecutionParameters {
        max_concurrent_transforms: std::thread::available_parallelism().map_or(1, NonZero::get),
        batch_strategy: "MULTI_RECORD",
        max_payload_in_mb: BODY_LIMIT >> 20,
    })
}

/// One line per request, and the custom attributes handed back.
async fn log(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let number = service.n_requests.fetch_add(1, Ordering::Relaxed) + 1;
    let inference_id =
        request.headers().get(INFERENCE_ID).map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let custom_attributes = request.headers().get(CUSTOM_ATTRIBUTES).cloned();
    let answered = tokio::time::timeout(REQUEST_LIMIT, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_| {
        let message = format!("the request took longer than {} s", REQUEST_LIMIT.as_secs());
        Rejection::new(StatusCode::REQUEST_TIMEOUT, message).into_response()
    });
    if let Some(custom_attributes) = custom_attributes {
        response.headers_mut().insert(CUSTOM_ATTRIBUTES, custom_attributes);
    }
    let status = response.status().as_u16();
    let micros = start.elapsed().as_micros();
    let rows = response.extensions().get().map_or(0, |RowCount(rows)| *rows);
    // The platform asks every few seconds whether the process lives.
    if path == "/ping" {
        tracing::debug!(number, %method, path, status, micros, "request");
    } else {
        tracing::info!(number, inference_id, %method, path, status, rows, micros, "request");
    }
    response
}

#[cfg(test)]
mod tests;
