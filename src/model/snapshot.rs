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
    /// Without the sockets of tables that could not be read this time: those are of an earlier look.
    pub fn without_unread(mut self) -> Self {
        let problems = &self.problems;
        self.sockets
            .retain(|socket| has_read(problems, socket.protocol, socket.table));
        self
    }
}

/// Whether a table could be read, with these problems.
pub fn has_read(problems: &[Problem], protocol: Protocol, family: Family) -> bool {
    !problems
        .iter()
        .any(|problem| problem.concerns(protocol, family))
}

/// What could not be read, and why: `the socket tables could not be read: out of memory`; `None` if everything was.
pub fn unread(problems: &[Problem]) -> Option<String> {
    match problems {
        [] => None,
        [one] => Some(format!(
            "the table of {} sockets could not be read: {}",
            one.table(),
            one.reason
        )),
        [first, rest @ ..] if rest.iter().all(|one| one.reason == first.reason) => Some(format!(
            "the socket tables could not be read: {}",
            first.reason
        )),
        all => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            Some(format!(
                "the socket tables could not be read: {}",
                all.join(", ")
            ))
        }
    }
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
    /// `tcp6`
    fn table(&self) -> String {
        let family = match self.family {
            Family::Ipv4 => 4,
            Family::Ipv6 => 6,
        };
        format!("{}{family}", self.protocol)
    }

    fn concerns(&self, protocol: Protocol, family: Family) -> bool {
        self.protocol == protocol && self.family == family
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sockets: {}", self.table(), self.reason)
    }
}
