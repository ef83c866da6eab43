//! Training on several hosts: each grows a share of the trees, and the main one joins them.
//!
//! Every host holds all rows. The main host, the first by name, listens; the others connect to it as they start, say
//! who they are and what they grow, show every second that they live, and send their trees when they are grown. The
//! trees of a seed do not depend on who grows them, so the forest is the one that the main host would have grown alone,
//! byte for byte. That is also why nothing is lost with a host: the trees of one that does not come, ends, or is told to
//! stop are grown by the main host. It does the same with those of a host that takes twice as long as itself, and takes
//! the trees that are ready first (Dean, J., Ghemawat, S. (2004), `MapReduce`, section 3.6, backup tasks).
//!
//! What hosts say to each other, and how much of it is believed, is in [`wire`]. Hosts are not asked for a proof of who they
//! are: the network of a job is its own.

mod main_host;
mod other_host;
mod wire;

use std::{collections::BTreeMap, ops::Range, time::Duration};

use drivetrain_artifact::Sha256;
use drivetrain_forest::RandomForestRegressor;

pub(super) use main_host::grow as grow_and_gather;
pub(super) use other_host::grow as grow_and_send;

use self::wire::Hello;
use crate::{Error, environment::SageMakerEnv};

/// Where hosts are that cannot be found by their names: `algo-1=10.0.0.1:4711,algo-2=10.0.0.2:4711`.
const HOSTS: &str = "DRIVETRAIN_HOSTS";

/// The port on which the main host listens.
const PORT: &str = "DRIVETRAIN_PORT";

/// That port where nobody says otherwise.
const DEFAULT_PORT: u16 = 29_517;

/// How many seconds hosts wait for one another: to come, and at least, once the main host has grown its own trees, to
/// be done.
const HOSTS_TIMEOUT: &str = "DRIVETRAIN_HOSTS_TIMEOUT";

/// Machines of one job may start a minute apart.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(3);

/// The hosts of a job, and how they find each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cluster {
    /// Sorted; the first is the main one.
    hosts: Vec<String>,
    current: usize,
    addresses: BTreeMap<String, String>,
    port: u16,
    timeout: Duration,
}

impl Cluster {
    /// The hosts that the configuration names.
    ///
    /// # Errors
    /// [`Error::Variable`] if a variable says nothing usable about them.
    pub(super) fn new(env: &SageMakerEnv) -> Result<Self, Error> {
        let mut hosts = env.hosts().all.clone();
        hosts.sort();
        hosts.dedup();
        let current = hosts.iter().position(|host| *host == env.hosts().current).unwrap_or_default();
        let number = |name: &str| {
            let parse =
                |value: &str| value.parse::<u16>().map_err(|_| invalid(name, value, "a number from 0 to 65535"));
            env.variable(name).map(parse).transpose()
        };
        Ok(Self {
            addresses: env.variable(HOSTS).map(addresses).transpose()?.unwrap_or_default(),
            port: number(PORT)?.unwrap_or(DEFAULT_PORT),
            timeout: number(HOSTS_TIMEOUT)?.map_or(DEFAULT_TIMEOUT, |seconds| Duration::from_secs(seconds.into())),
            hosts,
            current,
        })
    }

    /// Whether there are others.
    pub(super) fn is_one_host(&self) -> bool {
        self.hosts.len() == 1
    }

    /// Whether this host is the one that writes the model.
    pub(super) fn is_main(&self) -> bool {
        self.current == 0
    }

    /// The trees that a host grows, of all `n_trees`; the first hosts grow one more where they cannot be dealt out evenly.
    fn share(&self, host: usize, n_trees: usize) -> Range<usize> {
        let (each, more) = (n_trees / self.hosts.len(), n_trees % self.hosts.len());
        let first = host * each + host.min(more);
        first..first + each + usize::from(host < more)
    }

    /// What a host says of itself, and what the main one expects it to say.
    fn hello(&self, host: usize, regressor: &RandomForestRegressor, data: Sha256) -> Result<Hello, Error> {
        let share = self.share(host, regressor.n_estimators());
        let parameters = serde_json::to_string(regressor).map_err(|error| Error::EncodeTrees(error.into()))?;
        Ok(Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: self.hosts[host].clone(),
            first_tree: share.start,
            n_trees: share.len(),
            parameters,
            data,
        })
    }

    /// Where the main host is.
    fn main_address(&self) -> String {
        let main = &self.hosts[0];
        self.addresses.get(main).cloned().unwrap_or_else(|| format!("{main}:{}", self.port))
    }

    /// Where this host listens: on all of its addresses, unless it was told which one it has.
    fn own_address(&self) -> String {
        let own = self.addresses.get(&self.hosts[self.current]);
        own.cloned().unwrap_or_else(|| format!("0.0.0.0:{}", self.port))
    }
}

fn addresses(text: &str) -> Result<BTreeMap<String, String>, Error> {
    let pair = |pair: &str| {
        let (host, address) = pair.split_once('=')?;
        let (name, port) = address.rsplit_once(':')?;
        let is_usable = !host.is_empty() && !name.is_empty() && port.parse::<u16>().is_ok();
        is_usable.then(|| (host.to_owned(), address.to_owned()))
    };
    let pairs: Option<_> = text.split(',').map(pair).collect();
    pairs.ok_or_else(|| invalid(HOSTS, text, "host=address:port,host=address:port"))
}

fn invalid(name: &str, value: &str, expected: &str) -> Error {
    Error::Variable { name: name.to_owned(), value: value.to_owned(), expected: expected.to_owned() }
}

#[cfg(test)]
mod tests;
