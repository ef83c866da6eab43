//! Running one job's process to its end, keeping its log, and reading what it says about a failure.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::{JobDirectory, Platform};
use crate::error::FailureReason;
use crate::process::{GRACE, LogTail, Pause, Process, last_lines};
use crate::store::StoredObject;
use crate::{JobName, Program, RunnerError};

/// The variable that relocates `/opt/ml`.
pub(crate) const BASE_DIRECTORY: &str = "SAGEMAKER_BASE_DIR";
/// The single host of a processing job.
pub(super) const HOST: &str = "algo-1";
/// The most characters of a failure or exit message.
const MAX_MESSAGE: usize = 1_024;

/// What the kinds of job have in common.
pub(super) struct Execution<'a> {
    pub(super) kind: &'static str,
    pub(super) name: &'a JobName,
    pub(super) program: &'a Program,
    pub(super) arguments: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    /// The message file, below the base.
    pub(super) message: &'static str,
}

/// What a process that exited with success leaves behind.
pub(super) struct Success {
    pub(super) duration: Duration,
    pub(super) log: StoredObject,
    pub(super) message: Option<String>,
}

impl Platform<'_> {
    /// Runs a process in each directory, one for each host. The first one's log and message are the job's, unless another
    /// one fails; then the others are stopped.
    pub(super) fn execute(
        &self,
        directories: &[JobDirectory],
        execution: &Execution<'_>,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<Success, RunnerError> {
        let started = Instant::now();
        let mut hosts = Vec::new();
        let ended = start(directories, execution, &mut hosts).and_then(|()| self.wait(&mut hosts, on_line));
        drop(hosts);
        let duration = started.elapsed();
        let &Execution { kind, name, message, .. } = execution;
        let log_keys =
            (0..directories.len()).map(|host| self.host_log_key(name, host)).collect::<Result<Vec<_>, _>>()?;
        let kept: Vec<_> = log_keys
            .iter()
            .zip(directories)
            // That of a host that was never started is not there.
            .filter(|(_, directory)| directory.log().exists())
            .map(|(key, directory)| self.store.put_file(key, &directory.log()))
            .collect();
        let failed = ended?;
        let (host, directory) = failed.as_ref().map_or((0, &directories[0]), |(host, _)| (*host, &directories[*host]));
        let said = read_message(&directory.path(message));
        if let Some((_, status)) = failed {
            let source = match said {
                Some(text) => FailureReason::new(&text),
                None => FailureReason::new(&last_lines(&directory.log())),
            };
            let log = self.store.describe(&log_keys[host]);
            let status = status.to_string();
            let status = if directories.len() == 1 { status } else { format!("{status}, on algo-{}", host + 1) };
            return Err(RunnerError::JobFailed { kind, job: name.to_string(), status, log, source });
        }
        let log = kept.into_iter().collect::<Result<Vec<_>, _>>()?.swap_remove(0);
        Ok(Success { duration, log, message: said })
    }

    /// Waits until all hosts have ended well, or one has not: its number, counted from 0, and its status.
    fn wait(
        &self,
        hosts: &mut [Host],
        on_line: &mut dyn FnMut(&str),
    ) -> Result<Option<(usize, ExitStatus)>, RunnerError> {
        let mut pause = Pause::default();
        loop {
            let mut are_over = true;
            let mut failed = None;
            for (number, host) in hosts.iter_mut().enumerate() {
                host.tail.poll(on_line);
                match host.process.try_wait()? {
                    Some(status) if !status.success() => failed = failed.or(Some((number, status))),
                    Some(_) => {}
                    None => are_over = false,
                }
            }
            let is_interrupted = failed.is_none() && !are_over && self.interrupt.is_requested();
            if is_interrupted || failed.is_some() {
                stop(hosts)?;
            }
            if is_interrupted || failed.is_some() || are_over {
                for host in hosts.iter_mut() {
                    host.tail.poll(on_line);
                }
            }
            if is_interrupted {
                return Err(RunnerError::Interrupted { job: hosts[0].process.name().to_owned() });
            }
            if failed.is_some() || are_over {
                return Ok(failed);
            }
            pause.sleep();
        }
    }
}

/// Starts the hosts one after the other.
fn start(directories: &[JobDirectory], execution: &Execution<'_>, hosts: &mut Vec<Host>) -> Result<(), RunnerError> {
    for directory in directories {
        let Execution { name, program, arguments, .. } = execution;
        let mut environment = execution.environment.clone();
        environment.insert(BASE_DIRECTORY.to_owned(), directory.base().display().to_string());
        let log = directory.create_log()?;
        let tail = LogTail::open(&directory.log())?;
        let process = Process::spawn(name.as_str(), program, arguments, &environment, directory.root(), &log)?;
        hosts.push(Host { process, tail });
    }
    Ok(())
}

/// The process that plays a host, and its log as far as it has been seen.
struct Host {
    process: Process,
    tail: LogTail,
}

/// Asks all hosts to end, and ends them after the grace period.
fn stop(hosts: &mut [Host]) -> Result<(), RunnerError> {
    for host in hosts.iter_mut() {
        host.process.terminate()?;
    }
    let end = Instant::now() + GRACE;
    hosts.iter_mut().try_for_each(|host| host.process.stop(end.saturating_duration_since(Instant::now())).map(drop))
}

/// The start of a message file, if it says anything.
fn read_message(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    // Four bytes hold any character.
    File::open(path).ok()?.take(4 * MAX_MESSAGE as u64).read_to_end(&mut bytes).ok()?;
    let text: String = String::from_utf8_lossy(&bytes).chars().take(MAX_MESSAGE).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
