//! The requests of `object_store` through ureq, the HTTP client that this workspace has anyway.
//!
//! A request is waited for, and the body of its answer read, on a thread of the runtime's pool.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;
use ureq::http::{Method, Request};
use ureq::{Agent, Timeout};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may take to answer, once it has the request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may be silent. A slow one is not: what matters is that something moves.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(20);
/// The largest piece in which a body arrives, in bytes, and how many wait to be taken.
const PIECE: usize = 64 << 10;
const PIECES: usize = 4;

/// Makes clients.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(agent(ANSWER_TIMEOUT, SILENCE_TIMEOUT))))
    }
}

fn agent(answer: Duration, silence: Duration) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("drivetrain/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(CONNECT_TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(answer))
        .timeout_per_read(Some(silence))
        .timeout_per_write(Some(silence));
    config.build().new_agent()
}

#[derive(Debug)]
struct Service(Agent);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let agent = self.0.clone();
        let answer = spawn_blocking(move || match head.method {
            Method::POST | Method::PUT => agent.run(Request::from_parts(head, body.as_ref())),
            _ => agent.run(Request::from_parts(head, ())),
        });
        let answered = answer.await.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let (head, body) = answered.map_err(failed)?.into_parts();
        let (sender, pieces) = channel(PIECES);
        spawn_blocking(move || read(body.into_reader(), &sender));
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(Pieces(pieces))))
    }
}

/// Reads a body to its end, or until nobody wants it.
fn read(mut body: impl Read, pieces: &Sender<Result<Bytes, HttpError>>) {
    let mut buffer = vec![0; PIECE];
    loop {
        let piece = match body.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => Ok(Bytes::copy_from_slice(&buffer[..length])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(failed(ureq::Error::from(error))),
        };
        let is_last = piece.is_err();
        if pieces.blocking_send(piece).is_err() || is_last {
            return;
        }
    }
}

/// The body of an answer, as it arrives.
struct Pieces(Receiver<Result<Bytes, HttpError>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// The error, with what decides whether the request is sent again.
fn failed(error: ureq::Error) -> HttpError {
    let kind = match &error {
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::Io(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => HttpErrorKind::Connect,
        // The connection broke, or what came over it was not HTTP.
        ureq::Error::Io(_) | ureq::Error::Protocol(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
