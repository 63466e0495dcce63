//! Relations between sockets: which side of a connection one is, its peer, and who else holds its port number.
//!
//! Recomputed only for sockets that changed and those affected by them, so that a steady poll costs nothing here.

use super::owner_pool::OwnersKey;
use super::socket_table::SocketTable;
use super::tracked_socket::{SlotId, SocketRelation, TrackedSocket};
use crate::model::port::EphemeralRange;
use crate::model::process::ProcessId;
use crate::model::socket::{Owners, Protocol, RawSocket, SocketRole, is_loopback};
use hashbrown::HashSet;
use std::net::SocketAddr;

/// Sockets that changed since the relations were last computed.
#[derive(Default)]
pub struct DirtySockets {
    /// New sockets, and those that changed in more than their queue.
    pub slots: Vec<SlotId>,
    /// Sockets with other owners than before.
    pub owned: Vec<SlotId>,
    pub closed: Vec<RawSocket>,
}

/// Updates the relations and returns the sockets whose relations or peers changed.
pub fn refresh(
    table: &mut SocketTable,
    dirty: &DirtySockets,
    ephemeral: EphemeralRange,
) -> HashSet<SlotId> {
    // If a socket has another owner or closed, its other end has another peer.
    let mut changed: HashSet<SlotId> = table
        .raw_sockets(&dirty.owned)
        .chain(&dirty.closed)
        .filter_map(|socket| other_end(table, socket))
        .collect();
    let mut affected = affected(table, dirty);
    affected.extend(&changed);
    for slot in affected {
        let Some(tracked) = table.get(slot) else {
            continue;
        };
        let relation = relation(table, tracked, ephemeral);
        if let Some(tracked) = table.get_mut(slot)
            && tracked.relation != relation
        {
            tracked.relation = relation;
            changed.insert(slot);
        }
    }
    changed
}

/// The other end of a connection.
pub fn other_end(table: &SocketTable, socket: &RawSocket) -> Option<SlotId> {
    // A socket connected to itself has no other end.
    if socket.holds_port() || socket.local == socket.remote {
        return None;
    }
    table.connection(
        socket.protocol,
        socket.remote,
        socket.local,
        socket.interface,
    )
}

/// The dirty sockets, their other ends, and every socket with one of their ports.
fn affected(table: &SocketTable, dirty: &DirtySockets) -> HashSet<SlotId> {
    let mut affected: HashSet<SlotId> = dirty.slots.iter().chain(&dirty.owned).copied().collect();
    let mut ports: HashSet<(Protocol, u16)> = HashSet::new();
    for socket in table.raw_sockets(&dirty.slots).chain(&dirty.closed) {
        if socket.holds_port() {
            ports.insert((socket.protocol, socket.local.port()));
        } else {
            affected.extend(other_end(table, socket));
        }
    }
    // Other owners only matter to the sockets that hold the same port.
    for socket in table.raw_sockets(&dirty.owned) {
        if socket.holds_port() {
            let on_port = table.holding_port(socket.protocol, socket.local.port());
            affected.extend(on_port.map(|(slot, _)| slot));
        }
    }
    if !ports.is_empty() {
        let is_affected = |socket: &RawSocket| {
            let mut ends = [socket.local, socket.remote].into_iter();
            ends.any(|end| ports.contains(&(socket.protocol, end.port())))
        };
        let on_ports = table
            .each()
            .filter(|(_, tracked)| is_affected(&tracked.raw_socket));
        affected.extend(on_ports.map(|(slot, _)| slot));
    }
    affected
}

/// A socket that never was in the table, with its relations. Its owner is that of the listener that accepted it, if any.
pub fn short_lived_socket(
    table: &SocketTable,
    raw_socket: &RawSocket,
    ephemeral: EphemeralRange,
) -> TrackedSocket {
    let mut tracked = TrackedSocket::new(raw_socket);
    tracked.relation = relation(table, &tracked, ephemeral);
    let listener = accepting_listener(table, raw_socket)
        .filter(|_| tracked.relation.role == SocketRole::Server);
    tracked.owners = listener.map_or(OwnersKey::NO_PROCESS, |listener| listener.owners);
    tracked
}

/// The listener that accepted this connection, whose interface is that of its listener, if that has one
/// (`inet_request_bound_dev_if` in include/net/inet_sock.h).
pub fn accepting_listener<'t>(
    table: &'t SocketTable,
    connection: &RawSocket,
) -> Option<&'t TrackedSocket> {
    let interface = connection.interface;
    let is_its = |listener: &RawSocket| [0, interface].contains(&listener.interface);
    listener(table, connection.protocol, connection.local(), is_its)
}

/// The listener that a client on this machine reaches at this address.
fn reached_listener(
    table: &SocketTable,
    protocol: Protocol,
    to: SocketAddr,
) -> Option<&TrackedSocket> {
    let receives = |listener: &RawSocket| {
        let interface = table.interfaces.get(listener.interface);
        listener.interface == 0 || interface.is_some_and(|interface| interface.receives(to.ip()))
    };
    listener(table, protocol, to, receives)
}

/// Of the listeners on this address that `is_meant` names, the one on an interface comes first, as in the kernel
/// (`compute_score` in net/ipv4/inet_hashtables.c).
fn listener(
    table: &SocketTable,
    protocol: Protocol,
    address: SocketAddr,
    is_meant: impl Fn(&RawSocket) -> bool,
) -> Option<&TrackedSocket> {
    let holding = table.holding_port(protocol, address.port());
    let listeners = holding.map(|(_, tracked)| tracked).filter(|tracked| {
        let socket = &tracked.raw_socket;
        socket.accepts_on(address) && is_meant(socket)
    });
    listeners.max_by_key(|tracked| tracked.raw_socket.interface != 0)
}

fn relation(
    table: &SocketTable,
    tracked: &TrackedSocket,
    ephemeral: EphemeralRange,
) -> SocketRelation {
    let socket = &tracked.raw_socket;
    if socket.holds_port() {
        return SocketRelation {
            role: SocketRole::Unconnected,
            is_local: true,
            shares_port: shares_port(table, tracked),
        };
    }
    let is_here =
        |remote: SocketAddr| is_loopback(remote.ip()) || remote.ip() == socket.local().ip();
    let are_both_ends_here =
        other_end(table, socket).is_some() || socket.remote().is_some_and(is_here);
    let role = role(table, tracked, are_both_ends_here, ephemeral);
    SocketRelation {
        role,
        is_local: are_both_ends_here || role == SocketRole::Server,
        shares_port: false,
    }
}

/// Returns the role of a connection. One that was seen as accepted here stays the server side after its listener
/// closes.
fn role(
    table: &SocketTable,
    tracked: &TrackedSocket,
    are_both_ends_here: bool,
    ephemeral: EphemeralRange,
) -> SocketRole {
    let socket = &tracked.raw_socket;
    let Some(remote) = socket.remote() else {
        return SocketRole::Unknown;
    };
    let before = tracked.relation.role;
    if before == SocketRole::Server || accepting_listener(table, socket).is_some() {
        return SocketRole::Server;
    }
    // Certain if the other end listens here; towards another machine an ephemeral port says as much.
    let is_client = before == SocketRole::Client
        || reached_listener(table, socket.protocol, remote).is_some()
        || !are_both_ends_here && ephemeral.counts_as_dynamic(socket.local.port());
    if is_client {
        SocketRole::Client
    } else {
        SocketRole::Unknown
    }
}

/// True if another process holds the same port number on another address or interface.
fn shares_port(table: &SocketTable, tracked: &TrackedSocket) -> bool {
    let place = |socket: &RawSocket| (socket.local().ip(), socket.interface);
    let socket = &tracked.raw_socket;
    table
        .holding_port(socket.protocol, socket.local.port())
        .any(|(_, other)| {
            place(&other.raw_socket) != place(socket)
                && have_different_owners(table, tracked, other)
        })
}

/// True only if certain: no common owner, or different users where an owner cannot be seen.
fn have_different_owners(table: &SocketTable, one: &TrackedSocket, other: &TrackedSocket) -> bool {
    match (table.owners(one), table.owners(other)) {
        (Owners::Pending | Owners::NoProcess, _) | (_, Owners::Pending | Owners::NoProcess) => {
            false
        }
        (Owners::Known(ours), Owners::Known(theirs)) => {
            let ours: HashSet<ProcessId> = ours.iter().map(|process| process.id).collect();
            theirs.iter().all(|process| !ours.contains(&process.id))
        }
        (Owners::NotFound(_), _) | (_, Owners::NotFound(_)) => {
            let users = [one.raw_socket.uid, other.raw_socket.uid];
            users[0] != users[1] && !users.contains(&RawSocket::NO_USER)
        }
    }
}
