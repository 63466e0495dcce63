//! Amounts as people read them: bytes in powers of a thousand (SI), one decimal below ten.

use std::time::Duration;

/// The units above the byte, each a thousand of the one before.
const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];

/// `340 B`, `1.2 kB`, `12 MB`
pub fn bytes(count: u64) -> String {
    let count = u128::from(count);
    if count < 1_000 {
        return format!("{count} B");
    }
    let mut size = 1;
    let mut shown = String::new();
    for unit in UNITS {
        size *= 1_000;
        shown = format!("{} {unit}", quotient(count, size));
        // What rounds to a thousand of one unit is one of the next.
        if rounded(count, size) < 1_000 {
            break;
        }
    }
    shown
}

/// `2.3 %`, `250 %`
pub fn percent(thousandths: u64) -> String {
    format!("{} %", quotient(thousandths.into(), 10))
}

/// `45 µs`, `1.3 ms`
pub fn round_trip(time: Duration) -> String {
    if time < Duration::from_millis(1) {
        format!("{} µs", time.as_micros())
    } else {
        format!("{} ms", quotient(time.as_micros(), 1_000))
    }
}

/// `part` by `whole` with one decimal below ten and none from there on.
fn quotient(part: u128, whole: u128) -> String {
    let tenths = rounded(part * 10, whole);
    if tenths < 100 {
        format!("{}.{}", tenths / 10, tenths % 10)
    } else {
        rounded(part, whole).to_string()
    }
}

fn rounded(part: u128, whole: u128) -> u128 {
    (part + whole / 2) / whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_decimal_below_ten_and_carry_at_a_thousand() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_249, "1.2 kB"),
            (9_949, "9.9 kB"),
            (9_950, "10 kB"),
            (10_450, "10 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (45_000_000, "45 MB"),
            (u64::MAX, "18 EB"),
        ];
        for (count, shown) in cases {
            assert_eq!(bytes(count), shown);
        }
    }

    #[test]
    fn parts_of_a_core_are_percent_also_beyond_one() {
        assert_eq!(
            [0, 23, 99, 104, 2_500].map(percent),
            ["0.0 %", "2.3 %", "9.9 %", "10 %", "250 %"]
        );
    }

    #[test]
    fn round_trips_below_a_millisecond_are_in_microseconds() {
        let shown = [0, 45, 999, 1_300, 12_400].map(|us| round_trip(Duration::from_micros(us)));
        assert_eq!(shown, ["0 µs", "45 µs", "999 µs", "1.3 ms", "12 ms"]);
    }
}
