//! One serving container.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::http::Client;
use super::{Container, ContainerStatus};
use crate::archive::{UnpackLimits, unpack};
use crate::error::FailureReason;
use crate::job::{BASE_DIRECTORY, JobDirectory, Platform};
use crate::process::{Process, last_lines};
use crate::store::StoredObject;
use crate::{JobName, RunnerError};

/// A container's process and the directory it runs in.
#[derive(Debug)]
pub(super) struct RunningContainer {
    pub(super) name: JobName,
    pub(super) port: u16,
    model: StoredObject,
    started: Instant,
    start_up: Option<Duration>,
    // Before the directory: fields are dropped in order, and the process must end before its files go.
    process: Process,
    directory: JobDirectory,
}

impl RunningContainer {
    /// Fetches and unpacks the model, and starts the process; it is not ready yet.
    pub(super) fn start(platform: &Platform<'_>, container: &Container, port: u16) -> Result<Self, RunnerError> {
        let directory = JobDirectory::create(&platform.work, container.name.as_str())?;
        let archive = directory.root().join("model.tar.gz");
        let model = platform.store.get_file(&container.model, &archive)?;
        unpack(&archive, &directory.folder("model")?, &UnpackLimits::default())?;
        let log = directory.create_log()?;
        let mut environment: BTreeMap<_, _> = container.environment.clone();
        environment.insert(BASE_DIRECTORY.to_owned(), directory.base().display().to_string());
        environment.insert("SAGEMAKER_BIND_TO_PORT".to_owned(), port.to_string());
        environment.insert("SAGEMAKER_SAFE_PORT_RANGE".to_owned(), format!("{port}-{port}"));
        let started = Instant::now();
        let process = Process::spawn(
            container.name.as_str(),
            &container.program,
            &["serve".to_owned()],
            &environment,
            directory.root(),
            &log,
        )?;
        Ok(Self { name: container.name.clone(), port, model, started, start_up: None, process, directory })
    }

    pub(super) fn is_ready(&self) -> bool {
        self.start_up.is_some()
    }

    /// Looks once whether the container has ended or answers `/ping`.
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
            return Err(RunnerError::ContainerExited {
                container: self.name.to_string(),
                status: status.to_string(),
                log: self.log_location(platform, endpoint),
                source: FailureReason::new(&last_lines(&self.directory.log())),
            });
        }
        if client.ping(self.port) {
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
