//! Servers as processes, and the memory they take.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use drivetrain_bench::memory_of_tree;

use super::client;
use crate::error::Error;

const START_TIMEOUT: Duration = Duration::from_mins(1);

/// A running server and where it listens; dropping it ends it.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Ours, which says where it listens.
    pub(super) fn ours(program: &Path, preprocessor: &Path, regressor: &Path) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--preprocessor"]).arg(preprocessor);
        // A line per request would be measured too; the other server writes none either.
        command.arg("--model-dir").arg(regressor).env("RUST_LOG", "warn").stdout(Stdio::piped());
        let mut process = start(&mut command)?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(|source| Error::Start { program: program.into(), source })?;
        }
        let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| Error::Answer { problem: format!("the server says `{}`", line.trim()) })?;
        Ok(Self { process, address })
    }

    /// A server that is told its port, as the last but one of its arguments, and asked until it answers.
    pub(super) fn theirs(mut command: Command, workers: usize) -> Result<Self, Error> {
        let free = || TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let address = free().map_err(|source| Error::Start { program: command.get_program().into(), source })?;
        let process = start(command.arg(address.port().to_string()).arg(workers.to_string()))?;
        let mut server = Self { process, address };
        let started = Instant::now();
        while !server.answers() {
            let ended = matches!(server.process.try_wait(), Ok(Some(_)) | Err(_));
            if ended || started.elapsed() > START_TIMEOUT {
                return Err(Error::Answer { problem: format!("{command:?} does not answer GET /ping") });
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    fn answers(&self) -> bool {
        let ping = b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
        client::connect(self.address)
            .and_then(|mut connection| client::ask(&mut connection, ping))
            .is_ok_and(|answer| answer.status == 200)
    }

    /// The memory that it and the processes it started hold, in bytes.
    pub(super) fn memory(&self) -> u64 {
        memory_of_tree(self.id())
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server of several processes ends them all when it is asked, which a kill would not.
        let asked = Command::new("kill").arg("-TERM").arg(self.process.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

fn start(command: &mut Command) -> Result<Child, Error> {
    let program = command.get_program().into();
    command.stdin(Stdio::null()).spawn().map_err(|source| Error::Start { program, source })
}
