//! The result of trying to bind a port, from one bind(2) to the verdict on all local addresses.

use crate::model::socket::{Socket, covers};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The addresses on which local programs usually bind; `::` stands for IPv6 alone.
pub const LOCAL_ADDRESSES: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
];

/// Returns the port on `address`, or on each of [`LOCAL_ADDRESSES`].
pub fn bind_addresses(address: Option<IpAddr>, port: u16) -> Vec<SocketAddr> {
    let on = |ip| SocketAddr::new(ip, port);
    match address {
        Some(ip) => vec![on(ip)],
        None => LOCAL_ADDRESSES.map(on).to_vec(),
    }
}

/// Whether a socket conflicts with a bind of its port on this address, where `::` stands for IPv6 alone.
pub fn overlaps(socket: &Socket, ip: IpAddr) -> bool {
    let own = socket.local.ip();
    let is_within = ip.is_unspecified() && own.is_ipv4() == ip.is_ipv4();
    let at = SocketAddr::new(ip, socket.port());
    is_within || covers(socket.local, socket.v6only, at)
}

/// Outcome of one bind(2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindOutcome {
    Bound,
    InUse,
    /// This user may not bind the port, so the bind does not tell whether it is free.
    NotPermitted,
    /// This machine does not have the address, or not its family.
    NoSuchAddress,
    /// Error text of the system, safe to show.
    Failed(String),
}

/// The binds that were tried on one address; `::` with IPV6_V6ONLY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressProbe {
    pub address: SocketAddr,
    /// With SO_REUSEADDR; `None` where it is not tried (UDP, and Windows, where it would take the port from its owner).
    pub with_reuseaddr: Option<BindOutcome>,
    pub without_reuseaddr: BindOutcome,
}

/// Whether a server can bind: on one address, or on every address that was probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindResult {
    Usable,
    OnlyWithReuseAddr,
    InUse,
    /// This user may not bind the port, so only the socket tables tell whether it is free.
    NotPermitted,
    /// This machine has none of the addresses.
    NoSuchAddress,
    /// Error text of the system, safe to show.
    Failed(String),
}

impl AddressProbe {
    /// Classifies what a server finds, which asks for SO_REUSEADDR where that is usual.
    pub fn result(&self) -> BindResult {
        let result = |outcome: &BindOutcome| match outcome {
            BindOutcome::Bound => BindResult::Usable,
            BindOutcome::InUse => BindResult::InUse,
            BindOutcome::NotPermitted => BindResult::NotPermitted,
            BindOutcome::NoSuchAddress => BindResult::NoSuchAddress,
            BindOutcome::Failed(reason) => BindResult::Failed(reason.clone()),
        };
        let without = result(&self.without_reuseaddr);
        match (self.with_reuseaddr.as_ref().map(result), without) {
            // Any other error has another cause than a socket in the way.
            (Some(BindResult::Usable), BindResult::InUse) => BindResult::OnlyWithReuseAddr,
            (None | Some(BindResult::Usable), without) => without,
            (Some(with), _) => with,
        }
    }

    /// Number of binds that reached an address of this machine.
    pub fn binds(&self) -> usize {
        let outcomes = self.with_reuseaddr.iter().chain([&self.without_reuseaddr]);
        outcomes
            .filter(|outcome| **outcome != BindOutcome::NoSuchAddress)
            .count()
    }
}

impl BindResult {
    /// Combines the results of several addresses; the worst one decides.
    pub fn of(probes: &[AddressProbe]) -> Self {
        let results = probes.iter().map(AddressProbe::result);
        results.fold(Self::NoSuchAddress, |worst, result| {
            if result.severity() > worst.severity() {
                result
            } else {
                worst
            }
        })
    }

    /// Whether a server that asks for SO_REUSEADDR can bind.
    pub fn is_usable(&self) -> bool {
        matches!(self, Self::Usable | Self::OnlyWithReuseAddr)
    }

    /// Order in which results of several addresses decide. A missing address says nothing where others exist.
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

    #[test]
    fn only_an_address_in_use_makes_a_bind_depend_on_reuse() {
        use BindOutcome::{Bound, Failed, InUse, NoSuchAddress, NotPermitted};
        let cases = [
            (Bound, BindResult::Usable),
            (InUse, BindResult::OnlyWithReuseAddr),
            (NotPermitted, BindResult::NotPermitted),
            (NoSuchAddress, BindResult::NoSuchAddress),
            (
                Failed("odd".to_owned()),
                BindResult::Failed("odd".to_owned()),
            ),
        ];
        for (without_reuseaddr, expected) in cases {
            let probe = AddressProbe {
                address: SocketAddr::new(LOCAL_ADDRESSES[0], 3000),
                with_reuseaddr: Some(Bound),
                without_reuseaddr,
            };
            assert_eq!(probe.result(), expected);
        }
    }

    #[test]
    fn the_worst_address_decides_whether_a_port_can_be_bound() {
        use BindOutcome::{Bound, InUse, NoSuchAddress, NotPermitted};
        let failed = BindOutcome::Failed("odd".to_owned());
        let probes = [
            (
                Some(NoSuchAddress),
                NoSuchAddress,
                BindResult::NoSuchAddress,
            ),
            (Some(Bound), Bound, BindResult::Usable),
            (None, Bound, BindResult::Usable),
            (Some(NotPermitted), NotPermitted, BindResult::NotPermitted),
            (Some(Bound), InUse, BindResult::OnlyWithReuseAddr),
            (
                Some(failed.clone()),
                InUse,
                BindResult::Failed("odd".to_owned()),
            ),
            (None, InUse, BindResult::InUse),
        ];
        let mut tried = Vec::new();
        assert_eq!(BindResult::of(&tried), BindResult::NoSuchAddress);
        for (with_reuseaddr, without_reuseaddr, expected) in probes {
            tried.push(AddressProbe {
                address: SocketAddr::new(LOCAL_ADDRESSES[0], 3000),
                with_reuseaddr,
                without_reuseaddr,
            });
            assert_eq!(BindResult::of(&tried), expected);
            let backwards: Vec<AddressProbe> = tried.iter().rev().cloned().collect();
            assert_eq!(BindResult::of(&backwards), expected);
        }
    }
}
