//! The serving program as a process: a socket, a signal, an exit code.

#![cfg(all(unix, feature = "serve"))]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use drivetrain_artifact::ArtifactBuilder;
use drivetrain_container::stop::EXIT_WITH_STDIN;
use drivetrain_plan::{Column, ColumnTable, DataType, Field, Plan, Schema};

const INVOCATION: &str = "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 6\r\n\
    Connection: close\r\n\r\n3504.5";

/// So many that the answer is more than the system keeps for a client that does not read.
const DEAF_ROWS: usize = 3_000_000;

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(base: &Path) -> Self {
        Self::start_with(base, |command| command.stderr(Stdio::null()))
    }

    fn start_with(base: &Path, set_up: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drivetrain-serve"));
        command
            .args(["serve", "--host", "127.0.0.1"])
            .env("SAGEMAKER_BASE_DIR", base)
            .env("SAGEMAKER_BIND_TO_PORT", "0")
            .stdout(Stdio::piped());
        let mut child = set_up(&mut command).spawn().unwrap();
        // Nobody reads the log: where it is a pipe, its other end closes here.
        drop(child.stderr.take());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, address }
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// The whole response to a request.
    fn ask(&self, request: &str) -> String {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).unwrap();
        response
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error says that the process has ended already.
        let _ = self.child.kill();
    }
}

fn model_in(base: &Path) {
    let schema = Schema::new(vec![Field::new("weight", DataType::Float64)]).unwrap();
    let rows = ColumnTable::new(vec![("weight".into(), Column::from(vec![3504.0]))]).unwrap();
    let plan = Plan::identity(schema).unwrap();
    ArtifactBuilder::preprocessor(plan, &rows).build().unwrap().write_dir(base.join("model")).unwrap();
}

#[test]
fn it_answers_as_soon_as_it_listens_and_stops_when_told() {
    let base = tempfile::tempdir().unwrap();
    model_in(base.path());
    let mut server = Server::start(base.path());

    let ping = server.ask("GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(ping.starts_with("HTTP/1.1 200 OK\r\n") && ping.ends_with("\r\n\r\n"), "{ping}");
    let answer = server.ask(INVOCATION);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n[[3504.5]]"), "{answer}");

    server.terminate();
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn it_answers_although_nobody_reads_its_log() {
    let base = tempfile::tempdir().unwrap();
    model_in(base.path());
    let server = Server::start_with(base.path(), |command| command.stderr(Stdio::piped()).env("RUST_LOG", "debug"));
    for _ in 0..3 {
        let answer = server.ask(INVOCATION);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[test]
fn it_answers_although_nobody_wants_its_log() {
    let base = tempfile::tempdir().unwrap();
    model_in(base.path());
    let mut server = Server::start_with(base.path(), |command| command.stderr(Stdio::null()).env("RUST_LOG", "off"));
    for _ in 0..3 {
        assert!(server.ask(INVOCATION).starts_with("HTTP/1.1 200 OK\r\n"));
    }
    server.terminate();
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn a_client_that_stalls_does_not_keep_it_alive() {
    let base = tempfile::tempdir().unwrap();
    model_in(base.path());
    let mut server =
        Server::start_with(base.path(), |command| command.args(["--drain-seconds", "1"]).stderr(Stdio::null()));
    let mut stalled = TcpStream::connect(&server.address).unwrap();
    stalled.write_all(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n35").unwrap();
    // The request has reached the server once a later one is answered.
    server.ask(INVOCATION);
    server.terminate();
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn a_head_without_end_is_refused() {
    let base = tempfile::tempdir().unwrap();
    model_in(base.path());
    let server = Server::start(base.path());
    let head = |length| format!("GET /ping HTTP/1.1\r\nConnection: close\r\nX: {}\r\n\r\n", "x".repeat(length));
    assert!(server.ask(&head(32 * 1024)).starts_with("HTTP/1.1 200 OK\r\n"));
    let mut socket = TcpStream::connect(&server.address).unwrap();
    // The server may be gone before it has taken all of it.
    let _ = socket.write_all(head(1024 * 1024).as_bytes());
    let mut status = [0; 12];
    if socket.read_exact(&mut status).is_ok() {
        assert_eq!(&status, b"HTTP/1.1 431");
    }
    assert!(server.ask(INVOCATION).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_sent() {
    let base = tempfile::tempdir().unwrap();
    model_in(base.path());
    let server = Server::start(base.path());
    let head = "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nExpect: 100-continue\r\n\
        Connection: close\r\nContent-Length:";
    let refused = server.ask(&format!("{head} 6291457\r\n\r\n"));
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains("larger than 6291456 bytes"), "{refused}");
    let answer = server.ask(&format!("{head} 6\r\n\r\n3504.5"));
    assert!(answer.starts_with("HTTP/1.1 100 ") && answer.ends_with("[[3504.5]]"), "{answer}");
}

#[test]
fn a_connection_that_is_silent_or_deaf_is_closed() {
    let base = tempfile::tempdir().unwrap();
    model_in(base.path());
    let server = Server::start(base.path());
    let mut deaf = TcpStream::connect(&server.address).unwrap();
    write!(deaf, "POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: {}\r\n\r\n", 2 * DEAF_ROWS)
        .unwrap();
    deaf.write_all("1\n".repeat(DEAF_ROWS).as_bytes()).unwrap();
    let mut silent = TcpStream::connect(&server.address).unwrap();
    let mut half = TcpStream::connect(&server.address).unwrap();
    half.write_all(b"POST /invocations HTTP/1.1\r\nHost:").unwrap();
    for connection in [&mut silent, &mut half] {
        connection.set_read_timeout(Some(std::time::Duration::from_mins(2))).unwrap();
        // Whatever it says before, it comes to an end.
        connection.read_to_end(&mut Vec::new()).unwrap();
    }
    let mut taken = Vec::new();
    // An error says that the server has given up, too.
    let _ = deaf.read_to_end(&mut taken);
    assert!(taken.len() < "[1.0],".len() * DEAF_ROWS, "the whole answer waited");
    assert!(server.ask(INVOCATION).starts_with("HTTP/1.1 200 OK\r\n"));
}

/// The memory that a process has in use, in KiB.
#[cfg(target_os = "linux")]
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn many_requests_leave_no_memory_behind() {
    let base = tempfile::tempdir().unwrap();
    model_in(base.path());
    let server = Server::start_with(base.path(), |command| command.stderr(Stdio::null()).env("RUST_LOG", "warn"));
    let mut connection = BufReader::new(TcpStream::connect(&server.address).unwrap());
    let mut ask_often = |bad: &str| {
        for number in 0..2_000 {
            // Answers, and refusals that quote what they refuse.
            let body = if number % 4 == 0 { format!("{bad}{number}") } else { format!("{number}.5") };
            let head = "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length";
            // At once: a request in pieces waits for the acknowledgement of the first.
            let request = format!("{head}: {}\r\n\r\n{body}", body.len());
            connection.get_mut().write_all(request.as_bytes()).unwrap();
            let mut length = 0;
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                assert!(connection.read_line(&mut line).unwrap() > 0, "the server has closed the connection");
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut answer = vec![0; length];
            connection.read_exact(&mut answer).unwrap();
            let expected = if number % 4 == 0 { "{\"error\"".to_owned() } else { format!("[[{number}.5]]") };
            assert!(answer.starts_with(expected.as_bytes()), "{}", String::from_utf8_lossy(&answer));
        }
    };
    ask_often("heavy");
    let before = resident(server.child.id());
    for round in 0..10 {
        ask_often(&format!("heavy{round}"));
    }
    let after = resident(server.child.id());
    // A leak of a hundred bytes a request would be twice as much.
    assert!(after < before + 1024, "{before} KiB became {after} KiB");
}

#[test]
fn it_stops_when_whoever_started_it_is_gone() {
    let base = tempfile::tempdir().unwrap();
    model_in(base.path());
    let mut server = Server::start_with(base.path(), |command| {
        command.stdin(Stdio::piped()).stderr(Stdio::null()).env(EXIT_WITH_STDIN, "1")
    });
    assert!(server.ask(INVOCATION).starts_with("HTTP/1.1 200 OK\r\n"));
    drop(server.child.stdin.take());
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn without_a_model_it_says_so_and_fails() {
    let base = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_drivetrain-serve"))
        .env("SAGEMAKER_BASE_DIR", base.path())
        .env("SAGEMAKER_BIND_TO_PORT", "0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("error: ") && stderr.contains(&base.path().join("model").display().to_string()),
        "{stderr}"
    );
}
