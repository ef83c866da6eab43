//! Running one job's process to its end, keeping its log, and reading what it says about a failure.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{JobDirectory, Platform};
use crate::error::FailureReason;
use crate::process::{LogTail, Process, last_lines};
use crate::store::StoredObject;
use crate::{JobName, Program, RunnerError};

/// The variable that relocates `/opt/ml`.
pub(crate) const BASE_DIRECTORY: &str = "SAGEMAKER_BASE_DIR";
/// The single host of a local job.
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
    pub(super) fn execute(
        &self,
        directory: &JobDirectory,
        execution: Execution<'_>,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<Success, RunnerError> {
        let Execution { kind, name, program, arguments, mut environment, message } = execution;
        environment.insert(BASE_DIRECTORY.to_owned(), directory.base().display().to_string());
        let log_key = self.log_key(name)?;
        let log = directory.create_log()?;
        let mut tail = LogTail::open(&directory.log())?;
        let started = Instant::now();
        let ended = Process::spawn(name.as_str(), program, &arguments, &environment, directory.root(), &log)
            .and_then(|mut process| process.wait(&self.interrupt, || tail.poll(on_line)));
        let duration = started.elapsed();
        let kept = self.store.put_file(&log_key, &directory.log());
        let status = ended?;
        let said = read_message(&directory.path(message));
        if !status.success() {
            let source = match said {
                Some(text) => FailureReason::new(&text),
                None => FailureReason::new(&last_lines(&directory.log())),
            };
            let log = self.store.describe(&log_key);
            return Err(RunnerError::JobFailed {
                kind,
                job: name.to_string(),
                status: status.to_string(),
                log,
                source,
            });
        }
        Ok(Success { duration, log: kept?, message: said })
    }
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
