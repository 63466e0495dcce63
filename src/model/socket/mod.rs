//! A socket: protocol, state, addresses, queue, identity and owners; as a source reports it, and as an endpoint over time.

mod address;
mod endpoint;
mod owners;
mod raw_socket;
mod stats;
mod time_wait;

pub use address::{Family, Reach, address, family, is_loopback};
pub use endpoint::{Age, AgeBound, Endpoint, Relation, Since, SocketRole};
pub use owners::{NotFound, NotFoundCause, Owners};
pub use raw_socket::{CompactAddr, RawSocket, SocketSource};
pub use stats::{ByteRates, Focus, ProcessUsage, SocketCounters, SocketStats, TcpCounters};
pub use time_wait::TimeWaitLeft;

use crate::model::text::SystemText;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Udp];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
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

/// State of a TCP socket (RFC 9293, section 3.3.2), or what UDP and bound sockets have instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Listen,
    Established,
    SynSent,
    SynRecv,
    FinWait1,
    FinWait2,
    TimeWait,
    CloseWait,
    LastAck,
    Closing,
    Closed,
    /// TCP: bound to a port, neither listening nor connected.
    Bound,
    /// UDP without a remote end.
    Unconn,
}

impl State {
    pub const ALL: [Self; 13] = [
        Self::Listen,
        Self::Established,
        Self::SynSent,
        Self::SynRecv,
        Self::FinWait1,
        Self::FinWait2,
        Self::TimeWait,
        Self::CloseWait,
        Self::LastAck,
        Self::Closing,
        Self::Closed,
        Self::Bound,
        Self::Unconn,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Listen => "LISTEN",
            Self::Established => "ESTABLISHED",
            Self::SynSent => "SYN_SENT",
            Self::SynRecv => "SYN_RECV",
            Self::FinWait1 => "FIN_WAIT1",
            Self::FinWait2 => "FIN_WAIT2",
            Self::TimeWait => "TIME_WAIT",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::Closing => "CLOSING",
            Self::Closed => "CLOSED",
            Self::Bound => "BOUND",
            Self::Unconn => "UNCONN",
        }
    }
}

impl Display for State {
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
    },
    /// A socket without a remote end; `ordinal` numbers those that are otherwise equal.
    Unconnected {
        protocol: Protocol,
        local: SocketAddr,
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

    /// True if the kernel counts its traffic: it does not for sockets that it keeps without a process.
    pub fn counts_traffic(&self) -> bool {
        self.protocol == Protocol::Tcp
            && self.remote.is_some()
            && !matches!(self.state, Some(State::TimeWait | State::SynRecv))
    }

    pub fn is_listening(&self) -> bool {
        self.state == Some(State::Listen)
    }

    pub fn reach(&self) -> Reach {
        Reach::of(self.local.ip())
    }

    /// True if other machines can reach it.
    pub fn is_exposed(&self) -> bool {
        self.holds_port() && self.reach() != Reach::Loopback
    }

    /// True if it takes IPv6 and IPv4 on all addresses, written `*`.
    pub fn is_dual_stack(&self) -> bool {
        self.v6only == Some(false) && self.local.is_ipv6() && self.local.ip().is_unspecified()
    }

    /// The local address as shown: `*` for a dual-stack socket on all addresses.
    pub fn local_address(&self) -> String {
        if self.is_dual_stack() {
            "*".to_owned()
        } else {
            address(self.local)
        }
    }

    /// True if a client that connects to `to` reaches this listener.
    pub fn accepts_on(&self, to: SocketAddr) -> bool {
        self.is_listening() && covers(self.local, self.v6only, to)
    }
}

/// True if a socket in this state is listening, bound, or UDP without a remote end.
pub fn holds_port(state: Option<State>, has_remote: bool) -> bool {
    match state {
        Some(State::Listen | State::Bound | State::Unconn) => true,
        Some(_) => false,
        None => !has_remote,
    }
}

/// True if what is sent to `to` arrives at a socket on `local`; `::` takes IPv4 unless `IPV6_V6ONLY` is set.
pub fn covers(local: SocketAddr, v6only: Option<bool>, to: SocketAddr) -> bool {
    let own = local.ip();
    let takes_family = own.is_ipv6() == to.is_ipv6() || own.is_ipv6() && v6only != Some(true);
    local.port() == to.port() && (own == to.ip() || own.is_unspecified() && takes_family)
}

#[cfg(test)]
mod tests {
    use crate::model::testing::socket;

    #[test]
    fn an_ipv6_wildcard_listener_takes_ipv4_unless_v6only() {
        let cases = [
            ("0.0.0.0:80", None, "127.0.0.1:80", true),
            ("0.0.0.0:80", None, "[::1]:80", false),
            ("[::]:80", None, "127.0.0.1:80", true),
            ("[::]:80", Some(true), "127.0.0.1:80", false),
            ("127.0.0.1:80", None, "127.0.0.2:80", false),
            ("127.0.0.1:80", None, "127.0.0.1:81", false),
        ];
        for (listener, v6only, to, accepted) in cases {
            let mut listener = socket(listener).build();
            listener.v6only = v6only;
            let to = to.parse().expect("an address");
            assert_eq!(listener.accepts_on(to), accepted, "{listener:?} {to}");
        }
    }

    #[test]
    fn only_sockets_beyond_loopback_are_exposed() {
        let exposed = [
            socket("0.0.0.0:80"),
            socket("[::1]:80"),
            socket("10.0.0.1:80").to("10.0.0.1:5000"),
        ]
        .map(|socket| socket.build().is_exposed());
        assert_eq!(exposed, [true, false, false]);
    }
}
