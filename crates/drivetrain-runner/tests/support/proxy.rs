//! A proxy in front of an S3 server that spoils a request or an answer when it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is done to one request or its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends before the request is read.
    Hangup,
    /// The server gets the request, and its answer is lost.
    LostAnswer,
    /// An internal error instead of an answer.
    Error500,
    /// Half of the answer.
    Truncated,
    /// Half of the answer, a pause, and the other half.
    Slow,
    /// A bit of the body of the answer is another.
    WrongAnswer,
    /// A bit of the body of the request is another.
    WrongRequest,
}

impl Fault {
    pub(crate) const ALL: [Self; 7] = [
        Self::Hangup,
        Self::LostAnswer,
        Self::Error500,
        Self::Truncated,
        Self::Slow,
        Self::WrongAnswer,
        Self::WrongRequest,
    ];
}

#[derive(Debug, Default)]
struct Plan {
    /// Requests until the fault, and the fault.
    next: Mutex<Option<(usize, Fault)>>,
    always: Mutex<Option<Fault>>,
    faults: AtomicUsize,
}

pub(crate) struct Proxy {
    address: String,
    plan: Arc<Plan>,
}

impl Proxy {
    /// Its threads wait for connections until the process ends.
    pub(crate) fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let plan = Arc::new(Plan::default());
        let shared = Arc::clone(&plan);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, plan) = (server.clone(), Arc::clone(&shared));
                // A connection that breaks is what this is about.
                std::thread::spawn(move || serve(client, &server, &plan).ok());
            }
        });
        Self { address, plan }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// Spoils the request after the next `after`, and no other.
    pub(crate) fn plan(&self, after: usize, fault: Fault) {
        *self.plan.next.lock().unwrap() = Some((after, fault));
    }

    /// Spoils every request.
    pub(crate) fn always(&self, fault: Fault) {
        *self.plan.next.lock().unwrap() = None;
        *self.plan.always.lock().unwrap() = Some(fault);
    }

    /// How many there have been.
    pub(crate) fn faults(&self) -> usize {
        self.plan.faults.load(Ordering::Relaxed)
    }
}

impl Plan {
    fn fault(&self) -> Option<Fault> {
        let mut next = self.next.lock().unwrap();
        let planned = match &mut *next {
            Some((0, fault)) => Some(*fault),
            Some((after, _)) => {
                *after -= 1;
                return *self.always.lock().unwrap();
            }
            None => None,
        };
        *next = None;
        let fault = planned.or(*self.always.lock().unwrap());
        self.faults.fetch_add(usize::from(fault.is_some()), Ordering::Relaxed);
        fault
    }
}

/// One request, after which the connection is closed.
fn serve(client: TcpStream, server: &str, plan: &Plan) -> std::io::Result<()> {
    let fault = plan.fault();
    if fault == Some(Fault::Hangup) {
        return Ok(());
    }
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
        head.extend_from_slice(line.as_bytes());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if fault == Some(Fault::WrongRequest) && length > 0 {
        body[length / 2] ^= 1;
    }

    let mut client = client;
    if fault == Some(Fault::Error500) {
        return client.write_all(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(&[&head[..], b"Connection: close\r\n\r\n", &body].concat())?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    let start = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(answer.len(), |place| place + 4);
    let half = start + (answer.len() - start) / 2;
    match fault {
        Some(Fault::LostAnswer) => Ok(()),
        Some(Fault::Truncated) => client.write_all(&answer[..half]),
        Some(Fault::Slow) => {
            client.write_all(&answer[..half])?;
            std::thread::sleep(Duration::from_millis(300));
            client.write_all(&answer[half..])
        }
        Some(Fault::WrongAnswer) if half < answer.len() => {
            answer[half] ^= 1;
            client.write_all(&answer)
        }
        _ => client.write_all(&answer),
    }
}
