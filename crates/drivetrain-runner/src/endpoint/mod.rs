//! Endpoints: one or more serving containers, each one's answer the next one's question.

mod container;
mod http;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use container::{RunningContainer, hold_port};
use http::Client;

use crate::job::Platform;
use crate::process::Pause;
use crate::store::{Key, StoredObject};
use crate::{Interrupt, JobName, Program, RunnerError};

/// The most bytes of a request or a response of an endpoint.
pub const MAX_BODY: u64 = 6_291_456;
/// The most bytes one container may hand to the next.
pub const MAX_BODY_BETWEEN_CONTAINERS: u64 = 5 << 20;
/// The most containers of an endpoint.
pub const MAX_CONTAINERS: usize = 15;
/// What a body is taken for when its sender does not say.
const DEFAULT_CONTENT_TYPE: &str = "application/json";
/// How long containers may take to end when nobody waits for their logs.
const ABANDONED_GRACE: Duration = Duration::from_secs(1);

/// A request for an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InferencePipeline {
    /// The endpoint's name.
    pub name: JobName,
    /// The containers, in the order a request passes them.
    pub containers: Vec<Container>,
    /// How long they may take to answer `/ping`, all together.
    pub start_timeout: Duration,
}

/// A container of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The container's name, distinct within the endpoint.
    pub name: JobName,
    /// What stands in for the image; it is called with the argument `serve`.
    pub program: Program,
    /// The `model.tar.gz` it serves.
    pub model: Key,
    /// The variables of the container.
    pub environment: BTreeMap<String, String>,
}

/// A body and its content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The bytes.
    pub body: Vec<u8>,
    /// The content type, such as `text/csv`.
    pub content_type: String,
}

impl Payload {
    /// Rows as `text/csv`.
    #[must_use]
    pub fn csv(rows: impl Into<Vec<u8>>) -> Self {
        Self { body: rows.into(), content_type: "text/csv".to_owned() }
    }
}

/// A container that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerStatus {
    /// The container.
    pub name: JobName,
    /// The port it listens on.
    pub port: u16,
    /// The model it serves.
    pub model: StoredObject,
    /// The time from the start of its process to its first 200 from `/ping`.
    pub start_up: Duration,
}

/// Containers that answer. Dropping it ends them; [`Endpoint::stop`] does so in order and says where the logs are.
#[derive(Debug)]
pub struct Endpoint<'a> {
    platform: &'a Platform<'a>,
    name: JobName,
    client: Client,
    containers: Vec<RunningContainer>,
}

impl Platform<'_> {
    /// The key of a serving container's log.
    ///
    /// # Errors
    /// [`RunnerError::Invalid`] if the key is too long.
    pub fn container_log_key(&self, endpoint: &JobName, container: &JobName) -> Result<Key, RunnerError> {
        self.project.join(&format!("endpoints/{endpoint}/{container}/log.txt"))
    }

    /// Starts every container of a pipeline, each with its model unpacked, and waits until all answer `/ping` with 200.
    ///
    /// Each listens on a port of its own, which `SAGEMAKER_BIND_TO_PORT` names. A container that ends because another
    /// process was faster to listen there is started again on another port.
    ///
    /// # Errors
    /// [`RunnerError::InvalidJob`] for a request the platform would refuse; [`RunnerError::ContainerExited`] and
    /// [`RunnerError::PingTimedOut`] with the end of the container's log; [`RunnerError::UnsafeEntry`] and the like for a
    /// model that must not be unpacked; [`RunnerError::Interrupted`], and whatever the store can fail with. No container
    /// is left running.
    pub fn deploy(&self, pipeline: &InferencePipeline) -> Result<Endpoint<'_>, RunnerError> {
        validate(pipeline)?;
        let mut endpoint = Endpoint {
            platform: self,
            name: pipeline.name.clone(),
            client: Client::new(),
            containers: Vec::with_capacity(pipeline.containers.len()),
        };
        // All are held until the first is given away, so that they are distinct.
        let held = pipeline.containers.iter().map(|_| hold_port()).collect::<Result<Vec<_>, _>>()?;
        for (container, held) in pipeline.containers.iter().zip(held) {
            endpoint.containers.push(RunningContainer::start(self, container, held)?);
        }
        endpoint.wait_until_ready(pipeline.start_timeout, &self.interrupt)?;
        Ok(endpoint)
    }
}

impl Endpoint<'_> {
    /// The containers, in order.
    #[must_use]
    pub fn containers(&self) -> Vec<ContainerStatus> {
        self.containers.iter().map(RunningContainer::status).collect()
    }

    /// Sends a request through all containers: each response body, with its content type, is the next request.
    ///
    /// # Errors
    /// [`RunnerError::ContainerRefused`] with the container, status and body of an answer other than 2xx;
    /// [`RunnerError::ContainerUnreachable`]; [`RunnerError::TooLarge`] for a body beyond [`MAX_BODY`], or between
    /// containers beyond [`MAX_BODY_BETWEEN_CONTAINERS`].
    pub fn invoke(&self, request: &Payload) -> Result<Payload, RunnerError> {
        if request.body.len() as u64 > MAX_BODY {
            return Err(RunnerError::TooLarge { what: "the request body".to_owned(), limit: MAX_BODY });
        }
        let mut payload = request.clone();
        for (index, container) in self.containers.iter().enumerate() {
            let last = index + 1 == self.containers.len();
            let limit = if last { MAX_BODY } else { MAX_BODY_BETWEEN_CONTAINERS };
            payload = self.client.invoke(container, index + 1, &payload, limit)?;
        }
        Ok(payload)
    }

    /// Ends the containers and keeps their logs, which it returns in order of the containers.
    ///
    /// # Errors
    /// [`RunnerError::Process`] or whatever the store can fail with.
    pub fn stop(mut self) -> Result<Vec<StoredObject>, RunnerError> {
        self.shut_down(crate::process::GRACE)
    }

    fn wait_until_ready(&mut self, timeout: Duration, interrupt: &Interrupt) -> Result<(), RunnerError> {
        let deadline = Instant::now() + timeout;
        let mut pause = Pause::default();
        loop {
            for container in &mut self.containers {
                container.check_ready(self.platform, &self.name, &self.client)?;
            }
            let Some(waiting) = self.containers.iter().find(|container| !container.is_ready()) else {
                return Ok(());
            };
            if interrupt.is_requested() {
                return Err(RunnerError::Interrupted { job: self.name.to_string() });
            }
            if Instant::now() >= deadline {
                return Err(waiting.timed_out(self.platform, &self.name, timeout));
            }
            pause.sleep();
        }
    }

    /// Ends and forgets the containers. All are ended, whatever happens to the first.
    fn shut_down(&mut self, grace: Duration) -> Result<Vec<StoredObject>, RunnerError> {
        let containers = std::mem::take(&mut self.containers);
        let logs: Vec<_> =
            containers.into_iter().map(|container| container.stop(self.platform, &self.name, grace)).collect();
        logs.into_iter().collect()
    }
}

impl Drop for Endpoint<'_> {
    fn drop(&mut self) {
        // Whoever drops an endpoint is on the way out with an error of their own.
        let _ = self.shut_down(ABANDONED_GRACE);
    }
}

fn validate(pipeline: &InferencePipeline) -> Result<(), RunnerError> {
    let refuse = |problem| Err(RunnerError::InvalidJob { job: pipeline.name.to_string(), problem });
    let count = pipeline.containers.len();
    if count == 0 || count > MAX_CONTAINERS {
        return refuse(format!("it has {count} containers, 1 to {MAX_CONTAINERS} are allowed"));
    }
    for (index, container) in pipeline.containers.iter().enumerate() {
        if pipeline.containers[..index].iter().any(|earlier| earlier.name == container.name) {
            return refuse(format!("there are two containers `{}`", container.name));
        }
    }
    Ok(())
}
