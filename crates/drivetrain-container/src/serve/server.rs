//! Routes, the socket and the log of requests.

use std::{
    io::Write,
    net::IpAddr,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State, rejection::BytesRejection},
    http::{HeaderMap, Method, StatusCode, Uri},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use serde::Serialize;
use tokio::{net::TcpListener, sync::watch};

use super::{
    model::ServedModel,
    request::{InputFormat, OutputFormat},
    response::{Rejection, RowCount, respond},
};
use crate::{Error, stop::Stop};

/// The platform's own limit for the body of a request: 6 MiB.
const BODY_LIMIT: usize = 6 * 1024 * 1024;

/// Bodies above this many bytes are answered on a thread of their own, so that they do not hold up other connections.
const INLINE_LIMIT: usize = 64 * 1024;

/// How long a request may take, its body included: the platform waits no longer.
const REQUEST_LIMIT: Duration = Duration::from_mins(1);

/// Clients use it to follow a request through the containers; each container hands it back.
const CUSTOM_ATTRIBUTES: &str = "x-amzn-sagemaker-custom-attributes";

#[derive(Debug)]
struct Endpoint {
    model: ServedModel,
    default_output: OutputFormat,
}

/// The routes of an endpoint that answers with `model`, as `default_output` where a request leaves the format open.
pub fn router(model: ServedModel, default_output: OutputFormat) -> Router {
    Router::new()
        .route("/ping", get(async || StatusCode::OK))
        .route("/invocations", post(invocations))
        // Where boto3 posts to when it is pointed at an endpoint of one's own; the name is the caller's.
        .route("/endpoints/{name}/invocations", post(invocations))
        .route("/execution-parameters", get(async || Json(ExecutionParameters::default())))
        .fallback(async |uri: Uri| {
            let message = format!(
                "there is no {}; there are GET /ping, GET /execution-parameters, POST /invocations and POST \
                 /endpoints/NAME/invocations",
                uri.path()
            );
            Rejection::new(StatusCode::NOT_FOUND, message)
        })
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            let message = format!("{} does not take {method}", uri.path());
            Rejection::new(StatusCode::METHOD_NOT_ALLOWED, message)
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(log))
        .with_state(Arc::new(Endpoint { model, default_output }))
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

impl Default for ExecutionParameters {
    fn default() -> Self {
        Self {
            max_concurrent_transforms: std::thread::available_parallelism().map_or(1, NonZero::get),
            batch_strategy: "MULTI_RECORD",
            max_payload_in_mb: BODY_LIMIT >> 20,
        }
    }
}

async fn invocations(
    State(endpoint): State<Arc<Endpoint>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Rejection> {
    let output = OutputFormat::negotiate(&headers, endpoint.default_output)?;
    let input = InputFormat::of(&headers)?;
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {BODY_LIMIT} bytes"))
        }
        status => Rejection::new(status, rejection.body_text()),
    })?;
    let large = body.len() > INLINE_LIMIT;
    let work = move || answer(&endpoint.model, input, output, &body);
    if large { tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(panicked())) } else { work() }
}

/// A panic is a fault of this program, which one request may meet and the others must not notice.
fn answer(model: &ServedModel, input: InputFormat, output: OutputFormat, body: &[u8]) -> Result<Response, Rejection> {
    catch_unwind(AssertUnwindSafe(|| {
        let table = model.row_schema().read(input, body)?;
        let answer = model.answer(&table)?;
        let mut response = respond(StatusCode::OK, output, answer.write(output)?);
        response.extensions_mut().insert(RowCount(answer.n_rows()));
        Ok(response)
    }))
    .unwrap_or_else(|_| Err(panicked()))
}

fn panicked() -> Rejection {
    Rejection::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}

/// One line per request, and the custom attributes handed back.
async fn log(request: Request, next: Next) -> Response {
    let start = Instant::now();
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
        tracing::debug!(%method, path, status, micros, "request");
    } else {
        tracing::info!(%method, path, status, rows, micros, "request");
    }
    response
}

/// Listens until `stop` is asked for; says where on `stdout`, for callers who left the choice of the port open. What has
/// begun by then may take as long as `drain`.
pub(super) fn run(
    router: Router,
    address: (IpAddr, u16),
    drain: Duration,
    stop: &Stop,
    stdout: &mut dyn Write,
) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let outcome = runtime.block_on(async {
        let listen = |source| Error::Listen { host: address.0, port: address.1, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let bound = listener.local_addr().map_err(listen)?;
        let stopped = stopped(stop).map_err(Error::Runtime)?;
        writeln!(stdout, "listening on {bound}").and_then(|()| stdout.flush()).map_err(Error::Stdout)?;
        // Answers are small and complete; waiting to fill a packet only delays them.
        let listener = listener.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!("cannot set TCP_NODELAY: {error}");
            }
        });
        let patience = stopped.clone();
        let serving = axum::serve(listener, router).with_graceful_shutdown(once(stopped));
        tokio::select! {
            ended = serving.into_future() => ended.map_err(Error::Runtime),
            () = async {
                once(patience).await;
                tokio::time::sleep(drain).await;
            } => {
                tracing::warn!("some clients did not come to an end within {} s; leaving them", drain.as_secs());
                Ok(())
            }
        }
    });
    // A request that computes on after all patience must not keep the process.
    runtime.shutdown_background();
    outcome
}

/// Becomes true once `stop` is asked for.
fn stopped(stop: &Stop) -> std::io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let stop = stop.clone();
    let relay = move || {
        tracing::info!("{}: finishing what has begun, then stopping", stop.wait());
        sender.send_replace(true);
    };
    std::thread::Builder::new().name("stop".to_owned()).spawn(relay)?;
    Ok(receiver)
}

/// Ends when `stopped` becomes true.
async fn once(mut stopped: watch::Receiver<bool>) {
    // An error would say that the sender has gone without a word, which it does not.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests;
