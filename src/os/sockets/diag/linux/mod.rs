//! The socket tables through NETLINK_SOCK_DIAG (sock_diag(7)), which needs no privilege.
//!
//! The cheapest source, and the only one with cookies, all queues and connected UDP sockets. It sees portmon's own network
//! namespace. A table that the kernel refuses is an error, never an empty table.

mod attributes;
mod bytecode;
mod destroy_events;
mod diag_error;
mod inet_diag_msg;
mod netlink_reply;
mod netlink_socket;
mod request;
mod table_dumps;

use super::{DumpRequest, DumpScope, TableErrors, procnet};
use crate::model::socket::{
    Family, Protocol, RawSocket, SocketCounters, SocketQueue, State, TcpCounters,
};
use hashbrown::{HashMap, HashSet};
use netlink_socket::NetlinkSocket;
use request::{DiagRequest, SOCK_DIAG_BY_FAMILY, Selector, TCPDIAG_GETSOCK, WITH_INFO};
use std::time::Instant;
use table_dumps::{StateSet, TableDump};

pub use attributes::find as attribute;
pub use destroy_events::DestroyEvents;
pub use diag_error::DiagError;
pub use netlink_reply::{NetlinkMessage, NetlinkMessages};
pub use netlink_socket::open_netlink;

const FAMILIES: [Family; 2] = [Family::Ipv4, Family::Ipv6];

/// Above this count, one dump of all listeners is cheaper than single lookups.
const MAX_SINGLE_LOOKUPS: usize = 4;

const LISTENERS: DumpRequest = DumpRequest {
    scope: DumpScope::Listening,
    with_bound: false,
};

pub struct Diag {
    netlink: NetlinkSocket,
    /// The request that dumps TCP of both families at once; `None` if the kernel does not have it.
    combined_request: Option<u16>,
}

impl Diag {
    /// Fails with an error that [is unavailable](DiagError::is_unavailable) if the system does not have this source.
    pub fn open() -> Result<Self, DiagError> {
        Ok(Self {
            netlink: NetlinkSocket::open()?,
            combined_request: Some(TCPDIAG_GETSOCK),
        })
    }

    /// Emits every requested socket, in the order of the kernel, and returns the tables that were not read to their end.
    #[inline]
    pub fn dump(
        &mut self,
        request: &DumpRequest,
        emit: &mut impl FnMut(&RawSocket),
    ) -> TableErrors {
        let program = request.program();
        let mut unread = TableErrors::new();
        for dump in request.table_dumps(&program) {
            for (family, error) in self.dump_table(dump, emit) {
                let table = (dump.protocol, family);
                if unread.iter().all(|(known, _)| *known != table) {
                    unread.push((table, error.into()));
                }
            }
        }
        unread
    }

    /// Returns the cookies of those listeners that exist although a dump missed them.
    pub fn still_open(&mut self, missed: &[RawSocket]) -> HashSet<u64> {
        if missed.len() <= MAX_SINGLE_LOOKUPS {
            // An error does not prove that it closed.
            let is_open = |socket: &&RawSocket| !matches!(self.find(socket), Ok(None));
            return missed
                .iter()
                .filter(is_open)
                .map(RawSocket::cookie)
                .collect();
        }
        let mut found = HashSet::new();
        let errors = self.dump(&LISTENERS, &mut |socket| {
            found.insert(socket.cookie());
        });
        let is_unread = |socket: &&RawSocket| {
            let table = (socket.protocol, socket.table);
            errors.iter().any(|(unread, _)| *unread == table)
        };
        found.extend(missed.iter().filter(is_unread).map(RawSocket::cookie));
        found
    }

    /// Returns the socket as it is now; `None` if it is closed, and for a listener that is only bound now.
    fn find(&mut self, of: &RawSocket) -> Result<Option<RawSocket>, DiagError> {
        Ok(self.find_with(of, 0)?.map(|(raw_socket, _)| raw_socket))
    }

    /// Returns the counters of a socket; `None` if it is closed.
    pub fn counters(
        &mut self,
        of: &RawSocket,
        now: Instant,
    ) -> Result<Option<SocketCounters>, DiagError> {
        let found = self.find_with(of, WITH_INFO)?;
        Ok(found.map(|(raw_socket, flow)| SocketCounters {
            at: now,
            queue: raw_socket.queue().unwrap_or(SocketQueue::UNKNOWN),
            flow: flow.filter(|_| !matches!(raw_socket.state, Some(State::Listen | State::Bound))),
        }))
    }

    /// Returns the control group of each socket on this local port, by its cookie, as far as the kernel reports it.
    pub fn cgroups(&mut self, protocol: Protocol, port: u16) -> HashMap<u64, u64> {
        let program = bytecode::local(&[port]);
        let dump = TableDump {
            protocol,
            states: StateSet::searched_for(Some(State::Bound)),
            port,
            program: &program,
        };
        let mut found = HashMap::new();
        for family in FAMILIES {
            let request = DiagRequest {
                kind: SOCK_DIAG_BY_FAMILY,
                family,
                extensions: 0,
                selector: Selector::Table(dump),
            };
            // A socket that was not read has no known control group.
            let _ = self.netlink.ask(&request, &mut |row, attributes| {
                let socket = inet_diag_msg::raw_socket(row, attributes, protocol);
                found.extend(
                    socket
                        .zip(attributes::cgroup(attributes))
                        .map(|(socket, cgroup)| (socket.cookie(), cgroup)),
                );
            });
        }
        found
    }

    /// Dumps both families and returns those that failed.
    fn dump_table(
        &mut self,
        dump: TableDump,
        emit: &mut impl FnMut(&RawSocket),
    ) -> Vec<(Family, DiagError)> {
        if dump.protocol == Protocol::Tcp
            && let Some(combined_request) = self.combined_request
        {
            match self.ask(combined_request, Family::Ipv4, dump, emit) {
                Ok(()) => return Vec::new(),
                Err(error) if error.is_unavailable() => {}
                Err(error) => return FAMILIES.map(|family| (family, error)).to_vec(),
            }
        }
        let mut failed = Vec::new();
        for family in FAMILIES {
            match self.ask(SOCK_DIAG_BY_FAMILY, family, dump, emit) {
                Err(error) if !lacks_table((dump.protocol, family), error) => {
                    failed.push((family, error));
                }
                _ => {}
            }
        }
        if dump.protocol == Protocol::Tcp && failed.is_empty() {
            self.combined_request = None;
        }
        failed
    }

    #[inline]
    fn ask(
        &mut self,
        kind: u16,
        family: Family,
        dump: TableDump,
        emit: &mut impl FnMut(&RawSocket),
    ) -> Result<(), DiagError> {
        let request = DiagRequest {
            kind,
            family,
            extensions: 0,
            selector: Selector::Table(dump),
        };
        let states = dump.states.as_in_reply();
        self.netlink.ask(&request, &mut |row, attributes| {
            if states.contains(inet_diag_msg::state_number(row))
                && let Some(raw_socket) = inet_diag_msg::raw_socket(row, attributes, dump.protocol)
            {
                emit(&raw_socket);
            }
        })
    }

    /// Returns the socket with this cookie, and its counters if requested.
    ///
    /// The kernel looks it up as it does for a packet, which finds no bound socket, no socket bound to an interface, and only
    /// one of several that share a port. So a socket that is not found is searched in a dump.
    fn find_with(
        &mut self,
        of: &RawSocket,
        extensions: u8,
    ) -> Result<Option<(RawSocket, Option<TcpCounters>)>, DiagError> {
        let mut found = None;
        let mut keep = |row: &_, attributes: &_| {
            let raw_socket = inet_diag_msg::raw_socket(row, attributes, of.protocol);
            if let Some(raw_socket) = raw_socket.filter(|seen| seen.cookie == of.cookie) {
                found = Some((raw_socket, attributes::flow(attributes)));
            }
        };
        let mut request = DiagRequest {
            kind: SOCK_DIAG_BY_FAMILY,
            family: of.table,
            extensions,
            selector: Selector::Socket(of),
        };
        let outcome = self.netlink.ask(&request, &mut keep);
        if outcome.is_err_and(DiagError::is_not_found) {
            let program = bytecode::local(&[of.local.port()]);
            request.selector = Selector::Table(TableDump {
                protocol: of.protocol,
                states: StateSet::searched_for(of.state),
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

/// True if the kernel refuses because it has no IPv6; one that has it returns an empty table.
fn lacks_table((protocol, family): (Protocol, Family), error: DiagError) -> bool {
    family == Family::Ipv6 && error.is_unavailable() && !procnet::has_ipv6(protocol)
}

#[cfg(test)]
mod tests;
