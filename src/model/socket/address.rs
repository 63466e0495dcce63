//! Addresses: their families, how far they reach and how they are written.

use super::{InterfaceName, Protocol, Socket};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    Ipv4,
    Ipv6,
}

/// How far a local address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// 127.0.0.0/8 and ::1 (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3).
    Loopback,
    /// 0.0.0.0 or `::`: every address of the machine.
    Wildcard,
    /// One address of the machine that is not loopback.
    Address,
}

impl Reach {
    pub fn of(ip: IpAddr) -> Self {
        if is_loopback(ip) {
            Self::Loopback
        } else if ip.is_unspecified() {
            Self::Wildcard
        } else {
            Self::Address
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Wildcard => "wildcard",
            Self::Address => "address",
        }
    }
}

pub fn family(ip: IpAddr) -> Family {
    if ip.is_ipv4() {
        Family::Ipv4
    } else {
        Family::Ipv6
    }
}

/// 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104.
pub fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// True for fe80::/10 and interface-local or link-local multicast (RFC 4007, section 6; `__ipv6_addr_needs_scope_id` in
/// include/net/ipv6.h).
pub fn needs_scope(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.octets();
    ip.is_unicast_link_local() || first == 0xff && matches!(second & 0xf, 1 | 2)
}

/// The address without its port, with the scope of a link-local one: `127.0.0.1`, `::1`, `fe80::1%2`.
pub fn address(of: SocketAddr) -> String {
    match of {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
        _ => of.ip().to_string(),
    }
}

impl Socket {
    /// Where it is: what two sockets cannot share, but for SO_REUSEPORT. The interface is 0 for none.
    pub fn place(&self) -> (Protocol, SocketAddr, u32) {
        let interface = self.interface.as_ref().map_or(0, |one| one.index);
        (self.protocol, self.local, interface)
    }

    /// How far it reaches. The loopback interface is reached from this machine alone, and what is bound to another one
    /// is not reached on every address.
    pub fn reach(&self) -> Reach {
        match (Reach::of(self.local.ip()), &self.interface) {
            (_, Some(interface)) if interface.is_loopback => Reach::Loopback,
            (Reach::Wildcard, Some(_)) => Reach::Address,
            (reach, _) => reach,
        }
    }

    /// True if other machines can reach it.
    pub fn is_exposed(&self) -> bool {
        self.holds_port() && self.reach() != Reach::Loopback
    }

    /// True if it takes IPv6 and IPv4 on all addresses, written `*`.
    pub fn is_dual_stack(&self) -> bool {
        self.v6only == Some(false) && self.local.is_ipv6() && self.local.ip().is_unspecified()
    }

    /// The local address as shown: `*` for a dual-stack socket on all addresses, and with its interface `0.0.0.0%lo`.
    pub fn local_address(&self) -> String {
        if self.is_dual_stack() {
            format!("*{}", self.suffix())
        } else {
            format!("{}{}", self.local.ip(), self.suffix())
        }
    }

    /// The local address and port as shown: `[fe80::1%eth0]:80`, `0.0.0.0%lo:53`.
    pub fn local_end(&self) -> String {
        let (address, port) = (self.local_address(), self.port());
        if self.local.is_ipv6() && !self.is_dual_stack() {
            format!("[{address}]:{port}")
        } else {
            format!("{address}:{port}")
        }
    }

    /// The remote address as shown, with the scope of a link-local one.
    pub fn remote_address(&self) -> Option<String> {
        let remote = self.remote?;
        match (remote.ip(), &self.interface) {
            (IpAddr::V6(v6), Some(_)) if needs_scope(v6) => Some(format!("{v6}{}", self.suffix())),
            _ => Some(address(remote)),
        }
    }

    /// The remote address and port as shown.
    pub fn remote_end(&self) -> Option<String> {
        let (address, port) = (self.remote_address()?, self.remote?.port());
        Some(if self.remote?.is_ipv6() {
            format!("[{address}]:{port}")
        } else {
            format!("{address}:{port}")
        })
    }

    /// The interface after the address: `%lo`.
    fn suffix(&self) -> String {
        let interface = self.interface.as_ref();
        interface.map_or_else(String::new, |interface| format!("%{interface}"))
    }

    pub fn is_on_interface(&self, name: InterfaceName) -> bool {
        let interface = self.interface.as_ref();
        interface.is_some_and(|interface| interface.is_named(name))
    }

    /// True if what is sent to this address arrives at it, on an interface that it receives from.
    pub fn covers(&self, ip: IpAddr) -> bool {
        covers(self.local, self.v6only, SocketAddr::new(ip, self.port()))
    }

    /// True if what a program on this machine sends to this address arrives at it.
    pub fn receives(&self, ip: IpAddr) -> bool {
        let interface = self.interface.as_ref();
        self.covers(ip) && interface.is_none_or(|interface| interface.receives(ip))
    }

    /// True if a client on this machine that connects to `to` reaches this listener.
    pub fn accepts_on(&self, to: SocketAddr) -> bool {
        let is_of_scope = match (to, &self.interface) {
            (SocketAddr::V6(to), Some(own)) => [0, own.index].contains(&to.scope_id()),
            _ => true,
        };
        let is_of_port = self.port() == to.port();
        self.is_listening() && is_of_port && is_of_scope && self.receives(to.ip())
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
    use super::*;
    use crate::model::testing::socket;

    #[test]
    fn loopback_is_127_8_and_one_and_their_mapped_forms() {
        let is_loopback = |ip: &&str| is_loopback(ip.parse().expect("an address"));
        let loopback = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"];
        let others = ["128.0.0.1", "::", "::ffff:10.0.0.1"];
        assert!(loopback.iter().all(is_loopback));
        assert!(!others.iter().any(is_loopback));
    }

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
