//! A client that keeps a server busy, and believes no answer it has not compared.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A server that says nothing for so long has lost the request.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request and the answer it must get.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) request: Vec<u8>,
    pub(super) answer: Vec<u8>,
}

/// What became of many requests.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// How long each right answer took.
    pub(super) latencies: Vec<Duration>,
    /// Answers that came and were not the right ones.
    pub(super) wrong: usize,
    /// Requests without an answer.
    pub(super) lost: usize,
    /// How long all of it took.
    pub(super) elapsed: Duration,
}

impl Outcome {
    pub(super) fn requests_per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.wrong += other.wrong;
        self.lost += other.lost;
    }
}

/// How long a load goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    /// As long as this.
    Time(Duration),
    /// For so many requests, of all connections together.
    Requests(usize),
}

/// One POST of rows as CSV.
pub(super) fn request(body: &str) -> Vec<u8> {
    let head = "POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nAccept: application/json";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Asks over and over on so many connections, each of which waits for its answer before it asks again.
pub(super) fn load(address: SocketAddr, exchanges: &[Exchange], connections: usize, lasting: Lasting) -> Outcome {
    let started = Instant::now();
    let asked = AtomicUsize::new(0);
    let go_on = || match lasting {
        Lasting::Time(time) => started.elapsed() < time,
        Lasting::Requests(requests) => asked.fetch_add(1, Ordering::Relaxed) < requests,
    };
    let go_on = &go_on;
    let mut total = Outcome::default();
    thread::scope(|scope| {
        let one = |first| move || keep_asking(address, exchanges, first, go_on);
        let clients: Vec<_> = (0..connections).map(|first| scope.spawn(one(first))).collect();
        for client in clients {
            // A client that panics has lost more than one request, but that one at least.
            total.add(client.join().unwrap_or(Outcome { lost: 1, ..Outcome::default() }));
        }
    });
    total.elapsed = started.elapsed();
    total
}

fn keep_asking(address: SocketAddr, exchanges: &[Exchange], first: usize, go_on: impl Fn() -> bool) -> Outcome {
    let mut outcome = Outcome::default();
    let mut connection = None;
    for exchange in exchanges.iter().cycle().skip(first * 7) {
        if !go_on() {
            break;
        }
        let started = Instant::now();
        let answer = match &mut connection {
            Some(connection) => ask(connection, &exchange.request),
            None => connect(address).and_then(|new| ask(connection.insert(new), &exchange.request)),
        };
        match answer {
            Ok(Answer { status: 200, body }) if body == exchange.answer => outcome.latencies.push(started.elapsed()),
            Ok(_) => outcome.wrong += 1,
            Err(_) => {
                outcome.lost += 1;
                connection = None;
            }
        }
    }
    outcome
}

/// A connection to a server.
pub(super) type Connection = BufReader<TcpStream>;

pub(super) fn connect(address: SocketAddr) -> io::Result<Connection> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

/// What a server answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

pub(super) fn ask(connection: &mut Connection, request: &[u8]) -> io::Result<Answer> {
    connection.get_mut().write_all(request)?;
    read(connection)
}

/// Reads an answer whose length its head names.
fn read(source: &mut impl BufRead) -> io::Result<Answer> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let mut line = String::new();
    source.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(malformed)?;
    let mut length = None;
    loop {
        line.clear();
        if source.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
    let mut body = vec![0; length.ok_or_else(malformed)?];
    source.read_exact(&mut body)?;
    Ok(Answer { status, body })
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_answer_ends_where_its_head_says() {
        let mut text =
            &b"HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 400 Bad\r\ncontent-length: 0\r\n\r\n"
                [..];
        assert_eq!(read(&mut text).unwrap(), Answer { status: 200, body: b"ab".to_vec() });
        assert_eq!(read(&mut text).unwrap(), Answer { status: 400, body: Vec::new() });
        for cut in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", "nonsense\r\n\r\n"] {
            assert!(read(&mut cut.as_bytes()).is_err(), "{cut:?}");
        }
    }

    /// A server that answers one request right, one wrong, and goes away; so for every connection.
    fn fickle_server() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut connection = BufReader::new(stream.unwrap());
                for answer in ["right", "wrong"] {
                    let mut line = String::new();
                    while line != "\r\n" {
                        line.clear();
                        connection.read_line(&mut line).unwrap();
                    }
                    connection.read_exact(&mut [0; 3]).unwrap();
                    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{answer}");
                    connection.get_mut().write_all(answer.as_bytes()).unwrap();
                }
            }
        });
        address
    }

    #[test]
    fn wrong_answers_and_lost_requests_are_counted() {
        let exchange = Exchange { request: request("1,2"), answer: b"right".to_vec() };
        let outcome =
            load(fickle_server(), std::slice::from_ref(&exchange), 1, Lasting::Time(Duration::from_millis(200)));
        let right = outcome.latencies.len();
        assert!(right > 0 && outcome.wrong > 0 && outcome.lost > 0, "{outcome:?}");
        assert!(right - outcome.wrong <= 1 && outcome.wrong - outcome.lost <= 1, "{outcome:?}");
        // One of three is right, one wrong and one lost.
        let outcome = load(fickle_server(), &[exchange], 1, Lasting::Requests(7));
        assert_eq!((outcome.latencies.len(), outcome.wrong, outcome.lost), (3, 2, 2), "{outcome:?}");
    }
}
