//! The sockets of other ports, which close with their owners.

use crate::model::process::ProcessId;
use crate::model::socket::{Endpoint, Owners, Protocol, Socket};
use std::collections::{BTreeMap, BTreeSet};

/// Other sockets with known owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherSockets {
    /// Sorted by port.
    ports: Vec<OtherPort>,
    /// The number of sockets that hold no port, such as connections, by their owners.
    connections: BTreeMap<Vec<ProcessId>, usize>,
    /// The number of sockets whose owners are still being looked up.
    pub pending: usize,
}

/// A socket that holds a port and closes with its owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherPort {
    owners: Vec<ProcessId>,
    pub socket: Socket,
}

impl OtherPort {
    /// False for a TCP socket that is only bound.
    pub fn is_listening(&self) -> bool {
        self.socket.protocol == Protocol::Udp || self.socket.is_listening()
    }
}

impl OtherSockets {
    /// Takes from the table what is none of the port's own sockets.
    pub fn new(own: &[Socket], table: &[&Endpoint]) -> Self {
        let (mut ports, mut connections, mut pending) = (Vec::new(), BTreeMap::new(), 0);
        let all = table.iter().map(|endpoint| &endpoint.socket);
        for socket in all.filter(|socket| !own.iter().any(|one| one.id == socket.id)) {
            pending += usize::from(socket.owners == Owners::Pending);
            let owners: Vec<ProcessId> = socket.owners.known().iter().map(|one| one.id).collect();
            if owners.is_empty() {
                continue;
            }
            if socket.holds_port() {
                let socket = socket.clone();
                ports.push(OtherPort { owners, socket });
            } else {
                *connections.entry(owners).or_default() += 1;
            }
        }
        ports.sort_by_key(|OtherPort { socket, .. }| (socket.port(), socket.place()));
        Self {
            ports,
            connections,
            pending,
        }
    }

    /// Returns the ports of these processes, each protocol and address once.
    pub fn ports_of(&self, processes: &[ProcessId]) -> Vec<OtherPort> {
        let mut seen = BTreeSet::new();
        self.ports
            .iter()
            .filter(|other| other.owners.iter().any(|id| processes.contains(id)))
            .filter(|other| seen.insert(other.socket.place()))
            .cloned()
            .collect()
    }

    /// Counts the connections of these processes.
    pub fn connections_of(&self, processes: &[ProcessId]) -> usize {
        self.connections
            .iter()
            .filter(|(owners, _)| owners.iter().any(|id| processes.contains(id)))
            .map(|(_, count)| count)
            .sum()
    }
}
