//! The socket tables as the kernel tells them through NETLINK_SOCK_DIAG (sock_diag(7)), without any privilege.
//!
//! It is the cheapest source there is and the only one that knows cookies, queues and connected UDP sockets. It sees the
//! network namespace of this program. What it could not read it names; it must never let a table look empty because the
//! kernel said no.

mod attributes;
mod bytecode;
mod destroy_listener;
pub mod diag_error;
mod inet_diag_msg;
mod netlink_reply;
mod netlink_socket;
mod request;
mod table_dumps;

use super::{DumpRequest, sockstat};
use crate::model::address::Family;
use crate::model::endpoint::{Protocol, State};
use crate::model::raw_socket::RawSocket;
use crate::model::socket::SocketQueue;
use crate::model::stats::{SocketCounters, TcpCounters};
use crate::os::Error;
pub use destroy_listener::DestroyListener;
use diag_error::DiagError;
use netlink_socket::NetlinkSocket;
use request::{BOTH_FAMILIES, BY_FAMILY, DiagRequest, Selector, WITH_INFO};
use std::time::Instant;
use table_dumps::{StateSet, TableDump};

const FAMILIES: [Family; 2] = [Family::Ipv4, Family::Ipv6];

/// A table that was not read to its end.
pub type UnreadTable = (Protocol, Family, Error);

/// The source.
pub struct Diag {
    netlink: NetlinkSocket,
    /// The request that walks TCP of both families at once; none once the kernel knew only the other.
    both_families: Option<u16>,
}

impl Diag {
    /// An error that [is a refusal](Error::is_unavailable) says that this source is not to be had.
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            netlink: NetlinkSocket::open()?,
            both_families: Some(BOTH_FAMILIES),
        })
    }

    /// Shows every socket of the demand, in the order of the kernel, and gives the tables that were not read to their end;
    /// what was read of them is shown all the same.
    #[inline]
    pub fn dump(
        &mut self,
        request: &DumpRequest,
        emit: &mut impl FnMut(&RawSocket),
    ) -> Vec<UnreadTable> {
        let program = request.program();
        let mut unread: Vec<(Protocol, Family, DiagError)> = Vec::new();
        for table in request.table_dumps(&program) {
            for (family, error) in self.dump_table(table, emit) {
                let is_known = |known: &(Protocol, Family, DiagError)| {
                    (known.0, known.1) == (table.protocol, family)
                };
                if !unread.iter().any(is_known) {
                    unread.push((table.protocol, family, error));
                }
            }
        }
        let named = |(protocol, family, error)| (protocol, family, Error::from(error));
        unread.into_iter().map(named).collect()
    }

    /// The socket as it is now, none once it is closed; of a listener also none once it only has its port.
    pub fn find(&mut self, of: &RawSocket) -> Result<Option<RawSocket>, Error> {
        Ok(self.look_up(of, 0)?.map(|(raw_socket, _)| raw_socket))
    }

    /// The counts of the socket, none once it is closed.
    pub fn counters(
        &mut self,
        of: &RawSocket,
        now: Instant,
    ) -> Result<Option<SocketCounters>, Error> {
        let found = self.look_up(of, WITH_INFO)?;
        Ok(found.map(|(raw_socket, flow)| SocketCounters {
            at: now,
            queue: raw_socket.queue().unwrap_or(SocketQueue::UNKNOWN),
            flow: flow.filter(|_| !matches!(raw_socket.state, Some(State::Listen | State::Bound))),
        }))
    }

    /// Walks both families and gives those that failed.
    fn dump_table(
        &mut self,
        table: TableDump,
        emit: &mut impl FnMut(&RawSocket),
    ) -> Vec<(Family, DiagError)> {
        if table.protocol == Protocol::Tcp
            && let Some(both_families) = self.both_families
        {
            match self.ask(both_families, Family::Ipv4, table, emit) {
                Ok(()) => return Vec::new(),
                Err(error) if error.is_unavailable() => {}
                Err(error) => return FAMILIES.map(|family| (family, error)).to_vec(),
            }
        }
        let mut failed = Vec::new();
        for family in FAMILIES {
            match self.ask(BY_FAMILY, family, table, emit) {
                Err(error) if !is_without(family, error) => failed.push((family, error)),
                Ok(()) | Err(_) => {}
            }
        }
        if table.protocol == Protocol::Tcp && failed.is_empty() {
            self.both_families = None;
        }
        failed
    }

    #[inline]
    fn ask(
        &mut self,
        kind: u16,
        family: Family,
        table: TableDump,
        emit: &mut impl FnMut(&RawSocket),
    ) -> Result<(), DiagError> {
        let request = DiagRequest {
            kind,
            family,
            extensions: 0,
            selector: Selector::Table(table),
        };
        let states = table.states.reported();
        self.netlink.ask(&request, &mut |row, attributes| {
            if states.contains(inet_diag_msg::state_number(row))
                && let Some(raw_socket) = inet_diag_msg::raw_socket(row, attributes, table.protocol)
            {
                emit(&raw_socket);
            }
        })
    }

    /// The socket with this cookie and its counts if they are asked for.
    ///
    /// The exact look-up is the one that the kernel does for a packet: it finds no bound socket, no socket of an interface
    /// and of sockets that share a port only one. So what it does not find is looked for in a walk.
    fn look_up(
        &mut self,
        of: &RawSocket,
        extensions: u8,
    ) -> Result<Option<(RawSocket, Option<TcpCounters>)>, Error> {
        let mut found = None;
        let mut keep = |row: &_, attributes: &_| {
            let raw_socket = inet_diag_msg::raw_socket(row, attributes, of.protocol);
            if let Some(raw_socket) = raw_socket.filter(|seen| seen.cookie == of.cookie) {
                found = Some((raw_socket, attributes::flow(attributes)));
            }
        };
        let mut request = DiagRequest {
            kind: BY_FAMILY,
            family: of.table,
            extensions,
            selector: Selector::Socket(of),
        };
        let outcome = self.netlink.ask(&request, &mut keep);
        if outcome.is_err_and(DiagError::is_not_found) {
            let program = bytecode::local(&[of.local.port()]);
            request.selector = Selector::Table(TableDump {
                protocol: of.protocol,
                states: StateSet::around(of.state),
                port: of.local.port(),
                program: &program,
            });
            self.netlink.ask(&request, &mut keep)?;
        } else {
            outcome?;
        }
        Ok(found)
    }
}

/// Whether the refusal only says that this kernel has no IPv6. One that has it answers with an empty table.
fn is_without(family: Family, error: DiagError) -> bool {
    family == Family::Ipv6 && error.is_unavailable() && !sockstat::has_ipv6()
}

#[cfg(test)]
mod tests;
