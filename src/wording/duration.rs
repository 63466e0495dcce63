//! Durations and ages: one unit in a cell of the table (`13m`), two in a sentence (`13 min 4 s`).

use crate::model::socket::{Age, AgeBound, TimeWaitLeft};
use crate::wording::number::one_decimal;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `62 s`, `13 min 4 s`, `3 h`, `2 days 4 h`: the two largest units, minutes from two minutes on.
pub fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    let (unit, name, next, next_name) = match seconds {
        _ if seconds < 2 * MINUTE => return format!("{seconds} s"),
        _ if seconds < HOUR => (MINUTE, "min", 1, "s"),
        _ if seconds < DAY => (HOUR, "h", MINUTE, "min"),
        _ if seconds < 2 * DAY => (DAY, "day", HOUR, "h"),
        _ => (DAY, "days", HOUR, "h"),
    };
    let large = format!("{} {name}", seconds / unit);
    match seconds % unit / next {
        0 => large,
        rest => format!("{large} {rest} {next_name}"),
    }
}

/// `0.8 s`, `40 ms`: a duration that portmon measured, without decimals from a minute on.
pub fn seconds(span: Duration) -> String {
    if span < Duration::from_millis(100) {
        format!("{} ms", span.as_millis())
    } else if span < Duration::from_mins(1) {
        format!("{:.1} s", span.as_secs_f64())
    } else {
        duration(span)
    }
}

/// `45 µs`, `1.3 ms`, `12 ms`: a round trip or the time a connection took.
pub fn latency(span: Duration) -> String {
    if span < Duration::from_millis(1) {
        format!("{} µs", span.as_micros())
    } else {
        format!("{} ms", one_decimal(span.as_micros(), 1_000))
    }
}

/// `1 s`, `250 ms`, `1.3 s`: a poll interval.
pub fn interval(span: Duration) -> String {
    if span.as_secs() == 0 {
        format!("{} ms", span.as_millis())
    } else if span.subsec_millis() == 0 {
        format!("{} s", span.as_secs())
    } else {
        format!("{:.1} s", span.as_secs_f64())
    }
}

/// `13 min 4 s`, `at most 3 h`, `more than 9 min`.
pub fn age(age: Age) -> String {
    let span = duration(age.span);
    match age.bound {
        AgeBound::Exact => span,
        AgeBound::AtMost => format!("at most {}", duration(round_up(age.span))),
        AgeBound::MoreThan => format!("more than {span}"),
    }
}

/// Returns the age in a sentence, unless it only says that it is above zero.
pub fn known_age(of: Age) -> Option<String> {
    let is_unknown = of.bound == AgeBound::MoreThan && of.span.as_secs() == 0;
    (!is_unknown).then(|| age(of))
}

/// `4s`, `≤3d`, `>9m`: the age in a cell. A bound is rounded to the side on which it stays true.
pub fn age_cell(age: Age) -> String {
    match age.bound {
        AgeBound::Exact => duration_cell(age.span),
        AgeBound::AtMost => format!("≤{}", one_unit(round_up(age.span), u64::div_ceil)),
        AgeBound::MoreThan => format!(">{}", duration_cell(age.span)),
    }
}

/// `4s`, `13m`, `2h`, `3d`: the largest unit, rounded down.
pub fn duration_cell(span: Duration) -> String {
    one_unit(span, |seconds, unit| seconds / unit)
}

/// The next duration that [`duration`] writes without leaving anything out.
fn round_up(span: Duration) -> Duration {
    let seconds = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    let grain = match seconds {
        0..HOUR => 1,
        HOUR..DAY => MINUTE,
        DAY.. => HOUR,
    };
    Duration::from_secs(seconds.next_multiple_of(grain))
}

fn one_unit(span: Duration, divide: fn(u64, u64) -> u64) -> String {
    let seconds = span.as_secs();
    let (unit, name) = match seconds {
        0..MINUTE => (1, 's'),
        MINUTE..HOUR => (MINUTE, 'm'),
        HOUR..DAY => (HOUR, 'h'),
        DAY.. => (DAY, 'd'),
    };
    format!("{}{name}", divide(seconds, unit))
}

/// `48 s`, `at most 60 s`: what is left of a TIME_WAIT.
pub fn time_left(left: TimeWaitLeft) -> String {
    let seconds = |left: Duration| left.as_secs_f64().ceil();
    match left {
        // The kernel's timer may run out late: a socket that is still there has at least a second.
        TimeWaitLeft::Exact(left) => format!("{} s", seconds(left).max(1.0)),
        TimeWaitLeft::AtMost(left) => format!("at most {} s", seconds(left)),
    }
}

/// `at most 48 s`, for what may also end sooner.
pub fn time_left_at_most(left: TimeWaitLeft) -> String {
    match left {
        TimeWaitLeft::Exact(_) => format!("at most {}", time_left(left)),
        TimeWaitLeft::AtMost(_) => time_left(left),
    }
}

/// `about 48 s`, `at most 60 s`.
pub fn time_left_roughly(left: TimeWaitLeft) -> String {
    match left {
        TimeWaitLeft::Exact(_) => format!("about {}", time_left(left)),
        TimeWaitLeft::AtMost(_) => time_left(left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGES: [AgeBound; 3] = [AgeBound::Exact, AgeBound::AtMost, AgeBound::MoreThan];

    #[test]
    fn measured_times_show_tenths_only_where_they_help() {
        let shown = [40, 99, 100, 840, 5_000, 250_000].map(|ms| seconds(Duration::from_millis(ms)));
        assert_eq!(
            shown,
            ["40 ms", "99 ms", "0.1 s", "0.8 s", "5.0 s", "4 min 10 s"]
        );
        let shown = [100, 1_000, 1_300].map(|ms| interval(Duration::from_millis(ms)));
        assert_eq!(shown, ["100 ms", "1 s", "1.3 s"]);
        let shown = [0, 45, 999, 1_300, 12_400].map(|us| latency(Duration::from_micros(us)));
        assert_eq!(shown, ["0 µs", "45 µs", "999 µs", "1.3 ms", "12 ms"]);
    }

    #[test]
    fn a_sentence_shows_two_units_and_a_cell_one() {
        let cases = [
            (0, "0 s", "0s"),
            (119, "119 s", "1m"),
            (120, "2 min", "2m"),
            (784, "13 min 4 s", "13m"),
            (7_500, "2 h 5 min", "2h"),
            (86_400, "1 day", "1d"),
            (270_000, "3 days 3 h", "3d"),
        ];
        for (seconds, sentence, cell) in cases {
            let span = Duration::from_secs(seconds);
            assert_eq!((&*duration(span), &*duration_cell(span)), (sentence, cell));
        }
    }

    #[test]
    fn a_bound_is_rounded_to_the_side_on_which_it_is_true() {
        let cells = |millis| {
            AGES.map(|bound| {
                let span = Duration::from_millis(millis);
                age_cell(Age { span, bound })
            })
        };
        assert_eq!(cells(599_900), ["9m", "≤10m", ">9m"]);
        assert_eq!(cells(5_400_000), ["1h", "≤2h", ">1h"]);
        let sentences = |millis| {
            AGES.map(|bound| {
                let span = Duration::from_millis(millis);
                age(Age { span, bound })
            })
        };
        assert_eq!(
            sentences(61_500),
            ["61 s", "at most 62 s", "more than 61 s"]
        );
        assert_eq!(
            sentences(3_601_000),
            ["1 h", "at most 1 h 1 min", "more than 1 h"]
        );
    }

    #[test]
    fn only_the_kernels_own_timer_is_exact() {
        let exact = TimeWaitLeft::Exact(Duration::from_millis(6_200));
        let bound = TimeWaitLeft::AtMost(Duration::from_mins(1));
        let late = TimeWaitLeft::Exact(Duration::ZERO);
        let texts = |left| [time_left, time_left_at_most, time_left_roughly].map(|text| text(left));
        assert_eq!(texts(exact), ["7 s", "at most 7 s", "about 7 s"]);
        assert_eq!(texts(bound), ["at most 60 s"; 3]);
        assert_eq!(time_left(late), "1 s");
    }
}
