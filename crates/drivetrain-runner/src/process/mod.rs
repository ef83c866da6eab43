//! Processes that stand in for containers.

mod log;
mod program;
mod signal;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub(crate) use log::{LogTail, last_lines};
pub use program::Program;

use crate::RunnerError;

/// How often a waiting runner looks, at first and at most.
const FIRST_LOOK: Duration = Duration::from_micros(200);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// How long a process may take to obey SIGTERM. The platform gives 120 s; locally somebody is waiting.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// The variable that tells a process that the end of its standard input is the end of its runner.
pub(crate) const EXIT_WITH_STDIN: &str = "DRIVETRAIN_EXIT_WITH_STDIN";

/// A running process and everything it started; dropping it kills them all.
///
/// A runner that is killed cannot kill anything. The system closes its end of the pipe that is the process's standard
/// input, though, and a process that honours [`EXIT_WITH_STDIN`] then ends by itself.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    /// Holds the pipe open.
    child: Child,
    ended: Option<ExitStatus>,
    /// Whether it has been asked to end.
    is_asked: bool,
}

impl Process {
    /// Starts a program with exactly these variables and [`EXIT_WITH_STDIN`], its output and errors going to the log.
    pub(crate) fn spawn(
        name: &str,
        program: &Program,
        arguments: &[String],
        environment: &BTreeMap<String, String>,
        directory: &Path,
        log: &File,
    ) -> Result<Self, RunnerError> {
        let spawn_failed = |source| RunnerError::Spawn { program: program.path().to_path_buf(), source };
        let mut command = Command::new(program.path());
        command
            .args(program.arguments())
            .args(arguments)
            .env_clear()
            .envs(program.environment())
            .envs(environment)
            .env(EXIT_WITH_STDIN, "1")
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(spawn_failed)?)
            .stderr(log.try_clone().map_err(spawn_failed)?);
        signal::own_group(&mut command);
        let child = command.spawn().map_err(spawn_failed)?;
        Ok(Self { name: name.to_owned(), child, ended: None, is_asked: false })
    }

    /// The exit status, if the process has ended. What it left running ends with it, as in a container.
    pub(crate) fn try_wait(&mut self) -> Result<Option<ExitStatus>, RunnerError> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().map_err(|source| self.lost(source))?;
            if self.ended.is_some() {
                signal::kill(&mut self.child);
            }
        }
        Ok(self.ended)
    }

    /// Whose process it is.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Asks the process to end, if it has not.
    pub(crate) fn terminate(&mut self) -> Result<(), RunnerError> {
        if self.try_wait()?.is_none() && !self.is_asked {
            signal::terminate(&mut self.child);
            self.is_asked = true;
        }
        Ok(())
    }

    /// Asks the process to end, and ends it after the grace period.
    pub(crate) fn stop(&mut self, grace: Duration) -> Result<ExitStatus, RunnerError> {
        if let Some(status) = self.try_wait()? {
            return Ok(status);
        }
        self.terminate()?;
        let deadline = Instant::now() + grace;
        let mut pause = Pause::default();
        while Instant::now() < deadline {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            pause.sleep();
        }
        signal::kill(&mut self.child);
        let status = self.child.wait().map_err(|source| self.lost(source))?;
        self.ended = Some(status);
        Ok(status)
    }

    fn lost(&self, source: std::io::Error) -> RunnerError {
        RunnerError::Process { job: self.name.clone(), source }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended.is_none() {
            signal::kill(&mut self.child);
            // Reaps it; there is nobody left to tell if that fails.
            let _ = self.child.wait();
        }
    }
}

/// Pauses that begin short, for jobs of milliseconds, and grow, for jobs of minutes.
#[derive(Debug)]
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(FIRST_LOOK)
    }
}

impl Pause {
    pub(crate) fn sleep(&mut self) {
        std::thread::sleep(self.0);
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}
