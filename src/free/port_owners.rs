//! Who holds a port, and what else they listen on.

use crate::model::endpoint::{Endpoint, Protocol, Socket};
use crate::model::process::{Pid, Process, ProcessId, is_topmost, topmost_first};
use std::net::SocketAddr;
use std::sync::Arc;

/// A process that holds the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortOwner {
    pub process: Arc<Process>,
    /// Whether no other holder is its parent: a master, not its worker.
    pub is_topmost: bool,
    /// Those of the proposal's sockets that it holds.
    pub sockets: Vec<Socket>,
}

/// A port that is listened on and closes with the process that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherPort {
    pub process: ProcessId,
    pub protocol: Protocol,
    pub local: SocketAddr,
}

/// The holders of the first socket and then those of the others, the topmost first among each.
pub(super) fn owners(sockets: &[Socket]) -> Vec<PortOwner> {
    let own = sockets.iter().take(1);
    let others = sockets.iter().skip(1);
    let mut processes: Vec<Arc<Process>> = Vec::new();
    for group in [processes_of(own), processes_of(others)] {
        for process in topmost_first(group) {
            if !processes.iter().any(|known| known.id == process.id) {
                processes.push(process);
            }
        }
    }
    let pids: Vec<Pid> = processes.iter().map(|process| process.pid()).collect();
    processes
        .into_iter()
        .map(|process| PortOwner {
            is_topmost: is_topmost(&process, &pids),
            sockets: held_by(&process, sockets),
            process,
        })
        .collect()
}

fn processes_of<'a>(sockets: impl Iterator<Item = &'a Socket>) -> Vec<Arc<Process>> {
    sockets
        .flat_map(|socket| socket.owners.known())
        .cloned()
        .collect()
}

fn held_by(process: &Process, sockets: &[Socket]) -> Vec<Socket> {
    sockets
        .iter()
        .filter(|socket| holds(process.id, socket))
        .cloned()
        .collect()
}

pub(super) fn holds(process: ProcessId, socket: &Socket) -> bool {
    socket
        .owners
        .known()
        .iter()
        .any(|owner| owner.id == process)
}

/// What is listened on beside the port in question; a UDP socket without a remote end listens too.
pub(super) fn other_ports(but: (Protocol, u16), table: &[&Endpoint]) -> Vec<OtherPort> {
    let listens = |socket: &&Socket| match socket.protocol {
        Protocol::Tcp => socket.is_listening(),
        Protocol::Udp => socket.holds_port(),
    };
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    let others = sockets
        .filter(|socket| (socket.protocol, socket.port()) != but)
        .filter(listens);
    let mut others: Vec<OtherPort> = others.flat_map(of_each_owner).collect();
    others.sort_by_key(|other| {
        (
            other.local.port(),
            other.protocol,
            other.local,
            other.process,
        )
    });
    others.dedup();
    others
}

fn of_each_owner(socket: &Socket) -> impl Iterator<Item = OtherPort> {
    let owners = socket.owners.known().iter();
    owners.map(|owner| OtherPort {
        process: owner.id,
        protocol: socket.protocol,
        local: socket.local,
    })
}
