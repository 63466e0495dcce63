//! What a plan depends on: the environment, and the sockets around a row, on its port and where its connection leads.

use crate::model::Moment;
use crate::model::environment::Environment;
use crate::model::process::ProcessId;
use crate::model::socket::{Endpoint, Owners, Protocol, Socket};
use std::iter;
use std::net::SocketAddr;
use std::time::Instant;

/// What a plan depends on besides the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeContext<'a> {
    pub environment: &'a Environment,
    /// True if the filter is exactly the row's local port: then even a client's port is the one to free.
    pub filter_names_port: bool,
    /// Port proxies that are known to be left over by their engine.
    pub left_over: &'a [ProcessId],
    /// True if the row has closed and is only fading.
    pub is_gone: bool,
    pub now: Moment,
    /// When the row was first seen in its present state, if known.
    pub state_since: Option<Instant>,
}

impl<'a> FreeContext<'a> {
    /// Returns the context of a port that was named, not of a row.
    pub fn new(environment: &'a Environment, now: Moment) -> Self {
        Self {
            environment,
            filter_names_port: false,
            left_over: &[],
            is_gone: false,
            now,
            state_since: None,
        }
    }
}

/// A row's socket with the table around it.
pub struct RowContext<'a> {
    pub row: &'a Socket,
    pub table: &'a [&'a Endpoint],
    pub context: &'a FreeContext<'a>,
}

impl<'a> RowContext<'a> {
    /// Returns the sockets on this local port with the row's protocol, the row's own first.
    pub fn on_port(&self, port: u16) -> Vec<&'a Socket> {
        let others = self.table.iter().map(|endpoint| &endpoint.socket);
        let others = others.filter(|socket| socket.id != self.row.id);
        let mut sockets: Vec<&Socket> = iter::once(self.row)
            .chain(others)
            .filter(|socket| socket.protocol == self.row.protocol && socket.port() == port)
            .collect();
        sockets.sort_by_key(|socket| (socket.id != self.row.id, socket.local, socket.id));
        sockets
    }

    /// Returns the socket that a client connecting to `to` reaches.
    pub fn listener(&self, to: SocketAddr) -> Option<&'a Socket> {
        let mut sockets = self.port_sockets(to).into_iter();
        sockets.find(|socket| serves(socket, to))
    }

    /// Returns every socket that holds the port, the row's own first, then the one a client at `to` reaches.
    pub fn port_sockets(&self, to: SocketAddr) -> Vec<&'a Socket> {
        let mut sockets = self.on_port(to.port());
        sockets.retain(|socket| socket.holds_port());
        // The most specific address gets the connection, so it comes before the wildcard.
        sockets.sort_by_key(|socket| {
            let is_row = socket.id == self.row.id;
            (!is_row, !serves(socket, to), socket.local.ip() != to.ip())
        });
        sockets
    }

    /// Returns every socket on the row's port that ending its owners closes.
    pub fn freed_with_owners(&self) -> Vec<&'a Socket> {
        let mut sockets = self.on_port(self.row.port());
        sockets.retain(|socket| socket.is_freed_with_owners());
        sockets
    }

    /// Returns every socket on the row's port that has a process or may have one.
    pub fn owned(&self) -> Vec<&'a Socket> {
        let mut sockets = self.on_port(self.row.port());
        sockets.retain(|socket| socket.owners != Owners::NoProcess);
        sockets
    }
}

/// True if what is sent to `to` arrives at this socket. A UDP socket has no state that says so.
fn serves(socket: &Socket, to: SocketAddr) -> bool {
    let takes_datagrams = socket.protocol == Protocol::Udp
        && socket.holds_port()
        && socket.port() == to.port()
        && socket.receives(to.ip());
    takes_datagrams || socket.accepts_on(to)
}
