//! A host that is not the main one: it grows its trees and sends them.

use std::{
    io,
    net::{TcpStream, ToSocketAddrs},
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use drivetrain_artifact::Sha256;
use drivetrain_forest::RandomForestRegressor;

use super::{
    Cluster,
    wire::{self, Answer, Hello, Until},
};
use crate::{
    Error,
    jobs::train::{Growth, features::Features},
    stop::Stop,
};

/// How long one attempt to connect may take, and how soon the next one follows.
const ATTEMPT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// Grows this host's share of the trees, or as many as a stop leaves the time for, and sends them to the main host.
pub(in crate::jobs::train) fn grow(
    cluster: &Cluster,
    regressor: &RandomForestRegressor,
    train: &Features,
    stop: &Stop,
) -> Result<(), Error> {
    let share = cluster.share(cluster.current, regressor.n_estimators());
    let (host, main) = (&cluster.hosts[cluster.current], &cluster.hosts[0]);
    if share.is_empty() {
        tracing::info!("{host} has nothing to do: there are more hosts than trees");
        return Ok(());
    }
    let lost = |source| Error::HostLost { host: main.clone(), source };
    let unneeded = || tracing::info!("{main} has grown the trees of {host} in the meantime");
    let hello = cluster.hello(cluster.current, regressor, Sha256::of_file(train.path())?)?;
    let stream = match greet(cluster, &hello, stop)? {
        (stream, Answer::Go) => stream,
        (_, Answer::NotNeeded) => {
            unneeded();
            return Ok(());
        }
        (_, answer) => return Err(refused(main, answer)),
    };
    tracing::info!(first_tree = share.start, trees = share.len(), %main, "growing a share of the forest");

    let link = Link::new(&stream);
    let grown = thread::scope(|scope| {
        let beats = scope.spawn(|| link.beat());
        let grown = Growth::new(regressor, train, stop).grow(share.clone(), &|| link.is_broken());
        link.end();
        // It has no way to panic but those of the standard library.
        let _ = beats.join();
        grown
    })?;
    match link.into_outcome() {
        Outcome::Answered(Answer::NotNeeded) => {
            unneeded();
            return Ok(());
        }
        Outcome::Answered(answer) => return Err(refused(main, answer)),
        Outcome::Broken(source) => return Err(lost(source)),
        Outcome::None => {}
    }
    let Some(forest) = grown else {
        stop.check()?;
        return Err(lost(io::ErrorKind::ConnectionAborted.into()));
    };
    if forest.n_trees() < share.len() {
        tracing::warn!("told to stop: sending the {} trees of {} that are grown", forest.n_trees(), share.len());
    }
    let bytes = rmp_serde::to_vec_named(&forest).map_err(|error| Error::EncodeTrees(error.into()))?;
    let answer = wire::write_trees(&bytes, &stream).and_then(|()| Answer::read(Until::new(&stream, wire::CHECKING)));
    match answer.map_err(lost)? {
        Answer::Taken => tracing::info!(trees = forest.n_trees(), bytes = bytes.len(), %main, "sent"),
        Answer::NotNeeded => unneeded(),
        answer => return Err(refused(main, answer)),
    }
    Ok(())
}

fn refused(main: &str, answer: Answer) -> Error {
    let reason = match answer {
        Answer::Refused(reason) => reason,
        answer => format!("it answers {answer:?} where that makes no sense"),
    };
    Error::HostRefused { host: main.to_owned(), reason }
}

/// Connects to the main host, which may not be there yet, and says hello.
fn greet(cluster: &Cluster, hello: &Hello, stop: &Stop) -> Result<(TcpStream, Answer), Error> {
    let address = cluster.main_address();
    let end = Instant::now() + cluster.timeout;
    loop {
        stop.check()?;
        let attempt = connect(&address).and_then(|stream| {
            hello.write(&stream)?;
            let answer = Answer::read(Until::new(&stream, wire::SILENCE))?;
            Ok((stream, answer))
        });
        match attempt {
            Ok(answered) => return Ok(answered),
            Err(source) if Instant::now() >= end => {
                let (host, seconds) = (cluster.hosts[0].clone(), cluster.timeout.as_secs());
                return Err(Error::HostUnreachable { host, address, seconds, source });
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::NotFound.into();
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, ATTEMPT) {
            Ok(stream) => {
                stream.set_write_timeout(Some(wire::SILENCE))?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The connection while trees are grown: shows the main host that this one lives, and learns whether that one does.
struct Link<'a> {
    stream: &'a TcpStream,
    state: Mutex<(Outcome, bool)>,
    ended: Condvar,
}

/// What has become of the connection.
enum Outcome {
    /// Nothing.
    None,
    /// There was an answer other than that the main host lives.
    Answered(Answer),
    Broken(io::Error),
}

impl<'a> Link<'a> {
    fn new(stream: &'a TcpStream) -> Self {
        Self { stream, state: Mutex::new((Outcome::None, false)), ended: Condvar::new() }
    }

    /// Goes on until the end, or until the main host has nothing more to wait for or is gone.
    fn beat(&self) {
        loop {
            let mut stream = self.stream;
            let answer = io::Write::write_all(&mut stream, &[wire::ALIVE])
                .and_then(|()| Answer::read(Until::new(self.stream, wire::SILENCE)));
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match answer {
                Ok(Answer::Alive) => {}
                Ok(answer) => state.0 = Outcome::Answered(answer),
                Err(error) => state.0 = Outcome::Broken(error),
            }
            if !matches!(state.0, Outcome::None) {
                return;
            }
            let waited = self.ended.wait_timeout_while(state, wire::BEAT, |(_, is_over)| !*is_over);
            if waited.unwrap_or_else(PoisonError::into_inner).0.1 {
                return;
            }
        }
    }

    fn end(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.ended.notify_all();
    }

    fn is_broken(&self) -> bool {
        !matches!(self.state.lock().unwrap_or_else(PoisonError::into_inner).0, Outcome::None)
    }

    fn into_outcome(self) -> Outcome {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).0
    }
}
