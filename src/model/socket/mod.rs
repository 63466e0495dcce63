//! A socket: protocol, state, addresses, queue, identity and owners; as a source reports it, and as an endpoint over time.

mod address;
mod endpoint;
mod interface;
mod kernel_services;
mod owners;
mod raw_socket;
mod state;
mod stats;
mod time_wait;

pub use address::{Family, Reach, address, covers, family, is_loopback, needs_scope};
pub use endpoint::{Age, AgeBound, Endpoint, Relation, Since, SocketRole};
pub use interface::{Interface, InterfaceName};
pub use kernel_services::{KernelEvidence, KernelServices};
pub use owners::{NotFound, NotFoundCause, NotFoundCounts, Owners};
pub use raw_socket::{CompactAddr, RawSocket, SocketSource};
pub use state::{State, holds_port};
pub use stats::{ByteRates, Focus, ProcessUsage, SocketCounters, SocketStats, TcpCounters};
pub use time_wait::TimeWaitLeft;

use crate::model::text::SystemText;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    pub fn named(name: &str) -> Option<Self> {
        let is_named = |one: &Self| one.name().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(is_named)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a socket source reports about the owner: on Linux the inode of the socket, elsewhere the pid of the owner. Enough to
/// find the owner, and it takes 4 bytes even in an `Option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerHint(pub NonZeroU32);

impl OwnerHint {
    /// Returns the hint with this number; `None` for 0, which means that no process has the socket.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }
}

/// Identity of a socket across polls, whatever its state and, on Linux, whoever owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointId {
    /// The 64-bit socket cookie of the Linux kernel.
    Cookie(u64),
    /// A socket with a remote end, by both ends: its inode becomes 0 in TIME_WAIT.
    Connection {
        protocol: Protocol,
        local: SocketAddr,
        remote: SocketAddr,
        /// 0 if it is bound to none.
        interface: u32,
    },
    /// A socket without a remote end; `ordinal` numbers those that are otherwise equal.
    Unconnected {
        protocol: Protocol,
        local: SocketAddr,
        interface: u32,
        owner_hint: Option<OwnerHint>,
        ordinal: u32,
    },
}

/// Queue lengths of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketQueue {
    /// Listener: connections waiting to be accepted. Otherwise: bytes waiting to be read.
    pub incoming: u32,
    /// Listener: the backlog limit. Otherwise: bytes sent and not yet acknowledged.
    pub outgoing: u32,
}

impl SocketQueue {
    /// The source does not report queues.
    pub const UNKNOWN: Self = Self {
        incoming: u32::MAX,
        outgoing: u32::MAX,
    };
}

/// Queue of a socket, or the end of its TIME_WAIT. No socket has both, and one field takes less memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueOrTimer {
    /// The source does not report it.
    Unknown,
    Queue(SocketQueue),
    /// When the kernel ends the TIME_WAIT, unless the other end restarts it.
    TimeWaitUntil(Instant),
}

/// A socket with its owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    pub id: EndpointId,
    pub protocol: Protocol,
    /// Table it was read from. A v4-mapped socket is shown as IPv4 but belongs to the IPv6 table.
    pub table: Family,
    /// A v4-mapped address is IPv4 here: see [`CompactAddr::address`].
    pub local: SocketAddr,
    pub remote: Option<SocketAddr>,
    /// The interface that it is bound to; `None` for any, and where the source does not report it.
    pub interface: Option<Arc<Interface>>,
    /// `None` where the source does not report it, such as netstat2 for UDP.
    pub state: Option<State>,
    /// True if a socket on `::` does not take IPv4; `None` if the source does not report it.
    pub v6only: Option<bool>,
    /// User of the socket. `None` if unknown, and for TIME_WAIT and SYN_RECV (the kernel reports 0).
    pub uid: Option<u32>,
    pub user: Option<SystemText>,
    pub owners: Owners,
    pub queue_or_timer: QueueOrTimer,
}

impl Socket {
    /// Queue lengths; `None` in TIME_WAIT and if the source does not report them.
    pub fn queue(&self) -> Option<SocketQueue> {
        match self.queue_or_timer {
            QueueOrTimer::Queue(queue) => Some(queue),
            QueueOrTimer::Unknown | QueueOrTimer::TimeWaitUntil(_) => None,
        }
    }

    /// End of the TIME_WAIT; `None` in other states and if the source does not report it.
    pub fn time_wait_until(&self) -> Option<Instant> {
        match self.queue_or_timer {
            QueueOrTimer::TimeWaitUntil(end) => Some(end),
            QueueOrTimer::Unknown | QueueOrTimer::Queue(_) => None,
        }
    }

    pub fn port(&self) -> u16 {
        self.local.port()
    }

    pub fn family(&self) -> Family {
        family(self.local.ip())
    }

    /// True if it is listening, bound, or UDP without a remote end.
    pub fn holds_port(&self) -> bool {
        holds_port(self.state, self.remote.is_some())
    }

    /// True if its remote end is itself (RFC 9293, section 3.5, simultaneous open). Then no other end keeps its port.
    pub fn is_connected_to_itself(&self) -> bool {
        self.remote == Some(self.local)
    }

    /// True if its port is free once its owners have ended: it holds the port, or is connected to itself.
    pub fn is_freed_with_owners(&self) -> bool {
        self.holds_port() || self.is_connected_to_itself() && self.owners != Owners::NoProcess
    }

    /// True if the kernel counts its traffic: it does not for sockets that it keeps without a process.
    pub fn counts_traffic(&self) -> bool {
        self.protocol == Protocol::Tcp
            && self.remote.is_some()
            && !matches!(self.state, Some(State::TimeWait | State::SynRecv))
    }

    pub fn is_listening(&self) -> bool {
        self.state == Some(State::Listen)
    }
}
