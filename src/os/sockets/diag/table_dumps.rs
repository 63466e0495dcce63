//! The dumps of the kernel's socket tables that a request needs.

use super::bytecode;
use crate::model::socket::{Protocol, State};
use crate::os::sockets::{DumpRequest, DumpScope};

/// Above this number of ports the kernel returns every socket.
const MAX_FILTERED_PORTS: usize = 64;

/// A set of states, one bit each (include/net/tcp_states.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateSet(pub u32);

impl StateSet {
    const LISTEN: Self = Self(1 << 10);
    /// States of connected and listening sockets. The kernel adds bit 12 if bit 3 is set.
    const ALL: Self = Self(0b1111_1111_1110);
    /// `TCP_BOUND_INACTIVE`: no socket on kernels before 6.8.
    const BOUND: Self = Self(1 << 13);

    fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// States in which a socket of this state is searched: only its own for a listener, because that table is small.
    pub fn around(state: Option<State>) -> Self {
        if state == Some(State::Listen) {
            Self::LISTEN
        } else if matches!(state, Some(State::Bound | State::Closed)) {
            Self::ALL.with(Self::BOUND)
        } else {
            Self::ALL
        }
    }

    /// States of the rows in a reply: a bound socket is closed (7), a connection request `SYN_RECV` (3) or `NEW_SYN_RECV`
    /// (12).
    pub fn reported(self) -> Self {
        let closed = (self.0 >> 13 & 1) << 7;
        let request = (self.0 >> 3 & 1) << 12;
        Self(self.0 | closed | request)
    }

    #[inline]
    pub fn contains(self, state: u8) -> bool {
        self.0.checked_shr(state.into()).unwrap_or_default() & 1 != 0
    }
}

/// One dump of the tables of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableDump<'a> {
    pub protocol: Protocol,
    pub states: StateSet,
    /// Local port, 0 for any. The bind table ignores it and applies only the program.
    pub port: u16,
    /// Bytecode that every socket must pass; empty for none.
    pub program: &'a [u8],
}

impl DumpRequest {
    /// Returns the bytecode of its dumps.
    pub fn program(&self) -> Vec<u8> {
        match &self.scope {
            DumpScope::Local(ports) if ports.len() <= MAX_FILTERED_PORTS => bytecode::local(ports),
            DumpScope::LocalOrRemote(ports) if ports.len() <= MAX_FILTERED_PORTS => {
                bytecode::local_or_remote(ports)
            }
            _ => Vec::new(),
        }
    }

    /// Returns the dumps, none of which has a socket of another.
    ///
    /// Bound sockets are requested with the others: after the bind table the kernel walks the connections in any case
    /// (net/ipv4/tcp_diag.c).
    pub fn table_dumps<'a>(&self, program: &'a [u8]) -> Vec<TableDump<'a>> {
        let bound = if self.with_bound {
            StateSet::BOUND
        } else {
            StateSet(0)
        };
        let table = |protocol, states| TableDump {
            protocol,
            states,
            port: 0,
            program,
        };
        let listeners = TableDump {
            program: &[],
            ..table(Protocol::Tcp, StateSet::LISTEN)
        };
        let all = [
            table(Protocol::Tcp, StateSet::ALL.with(bound)),
            table(Protocol::Udp, StateSet::ALL),
        ];
        match &self.scope {
            DumpScope::Listening => vec![table(Protocol::Tcp, StateSet::LISTEN.with(bound))],
            DumpScope::LocalOrRemote(ports) if ports.len() <= MAX_FILTERED_PORTS => {
                // No ports: an empty program would let every socket pass.
                if program.is_empty() {
                    return vec![listeners];
                }
                let [tcp, udp] = all;
                let states = tcp.states.without(StateSet::LISTEN);
                vec![listeners, TableDump { states, ..tcp }, udp]
            }
            // No ports: an empty program would let every socket pass.
            DumpScope::Local(ports) if ports.is_empty() => Vec::new(),
            DumpScope::Local(ports) => {
                let port = match ports.as_slice() {
                    [port] => *port,
                    _ => 0,
                };
                all.map(|table| TableDump { port, ..table }).to_vec()
            }
            DumpScope::All | DumpScope::LocalOrRemote(_) => all.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(scope: DumpScope, with_bound: bool) -> Vec<(Protocol, u32, u16, bool)> {
        let request = DumpRequest { scope, with_bound };
        let program = request.program();
        let tables = request.table_dumps(&program).into_iter();
        tables
            .map(|table| {
                let is_filtered = !table.program.is_empty();
                (table.protocol, table.states.0, table.port, is_filtered)
            })
            .collect()
    }

    #[test]
    fn no_request_dumps_a_socket_twice() {
        use Protocol::{Tcp, Udp};
        let cases = [
            (
                asked(DumpScope::All, false),
                vec![(Tcp, 0xffe, 0, false), (Udp, 0xffe, 0, false)],
            ),
            (
                asked(DumpScope::All, true),
                vec![(Tcp, 0x2ffe, 0, false), (Udp, 0xffe, 0, false)],
            ),
            (
                asked(DumpScope::Local(vec![80]), false),
                vec![(Tcp, 0xffe, 80, true), (Udp, 0xffe, 80, true)],
            ),
            (
                asked(DumpScope::LocalOrRemote(vec![80]), true),
                vec![
                    (Tcp, 0x400, 0, false),
                    (Tcp, 0x2bfe, 0, true),
                    (Udp, 0xffe, 0, true),
                ],
            ),
            (
                asked(DumpScope::LocalOrRemote(vec![0]), false),
                vec![(Tcp, 0x400, 0, false)],
            ),
            (
                asked(DumpScope::LocalOrRemote(vec![80; 65]), false),
                vec![(Tcp, 0xffe, 0, false), (Udp, 0xffe, 0, false)],
            ),
            (
                asked(DumpScope::Listening, false),
                vec![(Tcp, 0x400, 0, false)],
            ),
            (
                asked(DumpScope::Listening, true),
                vec![(Tcp, 0x2400, 0, false)],
            ),
        ];
        for (asked, expected) in cases {
            assert_eq!(asked, expected);
        }
    }

    #[test]
    fn unrequested_states_are_filtered_out() {
        let bound = StateSet::BOUND.reported();
        assert_eq!(
            [1, 3, 7, 10, 12, 13, 200].map(|state| bound.contains(state)),
            [false, false, true, false, false, true, false]
        );
        assert_eq!(
            [3, 12, 13].map(|state| StateSet::ALL.reported().contains(state)),
            [true, true, false]
        );
    }
}
