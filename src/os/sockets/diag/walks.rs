//! The walks through the socket tables that give what is demanded.
//!
//! Pure: it knows what the kernel can filter and asks nothing itself.

use super::program;
use crate::model::endpoint::{Protocol, State};
use crate::os::sockets::{Demand, Extent};

/// The largest number of ports the kernel is asked to compare; beyond it the caller filters.
const MOST_PORTS: usize = 64;

/// A set of states, one bit for each (include/net/tcp_states.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct States(pub u32);

impl States {
    const LISTEN: Self = Self(1 << 10);
    /// Those of the hash tables of sockets. Bit 12 is left out because the kernel sets it along with bit 3.
    const ALL: Self = Self(0b1111_1111_1110);
    /// `TCP_BOUND_INACTIVE`, which older kernels find no socket in.
    const BOUND: Self = Self(1 << 13);

    fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// The states in which a socket of this state is looked for: of a listener only its own, as that table is small.
    pub fn around(state: Option<State>) -> Self {
        if state == Some(State::Listen) {
            Self::LISTEN
        } else if matches!(state, Some(State::Bound | State::Closed)) {
            Self::ALL.with(Self::BOUND)
        } else {
            Self::ALL
        }
    }

    /// The states that rows of these come with: a bound socket as closed (7), a request as `SYN_RECV` (3) or
    /// `NEW_SYN_RECV` (12).
    pub fn told(self) -> Self {
        let closed = (self.0 >> 13 & 1) << 7;
        let request = (self.0 >> 3 & 1) << 12;
        Self(self.0 | closed | request)
    }

    #[inline]
    pub fn have(self, state: u8) -> bool {
        self.0.checked_shr(state.into()).unwrap_or_default() & 1 != 0
    }
}

/// One walk of the kernel through the tables of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk<'a> {
    pub protocol: Protocol,
    pub states: States,
    /// The local port, 0 for any. The walk through the bind table does not look at it, only at the program.
    pub port: u16,
    /// The bytecode that every socket must pass; empty for none.
    pub program: &'a [u8],
}

impl Demand {
    /// The bytecode that its walks need.
    pub fn program(&self) -> Vec<u8> {
        match &self.extent {
            Extent::Local(ports) if ports.len() <= MOST_PORTS => program::local(ports),
            Extent::Touching(ports) if ports.len() <= MOST_PORTS => program::touching(ports),
            Extent::Everything | Extent::Local(_) | Extent::Touching(_) | Extent::Standing => {
                Vec::new()
            }
        }
    }

    /// The walks, none of which meets a socket of another.
    ///
    /// Bound sockets are asked for along with the others: the kernel follows a walk of the bind table with one of the
    /// connections, whether or not a connection is asked for (net/ipv4/tcp_diag.c).
    pub fn walks<'a>(&self, program: &'a [u8]) -> Vec<Walk<'a>> {
        let bound = if self.with_bound {
            States::BOUND
        } else {
            States(0)
        };
        let walk = |protocol, states| Walk {
            protocol,
            states,
            port: 0,
            program,
        };
        let listeners = Walk {
            program: &[],
            ..walk(Protocol::Tcp, States::LISTEN)
        };
        let all = [
            walk(Protocol::Tcp, States::ALL.with(bound)),
            walk(Protocol::Udp, States::ALL),
        ];
        match &self.extent {
            Extent::Standing => vec![walk(Protocol::Tcp, States::LISTEN.with(bound))],
            Extent::Touching(ports) if ports.len() <= MOST_PORTS => {
                // Without a port there is nothing to touch, and an empty program would let everything pass.
                if program.is_empty() {
                    return vec![listeners];
                }
                let [tcp, udp] = all;
                let states = tcp.states.without(States::LISTEN);
                vec![listeners, Walk { states, ..tcp }, udp]
            }
            // Without a port there is nothing to see, and an empty program would let everything pass.
            Extent::Local(ports) if ports.is_empty() => Vec::new(),
            Extent::Local(ports) => {
                let port = match ports.as_slice() {
                    [port] => *port,
                    _ => 0,
                };
                all.map(|walk| Walk { port, ..walk }).to_vec()
            }
            Extent::Everything | Extent::Touching(_) => all.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(extent: Extent, with_bound: bool) -> Vec<(Protocol, u32, u16, bool)> {
        let demand = Demand { extent, with_bound };
        let program = demand.program();
        let walks = demand.walks(&program).into_iter();
        walks
            .map(|walk| {
                let is_filtered = !walk.program.is_empty();
                (walk.protocol, walk.states.0, walk.port, is_filtered)
            })
            .collect()
    }

    #[test]
    fn each_demand_asks_for_no_socket_twice() {
        use Protocol::{Tcp, Udp};
        let cases = [
            (
                asked(Extent::Everything, false),
                vec![(Tcp, 0xffe, 0, false), (Udp, 0xffe, 0, false)],
            ),
            (
                asked(Extent::Everything, true),
                vec![(Tcp, 0x2ffe, 0, false), (Udp, 0xffe, 0, false)],
            ),
            (
                asked(Extent::Local(vec![80]), false),
                vec![(Tcp, 0xffe, 80, true), (Udp, 0xffe, 80, true)],
            ),
            (
                asked(Extent::Touching(vec![80]), true),
                vec![
                    (Tcp, 0x400, 0, false),
                    (Tcp, 0x2bfe, 0, true),
                    (Udp, 0xffe, 0, true),
                ],
            ),
            (
                asked(Extent::Touching(vec![0]), false),
                vec![(Tcp, 0x400, 0, false)],
            ),
            (
                asked(Extent::Touching(vec![80; 65]), false),
                vec![(Tcp, 0xffe, 0, false), (Udp, 0xffe, 0, false)],
            ),
            (asked(Extent::Standing, false), vec![(Tcp, 0x400, 0, false)]),
            (asked(Extent::Standing, true), vec![(Tcp, 0x2400, 0, false)]),
        ];
        for (asked, expected) in cases {
            assert_eq!(asked, expected);
        }
    }

    #[test]
    fn a_state_that_was_not_asked_for_is_known() {
        let bound = States::BOUND.told();
        assert_eq!(
            [1, 3, 7, 10, 12, 13, 200].map(|state| bound.have(state)),
            [false, false, true, false, false, true, false]
        );
        assert_eq!(
            [3, 12, 13].map(|state| States::ALL.told().have(state)),
            [true, true, false]
        );
    }
}
