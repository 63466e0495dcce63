//! `/proc/sys/net/ipv4` of the network namespace this runs in (ip(7), `networking/ip-sysctl.rst` of the kernel).

use crate::check::PortSettings;
use crate::model::port::EphemeralRange;
use std::fs;
use std::ops::RangeInclusive;

/// The default range, for where `/proc` cannot be read.
const DEFAULT_RANGE: EphemeralRange = EphemeralRange {
    first: 32768,
    last: 60999,
};

/// Returns the ports that the kernel gives to sockets that ask for no port.
pub fn ephemeral_range() -> EphemeralRange {
    read("ip_local_port_range")
        .and_then(|text| parse_range(&text))
        .unwrap_or(DEFAULT_RANGE)
}

/// Returns the settings that decide who may bind a port.
pub fn port_settings() -> PortSettings {
    PortSettings {
        unprivileged_from: read("ip_unprivileged_port_start")
            .and_then(|text| text.trim().parse().ok()),
        reserved: reserved_ports(),
    }
}

/// Returns the ports that are never handed out as ephemeral ones.
pub fn reserved_ports() -> Vec<RangeInclusive<u16>> {
    read("ip_local_reserved_ports").map_or_else(Vec::new, |text| parse_ranges(&text))
}

fn read(name: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok()
}

fn parse_range(text: &str) -> Option<EphemeralRange> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    match (numbers.next()?, numbers.next()?) {
        (Ok(first), Ok(last)) => Some(EphemeralRange { first, last }),
        _ => None,
    }
}

/// Parses `8080,9148-9160`.
fn parse_ranges(text: &str) -> Vec<RangeInclusive<u16>> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    text.trim().split(',').filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ephemeral_range_is_two_numbers() {
        assert_eq!(parse_range("32768\t60999\n"), Some(DEFAULT_RANGE));
        assert_eq!(parse_range("32768"), None);
        assert_eq!(parse_range(""), None);
    }

    #[test]
    fn reserved_ports_are_single_ones_and_ranges() {
        assert_eq!(parse_ranges("8080,9148-9160\n"), [8080..=8080, 9148..=9160]);
        assert_eq!(parse_ranges("\n"), []);
    }
}
