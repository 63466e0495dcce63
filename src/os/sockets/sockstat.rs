//! Socket counts of the kernel: `/proc/net/sockstat` and `/proc/net/sockstat6`.

use crate::model::socket::{Family, Protocol};
use std::path::Path;

/// False if the kernel has no IPv6: then its tables are empty, and an error reading them is no problem.
pub fn has_ipv6() -> bool {
    !Path::new("/proc/net").exists() || Path::new(file(Family::Ipv6)).exists()
}

/// Number of sockets in a table; `None` if the kernel does not report it.
pub fn in_use(protocol: Protocol, family: Family) -> Option<u64> {
    count(
        &std::fs::read_to_string(file(family)).ok()?,
        protocol,
        family,
    )
}

fn file(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "/proc/net/sockstat",
        Family::Ipv6 => "/proc/net/sockstat6",
    }
}

fn count(text: &str, protocol: Protocol, family: Family) -> Option<u64> {
    let line = match (protocol, family) {
        (Protocol::Tcp, Family::Ipv4) => "TCP: inuse ",
        (Protocol::Tcp, Family::Ipv6) => "TCP6: inuse ",
        (Protocol::Udp, Family::Ipv4) => "UDP: inuse ",
        (Protocol::Udp, Family::Ipv6) => "UDP6: inuse ",
    };
    let rest = text.lines().find_map(|text| text.strip_prefix(line))?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_and_family_has_its_line() {
        let v4 = "sockets: used 294\nTCP: inuse 9 orphan 0 tw 1 alloc 12 mem 1\nUDP: inuse 3 mem 2\nUDPLITE: inuse 7\n";
        let v6 = "TCP6: inuse 4\nUDP6: inuse 0\nUDPLITE6: inuse 7\n";
        let counts = [
            count(v4, Protocol::Tcp, Family::Ipv4),
            count(v4, Protocol::Udp, Family::Ipv4),
            count(v6, Protocol::Tcp, Family::Ipv6),
            count(v6, Protocol::Udp, Family::Ipv6),
            count("", Protocol::Udp, Family::Ipv6),
        ];
        assert_eq!(counts, [Some(9), Some(3), Some(4), Some(0), None]);
    }
}
