//! Relations between sockets: which side of a connection one is, its peer, and who else holds its port number.
//!
//! Recomputed only for sockets that changed and those affected by them, so that a steady poll costs nothing here.

use super::owner_pool::{OwnerPool, OwnersKey};
use super::socket_table::SocketTable;
use super::tracked_socket::{SlotId, TrackedSocket};
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
    owner_pool: &OwnerPool,
    dirty: &DirtySockets,
    ephemeral: EphemeralRange,
) -> HashSet<SlotId> {
    // If a socket has another owner or closed, its other end has another peer.
    let mut changed: HashSet<SlotId> = dirty
        .owned
        .iter()
        .filter_map(|slot| Some(&table.get(*slot)?.raw_socket))
        .chain(&dirty.closed)
        .filter_map(|socket| other_end(table, socket))
        .collect();
    let mut affected = affected(table, dirty);
    affected.extend(&changed);
    for slot in affected {
        let Some(before) = table.get(slot).copied() else {
            continue;
        };
        let now = PeerInfo::compute(table, owner_pool, &before, ephemeral);
        if now != before.peer
            && let Some(tracked) = table.get_mut(slot)
        {
            tracked.peer = now;
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
    table.connection(socket.protocol, socket.remote, socket.local)
}

/// The dirty sockets, their other ends, and every socket with one of their ports.
fn affected(table: &SocketTable, dirty: &DirtySockets) -> HashSet<SlotId> {
    let mut affected: HashSet<SlotId> = dirty.slots.iter().chain(&dirty.owned).copied().collect();
    let mut ports: HashSet<(Protocol, u16)> = HashSet::new();
    let sockets = dirty
        .slots
        .iter()
        .filter_map(|slot| Some(&table.get(*slot)?.raw_socket));
    for socket in sockets.chain(&dirty.closed) {
        if socket.holds_port() {
            ports.insert((socket.protocol, socket.local.port()));
        } else {
            affected.extend(other_end(table, socket));
        }
    }
    // Other owners only matter to the sockets that hold the same port.
    for tracked in dirty.owned.iter().filter_map(|slot| table.get(*slot)) {
        let socket = &tracked.raw_socket;
        if socket.holds_port() {
            let on_port = table.holding_port(socket.protocol, socket.local.port());
            affected.extend(on_port.map(|(slot, _)| slot));
        }
    }
    if !ports.is_empty() {
        affected.extend(table.each().filter_map(|(slot, tracked)| {
            let socket = &tracked.raw_socket;
            let is_affected = ports.contains(&(socket.protocol, socket.local.port()))
                || ports.contains(&(socket.protocol, socket.remote.port()));
            is_affected.then_some(slot)
        }));
    }
    affected
}

/// A socket that never was in the table, with its relations. Its owner is that of the listener that accepted it, if any.
pub fn transient(
    table: &SocketTable,
    owner_pool: &OwnerPool,
    raw_socket: &RawSocket,
    ephemeral: EphemeralRange,
) -> TrackedSocket {
    let mut tracked = TrackedSocket::new(raw_socket);
    tracked.owners = OwnersKey::NONE;
    tracked.peer = PeerInfo::compute(table, owner_pool, &tracked, ephemeral);
    if tracked.peer.role == SocketRole::Server
        && let Some(listener) = listener(table, raw_socket)
    {
        tracked.owners = listener.owners;
    }
    tracked
}

/// The listener that accepts connections on the local address of this socket.
pub fn listener<'t>(table: &'t SocketTable, socket: &RawSocket) -> Option<&'t TrackedSocket> {
    let local = socket.local();
    table
        .holding_port(socket.protocol, local.port())
        .map(|(_, tracked)| tracked)
        .find(|tracked| tracked.raw_socket.accepts_on(local))
}

/// Relations of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    pub role: SocketRole,
    pub is_local: bool,
    pub shares_port: bool,
}

impl PeerInfo {
    fn compute(
        table: &SocketTable,
        owner_pool: &OwnerPool,
        tracked: &TrackedSocket,
        ephemeral: EphemeralRange,
    ) -> Self {
        let socket = &tracked.raw_socket;
        if socket.holds_port() {
            return Self {
                role: SocketRole::Unconnected,
                is_local: true,
                shares_port: shares_port(table, owner_pool, tracked),
            };
        }
        let are_both_ends_here = other_end(table, socket).is_some()
            || socket.remote().is_some_and(|remote| {
                is_loopback(remote.ip()) || remote.ip() == socket.local().ip()
            });
        let role = role(table, tracked, are_both_ends_here, ephemeral);
        Self {
            role,
            is_local: are_both_ends_here || role == SocketRole::Server,
            shares_port: false,
        }
    }
}

/// Role of a connection. Once seen as accepted here, it stays the server side when its listener closes.
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
    let has_listener_on = |address: SocketAddr| {
        table
            .holding_port(socket.protocol, address.port())
            .any(|(_, other)| other.raw_socket.accepts_on(address))
    };
    if tracked.peer.role == SocketRole::Server || has_listener_on(socket.local()) {
        return SocketRole::Server;
    }
    // Certain if the other end listens here; towards another machine an ephemeral port says as much.
    let is_client = tracked.peer.role == SocketRole::Client
        || has_listener_on(remote)
        || !are_both_ends_here && ephemeral.makes_dynamic(socket.local.port());
    if is_client {
        SocketRole::Client
    } else {
        SocketRole::Unknown
    }
}

/// True if another process holds the same port number on another address.
fn shares_port(table: &SocketTable, owner_pool: &OwnerPool, tracked: &TrackedSocket) -> bool {
    let socket = &tracked.raw_socket;
    table
        .holding_port(socket.protocol, socket.local.port())
        .any(|(_, other)| {
            other.raw_socket.local().ip() != socket.local().ip()
                && have_different_owners(owner_pool, tracked, other)
        })
}

/// True only if certain: no common owner, or different users where an owner cannot be seen.
fn have_different_owners(pool: &OwnerPool, one: &TrackedSocket, other: &TrackedSocket) -> bool {
    match (pool.get(one.owners), pool.get(other.owners)) {
        (Owners::Known(ours), Owners::Known(theirs)) => {
            let ours: HashSet<ProcessId> = ours.iter().map(|process| process.id).collect();
            theirs.iter().all(|process| !ours.contains(&process.id))
        }
        (Owners::Known(_) | Owners::NoPermission, Owners::Known(_) | Owners::NoPermission) => {
            let users = [one.raw_socket.uid, other.raw_socket.uid];
            users[0] != users[1] && !users.contains(&RawSocket::NO_USER)
        }
        (Owners::Pending | Owners::NoProcess, _) | (_, Owners::Pending | Owners::NoProcess) => {
            false
        }
    }
}
