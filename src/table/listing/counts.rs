//! The number of rows of each kind, updated with each change.

use crate::model::socket::{NotFoundCounts, Protocol};
use crate::table::row::{ChangeMark, Row, Section};
use std::collections::HashMap;

/// Numbers of open rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub listening: usize,
    /// TCP sockets that are bound and do not listen.
    pub bound: usize,
    pub udp: usize,
    /// Connections within the local scope.
    pub connected: usize,
    /// Connections outside the local scope.
    pub out_of_scope: usize,
    pub exposed: usize,
    /// Owners within the local scope that were not found.
    pub not_found: NotFoundCounts,
    pub new: usize,
    /// Number of rows, closed ones included, by the ports at their ends.
    ports: HashMap<u16, usize>,
}

impl Counts {
    pub fn has_port(&self, port: u16) -> bool {
        self.ports.get(&port).is_some_and(|count| *count > 0)
    }

    #[cfg(test)]
    pub fn forget_empty_ports(&mut self) {
        self.ports.retain(|_, count| *count > 0);
    }

    /// Counts a row: 1 adds it, -1 removes it.
    pub fn change(&mut self, row: &Row, by: isize) {
        let change = |count: &mut usize| *count = count.saturating_add_signed(by);
        let socket = &row.endpoint.socket;
        change(self.ports.entry(socket.port()).or_default());
        if let Some(remote) = socket.remote {
            change(self.ports.entry(remote.port()).or_default());
        }
        if row.is_closed() {
            return;
        }
        change(match (row.section(), socket.protocol) {
            (Section::PortHolders, Protocol::Udp) => &mut self.udp,
            (Section::PortHolders, Protocol::Tcp) if socket.is_listening() => &mut self.listening,
            (Section::PortHolders, Protocol::Tcp) => &mut self.bound,
            _ if row.endpoint.relation.is_local => &mut self.connected,
            _ => &mut self.out_of_scope,
        });
        if socket.is_exposed() {
            change(&mut self.exposed);
        }
        if row.endpoint.relation.is_local
            && let Some(owner) = socket.owners.not_found()
        {
            self.not_found.change(owner, by);
        }
        if matches!(row.change_mark, ChangeMark::Opened(_)) {
            change(&mut self.new);
        }
    }
}
