//! The value of a field: shown in a cell, compared by the sort, matched by the filter.

use crate::model::socket::{Age, SocketQueue};
use crate::wording;
use std::cmp::Ordering;
use std::fmt::{self, Display};
use std::net::IpAddr;

/// The value of one field. Its text is escaped for the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Number(u64),
    Text(String),
    Address {
        ip: IpAddr,
        shown: String,
    },
    Age(Age),
    /// Shown as `3/5`.
    Queue(SocketQueue),
    /// Unknown, shown as `-`.
    Unknown,
    /// Not known yet, shown as `…`.
    Pending,
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) | Self::Address { shown: text, .. } => f.pad(text),
            Self::Age(age) => f.pad(&wording::age_cell(*age)),
            Self::Queue(SocketQueue { incoming, outgoing }) => {
                f.pad(&format!("{incoming}/{outgoing}"))
            }
            Self::Unknown => f.pad("-"),
            Self::Pending => f.pad("…"),
        }
    }
}

/// Unknown values sort last in every column.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.to_lowercase().cmp(&right.to_lowercase()),
            (Self::Address { ip: left, .. }, Self::Address { ip: right, .. }) => left.cmp(right),
            (Self::Age(left), Self::Age(right)) => left.cmp(right),
            (Self::Queue(left), Self::Queue(right)) => left.cmp(right),
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

    /// Returns the text, or [`Value::Unknown`].
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
            Self::Age(_) => 3,
            Self::Queue(_) => 4,
            Self::Unknown => 5,
            Self::Pending => 6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
