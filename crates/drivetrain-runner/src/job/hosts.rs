//! Several hosts on one machine.

use std::net::{Ipv4Addr, TcpListener};

use crate::RunnerError;

/// The variable that says where each host is, as `algo-1=127.0.0.1:4711,algo-2=127.0.0.1:4712`.
pub(super) const VARIABLE: &str = "DRIVETRAIN_HOSTS";

/// A port for each host that nobody listens on; one that is taken the next moment is the job's to complain about.
pub(super) fn addresses(hosts: &[String]) -> Result<String, RunnerError> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    // All at once, so that no two are the same.
    let listeners = hosts.iter().map(|_| listen()).collect::<Result<Vec<_>, _>>();
    let addresses =
        listeners.and_then(|listeners| listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>());
    let addresses = addresses.map_err(|source| RunnerError::Port { source })?;
    let pairs = hosts.iter().zip(addresses).map(|(host, address)| format!("{host}={address}"));
    Ok(pairs.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_has_a_port_of_its_own() {
        let hosts: Vec<_> = (1..=20).map(|number| format!("algo-{number}")).collect();
        let addresses = addresses(&hosts).unwrap();
        let mut pairs: Vec<_> = addresses.split(',').map(|pair| pair.split_once('=').unwrap()).collect();
        assert!(pairs.iter().zip(&hosts).all(|((name, _), host)| name == host));
        pairs.sort_by_key(|(_, address)| *address);
        pairs.dedup_by_key(|(_, address)| *address);
        assert_eq!(pairs.len(), 20);
    }
}
