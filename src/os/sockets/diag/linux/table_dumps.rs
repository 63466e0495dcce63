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
    pub fn searched_for(state: Option<State>) -> Self {
        match state {
            Some(State::Listen) => Self::LISTEN,
            Some(State::Bound | State::Closed) => Self::ALL.with(Self::BOUND),
            _ => Self::ALL,
        }
    }

    /// States of the rows in a reply: a bound socket is closed (7), a connection request `SYN_RECV` (3) or `NEW_SYN_RECV`
    /// (12).
    pub fn as_in_reply(self) -> Self {
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

    /// Returns the dumps; no socket is in two of them.
    ///
    /// Bound sockets are requested with the others: after the bind table the kernel walks the connections in any case
    /// (net/ipv4/tcp_diag.c).
    pub fn table_dumps<'a>(&self, program: &'a [u8]) -> Vec<TableDump<'a>> {
        let bound = StateSet(if self.with_bound {
            StateSet::BOUND.0
        } else {
            0
        });
        let dump = |protocol, states| TableDump {
            protocol,
            states,
            port: 0,
            program,
        };
        let tcp = dump(Protocol::Tcp, StateSet::ALL.with(bound));
        let udp = dump(Protocol::Udp, StateSet::ALL);
        let listeners = TableDump {
            program: &[],
            ..dump(Protocol::Tcp, StateSet::LISTEN)
        };
        // Without ports the program is empty, which would let every socket pass.
        match &self.scope {
            DumpScope::Listening => vec![dump(Protocol::Tcp, StateSet::LISTEN.with(bound))],
            DumpScope::LocalOrRemote(_) if !program.is_empty() => {
                let states = tcp.states.without(StateSet::LISTEN);
                vec![listeners, TableDump { states, ..tcp }, udp]
            }
            DumpScope::LocalOrRemote(ports) if ports.len() <= MAX_FILTERED_PORTS => vec![listeners],
            DumpScope::Local(ports) if ports.is_empty() => Vec::new(),
            DumpScope::Local(ports) => {
                let port = if let [only] = ports[..] { only } else { 0 };
                vec![TableDump { port, ..tcp }, TableDump { port, ..udp }]
            }
            DumpScope::All | DumpScope::LocalOrRemote(_) => vec![tcp, udp],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_dumps_a_socket_twice() {
        use DumpScope::{All, Listening, Local, LocalOrRemote};
        use Protocol::{Tcp, Udp};
        let all = [(Tcp, 0xffe, 0, false), (Udp, 0xffe, 0, false)].to_vec();
        let listeners = vec![(Tcp, 0x400, 0, false)];
        let cases = [
            (All, false, all.clone()),
            (
                All,
                true,
                vec![(Tcp, 0x2ffe, 0, false), (Udp, 0xffe, 0, false)],
            ),
            (
                Local(vec![80]),
                false,
                vec![(Tcp, 0xffe, 80, true), (Udp, 0xffe, 80, true)],
            ),
            (
                Local(vec![80, 81]),
                false,
                vec![(Tcp, 0xffe, 0, true), (Udp, 0xffe, 0, true)],
            ),
            (Local(vec![80; 65]), false, all.clone()),
            (Local(vec![]), true, vec![]),
            (
                LocalOrRemote(vec![80]),
                true,
                vec![
                    (Tcp, 0x400, 0, false),
                    (Tcp, 0x2bfe, 0, true),
                    (Udp, 0xffe, 0, true),
                ],
            ),
            (LocalOrRemote(vec![0]), false, listeners.clone()),
            (LocalOrRemote(vec![80; 65]), false, all),
            (Listening, false, listeners),
            (Listening, true, vec![(Tcp, 0x2400, 0, false)]),
        ];
        for (scope, with_bound, expected) in cases {
            let request = DumpRequest { scope, with_bound };
            let program = request.program();
            let dumps = request.table_dumps(&program).into_iter();
            let dumps: Vec<_> = dumps
                .map(|dump| {
                    (
                        dump.protocol,
                        dump.states.0,
                        dump.port,
                        !dump.program.is_empty(),
                    )
                })
                .collect();
            assert_eq!(dumps, expected, "{request:?}");
        }
    }

    #[test]
    fn unrequested_states_are_filtered_out() {
        let bound = StateSet::BOUND.as_in_reply();
        assert_eq!(
            [1, 3, 7, 10, 12, 13, 200].map(|state| bound.contains(state)),
            [false, false, true, false, false, true, false]
        );
        assert_eq!(
            [3, 12, 13].map(|state| StateSet::ALL.as_in_reply().contains(state)),
            [true, true, false]
        );
    }
}
