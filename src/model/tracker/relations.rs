//! What sockets are to one another: which side of a connection, whose peer, whose rival for a number.
//!
//! Recomputed only for what changed and what that touches, so that a steady look costs nothing here.

use crate::model::address::is_loopback;
use crate::model::endpoint::{Endpoint, EndpointId, Owners, Protocol, Relation, Side, Socket};
use crate::model::ports::EphemeralRange;
use crate::model::process::ProcessId;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

impl Relation {
    /// What can be said of a socket alone.
    pub fn of(socket: &Socket) -> Self {
        let side = if socket.is_standing() {
            Side::Standing
        } else {
            Side::Unknown
        };
        Self {
            side,
            is_local: socket.is_standing(),
            peer: None,
            shares_number: false,
        }
    }
}

type Table = HashMap<EndpointId, Endpoint>;

/// Indexes over the table that answer who is at the other end and who listens.
pub struct Relations {
    ephemeral: EphemeralRange,
    connections: HashMap<(Protocol, SocketAddr, SocketAddr), EndpointId>,
    standing: HashMap<(Protocol, u16), HashSet<EndpointId>>,
}

impl Relations {
    pub fn new(ephemeral: EphemeralRange) -> Self {
        Self {
            ephemeral,
            connections: HashMap::new(),
            standing: HashMap::new(),
        }
    }

    /// Brings the relations of the table up to date and tells whose changed, the touched ones perhaps among them.
    pub fn refresh(
        &mut self,
        table: &mut Table,
        touched: &HashSet<EndpointId>,
        closed: &[Socket],
    ) -> HashSet<EndpointId> {
        for socket in closed {
            self.forget(socket);
        }
        let sockets = touched
            .iter()
            .filter_map(|id| table.get(id))
            .map(|endpoint| &endpoint.socket);
        for socket in sockets.clone() {
            self.remember(socket);
        }
        let affected = self.affected(table, sockets.chain(closed), touched);
        let mut changed = HashSet::new();
        for id in affected {
            let Some(relation) = table
                .get(&id)
                .map(|endpoint| self.relation(endpoint, table))
            else {
                continue;
            };
            if let Some(endpoint) = table
                .get_mut(&id)
                .filter(|endpoint| endpoint.relation != relation)
            {
                endpoint.relation = relation;
                changed.insert(id);
            }
        }
        changed
    }

    fn remember(&mut self, socket: &Socket) {
        // A UDP socket may gain a remote end, and a bound TCP socket may connect under the same cookie.
        self.forget(socket);
        match socket.remote {
            Some(remote) if !socket.is_standing() => {
                self.connections
                    .insert((socket.protocol, socket.local, remote), socket.id);
            }
            _ => {
                self.standing
                    .entry((socket.protocol, socket.port()))
                    .or_default()
                    .insert(socket.id);
            }
        }
    }

    fn forget(&mut self, socket: &Socket) {
        if let Some(remote) = socket.remote {
            self.connections
                .remove(&(socket.protocol, socket.local, remote));
        }
        if let Some(ids) = self.standing.get_mut(&(socket.protocol, socket.port())) {
            ids.remove(&socket.id);
        }
    }

    /// The touched sockets, the other ends of connections, and whoever shares a port with a standing socket.
    fn affected<'a>(
        &self,
        table: &Table,
        sockets: impl Iterator<Item = &'a Socket>,
        touched: &HashSet<EndpointId>,
    ) -> HashSet<EndpointId> {
        let mut affected = touched.clone();
        let mut ports = HashSet::new();
        for socket in sockets {
            match socket.remote {
                Some(_) => affected.extend(self.mirror(socket)),
                None => {
                    ports.insert((socket.protocol, socket.port()));
                }
            }
        }
        if !ports.is_empty() {
            let meets = |socket: &Socket| {
                let remote = socket.remote.map(|remote| (socket.protocol, remote.port()));
                ports.contains(&(socket.protocol, socket.port()))
                    || remote.is_some_and(|port| ports.contains(&port))
            };
            affected.extend(
                table
                    .values()
                    .filter(|endpoint| meets(&endpoint.socket))
                    .map(Endpoint::id),
            );
        }
        affected
    }

    fn mirror(&self, socket: &Socket) -> Option<EndpointId> {
        let remote = socket.remote?;
        self.connections
            .get(&(socket.protocol, remote, socket.local))
            .copied()
    }

    fn relation(&self, endpoint: &Endpoint, table: &Table) -> Relation {
        let socket = &endpoint.socket;
        if socket.is_standing() {
            return Relation {
                shares_number: self.has_rival(socket, table),
                ..Relation::of(socket)
            };
        }
        let mirror = self
            .mirror(socket)
            .filter(|id| *id != socket.id)
            .and_then(|id| table.get(&id));
        let is_between_us = mirror.is_some()
            || socket
                .remote
                .is_some_and(|remote| is_loopback(remote.ip()) || remote.ip() == socket.local.ip());
        let side = self.side(endpoint, is_between_us, table);
        Relation {
            side,
            is_local: is_between_us || side == Side::Server,
            peer: mirror.and_then(|mirror| mirror.socket.owners.first().cloned()),
            shares_number: false,
        }
    }

    /// A connection once seen to be accepted here stays the server's side when its listener closes.
    fn side(&self, endpoint: &Endpoint, is_between_us: bool, table: &Table) -> Side {
        let socket = &endpoint.socket;
        let Some(remote) = socket.remote else {
            return Side::Unknown;
        };
        if endpoint.relation.side == Side::Server
            || self.is_accepted(socket.protocol, socket.local, table)
        {
            Side::Server
        } else if self.is_client(endpoint, remote, is_between_us, table) {
            Side::Client
        } else {
            Side::Unknown
        }
    }

    /// Sure where the other end listens here; towards another machine a port that was handed out tells as much.
    fn is_client(
        &self,
        endpoint: &Endpoint,
        remote: SocketAddr,
        is_between_us: bool,
        table: &Table,
    ) -> bool {
        let socket = &endpoint.socket;
        endpoint.relation.side == Side::Client
            || self.is_accepted(socket.protocol, remote, table)
            || !is_between_us && self.ephemeral.makes_dynamic(socket.port())
    }

    fn is_accepted(&self, protocol: Protocol, at: SocketAddr, table: &Table) -> bool {
        self.standing_on(protocol, at.port(), table)
            .any(|other| other.accepts_on(at))
    }

    /// Whether another process stands on the same number at another address.
    fn has_rival(&self, socket: &Socket, table: &Table) -> bool {
        self.standing_on(socket.protocol, socket.port(), table)
            .any(|other| {
                other.local.ip() != socket.local.ip() && are_different_holders(socket, other)
            })
    }

    fn standing_on<'t>(
        &'t self,
        protocol: Protocol,
        port: u16,
        table: &'t Table,
    ) -> impl Iterator<Item = &'t Socket> {
        let ids = self.standing.get(&(protocol, port)).into_iter().flatten();
        ids.filter_map(|id| table.get(id))
            .map(|endpoint| &endpoint.socket)
    }
}

/// Only what is certain counts: no holder in common, or different users where holders may not be seen.
fn are_different_holders(one: &Socket, other: &Socket) -> bool {
    match (&one.owners, &other.owners) {
        (Owners::Known(ours), Owners::Known(theirs)) => {
            let ours: HashSet<ProcessId> = ours.iter().map(|process| process.id).collect();
            theirs.iter().all(|process| !ours.contains(&process.id))
        }
        _ => one.uid.is_some() && other.uid.is_some() && one.uid != other.uid,
    }
}
