//! Endpoints whose containers are this test's own executable, started again as a small HTTP server.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic; clippy exempts only test functions")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use drivetrain_runner::archive::pack;
use drivetrain_runner::endpoint::{Container, InferencePipeline, MAX_BODY, Payload};
use drivetrain_runner::job::Platform;
use drivetrain_runner::store::{Key, Store};
use drivetrain_runner::{Interrupt, JobName, Program, RunnerError};
use tempfile::TempDir;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

struct World {
    store: Store,
    work: TempDir,
}

impl World {
    /// A store with a model that holds one file.
    fn new() -> Self {
        let world = Self { store: Store::in_memory().unwrap(), work: tempfile::tempdir().unwrap() };
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir(scratch.path().join("model")).unwrap();
        std::fs::write(scratch.path().join("model/suffix"), "!").unwrap();
        pack(&scratch.path().join("model"), &scratch.path().join("model.tar.gz")).unwrap();
        world.store.put_file(&key("p/model.tar.gz"), &scratch.path().join("model.tar.gz")).unwrap();
        world
    }

    fn platform(&self) -> Platform<'_> {
        Platform::new(&self.store, key("p"), self.work.path(), Interrupt::new()).unwrap()
    }

    fn text(&self, of: &str) -> String {
        String::from_utf8(self.store.get_bytes(&key(of), 1 << 20).unwrap()).unwrap()
    }
}

fn container(name: &str, mode: &str) -> Container {
    // `serve`, which the runner appends, is the test below.
    let program = Program::new(std::env::current_exe().unwrap())
        .with_argument("--exact")
        .with_argument("--ignored")
        .with_argument("--nocapture");
    Container {
        name: JobName::new(name).unwrap(),
        program,
        model: key("p/model.tar.gz"),
        environment: BTreeMap::from([("MODE".to_owned(), mode.to_owned())]),
    }
}

fn pipeline(containers: Vec<Container>) -> InferencePipeline {
    InferencePipeline { name: JobName::new("chain").unwrap(), containers, start_timeout: Duration::from_secs(30) }
}

#[test]
fn each_answer_is_the_next_question() {
    let world = World::new();
    let platform = world.platform();
    let endpoint = platform.deploy(&pipeline(vec![container("first", "echo"), container("second", "echo")])).unwrap();
    let answer = endpoint.invoke(&Payload::csv("1,2")).unwrap();
    // Each container appends what it was told the content type is, and its model's suffix.
    assert_eq!(String::from_utf8(answer.body).unwrap(), "1,2[text/csv]![application/x-first]!");
    assert_eq!(answer.content_type, "application/x-second");
    let status = endpoint.containers();
    assert_eq!(status.iter().map(|container| container.name.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    assert!(status.iter().all(|container| !container.start_up.is_zero()));
    assert_ne!(status[0].port, status[1].port);
    let logs = endpoint.stop().unwrap();
    assert_eq!(logs[1].key.as_str(), "p/endpoints/chain/second/log.txt");
    assert!(world.text("p/endpoints/chain/first/log.txt").contains("listening"));
    assert!(TcpStream::connect(("127.0.0.1", status[0].port)).is_err());
    assert_eq!(world.work.path().read_dir().unwrap().count(), 0);
}

#[test]
fn an_error_names_the_container_its_place_and_what_it_said() {
    let world = World::new();
    let platform = world.platform();
    let endpoint = platform.deploy(&pipeline(vec![container("first", "echo"), container("second", "refuse")])).unwrap();
    let error = endpoint.invoke(&Payload::csv("1,2")).unwrap_err();
    let RunnerError::ContainerRefused { container, position, status, body } = &error else { panic!("{error}") };
    assert_eq!((container.as_str(), *position, *status), ("second", 2, 400));
    assert_eq!(body, "{\"error\": \"no\"}");
}

#[test]
fn bodies_beyond_the_limits_are_refused() {
    let world = World::new();
    let platform = world.platform();
    let endpoint = platform.deploy(&pipeline(vec![container("first", "huge"), container("second", "echo")])).unwrap();
    let request = Payload::csv(vec![b'1'; usize::try_from(MAX_BODY).unwrap() + 1]);
    assert!(matches!(endpoint.invoke(&request), Err(RunnerError::TooLarge { .. })));
    let error = endpoint.invoke(&Payload::csv("1")).unwrap_err();
    assert!(error.to_string().contains("`first`") && matches!(error, RunnerError::TooLarge { .. }), "{error}");
}

#[test]
fn a_container_that_dies_at_a_request_is_unreachable() {
    let world = World::new();
    let platform = world.platform();
    let endpoint = platform.deploy(&pipeline(vec![container("first", "die")])).unwrap();
    let error = endpoint.invoke(&Payload::csv("1")).unwrap_err();
    assert!(matches!(error, RunnerError::ContainerUnreachable { position: 1, .. }), "{error}");
}

#[test]
fn a_container_that_ends_early_is_reported_with_its_log_and_the_others_end() {
    let world = World::new();
    let platform = world.platform();
    let broken = Container {
        program: Program::new("/bin/sh")
            .with_argument("-c")
            .with_argument("echo 'manifest.json: wrong checksum' >&2; exit 4"),
        ..container("second", "")
    };
    let error = platform.deploy(&pipeline(vec![container("first", "echo"), broken])).unwrap_err();
    let RunnerError::ContainerExited { container, status, log, source } = &error else { panic!("{error}") };
    assert_eq!(container, "second");
    assert!(status.contains('4'), "{status}");
    assert_eq!(source.text, "manifest.json: wrong checksum");
    assert_eq!(log, "memory:///p/endpoints/chain/second/log.txt");
    assert_eq!(world.text("p/endpoints/chain/second/log.txt"), "manifest.json: wrong checksum\n");
    assert_eq!(world.work.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_container_whose_port_was_taken_gets_another() {
    let world = World::new();
    let platform = world.platform();
    let meeting = tempfile::tempdir().unwrap();
    let mut slow = container("slow", "slow");
    slow.environment.insert("MEETING".to_owned(), meeting.path().display().to_string());
    let (port, taken) = (meeting.path().join("port"), meeting.path().join("taken"));
    std::thread::scope(|scope| {
        let thief = scope.spawn(|| {
            let deadline = std::time::Instant::now() + Duration::from_secs(20);
            let number = loop {
                match std::fs::read_to_string(&port).ok().and_then(|text| text.trim().parse::<u16>().ok()) {
                    Some(number) => break number,
                    None => std::thread::sleep(Duration::from_millis(2)),
                }
                assert!(std::time::Instant::now() < deadline);
            };
            let listener = TcpListener::bind(("0.0.0.0", number)).unwrap();
            std::fs::write(&taken, "").unwrap();
            listener
        });
        let endpoint = platform.deploy(&pipeline(vec![container("first", "echo"), slow])).unwrap();
        let listener = thief.join().unwrap();
        let ports: Vec<u16> = endpoint.containers().iter().map(|container| container.port).collect();
        assert!(!ports.contains(&listener.local_addr().unwrap().port()));
        let answer = endpoint.invoke(&Payload::csv("1,2")).unwrap();
        assert_eq!(String::from_utf8(answer.body).unwrap(), "1,2[text/csv]![application/x-first]!");
    });
}

#[test]
fn a_container_that_never_answers_runs_out_of_time() {
    let world = World::new();
    let platform = world.platform();
    let mut mute = pipeline(vec![container("mute", "unhealthy")]);
    mute.start_timeout = Duration::from_millis(300);
    let error = platform.deploy(&mute).unwrap_err();
    assert!(matches!(error, RunnerError::PingTimedOut { .. }), "{error}");
    assert_eq!(world.work.path().read_dir().unwrap().count(), 0);
}

#[test]
fn impossible_pipelines_and_models_never_start() {
    let world = World::new();
    let platform = world.platform();
    let refused = |pipeline: InferencePipeline| platform.deploy(&pipeline).unwrap_err();
    assert!(matches!(refused(pipeline(vec![])), RunnerError::InvalidJob { .. }));
    assert!(matches!(refused(pipeline(vec![container("a", ""), container("a", "")])), RunnerError::InvalidJob { .. }));
    let absent = Container { model: key("p/absent.tar.gz"), ..container("a", "") };
    assert!(matches!(refused(pipeline(vec![absent])), RunnerError::ObjectNotFound { .. }));
    world.store.put_bytes(&key("p/broken.tar.gz"), b"not an archive".to_vec()).unwrap();
    let broken = Container { model: key("p/broken.tar.gz"), ..container("a", "") };
    assert!(matches!(refused(pipeline(vec![broken])), RunnerError::Archive { .. }));
}

/// The container itself.
#[test]
#[ignore = "the program of the containers that the other tests start"]
fn serve() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let base = PathBuf::from(variable("SAGEMAKER_BASE_DIR"));
    let suffix = std::fs::read_to_string(base.join("model/suffix")).unwrap();
    if let Ok(meeting) = std::env::var("MEETING").map(PathBuf::from)
        && !meeting.join("taken").exists()
    {
        std::fs::write(meeting.join("port.new"), variable("SAGEMAKER_BIND_TO_PORT")).unwrap();
        std::fs::rename(meeting.join("port.new"), meeting.join("port")).unwrap();
        while !meeting.join("taken").exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let listener = TcpListener::bind(format!("0.0.0.0:{}", variable("SAGEMAKER_BIND_TO_PORT"))).unwrap();
    println!("listening");
    let mode = variable("MODE");
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let request = Request::read(&mut stream);
        let (status, body) = match (request.path.as_str(), mode.as_str()) {
            ("/ping", "unhealthy") => (503, Vec::new()),
            ("/ping", _) => (200, Vec::new()),
            (_, "refuse") => (400, b"{\"error\": \"no\"}".to_vec()),
            (_, "huge") => (200, vec![b'1'; 6 << 20]),
            (_, "die") => std::process::exit(1),
            _ => (200, format!("{}[{}]{suffix}", request.body, request.content_type).into_bytes()),
        };
        let name = base.parent().and_then(|path| path.file_name()).unwrap().to_string_lossy().into_owned();
        let name = name.split('-').next().unwrap().to_owned();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/x-{name}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        // A client that has read enough closes early; that is its right.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    }
}

#[derive(Default)]
struct Request {
    path: String,
    content_type: String,
    body: String,
}

impl Request {
    fn read(stream: &mut TcpStream) -> Self {
        let mut reader = BufReader::new(stream);
        let mut request = Self::default();
        let mut length = 0;
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.split(' ').nth(1).unwrap_or_default().clone_into(&mut request.path);
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "content-type" => value.clone_into(&mut request.content_type),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        request.body = String::from_utf8(body).unwrap();
        request
    }
}
