//! What `/proc/sys` says of ports (ip(7)); it says so of the network namespace this runs in.

use crate::model::checking::Settings;
use std::fs;
use std::ops::RangeInclusive;

pub fn read() -> Settings {
    let setting = |name: &str| fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok();
    Settings {
        unprivileged_from: setting("ip_unprivileged_port_start")
            .and_then(|text| text.trim().parse().ok()),
        reserved: setting("ip_local_reserved_ports").map_or_else(Vec::new, |text| ranges(&text)),
    }
}

/// `8080,9000-9100`; what is not understood is left out.
fn ranges(text: &str) -> Vec<RangeInclusive<u16>> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    text.split(',').filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_ports_are_numbers_and_ranges_between_commas() {
        assert_eq!(ranges("8080,9000-9100\n"), [8080..=8080, 9000..=9100]);
        assert_eq!(ranges("\n"), []);
    }
}
