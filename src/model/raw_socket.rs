//! What a source of sockets saw of one socket in one look, before anything is known of its owners.
//!
//! The sampler keeps one for every socket of the machine, so it is small: no names, no allocation, sentinels instead of
//! options, IPv4 addresses in their v4-mapped form (RFC 4291, section 2.5.5.2).

use crate::model::address::Family;
use crate::model::endpoint::{EndpointId, Protocol, State, covers, holds_port};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

/// An address and a port; IPv4, v4-mapped or not, in the v4-mapped form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompactAddr {
    ip: [u8; 16],
    port: u16,
}

impl CompactAddr {
    /// No other end.
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

    /// The address with an IPv6 scope id (RFC 4007); a v4-mapped one as IPv4.
    pub fn address(self, scope: u32) -> SocketAddr {
        let ip = Ipv6Addr::from(self.ip);
        match ip.to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(IpAddr::V4(v4), self.port),
            None => SocketAddr::V6(SocketAddrV6::new(ip, self.port, 0, scope)),
        }
    }

    /// Whether it is an address that something can be sent to.
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

/// What waits at a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketQueue {
    /// Of a listener the connections that wait to be accepted, of others the bytes that wait to be read.
    pub incoming: u32,
    /// Of a listener how many connections may wait (its backlog), of others the bytes sent and not yet acknowledged.
    pub outgoing: u32,
}

impl SocketQueue {
    /// Where the source does not tell.
    pub const UNKNOWN: Self = Self {
        incoming: u32::MAX,
        outgoing: u32::MAX,
    };

    /// What stands in its place in TIME_WAIT, which has none: so many milliseconds, for [`RawSocket::time_wait_left`].
    pub const fn for_time_wait(milliseconds: u32) -> Self {
        Self {
            incoming: 0,
            outgoing: milliseconds,
        }
    }
}

/// One socket as one look saw it.
#[derive(Clone, Copy, Debug, Eq)]
pub struct RawSocket {
    /// The halves of the kernel's 64-bit socket cookie, the low one first; both 0 where the source knows none.
    pub cookie: [u32; 2],
    pub protocol: Protocol,
    /// The table it stands in: a v4-mapped socket comes, and goes, with the IPv6 table.
    pub table: Family,
    pub state: Option<State>,
    /// Whether a socket on `::` leaves IPv4 alone; `None` where the source cannot tell.
    pub only_v6: Option<bool>,
    pub local: CompactAddr,
    /// [`CompactAddr::NONE`] where there is no other end.
    pub remote: CompactAddr,
    /// The interface of link-local addresses, else 0.
    pub scope: u32,
    /// On Linux the inode, 0 once or while no process has the socket; elsewhere the pid of the holder, 0 for none.
    pub owner_hint: u32,
    /// The user; [`NO_USER`](Self::NO_USER) where the source does not tell. On Linux 0 where there is no owner.
    pub uid: u32,
    /// What waits at it, or how long TIME_WAIT lasts: to be read by [`queue`](Self::queue) and [`time_wait_left`](Self::time_wait_left).
    pub queue: SocketQueue,
}

/// Two are equal if a socket has not changed from one to the other: that a TIME_WAIT is closer to its end is no change,
/// or thousands of them would be rewritten and told of with every look.
impl PartialEq for RawSocket {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let Self {
            cookie,
            protocol,
            table,
            state,
            only_v6,
            local,
            remote,
            scope,
            owner_hint,
            uid,
            queue,
        } = self;
        *cookie == other.cookie
            && *protocol == other.protocol
            && *table == other.table
            && *state == other.state
            && *only_v6 == other.only_v6
            && *local == other.local
            && *remote == other.remote
            && *scope == other.scope
            && *owner_hint == other.owner_hint
            && *uid == other.uid
            && (*queue == other.queue || *state == Some(State::TimeWait))
    }
}

impl RawSocket {
    /// `(uid_t) -1`, which chown(2) keeps from being a user.
    pub const NO_USER: u32 = u32::MAX;

    pub fn has_cookie(&self) -> bool {
        self.cookie != [0, 0]
    }

    /// The kernel's 64-bit socket cookie, 0 where the source knows none.
    pub fn cookie(&self) -> u64 {
        let [low, high] = self.cookie.map(u64::from);
        high << 32 | low
    }

    /// What waits at it; `None` where the source does not tell, and in TIME_WAIT, at which nothing waits.
    pub fn queue(&self) -> Option<SocketQueue> {
        let has_queue = self.state != Some(State::TimeWait) && self.queue != SocketQueue::UNKNOWN;
        has_queue.then_some(self.queue)
    }

    /// For how long after the look the kernel keeps it in TIME_WAIT; `None` in every other state, and where the source does
    /// not tell.
    pub fn time_wait_left(&self) -> Option<Duration> {
        let lasts = self.state == Some(State::TimeWait) && self.queue != SocketQueue::UNKNOWN;
        lasts.then(|| Duration::from_millis(self.queue.outgoing.into()))
    }

    /// Whether it holds a port for itself: listening, bound, or UDP without a remote end.
    pub fn holds_port(&self) -> bool {
        holds_port(self.state, self.remote.is_some())
    }

    /// Whether a client that connects to `to` reaches this listening socket.
    pub fn accepts_on(&self, to: SocketAddr) -> bool {
        self.state == Some(State::Listen) && covers(self.local(), self.only_v6, to)
    }

    pub fn local(&self) -> SocketAddr {
        self.local.address(self.scope)
    }

    pub fn remote(&self) -> Option<SocketAddr> {
        self.remote
            .is_some()
            .then(|| self.remote.address(self.scope))
    }

    /// The identity; `ordinal` counts the sockets that nothing else tells apart.
    pub fn id(&self, ordinal: u32) -> EndpointId {
        let (protocol, local) = (self.protocol, self.local());
        if self.has_cookie() {
            return EndpointId::Cookie(self.cookie());
        }
        match self.remote() {
            Some(remote) => EndpointId::Connection {
                protocol,
                local,
                remote,
            },
            None => EndpointId::Unconnected {
                protocol,
                local,
                owner_hint: self.owner_hint.into(),
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
            waits(SocketQueue::for_time_wait(60_000)),
            waits(SocketQueue::for_time_wait(59_000)),
        );
        let other = |queue| seen(State::CloseWait, queue);
        let told = [
            early,
            waits(SocketQueue::UNKNOWN),
            other(SocketQueue::for_time_wait(7)),
            other(SocketQueue::UNKNOWN),
        ]
        .map(|one| (one.time_wait_left(), one.queue()));
        let expected = [
            (Some(Duration::from_mins(1)), None),
            (None, None),
            (None, Some(SocketQueue::for_time_wait(7))),
            (None, None),
        ];
        assert_eq!(told, expected);
        assert_eq!(early, late);
        assert_ne!(
            other(SocketQueue::for_time_wait(7)),
            other(SocketQueue::for_time_wait(8))
        );
        assert_ne!(early, RawSocket { uid: 7, ..early });
    }

    /// The memory of a machine with 100,000 sockets hangs on it.
    #[test]
    fn a_raw_socket_stays_small() {
        assert_eq!(size_of::<RawSocket>(), 68);
    }
}
