//! An endpoint: one socket of this machine, its addresses, its state, its owners and how it relates to others.

use crate::model::address::{Family, Reach, address, family};
use crate::model::process::Process;
use crate::model::raw_socket::SocketQueue;
use crate::model::text::SystemText;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
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

/// The states of a TCP socket (RFC 9293, section 3.3.2), and what UDP and merely bound sockets have instead.
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

/// What makes a socket that socket across samples, whatever its state and, on Linux, whoever owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointId {
    /// The 64-bit socket cookie of the Linux kernel (`INET_DIAG_NOCOOKIE` in `inet_diag.h` is its absence).
    Cookie(u64),
    /// A socket with a remote end, by both ends: its inode turns 0 in TIME_WAIT.
    Connection {
        protocol: Protocol,
        local: SocketAddr,
        remote: SocketAddr,
    },
    /// A socket without a remote end. `owner_hint` is the inode on Linux and the owner's pid elsewhere, `ordinal` counts
    /// the equals.
    Unconnected {
        protocol: Protocol,
        local: SocketAddr,
        owner_hint: u64,
        ordinal: u32,
    },
}

/// Who holds a socket, as far as it may be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owners {
    /// They are still being looked for.
    Pending,
    /// At least one process, the topmost first. Shared by all sockets with the same holders.
    Known(Arc<[Arc<Process>]>),
    /// There is an owner that may not be seen.
    NoPermission,
    /// No process has it: what the kernel keeps after or before one (TIME_WAIT, SYN_RECV).
    NoProcess,
}

impl Owners {
    pub fn known(&self) -> &[Arc<Process>] {
        match self {
            Self::Known(processes) => processes,
            Self::Pending | Self::NoPermission | Self::NoProcess => &[],
        }
    }

    /// The topmost holder: the one that is shown for all.
    pub fn first(&self) -> Option<&Arc<Process>> {
        self.known().first()
    }
}

/// A socket as a source of sockets reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    pub id: EndpointId,
    pub protocol: Protocol,
    /// The table it stands in. A v4-mapped socket is shown as IPv4 but comes, and goes, with the IPv6 table.
    pub table: Family,
    /// v4-mapped addresses are IPv4 here: see [`canonical`](crate::model::address::canonical).
    pub local: SocketAddr,
    pub remote: Option<SocketAddr>,
    /// `None` where the source cannot tell, as netstat2 cannot for UDP.
    pub state: Option<State>,
    /// Whether a socket on `::` leaves IPv4 alone; `None` where the source cannot tell.
    pub only_v6: Option<bool>,
    /// The user of the socket; `None` where unknown. TIME_WAIT and SYN_RECV have none (the kernel says 0).
    pub uid: Option<u32>,
    pub user: Option<SystemText>,
    pub owners: Owners,
    pub queue_or_timer: QueueOrTimer,
}

/// What waits at a socket, or until when it waits itself: no socket has both, and in one place they take less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueOrTimer {
    /// The source does not tell.
    Unknown,
    Queue(SocketQueue),
    /// About then the kernel ends its TIME_WAIT, unless the other end makes it begin anew.
    TimeWaitUntil(Instant),
}

impl Socket {
    /// What waits at it; `None` where the source does not tell, and in TIME_WAIT.
    pub fn queue(&self) -> Option<SocketQueue> {
        match self.queue_or_timer {
            QueueOrTimer::Queue(queue) => Some(queue),
            QueueOrTimer::Unknown | QueueOrTimer::TimeWaitUntil(_) => None,
        }
    }

    /// When its TIME_WAIT ends; `None` in every other state, and where the source does not tell.
    pub fn ends_at(&self) -> Option<Instant> {
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

    /// Listening, bound, or UDP without a remote end: what holds a port for itself.
    pub fn holds_port(&self) -> bool {
        holds_port(self.state, self.remote.is_some())
    }

    pub fn is_listening(&self) -> bool {
        self.state == Some(State::Listen)
    }

    pub fn reach(&self) -> Reach {
        Reach::of(self.local.ip())
    }

    /// Whether others than this machine can reach it.
    pub fn is_exposed(&self) -> bool {
        self.holds_port() && self.reach() != Reach::Loopback
    }

    /// Whether it is one socket for IPv6 and IPv4 on all addresses, written `*`.
    pub fn is_dual_stack(&self) -> bool {
        self.only_v6 == Some(false) && self.local.is_ipv6() && self.local.ip().is_unspecified()
    }

    /// The local address as it is written: `*` for a socket on all addresses of both families.
    pub fn local_address(&self) -> String {
        if self.is_dual_stack() {
            "*".to_owned()
        } else {
            address(self.local)
        }
    }

    /// Whether a client that connects to `to` reaches this listening socket.
    pub fn accepts_on(&self, to: SocketAddr) -> bool {
        self.is_listening() && covers(self.local, self.only_v6, to)
    }
}

/// Whether a socket in this state holds a port for itself: listening, bound, or UDP without a remote end.
pub fn holds_port(state: Option<State>, has_remote: bool) -> bool {
    match state {
        Some(State::Listen | State::Bound | State::Unconn) => true,
        Some(_) => false,
        None => !has_remote,
    }
}

/// Whether what is sent to `to` arrives at a socket on `local`; `::` takes IPv4 too unless it says no.
pub fn covers(local: SocketAddr, only_v6: Option<bool>, to: SocketAddr) -> bool {
    let own = local.ip();
    let takes_family = own.is_ipv6() == to.is_ipv6() || own.is_ipv6() && only_v6 != Some(true);
    local.port() == to.port() && (own == to.ip() || own.is_unspecified() && takes_family)
}

/// An endpoint: a socket and what following it over time and beside the others has taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub socket: Socket,
    pub since: Since,
    /// When it was first seen in the state it has.
    pub state_since: Instant,
    pub relation: Relation,
}

impl Endpoint {
    pub fn id(&self) -> EndpointId {
        self.socket.id
    }
}

/// Since when a socket has been there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It was seen to open: absent in one sample, there in the next.
    Opened(Instant),
    /// It stood in the first sample; its age is only bounded.
    Before(Instant),
}

/// What a socket is to the other sockets of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub role: SocketRole,
    /// Whether it belongs to the local scope: standing, or both ends here, or accepted by a listener of this machine.
    pub is_local: bool,
    /// The process at the other end, when it is on this machine and may be seen.
    pub peer: Option<Arc<Process>>,
    /// Whether another process holds the same port number on another local address.
    pub shares_port: bool,
}

/// Which part an endpoint plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketRole {
    /// It holds its port: listening, bound, or UDP without a remote end.
    Unconnected,
    /// A connection that a listener of this machine accepted.
    Server,
    /// A connection that was opened from here.
    Client,
    /// A connection whose listener is gone: nothing tells the sides apart any more.
    Unknown,
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
        for (listener, only_v6, to, accepted) in cases {
            let mut listener = socket(listener).build();
            listener.only_v6 = only_v6;
            assert_eq!(
                listener.accepts_on(to.parse().expect("an address")),
                accepted,
                "{listener:?} {to}"
            );
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
