//! Sentences of `portmon unused`.

use crate::model::port::EphemeralRange;
use crate::wording::list;
use std::ops::RangeInclusive;

/// Tells that fewer unused ports were found in these ranges than were requested, and how to look elsewhere.
pub fn too_few(
    ranges: &[RangeInclusive<u16>],
    ephemeral: EphemeralRange,
    found: usize,
    requested: usize,
) -> String {
    let ranges = ranges.iter();
    let ranges: Vec<String> = ranges
        .map(|range| format!("from {} to {}", range.start(), range.end()))
        .collect();
    match (ranges.as_slice(), found) {
        ([], _) => format!(
            "every such port is in this machine's ephemeral range, {ephemeral} (to take one of it: portmon unused \
             --ephemeral)"
        ),
        (ranges, 0) => format!("no usable port {}", list(ranges)),
        (ranges, _) => {
            let ranges = list(ranges);
            format!("only {found} of {requested} usable ports found {ranges}")
        }
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
        let told = [
            too_few(&[65534..=65535], wide, 0, 3),
            too_few(&[65534..=65535], wide, 2, 3),
            too_few(&two, wide, 0, 1),
            too_few(&[], wide, 0, 1),
        ];
        insta::assert_snapshot!(told.join("\n"), @r"
        no usable port from 65534 to 65535
        only 2 of 3 usable ports found from 65534 to 65535
        no usable port from 3000 to 32767 and from 61000 to 65535
        every such port is in this machine's ephemeral range, 1024–65535 (to take one of it: portmon unused --ephemeral)
        ");
    }
}
