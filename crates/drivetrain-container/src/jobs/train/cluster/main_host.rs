//! The main host: it listens to the others, grows its own trees and those that do not come, and joins them all.

use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use drivetrain_artifact::Sha256;
use drivetrain_forest::{Forest, PackedForest, RandomForestRegressor};

use super::{
    Cluster,
    wire::{self, Answer, Hello, Until},
};
use crate::{
    Error,
    jobs::train::{Growth, features::Features},
    stop::Stop,
};

/// How often the main host looks for connections, and for a stop while it waits.
const LOOK: Duration = Duration::from_millis(20);

/// How long a host that is told to stop waits for what others, told the same, have come to; and how long it takes leave.
const LEAVE: Duration = Duration::from_secs(3);

/// Connections beyond one for each host: of strangers, and of hosts that are to be refused.
const SPARE_CONNECTIONS: usize = 16;

/// Grows the forest with the help of the other hosts, or as much of it as a stop leaves the time for.
pub(in crate::jobs::train) fn grow(
    cluster: &Cluster,
    regressor: &RandomForestRegressor,
    train: &Features,
    stop: &Stop,
) -> Result<Forest, Error> {
    let address = cluster.own_address();
    let listener = TcpListener::bind(&address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    let listener = listener.map_err(|source| Error::ListenForHosts { address: address.clone(), source })?;
    tracing::info!(%address, hosts = cluster.hosts.len(), "waiting for the trees of the other hosts");
    let data = Sha256::of_file(train.path())?;
    let hello = |host| cluster.hello(host, regressor, data);
    let board = Board {
        expected: (0..cluster.hosts.len()).map(hello).collect::<Result<_, _>>()?,
        size: train.x().dim(),
        state: Mutex::new(State {
            slots: cluster.hosts.iter().map(|_| Slot::Absent).collect(),
            connections: Vec::new(),
            n_followed: 0,
            is_over: false,
        }),
        changed: Condvar::new(),
    };
    board.lock().slots[0] = Slot::Ours;
    let growth = Growth::new(regressor, train, stop);
    thread::scope(|scope| {
        // However this ends, the threads below must.
        let _leave = Leave(&board);
        scope.spawn(|| {
            while !board.lock().is_over {
                match listener.accept() {
                    Ok((stream, _)) => {
                        if let Some(number) = board.connect(&stream) {
                            let board = &board;
                            scope.spawn(move || {
                                board.attend(&stream);
                                board.disconnect(number);
                            });
                        }
                    }
                    // Nobody is there, or there are no more files: both may change.
                    Err(_) => thread::sleep(LOOK),
                }
            }
        });
        gather(cluster, &board, &growth)
    })
}

/// All trees from the first on, as far as a stop lets them come.
fn gather(cluster: &Cluster, board: &Board, growth: &Growth<'_>) -> Result<Forest, Error> {
    let begun = Instant::now();
    let wanted = growth.n_trees();
    let mut parts = Vec::new();
    let mut n_trees = 0;
    let mut take = |forest: Forest| {
        n_trees += forest.n_trees();
        parts.push(forest);
        n_trees
    };
    let own = cluster.share(0, wanted);
    let mut next = match growth.grow(own.clone(), &|| false)? {
        Some(forest) => take(forest),
        None => 0,
    };
    let patience = Patience { begun, grown: Instant::now(), timeout: cluster.timeout };
    for host in 1..cluster.hosts.len() {
        let share = cluster.share(host, wanted);
        if next < share.start || share.is_empty() {
            // Stopped: what comes after a gap is of no use.
            break;
        }
        if let Some(forest) = board.wait(host, &patience, growth.stop()) {
            next = take(forest);
        }
        while next < share.end && growth.stop().check().is_ok() {
            let name = &cluster.hosts[host];
            tracing::warn!("growing trees {next} to {} of {name} here", share.end - 1);
            let grown = growth.grow(next..share.end, &|| board.has_delivered(host))?;
            if let Some(forest) = board.settle(host, grown) {
                next = take(forest);
            }
        }
    }
    if parts.is_empty() {
        growth.stop().check()?;
    }
    if next < wanted {
        tracing::warn!("told to stop: keeping the {next} trees of {wanted} that are grown");
    }
    Forest::merge(parts).map_err(|source| Error::Forest { action: "join the trees of the hosts", source })
}

/// How long to wait for what.
struct Patience {
    /// When the main host began.
    begun: Instant,
    /// When it had grown its own trees.
    grown: Instant,
    timeout: Duration,
}

impl Patience {
    /// When a host that has not come is not waited for any longer.
    fn absent(&self) -> Instant {
        self.begun + self.timeout
    }

    /// When a host that grows its trees is not: it has had twice the time that the main host took for as many.
    fn slow(&self) -> Instant {
        self.grown + (self.grown - self.begun).max(self.timeout)
    }
}

/// What the main host knows of the others, shared with the threads that listen to them.
struct Board {
    /// What each host should say of itself.
    expected: Vec<Hello>,
    /// Rows and features.
    size: (usize, usize),
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    slots: Vec<Slot>,
    connections: Vec<(u64, TcpStream)>,
    /// How many connections are those of hosts that grow, or did.
    n_followed: usize,
    is_over: bool,
}

/// Where the trees of a host are.
enum Slot {
    /// It has not come.
    Absent,
    /// Somebody under its name was sent away.
    Refused,
    /// It grows them.
    Growing,
    /// It has come, and is gone.
    Lost,
    /// They have come.
    Delivered(Box<Forest>),
    /// They are here, or they are grown here.
    Ours,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the trees of a host: all of them, or those that it had when it was told to stop. If there are none,
    /// they are to be grown here.
    fn wait(&self, host: usize, patience: &Patience, stop: &Stop) -> Option<Forest> {
        let name = &self.expected[host].host;
        let mut stopped = None;
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let is_late = |end: Instant| {
                let end = stopped.map_or(end, |stopped: Instant| end.min(stopped + LEAVE));
                now >= end
            };
            match &state.slots[host] {
                Slot::Delivered(_) => {
                    let Slot::Delivered(forest) = std::mem::replace(&mut state.slots[host], Slot::Ours) else {
                        continue;
                    };
                    return Some(*forest);
                }
                Slot::Growing if is_late(patience.slow()) => {
                    tracing::warn!("{name} takes longer than it should");
                    return None;
                }
                Slot::Absent if is_late(patience.absent()) => {
                    tracing::warn!("{name} has not come");
                    state.slots[host] = Slot::Ours;
                    return None;
                }
                Slot::Growing | Slot::Absent => {}
                Slot::Refused | Slot::Lost | Slot::Ours => {
                    state.slots[host] = Slot::Ours;
                    return None;
                }
            }
            if stop.check().is_err() {
                stopped.get_or_insert(now);
            }
            state = self.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn has_delivered(&self, host: usize) -> bool {
        matches!(self.lock().slots[host], Slot::Delivered(_))
    }

    /// What was grown here, unless more has come in the meantime.
    fn settle(&self, host: usize, grown: Option<Forest>) -> Option<Forest> {
        let n_trees = grown.as_ref().map_or(0, Forest::n_trees);
        let slot = std::mem::replace(&mut self.lock().slots[host], Slot::Ours);
        match slot {
            Slot::Delivered(forest) if forest.n_trees() >= n_trees => Some(*forest),
            _ => grown,
        }
    }

    /// Makes room for a connection, if there is any.
    fn connect(&self, stream: &TcpStream) -> Option<u64> {
        // Accepted from a listener that does not block, it would not either on some systems.
        stream.set_nonblocking(false).ok()?;
        stream.set_write_timeout(Some(wire::SILENCE)).ok()?;
        let mut state = self.lock();
        if state.is_over || state.connections.len() >= self.expected.len() + SPARE_CONNECTIONS {
            return None;
        }
        let number = state.connections.last().map_or(0, |(number, _)| number + 1);
        state.connections.push((number, stream.try_clone().ok()?));
        Some(number)
    }

    fn disconnect(&self, number: u64) {
        self.lock().connections.retain(|(other, _)| *other != number);
        self.changed.notify_all();
    }

    /// Hears whoever has connected.
    fn attend(&self, stream: &TcpStream) {
        let hello = match Hello::read(Until::new(stream, wire::GREETING)) {
            Ok(hello) => hello,
            Err(error) => {
                tracing::warn!("sent somebody away: {error}");
                return;
            }
        };
        // Others' words go into the log with their quotes and escapes.
        let name = format!("{:?}", hello.host.chars().take(64).collect::<String>());
        let host = match self.admit(&hello) {
            Ok(Some(host)) => host,
            Ok(None) => {
                let _ = Answer::NotNeeded.write(stream);
                return;
            }
            Err(reason) => {
                tracing::warn!("refused host {name}: {reason}");
                let _ = Answer::Refused(reason).write(stream);
                return;
            }
        };
        tracing::info!("host {name} grows its trees");
        let followed = self.follow(host, stream);
        match &followed {
            Ok(()) => tracing::info!("host {name} is done"),
            Err(error) => tracing::warn!("lost host {name}: {error}"),
        }
        let mut state = self.lock();
        state.n_followed -= 1;
        if followed.is_err() && matches!(state.slots[host], Slot::Growing) {
            state.slots[host] = Slot::Lost;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Which host it is that says hello; none if there is nothing left for it to do.
    fn admit(&self, hello: &Hello) -> Result<Option<usize>, String> {
        let position = self.expected.iter().position(|expected| expected.host == hello.host);
        let host = position.ok_or_else(|| "it is none of the job's hosts".to_owned())?;
        let difference = hello.difference(&self.expected[host]);
        let mut state = self.lock();
        match (&state.slots[host], difference) {
            (Slot::Absent | Slot::Refused, Some(difference)) => {
                state.slots[host] = Slot::Refused;
                drop(state);
                self.changed.notify_all();
                Err(difference)
            }
            (_, Some(difference)) => Err(difference),
            (Slot::Ours, None) if host > 0 => Ok(None),
            (Slot::Absent | Slot::Refused, None) => {
                state.slots[host] = Slot::Growing;
                state.n_followed += 1;
                Ok(Some(host))
            }
            (_, None) => Err("a host of this name has come already".to_owned()),
        }
    }

    /// Hears a host until its trees have come, or are no longer needed.
    fn follow(&self, host: usize, stream: &TcpStream) -> io::Result<()> {
        Answer::Go.write(stream)?;
        loop {
            match wire::array(Until::new(stream, wire::SILENCE))? {
                [wire::ALIVE] if self.needs(host) => Answer::Alive.write(stream)?,
                [wire::ALIVE] => return Answer::NotNeeded.write(stream),
                [wire::TREES] => {
                    return match self.receive(host, stream) {
                        Ok(forest) => {
                            let mut state = self.lock();
                            let is_needed = matches!(state.slots[host], Slot::Growing);
                            if is_needed {
                                state.slots[host] = Slot::Delivered(Box::new(forest));
                            }
                            drop(state);
                            self.changed.notify_all();
                            if is_needed { Answer::Taken.write(stream) } else { Answer::NotNeeded.write(stream) }
                        }
                        Err(error) => {
                            Answer::Refused(error.to_string()).write(stream)?;
                            Err(error)
                        }
                    };
                }
                [other] => return Err(wire::invalid(&format!("it says {other}"))),
            }
        }
    }

    fn needs(&self, host: usize) -> bool {
        let state = self.lock();
        !state.is_over && matches!(state.slots[host], Slot::Growing)
    }

    /// Reads trees, and checks that they can be those of the host.
    fn receive(&self, host: usize, stream: &TcpStream) -> io::Result<Forest> {
        let share = self.expected[host].n_trees;
        let (n_rows, n_features) = self.size;
        let max_nodes = (share as u64).saturating_mul(2 * n_rows as u64);
        // Of a node: a threshold or a prediction of ten bytes at most, its place, its feature, its bits. Of a feature: its
        // importance, the sum of it, an empty list.
        let limit = max_nodes.saturating_mul(32).saturating_add(n_features as u64 * 32 + 4096);
        stream.set_read_timeout(Some(wire::SILENCE))?;
        let bytes = wire::read_trees(stream, limit)?;
        let packed: PackedForest = rmp_serde::from_slice(&bytes).map_err(io::Error::other)?;
        drop(bytes);
        let n_nodes = packed.n_nodes().map_err(io::Error::other)?;
        if n_nodes > max_nodes {
            return Err(wire::invalid(&format!("its trees have {n_nodes} nodes, at most {max_nodes} are possible")));
        }
        let forest = packed.into_forest().map_err(io::Error::other)?;
        if forest.n_features() != n_features || !(1..=share).contains(&forest.n_trees()) {
            let (trees, features) = (forest.n_trees(), forest.n_features());
            let problem = format!("it sends {trees} trees of {features} features, not {share} of {n_features}");
            return Err(wire::invalid(&problem));
        }
        Ok(forest)
    }
}

/// Ends the conversations: tells those who grow what is not needed, and hangs up on who does not listen.
struct Leave<'a>(&'a Board);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_over = true;
        let end = Instant::now() + LEAVE;
        // Strangers are not waited for.
        while state.n_followed > 0 && Instant::now() < end {
            state = self.0.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        for (_, stream) in &state.connections {
            // It is gone already, then.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
