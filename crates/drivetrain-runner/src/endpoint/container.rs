//! One serving container.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::http::Client;
use super::{Container, ContainerStatus};
use crate::archive::{UnpackLimits, unpack};
use crate::error::FailureReason;
use crate::job::{BASE_DIRECTORY, JobDirectory, Platform};
use crate::process::{Process, last_lines};
use crate::store::StoredObject;
use crate::{JobName, Program, RunnerError};

/// How often a container is started on another port when it ended because its own was taken.
const MORE_PORTS: usize = 4;

/// A container's process and the directory it runs in.
#[derive(Debug)]
pub(super) struct RunningContainer {
    pub(super) name: JobName,
    pub(super) port: u16,
    program: Program,
    environment: BTreeMap<String, String>,
    /// How many more ports it may be given.
    more_ports: usize,
    model: StoredObject,
    started: Instant,
    start_up: Option<Duration>,
    // Before the directory: fields are dropped in order, and the process must end before its files go.
    process: Process,
    directory: JobDirectory,
}

impl RunningContainer {
    /// Fetches and unpacks the model, and starts the process; it is not ready yet.
    ///
    /// The platform assigns the port, so it is held here until the process may have it. Somebody else may be faster: see
    /// [`check_ready`](Self::check_ready).
    pub(super) fn start(
        platform: &Platform<'_>,
        container: &Container,
        held: TcpListener,
    ) -> Result<Self, RunnerError> {
        let directory = JobDirectory::create(&platform.work, container.name.as_str())?;
        let archive = directory.root().join("model.tar.gz");
        let model = platform.store.get_file(&container.model, &archive)?;
        unpack(&archive, &directory.folder("model")?, &UnpackLimits::default())?;
        let Container { name, program, environment, .. } = container.clone();
        let mut environment = environment;
        environment.insert(BASE_DIRECTORY.to_owned(), directory.base().display().to_string());
        let started = Instant::now();
        let (port, process) = launch(&name, &program, &environment, &directory, held)?;
        let start_up = None;
        let more_ports = MORE_PORTS;
        Ok(Self { name, port, program, environment, more_ports, model, started, start_up, process, directory })
    }

    pub(super) fn is_ready(&self) -> bool {
        self.start_up.is_some()
    }

    /// Looks once whether the container has ended or answers `/ping`. One that ended and whose port somebody else has is
    /// started again on another.
    pub(super) fn check_ready(
        &mut self,
        platform: &Platform<'_>,
        endpoint: &JobName,
        client: &Client,
    ) -> Result<(), RunnerError> {
        if self.is_ready() {
            return Ok(());
        }
        if let Some(status) = self.process.try_wait()? {
            if self.more_ports > 0 && is_taken(self.port) {
                self.more_ports -= 1;
                let held = hold_port()?;
                (self.port, self.process) =
                    launch(&self.name, &self.program, &self.environment, &self.directory, held)?;
                return Ok(());
            }
            return Err(RunnerError::ContainerExited {
                container: self.name.to_string(),
                status: status.to_string(),
                log: self.log_location(platform, endpoint),
                source: FailureReason::new(&last_lines(&self.directory.log())),
            });
        }
        // Whoever took the port may answer as well, so that the container must be there still.
        if client.ping(self.port) && self.process.try_wait()?.is_none() {
            self.start_up = Some(self.started.elapsed());
        }
        Ok(())
    }

    pub(super) fn timed_out(&self, platform: &Platform<'_>, endpoint: &JobName, timeout: Duration) -> RunnerError {
        RunnerError::PingTimedOut {
            container: self.name.to_string(),
            seconds: timeout.as_secs_f64(),
            log: self.log_location(platform, endpoint),
            source: FailureReason::new(&last_lines(&self.directory.log())),
        }
    }

    pub(super) fn status(&self) -> ContainerStatus {
        ContainerStatus {
            name: self.name.clone(),
            port: self.port,
            model: self.model.clone(),
            start_up: self.start_up.unwrap_or_default(),
        }
    }

    /// Ends the process and keeps its log.
    pub(super) fn stop(
        mut self,
        platform: &Platform<'_>,
        endpoint: &JobName,
        grace: Duration,
    ) -> Result<StoredObject, RunnerError> {
        let ended = self.process.stop(grace);
        let key = platform.container_log_key(endpoint, &self.name)?;
        let log = platform.store.put_file(&key, &self.directory.log())?;
        ended.map(|_| log)
    }

    fn log_location(&self, platform: &Platform<'_>, endpoint: &JobName) -> String {
        match platform.container_log_key(endpoint, &self.name) {
            Ok(key) => platform.store.describe(&key),
            Err(_) => self.directory.log().display().to_string(),
        }
    }
}

/// Listens on a port on which nobody else does, to keep it so.
pub(super) fn hold_port() -> Result<TcpListener, RunnerError> {
    TcpListener::bind(("0.0.0.0", 0)).map_err(no_port)
}

fn no_port(source: std::io::Error) -> RunnerError {
    RunnerError::Process { job: "free port".to_owned(), source }
}

/// Starts the process of a container on the port that was held for it.
fn launch(
    name: &JobName,
    program: &Program,
    environment: &BTreeMap<String, String>,
    directory: &JobDirectory,
    held: TcpListener,
) -> Result<(u16, Process), RunnerError> {
    let log = directory.create_log()?;
    let port = held.local_addr().map_err(no_port)?.port();
    let mut environment = environment.clone();
    environment.insert("SAGEMAKER_BIND_TO_PORT".to_owned(), port.to_string());
    environment.insert("SAGEMAKER_SAFE_PORT_RANGE".to_owned(), format!("{port}-{port}"));
    drop(held);
    let process = Process::spawn(name.as_str(), program, &["serve".to_owned()], &environment, directory.root(), &log)?;
    Ok((port, process))
}

/// Whether somebody listens on a port.
fn is_taken(port: u16) -> bool {
    TcpListener::bind(("0.0.0.0", port)).is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}
