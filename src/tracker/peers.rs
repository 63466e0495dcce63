//! What sockets are to one another: which side of a connection, whose peer, whose rival for a number.
//!
//! Worked out anew only for what changed and what that touches, so that a steady look costs nothing here.

use super::owner_pool::{OwnerPool, OwnersKey};
use super::socket_table::{SlotId, SocketTable};
use super::tracked_socket::TrackedSocket;
use crate::model::address::is_loopback;
use crate::model::endpoint::{Owners, Protocol, SocketRole};
use crate::model::ports::EphemeralRange;
use crate::model::process::ProcessId;
use crate::model::raw_socket::RawSocket;
use hashbrown::HashSet;
use std::net::SocketAddr;

/// What changed since relations were last worked out.
#[derive(Default)]
pub struct DirtySockets {
    /// What came, and what changed in more than its queue.
    pub slots: Vec<SlotId>,
    /// What got other owners.
    pub owned: Vec<SlotId>,
    pub closed: Vec<RawSocket>,
}

/// Brings the relations in the book up to date and tells whose changed, the touched ones perhaps among them.
pub fn refresh(
    table: &mut SocketTable,
    owner_pool: &OwnerPool,
    dirty: &DirtySockets,
    ephemeral: EphemeralRange,
) -> HashSet<SlotId> {
    // The other end of what got an owner or closed has another peer now.
    let mut changed: HashSet<SlotId> = dirty
        .owned
        .iter()
        .filter_map(|slot| table.get(*slot))
        .map(|tracked_socket| &tracked_socket.raw_socket)
        .chain(&dirty.closed)
        .filter_map(|socket| other_end(table, socket))
        .collect();
    let mut affected = affected(table, dirty);
    affected.extend(&changed);
    for slot in affected {
        let Some(tracked_socket) = table.get(slot).copied() else {
            continue;
        };
        let related = PeerInfo::now(table, owner_pool, &tracked_socket, ephemeral);
        if related != PeerInfo::of(&tracked_socket)
            && let Some(tracked_socket) = table.get_mut(slot)
        {
            related.write(tracked_socket);
            changed.insert(slot);
        }
    }
    changed
}

/// The other end of a connection.
pub fn other_end(table: &SocketTable, socket: &RawSocket) -> Option<SlotId> {
    // A socket that is connected to itself is no other's end.
    let has_other_end = !socket.holds_port() && socket.local != socket.remote;
    has_other_end
        .then(|| table.connection(socket.protocol, socket.remote, socket.local))
        .flatten()
}

/// The touched sockets, the other ends of connections, and whoever has to do with a port on which something changed.
fn affected(table: &SocketTable, dirty: &DirtySockets) -> HashSet<SlotId> {
    let mut affected: HashSet<SlotId> = dirty.slots.iter().chain(&dirty.owned).copied().collect();
    let mut ports: HashSet<(Protocol, u16)> = HashSet::new();
    let sockets = dirty.slots.iter().filter_map(|slot| table.get(*slot));
    let sockets = sockets.map(|tracked_socket| &tracked_socket.raw_socket);
    for socket in sockets.chain(&dirty.closed) {
        if socket.holds_port() {
            ports.insert((socket.protocol, socket.local.port()));
        } else {
            affected.extend(other_end(table, socket));
        }
    }
    // Other owners can only make or end a rivalry between what stands on one port.
    for tracked_socket in dirty.owned.iter().filter_map(|slot| table.get(*slot)) {
        let socket = &tracked_socket.raw_socket;
        if socket.holds_port() {
            let rivals = table.holding_port(socket.protocol, socket.local.port());
            affected.extend(rivals.map(|(slot, _)| slot));
        }
    }
    if !ports.is_empty() {
        let meets = |(_, tracked_socket): &(SlotId, &TrackedSocket)| {
            let socket = &tracked_socket.raw_socket;
            ports.contains(&(socket.protocol, socket.local.port()))
                || ports.contains(&(socket.protocol, socket.remote.port()))
        };
        affected.extend(table.each().filter(meets).map(|(slot, _)| slot));
    }
    affected
}

/// A socket that is in no book, with its relations to those that are. Its holder is the one of the listener that
/// accepted it, if one did.
pub fn transient(
    table: &SocketTable,
    owner_pool: &OwnerPool,
    raw_socket: &RawSocket,
    ephemeral: EphemeralRange,
) -> TrackedSocket {
    let mut tracked_socket = TrackedSocket::new(raw_socket);
    tracked_socket.owners = OwnersKey::NONE;
    PeerInfo::now(table, owner_pool, &tracked_socket, ephemeral).write(&mut tracked_socket);
    if tracked_socket.role == SocketRole::Server
        && let Some(listener) = listener(table, raw_socket)
    {
        tracked_socket.owners = listener.owners;
    }
    tracked_socket
}

/// The socket that listens where this one was, or would have been, accepted.
pub fn listener<'b>(table: &'b SocketTable, socket: &RawSocket) -> Option<&'b TrackedSocket> {
    let local = socket.local();
    let mut standing = table.holding_port(socket.protocol, socket.local.port());
    standing
        .find(|(_, tracked_socket)| tracked_socket.raw_socket.accepts_on(local))
        .map(|(_, tracked_socket)| tracked_socket)
}

/// What a record says of its relations.
#[derive(PartialEq, Eq)]
struct PeerInfo {
    role: SocketRole,
    is_local: bool,
    shares_port: bool,
}

impl PeerInfo {
    fn of(tracked_socket: &TrackedSocket) -> Self {
        Self {
            role: tracked_socket.role,
            is_local: tracked_socket.is_local,
            shares_port: tracked_socket.shares_port,
        }
    }

    fn write(self, tracked_socket: &mut TrackedSocket) {
        tracked_socket.role = self.role;
        tracked_socket.is_local = self.is_local;
        tracked_socket.shares_port = self.shares_port;
    }

    fn now(
        table: &SocketTable,
        owner_pool: &OwnerPool,
        tracked_socket: &TrackedSocket,
        ephemeral: EphemeralRange,
    ) -> Self {
        let socket = &tracked_socket.raw_socket;
        if socket.holds_port() {
            return Self {
                role: SocketRole::Unconnected,
                is_local: true,
                shares_port: shares_port(table, owner_pool, tracked_socket),
            };
        }
        let is_between_us = other_end(table, socket).is_some()
            || socket.remote().is_some_and(|remote| {
                is_loopback(remote.ip()) || remote.ip() == socket.local().ip()
            });
        let role = role(table, tracked_socket, is_between_us, ephemeral);
        Self {
            role,
            is_local: is_between_us || role == SocketRole::Server,
            shares_port: false,
        }
    }
}

/// A connection once seen to be accepted here stays the server's side when its listener closes.
fn role(
    table: &SocketTable,
    tracked_socket: &TrackedSocket,
    is_between_us: bool,
    ephemeral: EphemeralRange,
) -> SocketRole {
    let socket = &tracked_socket.raw_socket;
    let Some(remote) = socket.remote() else {
        return SocketRole::Unknown;
    };
    if tracked_socket.role == SocketRole::Server
        || is_accepted(table, socket.protocol, socket.local())
    {
        return SocketRole::Server;
    }
    // Sure where the other end listens here; towards another machine a port that was handed out tells as much.
    let is_client = tracked_socket.role == SocketRole::Client
        || is_accepted(table, socket.protocol, remote)
        || !is_between_us && ephemeral.makes_dynamic(socket.local.port());
    if is_client {
        SocketRole::Client
    } else {
        SocketRole::Unknown
    }
}

fn is_accepted(table: &SocketTable, protocol: Protocol, at: SocketAddr) -> bool {
    table
        .holding_port(protocol, at.port())
        .any(|(_, other)| other.raw_socket.accepts_on(at))
}

/// Whether another process stands on the same number at another address.
fn shares_port(
    table: &SocketTable,
    owner_pool: &OwnerPool,
    tracked_socket: &TrackedSocket,
) -> bool {
    let socket = &tracked_socket.raw_socket;
    table
        .holding_port(socket.protocol, socket.local.port())
        .any(|(_, other)| {
            other.raw_socket.local().ip() != socket.local().ip()
                && have_different_owners(owner_pool, tracked_socket, other)
        })
}

/// Only what is certain counts: no holder in common, or different users where holders may not be seen.
fn have_different_owners(
    owner_pool: &OwnerPool,
    one: &TrackedSocket,
    other: &TrackedSocket,
) -> bool {
    match (owner_pool.get(one.owners), owner_pool.get(other.owners)) {
        (Owners::Known(ours), Owners::Known(theirs)) => {
            let ours: HashSet<ProcessId> = ours.iter().map(|process| process.id).collect();
            theirs.iter().all(|process| !ours.contains(&process.id))
        }
        (Owners::Known(_) | Owners::NoPermission, Owners::Known(_) | Owners::NoPermission) => {
            let users = [one, other].map(|tracked_socket| tracked_socket.raw_socket.uid);
            users[0] != users[1] && !users.contains(&RawSocket::NO_USER)
        }
        (Owners::Pending | Owners::NoProcess, _) | (_, Owners::Pending | Owners::NoProcess) => {
            false
        }
    }
}
