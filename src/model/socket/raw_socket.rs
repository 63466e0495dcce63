//! A socket as a socket source reports it, before its owners are known.
//!
//! One is kept for every socket of the machine, so it is small: no names, no allocation, sentinels instead of most options,
//! IPv4 addresses in v4-mapped form (RFC 4291, section 2.5.5.2).

use super::{
    EndpointId, Family, OwnerHint, Protocol, SocketQueue, State, covers, holds_port, needs_scope,
};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

/// A source of the socket tables. Not every system has each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketSource {
    /// The kernel by netlink (sock_diag(7)).
    Diag,
    /// The netstat2 crate, on every system.
    Netstat,
    /// `/proc/net` (proc_net(5)).
    Procnet,
}

/// An address and a port; IPv4, v4-mapped or not, in the v4-mapped form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompactAddr {
    ip: [u8; 16],
    port: u16,
}

impl CompactAddr {
    /// No remote end.
    pub const NONE: Self = Self {
        ip: [0; 16],
        port: 0,
    };

    pub const fn v6(ip: [u8; 16], port: u16) -> Self {
        Self { ip, port }
    }

    pub const fn v4(ip: [u8; 4], port: u16) -> Self {
        let [a, b, c, d] = ip;
        Self::v6([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d], port)
    }

    pub const fn port(self) -> u16 {
        self.port
    }

    /// Returns the address, with this interface as its scope if it needs one (RFC 4007); a v4-mapped one as the IPv4
    /// address that it stands for.
    pub fn address(self, interface: u32) -> SocketAddr {
        match Ipv6Addr::from(self.ip).to_canonical() {
            IpAddr::V4(v4) => SocketAddr::from((v4, self.port)),
            IpAddr::V6(v6) => {
                let scope = if needs_scope(v6) { interface } else { 0 };
                SocketAddrV6::new(v6, self.port, 0, scope).into()
            }
        }
    }

    /// The address, or [`NONE`](Self::NONE) if nothing can be sent to it.
    pub fn or_none(self) -> Self {
        if self.is_some() { self } else { Self::NONE }
    }

    /// True if something can be sent to it.
    pub fn is_some(self) -> bool {
        let v4_wildcard = Self::v4([0; 4], self.port);
        self.port != 0 && self.ip != Self::NONE.ip && self != v4_wildcard
    }
}

impl From<SocketAddr> for CompactAddr {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::v4(v4.ip().octets(), v4.port()),
            SocketAddr::V6(v6) => Self::v6(v6.ip().octets(), v6.port()),
        }
    }
}

impl fmt::Debug for CompactAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address(0).fmt(f)
    }
}

/// One socket in one poll.
#[derive(Clone, Copy, Debug, Eq)]
pub struct RawSocket {
    /// Halves of the kernel's 64-bit socket cookie, the low one first; both 0 if the source reports none.
    pub cookie: [u32; 2],
    pub protocol: Protocol,
    /// Table it was read from: a v4-mapped socket belongs to the IPv6 table.
    pub table: Family,
    pub state: Option<State>,
    /// True if a socket on `::` does not take IPv4; `None` if the source does not report it.
    pub v6only: Option<bool>,
    pub local: CompactAddr,
    /// [`CompactAddr::NONE`] without a remote end.
    pub remote: CompactAddr,
    /// Index of the interface that it is bound to, by SO_BINDTODEVICE or a link-local address; 0 for none.
    pub interface: u32,
    /// `None` if no process has the socket.
    pub owner_hint: Option<OwnerHint>,
    /// User of the socket; [`NO_USER`](Self::NO_USER) if not reported. On Linux 0 if no process has it.
    pub uid: u32,
    /// Read it by [`queue`](Self::queue) and [`time_wait_left`](Self::time_wait_left).
    pub queue: SocketQueue,
}

/// Ignores the time left in TIME_WAIT: otherwise thousands of sockets would change with every poll.
impl PartialEq for RawSocket {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let Self {
            cookie,
            protocol,
            table,
            state,
            v6only,
            local,
            remote,
            interface,
            owner_hint,
            uid,
            queue,
        } = self;
        *cookie == other.cookie
            && *protocol == other.protocol
            && *table == other.table
            && *state == other.state
            && *v6only == other.v6only
            && *local == other.local
            && *remote == other.remote
            && *interface == other.interface
            && *owner_hint == other.owner_hint
            && *uid == other.uid
            && (*queue == other.queue || *state == Some(State::TimeWait))
    }
}

impl RawSocket {
    /// `(uid_t) -1`, which chown(2) reserves.
    pub const NO_USER: u32 = u32::MAX;

    /// Value of `queue` in TIME_WAIT, in which a socket has no queue but this much time left.
    pub const fn time_wait_queue(milliseconds: u32) -> SocketQueue {
        SocketQueue {
            incoming: 0,
            outgoing: milliseconds,
        }
    }

    pub fn has_cookie(&self) -> bool {
        self.cookie != [0, 0]
    }

    /// The kernel's 64-bit socket cookie, 0 if the source reports none.
    pub fn cookie(&self) -> u64 {
        let [low, high] = self.cookie.map(u64::from);
        high << 32 | low
    }

    /// Queue lengths; `None` in TIME_WAIT and if the source does not report them.
    pub fn queue(&self) -> Option<SocketQueue> {
        let has_queue = self.state != Some(State::TimeWait) && self.queue != SocketQueue::UNKNOWN;
        has_queue.then_some(self.queue)
    }

    /// Time left in TIME_WAIT at the poll; `None` in other states and if the source does not report it.
    pub fn time_wait_left(&self) -> Option<Duration> {
        let has_timer = self.state == Some(State::TimeWait) && self.queue != SocketQueue::UNKNOWN;
        has_timer.then(|| Duration::from_millis(self.queue.outgoing.into()))
    }

    /// True if it is listening, bound, or UDP without a remote end.
    pub fn holds_port(&self) -> bool {
        holds_port(self.state, self.remote.is_some())
    }

    /// True if a client that connects to `to` reaches this listener.
    pub fn accepts_on(&self, to: SocketAddr) -> bool {
        self.state == Some(State::Listen) && covers(self.local(), self.v6only, to)
    }

    pub fn local(&self) -> SocketAddr {
        self.local.address(self.interface)
    }

    pub fn remote(&self) -> Option<SocketAddr> {
        let remote = self.remote;
        remote.is_some().then(|| remote.address(self.interface))
    }

    /// Identity; `ordinal` numbers the sockets that are otherwise equal.
    pub fn id(&self, ordinal: u32) -> EndpointId {
        let (protocol, local, interface) = (self.protocol, self.local(), self.interface);
        if self.has_cookie() {
            return EndpointId::Cookie(self.cookie());
        }
        match self.remote() {
            Some(remote) => EndpointId::Connection {
                protocol,
                local,
                remote,
                interface,
            },
            None => EndpointId::Unconnected {
                protocol,
                local,
                interface,
                owner_hint: self.owner_hint,
                ordinal,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{raw_socket, socket};

    #[test]
    fn mapped_addresses_become_ipv4_and_ipv6_scopes_are_kept() {
        let cases = [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::ffff:10.0.0.1]:80", "10.0.0.1:80"),
            ("[::]:80", "[::]:80"),
            ("[fe80::1%3]:80", "[fe80::1%3]:80"),
        ];
        for (from, expected) in cases {
            let from: SocketAddr = from.parse().expect("an address");
            let scope = match from {
                SocketAddr::V4(_) => 0,
                SocketAddr::V6(v6) => v6.scope_id(),
            };
            assert_eq!(CompactAddr::from(from).address(scope).to_string(), expected);
        }
    }

    #[test]
    fn a_wildcard_or_port_0_is_not_a_remote_address() {
        let is_some = ["0.0.0.0:80", "[::]:80", "127.0.0.1:0", "127.0.0.1:80"].map(|end| {
            let end: SocketAddr = end.parse().expect("an address");
            CompactAddr::from(end).is_some()
        });
        assert_eq!(is_some, [false, false, false, true]);
    }

    #[test]
    fn time_left_in_time_wait_does_not_count_as_a_change() {
        let seen = |state, queue| {
            let remote = "127.0.0.1:81";
            let connection = socket("127.0.0.1:80").to(remote).state(state).build();
            RawSocket {
                queue,
                ..raw_socket(&connection)
            }
        };
        let waits = |queue| seen(State::TimeWait, queue);
        let (early, late) = (
            waits(RawSocket::time_wait_queue(60_000)),
            waits(RawSocket::time_wait_queue(59_000)),
        );
        let other = |queue| seen(State::CloseWait, queue);
        let told = [
            early,
            waits(SocketQueue::UNKNOWN),
            other(RawSocket::time_wait_queue(7)),
            other(SocketQueue::UNKNOWN),
        ]
        .map(|one| (one.time_wait_left(), one.queue()));
        let expected = [
            (Some(Duration::from_mins(1)), None),
            (None, None),
            (None, Some(RawSocket::time_wait_queue(7))),
            (None, None),
        ];
        assert_eq!(told, expected);
        assert_eq!(early, late);
        assert_ne!(
            other(RawSocket::time_wait_queue(7)),
            other(RawSocket::time_wait_queue(8))
        );
        assert_ne!(early, RawSocket { uid: 7, ..early });
    }

    /// A machine may have 100,000 of them.
    #[test]
    fn a_raw_socket_stays_small() {
        assert_eq!(size_of::<RawSocket>(), 68);
    }
}
