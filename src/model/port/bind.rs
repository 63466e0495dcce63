//! The result of trying to bind a port, from one bind(2) to the verdict on all local addresses.

use crate::model::snapshot::Problem;
use crate::model::socket::{Family, Protocol, Socket};
use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The addresses on which local programs usually bind; `::` stands for IPv6 alone.
pub const LOCAL_ADDRESSES: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
];

/// True if a socket conflicts with a bind of its port on this address, where `::` stands for IPv6 alone. A bind
/// names no interface, so it conflicts with a socket on any.
pub fn overlaps(socket: &Socket, ip: IpAddr) -> bool {
    let own = socket.local.ip();
    let is_within = ip.is_unspecified() && own.is_ipv4() == ip.is_ipv4();
    is_within || socket.covers(ip)
}

/// Outcome of one bind(2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindOutcome {
    Bound,
    InUse,
    /// The port is privileged and this user is not, so the bind does not tell whether it is free.
    NotPermitted,
    /// This machine does not have the address, or not its family.
    NoSuchAddress,
    /// Error text of the system, safe to show.
    Failed(String),
}

/// The binds that were tried on one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressProbe {
    pub address: SocketAddr,
    /// True for `::` without IPV6_V6ONLY, which takes IPv4 too (ipv6(7)).
    pub takes_ipv4: bool,
    /// With SO_REUSEADDR; `None` where it is not tried (UDP, and Windows, where it would take the port from its owner).
    pub with_reuseaddr: Option<BindOutcome>,
    pub without_reuseaddr: BindOutcome,
}

/// Result of a server's bind: on one address, or on every address that was probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindResult {
    /// This machine has none of the addresses.
    NoSuchAddress,
    Usable,
    /// The port is privileged and this user is not, so only the socket tables tell whether it is free.
    NotPermitted,
    OnlyWithReuseAddr,
    /// Error text of the system, safe to show.
    Failed(String),
    InUse,
}

/// Every bind that was tried on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortBinds {
    pub probes: Vec<AddressProbe>,
    /// True if the socket tables would show a TCP socket that is bound and does not listen. Looked up only where it
    /// matters, which is where a bind was refused.
    pub shows_bound: bool,
}

impl AddressProbe {
    /// True if a socket of the port conflicts with these binds.
    pub fn overlaps(&self, socket: &Socket) -> bool {
        let v4 = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        overlaps(socket, self.address.ip()) || self.takes_ipv4 && overlaps(socket, v4)
    }

    /// True if an unreadable table may contain the socket that refuses these binds. The IPv6 table has the dual-stack
    /// sockets too.
    pub fn is_unread(&self, protocol: Protocol, problems: &[Problem]) -> bool {
        let takes_ipv4 = self.takes_ipv4 || self.address.is_ipv4();
        let takes_ipv6 = self.address.is_ipv6();
        problems.iter().any(|problem| {
            problem.protocol == protocol
                && match problem.family {
                    Family::Ipv4 => takes_ipv4,
                    Family::Ipv6 => takes_ipv6 || takes_ipv4,
                }
        })
    }

    /// Classifies what a server finds, which asks for SO_REUSEADDR where that is usual.
    pub fn result(&self) -> BindResult {
        let without = BindResult::from(&self.without_reuseaddr);
        match (self.with_reuseaddr.as_ref().map(BindResult::from), without) {
            // Any other error has another cause than a socket in the way.
            (Some(BindResult::Usable), BindResult::InUse) => BindResult::OnlyWithReuseAddr,
            (None | Some(BindResult::Usable), without) => without,
            (Some(with), _) => with,
        }
    }

    /// Number of binds that tested the port. One that failed for lack of an address or of a descriptor did not.
    pub fn binds(&self) -> usize {
        let outcomes = self.with_reuseaddr.iter().chain([&self.without_reuseaddr]);
        let tested = outcomes.filter(|outcome| match outcome {
            BindOutcome::Bound | BindOutcome::InUse | BindOutcome::NotPermitted => true,
            BindOutcome::NoSuchAddress | BindOutcome::Failed(_) => false,
        });
        tested.count()
    }
}

impl From<&BindOutcome> for BindResult {
    fn from(outcome: &BindOutcome) -> Self {
        match outcome {
            BindOutcome::Bound => Self::Usable,
            BindOutcome::InUse => Self::InUse,
            BindOutcome::NotPermitted => Self::NotPermitted,
            BindOutcome::NoSuchAddress => Self::NoSuchAddress,
            BindOutcome::Failed(reason) => Self::Failed(reason.clone()),
        }
    }
}

impl BindResult {
    pub fn of(probes: &[AddressProbe]) -> Self {
        Self::worst(probes.iter().map(AddressProbe::result))
    }

    /// Combines the results of several addresses: the first one of the greatest severity.
    pub fn worst(results: impl Iterator<Item = Self>) -> Self {
        let worst = results.min_by_key(|result| Reverse(result.severity()));
        worst.unwrap_or(Self::NoSuchAddress)
    }

    /// A missing address says nothing where others exist.
    fn severity(&self) -> u8 {
        match self {
            Self::NoSuchAddress => 0,
            Self::Usable => 1,
            Self::NotPermitted => 2,
            Self::OnlyWithReuseAddr => 3,
            Self::Failed(_) => 4,
            Self::InUse => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: AddressProbe = AddressProbe {
        address: SocketAddr::new(LOCAL_ADDRESSES[0], 3000),
        takes_ipv4: false,
        with_reuseaddr: Some(BindOutcome::Bound),
        without_reuseaddr: BindOutcome::Bound,
    };

    #[test]
    fn only_an_address_in_use_makes_a_bind_depend_on_reuse() {
        use BindOutcome::{Bound, Failed, InUse, NoSuchAddress, NotPermitted};
        let odd = "odd".to_owned();
        let cases = [
            (Bound, BindResult::Usable),
            (InUse, BindResult::OnlyWithReuseAddr),
            (NotPermitted, BindResult::NotPermitted),
            (NoSuchAddress, BindResult::NoSuchAddress),
            (Failed(odd.clone()), BindResult::Failed(odd)),
        ];
        for (without_reuseaddr, expected) in cases {
            let probe = AddressProbe {
                without_reuseaddr,
                ..PROBE
            };
            assert_eq!(probe.result(), expected);
        }
    }

    #[test]
    fn only_binds_that_say_something_about_the_port_are_counted() {
        use BindOutcome::{Bound, Failed, InUse, NoSuchAddress, NotPermitted};
        let outcomes = [
            Bound,
            InUse,
            NotPermitted,
            NoSuchAddress,
            Failed("odd".to_owned()),
        ];
        let counts = outcomes.map(|outcome| {
            let probe = AddressProbe {
                with_reuseaddr: Some(outcome.clone()),
                without_reuseaddr: outcome,
                ..PROBE
            };
            probe.binds()
        });
        assert_eq!(counts, [2, 2, 2, 0, 0]);
    }

    #[test]
    fn of_several_failures_the_first_address_decides() {
        let failures = ["b", "c", "a"].map(|text| BindResult::Failed(text.to_owned()));
        let worst = BindResult::worst(failures.iter().cloned());
        assert_eq!(worst, failures[0]);
    }

    #[test]
    fn the_worst_address_decides_whether_a_port_can_be_bound() {
        use BindOutcome::{Bound, Failed, InUse, NoSuchAddress, NotPermitted};
        use BindResult as Result;
        let (missing, denied) = (NoSuchAddress, NotPermitted);
        let odd = "odd".to_owned();
        let probes = [
            (Some(missing.clone()), missing, Result::NoSuchAddress),
            (Some(Bound), Bound, Result::Usable),
            (None, Bound, Result::Usable),
            (Some(denied.clone()), denied, Result::NotPermitted),
            (Some(Bound), InUse, Result::OnlyWithReuseAddr),
            (Some(Failed(odd.clone())), InUse, Result::Failed(odd)),
            (None, InUse, Result::InUse),
        ];
        let mut tried = Vec::new();
        assert_eq!(Result::of(&tried), Result::NoSuchAddress);
        for (with_reuseaddr, without_reuseaddr, expected) in probes {
            tried.push(AddressProbe {
                with_reuseaddr,
                without_reuseaddr,
                ..PROBE
            });
            assert_eq!(Result::of(&tried), expected);
            let backwards: Vec<AddressProbe> = tried.iter().rev().cloned().collect();
            assert_eq!(Result::of(&backwards), expected);
        }
    }
}
