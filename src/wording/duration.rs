//! How long ago, or for how long, as a sentence says it.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `62 s`, `4 min`, `3 h`, `2 days`: one unit, and never a 1 that stands for almost 2.
pub fn rough_duration(span: Duration) -> String {
    let seconds = span.as_secs();
    let (count, unit) = if seconds < 2 * MINUTE {
        (seconds, "s")
    } else if seconds < 2 * HOUR {
        (seconds / MINUTE, "min")
    } else if seconds < 2 * DAY {
        (seconds / HOUR, "h")
    } else {
        (seconds / DAY, "days")
    };
    format!("{count} {unit}")
}

/// `0.8 s`, `40 ms` where tenths of a second would say nothing, and `4 min` where they say too much.
pub fn seconds(duration: Duration) -> String {
    if duration < Duration::from_millis(100) {
        format!("{} ms", duration.as_millis())
    } else if duration >= Duration::from_mins(1) {
        rough_duration(duration)
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_tenths_only_where_they_help() {
        let said =
            [40, 99, 100, 840, 5_000, 60_400, 250_000].map(|ms| seconds(Duration::from_millis(ms)));
        let expected = ["40 ms", "99 ms", "0.1 s", "0.8 s", "5.0 s", "60 s", "4 min"];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_duration_shows_one_unit_without_hiding_half_of_it() {
        let cases = [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ];
        for (seconds, words) in cases {
            assert_eq!(rough_duration(Duration::from_secs(seconds)), words);
        }
    }
}
