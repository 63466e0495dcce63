//! Addresses: their families, how far they reach and how they are written.

use std::net::{IpAddr, SocketAddr};

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

/// The address without its port, with the scope of a link-local one: `127.0.0.1`, `::1`, `fe80::1%2`.
pub fn address(of: SocketAddr) -> String {
    match of {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
        _ => of.ip().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_127_8_and_one_and_their_mapped_forms() {
        let is_loopback = |ip: &&str| is_loopback(ip.parse().expect("an address"));
        let loopback = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"];
        let others = ["128.0.0.1", "::", "::ffff:10.0.0.1"];
        assert!(loopback.iter().all(is_loopback));
        assert!(!others.iter().any(is_loopback));
    }
}
