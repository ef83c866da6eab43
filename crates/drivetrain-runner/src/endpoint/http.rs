//! Talking to a container.

use std::time::Duration;

use ureq::Agent;
use ureq::http::header::CONTENT_TYPE;

use super::container::RunningContainer;
use super::{DEFAULT_CONTENT_TYPE, Payload};
use crate::RunnerError;

/// The time the platform gives a container for `/ping`.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// The time the platform gives a container for `/invocations`.
const INVOCATION_TIMEOUT: Duration = Duration::from_mins(1);
/// Characters of an error's body that are quoted.
const QUOTED: usize = 1_000;

/// An HTTP client without proxy, redirects and encryption: the containers are on this machine.
#[derive(Debug)]
pub(super) struct Client(Agent);

impl Client {
    pub(super) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .build();
        Self(config.new_agent())
    }

    /// Whether `GET /ping` is answered with 200.
    pub(super) fn ping(&self, port: u16) -> bool {
        let request = self.0.get(url(port, "ping")).config().timeout_global(Some(PING_TIMEOUT)).build();
        request.call().is_ok_and(|response| response.status() == 200)
    }

    /// `POST /invocations`; `position` is the container's place in the chain, from 1.
    pub(super) fn invoke(
        &self,
        container: &RunningContainer,
        position: usize,
        payload: &Payload,
        limit: u64,
    ) -> Result<Payload, RunnerError> {
        let unreachable = |source: ureq::Error| RunnerError::ContainerUnreachable {
            container: container.name.to_string(),
            position,
            source: source.into(),
        };
        let mut response = self
            .0
            .post(url(container.port, "invocations"))
            .config()
            .timeout_global(Some(INVOCATION_TIMEOUT))
            .build()
            .header(CONTENT_TYPE, &payload.content_type)
            .send(payload.body.as_slice())
            .map_err(unreachable)?;
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or(DEFAULT_CONTENT_TYPE).to_owned();
        let status = response.status();
        let body = match response.body_mut().with_config().limit(limit).read_to_vec() {
            Ok(body) => body,
            Err(ureq::Error::BodyExceedsLimit(_)) => {
                let what = format!("the answer of container `{}`", container.name);
                return Err(RunnerError::TooLarge { what, limit });
            }
            Err(error) => return Err(unreachable(error)),
        };
        if !status.is_success() {
            return Err(RunnerError::ContainerRefused {
                container: container.name.to_string(),
                position,
                status: status.as_u16(),
                body: String::from_utf8_lossy(&body).trim().chars().take(QUOTED).collect(),
            });
        }
        Ok(Payload { body, content_type })
    }
}

fn url(port: u16, path: &str) -> String {
    format!("http://127.0.0.1:{port}/{path}")
}
