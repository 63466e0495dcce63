//! What a field says of a row: shown in a cell, compared by a sort, matched by a filter.

use crate::model::raw_socket::SocketQueue;
use std::cmp::Ordering;
use std::fmt::{self, Display};
use std::net::IpAddr;
use std::time::Duration;

/// The value of one field. Text is safe to show: it was escaped when it became a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Number(u64),
    Text(String),
    Address {
        ip: IpAddr,
        shown: String,
    },
    Age {
        bound: AgeBound,
        age: Duration,
    },
    /// Shown as `3/5`.
    Queue(SocketQueue),
    /// Unknown, shown as `-`.
    Unknown,
    /// Not known yet, shown as `…`.
    Pending,
}

/// How much is known of an age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeBound {
    Exact,
    AtMost,
    MoreThan,
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) | Self::Address { shown: text, .. } => f.pad(text),
            Self::Age { bound, age } => f.pad(&format_age(*bound, *age)),
            Self::Queue(SocketQueue { incoming, outgoing }) => {
                f.pad(&format!("{incoming}/{outgoing}"))
            }
            Self::Unknown => f.pad("-"),
            Self::Pending => f.pad("…"),
        }
    }
}

/// What is unknown sorts last, whatever the column.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
            (Self::Address { ip: left, .. }, Self::Address { ip: right, .. }) => left.cmp(right),
            (
                Self::Age {
                    age: left,
                    bound: one,
                },
                Self::Age {
                    age: right,
                    bound: two,
                },
            ) => left.cmp(right).then(one.cmp(two)),
            (Self::Queue(left), Self::Queue(right)) => {
                let in_order = |queue: &SocketQueue| (queue.incoming, queue.outgoing);
                in_order(left).cmp(&in_order(right))
            }
            _ => self.kind().cmp(&other.kind()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Value {
    pub fn text(text: impl Display) -> Self {
        Self::Text(text.to_string())
    }

    /// The text of an optional thing, or nothing.
    pub fn optional(text: Option<impl Display>) -> Self {
        text.map_or(Self::Unknown, Self::text)
    }

    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown | Self::Pending)
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Address { .. } => 2,
            Self::Age { .. } => 3,
            Self::Queue(_) => 4,
            Self::Unknown => 5,
            Self::Pending => 6,
        }
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `4s`, `1m30s`, `3d4h`: the two largest units. A bound has one, rounded to the side on which it stays true.
pub fn format_age(bound: AgeBound, age: Duration) -> String {
    let seconds = age.as_secs();
    match bound {
        AgeBound::Exact => two_units(seconds),
        AgeBound::AtMost => format!(
            "≤{}",
            one_unit(seconds + u64::from(age.subsec_nanos() > 0), u64::div_ceil)
        ),
        AgeBound::MoreThan => format!(">{}", format_age_roughly(age)),
    }
}

/// `9m`, `3d`: the largest unit alone, for how long something has been there at least.
pub fn format_age_roughly(span: Duration) -> String {
    one_unit(span.as_secs(), |seconds, unit| seconds / unit)
}

fn two_units(seconds: u64) -> String {
    let (large, large_name, small, small_name) = match seconds {
        0..MINUTE => return format!("{seconds}s"),
        MINUTE..HOUR => (seconds / MINUTE, "m", seconds % MINUTE, "s"),
        HOUR..DAY => (seconds / HOUR, "h", seconds % HOUR / MINUTE, "m"),
        DAY.. => (seconds / DAY, "d", seconds % DAY / HOUR, "h"),
    };
    if small == 0 {
        format!("{large}{large_name}")
    } else {
        format!("{large}{large_name}{small}{small_name}")
    }
}

fn one_unit(seconds: u64, divide: fn(u64, u64) -> u64) -> String {
    match seconds {
        0..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => format!("{}m", divide(seconds, MINUTE)),
        HOUR..DAY => format!("{}h", divide(seconds, HOUR)),
        DAY.. => format!("{}d", divide(seconds, DAY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_two_units_and_a_bound_is_rounded_safely() {
        let cases = [
            (AgeBound::Exact, 4, "4s"),
            (AgeBound::Exact, 90, "1m30s"),
            (AgeBound::Exact, 720, "12m"),
            (AgeBound::Exact, 7_500, "2h5m"),
            (AgeBound::Exact, 270_000, "3d3h"),
            (AgeBound::AtMost, 5_400, "≤2h"),
            (AgeBound::AtMost, 259_200, "≤3d"),
            (AgeBound::MoreThan, 599, ">9m"),
            (AgeBound::MoreThan, 0, ">0s"),
        ];
        for (bound, seconds, shown) in cases {
            assert_eq!(format_age(bound, Duration::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn the_unknown_sorts_last() {
        let queue = |incoming, outgoing| Value::Queue(SocketQueue { incoming, outgoing });
        for (less, more) in [
            (Value::Number(9), Value::Number(10)),
            (Value::text("a"), Value::text("Zz")),
            (queue(3, 128), queue(10, 5)),
            (queue(3, 5), queue(3, 128)),
        ] {
            let mut values = [Value::Pending, Value::Unknown, more.clone(), less.clone()];
            values.sort();
            assert_eq!(values, [less, more, Value::Unknown, Value::Pending]);
        }
    }
}
