//! Ports: the IANA classes, this machine's ephemeral range, known services, and what is asked about a port.

mod address_spec;
mod availability;
mod bind;
mod port_spec;
pub mod url;

pub use address_spec::{AddressError, AddressSpec, Localhost};
pub use availability::{Availability, Doubt, Holding, PortEvidence, WhyUnseen};
pub use bind::{AddressProbe, BindOutcome, BindResult, LOCAL_ADDRESSES, PortBinds, overlaps};
pub use port_spec::{PortRange, PortSpec, PortSpecError};

use crate::model::socket::{Protocol, Socket};
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::sync::LazyLock;

/// A port number of one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    pub protocol: Protocol,
    pub number: u16,
}

impl Port {
    pub fn of(socket: &Socket) -> Self {
        Self {
            protocol: socket.protocol,
            number: socket.port(),
        }
    }
}

/// `:3000`, `:5353/udp`
impl Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol {
            Protocol::Tcp => f.pad(&format!(":{}", self.number)),
            Protocol::Udp => f.pad(&format!(":{}/udp", self.number)),
        }
    }
}

/// The three classes of RFC 6335, section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortClass {
    /// 0–1023
    WellKnown,
    /// 1024–49151
    Registered,
    /// 49152–65535
    Dynamic,
}

impl PortClass {
    pub fn of(port: u16) -> Self {
        match port {
            0..=1023 => Self::WellKnown,
            1024..=49151 => Self::Registered,
            49152..=65535 => Self::Dynamic,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::WellKnown => "well-known",
            Self::Registered => "registered",
            Self::Dynamic => "dynamic",
        }
    }
}

/// The ports this machine gives to sockets that ask for none, both ends included.
///
/// Linux: `net.ipv4.ip_local_port_range` (ip(7)), 32768–60999 unless it was changed. Elsewhere the dynamic class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EphemeralRange {
    pub first: u16,
    pub last: u16,
}

impl EphemeralRange {
    pub const IANA: Self = Self {
        first: 49152,
        last: 65535,
    };

    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// True if a port counts as dynamic here: by its class, or because this machine hands it out.
    pub fn counts_as_dynamic(self, port: u16) -> bool {
        PortClass::of(port) == PortClass::Dynamic || self.contains(port)
    }
}

impl Default for EphemeralRange {
    fn default() -> Self {
        Self::IANA
    }
}

impl Display for EphemeralRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}–{}", self.first, self.last)
    }
}

static SERVICES: LazyLock<HashMap<(Protocol, u16), &'static str>> = LazyLock::new(|| {
    include_str!("../../../assets/services.tsv")
        .lines()
        .filter_map(service_line)
        .flatten()
        .collect()
});

/// The service that usually has this port, from `assets/services.tsv`; what really runs there may be another.
pub fn service(protocol: Protocol, port: u16) -> Option<&'static str> {
    SERVICES.get(&(protocol, port)).copied()
}

/// One line of the table: `port<TAB>tcp|udp|both<TAB>name<TAB>note`, comments begin with `#`.
fn service_line(
    line: &'static str,
) -> Option<impl Iterator<Item = ((Protocol, u16), &'static str)>> {
    let mut parts = line.split('\t');
    let port = parts.next()?.parse().ok()?;
    let only = Protocol::named(parts.next()?);
    let name = parts.next()?;
    let protocols = Protocol::ALL.into_iter();
    let protocols = protocols.filter(move |one| only.is_none_or(|only| only == *one));
    Some(protocols.map(move |one| ((one, port), name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_classes_meet_at_the_iana_borders() {
        use PortClass::{Dynamic, Registered, WellKnown};
        let classes = [0, 1023, 1024, 49151, 49152, 65535].map(PortClass::of);
        let borders = [WellKnown, Registered, Dynamic].map(|class| [class; 2]);
        assert_eq!(classes, *borders.as_flattened());
    }

    #[test]
    fn dynamic_ports_include_the_local_ephemeral_range() {
        let linux = EphemeralRange {
            first: 32768,
            last: 60999,
        };
        let dynamic = [32767, 32768, 60999, 61000, 65535].map(|port| linux.counts_as_dynamic(port));
        assert_eq!(dynamic, [false, true, true, true, true]);
    }

    #[test]
    fn every_line_of_the_services_table_parses() {
        for line in include_str!("../../../assets/services.tsv").lines() {
            let is_comment = line.starts_with('#') || line.is_empty();
            assert!(is_comment || service_line(line).is_some(), "{line}");
        }
    }

    #[test]
    fn the_services_table_is_sorted_and_names_each_port_once() {
        let ports: Vec<u16> = include_str!("../../../assets/services.tsv")
            .lines()
            .filter_map(|line| line.split('\t').next()?.parse().ok())
            .collect();
        assert!(ports.len() > 200);
        assert!(ports.is_sorted_by(|left, right| left < right));
    }

    #[test]
    fn services_are_known_by_protocol_and_number() {
        assert_eq!(service(Protocol::Tcp, 5432), Some("postgresql"));
        assert_eq!(service(Protocol::Udp, 5432), None);
        assert_eq!(service(Protocol::Udp, 53), Some("domain"));
    }
}
