//! Sentences of `portmon unused`.

use crate::model::port::EphemeralRange;
use crate::model::socket::Protocol;
use crate::wording::list;
use std::ops::RangeInclusive;

/// Tells that fewer unused ports were found in these ranges than were requested, and how to look elsewhere.
pub fn too_few(
    ranges: &[RangeInclusive<u16>],
    ephemeral: EphemeralRange,
    protocol: Protocol,
    [found, requested]: [usize; 2],
) -> String {
    let ranges: Vec<String> = ranges.iter().map(ports).collect();
    match (ranges.as_slice(), found) {
        ([], _) => {
            let option = match protocol {
                Protocol::Tcp => "",
                Protocol::Udp => " --udp",
            };
            format!(
                "every such port is in this machine's ephemeral range, {ephemeral} (to take one of it: portmon unused \
                 --ephemeral{option})"
            )
        }
        (ranges, 0) => format!("no usable port {}", list(ranges)),
        (ranges, _) => {
            let ranges = list(ranges);
            format!("found {found} of the {requested} requested ports {ranges}")
        }
    }
}

/// `from 3000 to 32767`, and `at 65535` for one port
fn ports(range: &RangeInclusive<u16>) -> String {
    match (range.start(), range.end()) {
        (only, last) if only == last => format!("at {only}"),
        (first, last) => format!("from {first} to {last}"),
    }
}

/// Tells that fewer ports were found than were requested while binds of others failed, which does not say that they are
/// used.
pub fn undecided(error: &str, found: usize, requested: usize) -> String {
    match found {
        0 => format!("cannot tell which ports are usable: a bind fails: {error}"),
        _ => format!(
            "found {found} of the {requested} requested ports; cannot tell which others are usable: a bind fails: {error}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_unused_ports_are_counted() {
        let wide = EphemeralRange {
            first: 1024,
            last: 65535,
        };
        let two = [3000..=32767, 61000..=65535];
        let tcp = |ranges, counts| too_few(ranges, wide, Protocol::Tcp, counts);
        let told = [
            tcp(&[65534..=65535], [0, 3]),
            tcp(&[65534..=65535], [2, 3]),
            tcp(&[65535..=65535], [1, 2]),
            tcp(&two, [0, 1]),
            tcp(&[], [0, 1]),
            too_few(&[], wide, Protocol::Udp, [0, 1]),
            undecided("odd", 0, 1),
            undecided("odd", 1, 2),
        ];
        insta::assert_snapshot!(told.join("\n"), @r"
        no usable port from 65534 to 65535
        found 2 of the 3 requested ports from 65534 to 65535
        found 1 of the 2 requested ports at 65535
        no usable port from 3000 to 32767 and from 61000 to 65535
        every such port is in this machine's ephemeral range, 1024–65535 (to take one of it: portmon unused --ephemeral)
        every such port is in this machine's ephemeral range, 1024–65535 (to take one of it: portmon unused --ephemeral --udp)
        cannot tell which ports are usable: a bind fails: odd
        found 1 of the 2 requested ports; cannot tell which others are usable: a bind fails: odd
        ");
    }
}
