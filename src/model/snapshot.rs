//! One look at the socket tables of the machine.

use crate::model::Moment;
use crate::model::address::Family;
use crate::model::endpoint::{Protocol, Socket};
use std::fmt::{self, Display};
use std::time::Duration;

/// Everything one look saw, and what it could not see.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub taken: Moment,
    /// How long the look took.
    pub took: Duration,
    pub sockets: Vec<Socket>,
    pub problems: Vec<Problem>,
}

impl Snapshot {
    /// Whether the table a socket belongs to could be read this time.
    pub fn has_read(&self, protocol: Protocol, family: Family) -> bool {
        has_read(&self.problems, protocol, family)
    }
}

/// Whether a table could be read, with these problems.
pub fn has_read(problems: &[Problem], protocol: Protocol, family: Family) -> bool {
    !problems
        .iter()
        .any(|problem| problem.concerns(protocol, family))
}

/// A socket table that could not be read, or not to its end.
///
/// What it held before still stands then: a table that was not read says nothing about what closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub protocol: Protocol,
    pub family: Family,
    /// What went wrong, in the words of the system; safe to show.
    pub reason: String,
}

impl Problem {
    fn concerns(&self, protocol: Protocol, family: Family) -> bool {
        self.protocol == protocol && self.family == family
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::Ipv4 => 4,
            Family::Ipv6 => 6,
        };
        write!(f, "{}{family} sockets: {}", self.protocol, self.reason)
    }
}
