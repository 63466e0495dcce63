//! One poll of the socket tables, as a whole.

use crate::model::Moment;
use crate::model::socket::{Family, Protocol, Socket};
use std::fmt::{self, Display};
use std::time::Duration;

/// The sockets of one poll, and the tables that could not be read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub taken: Moment,
    /// Duration of the poll.
    pub took: Duration,
    pub sockets: Vec<Socket>,
    pub problems: Vec<Problem>,
}

impl Snapshot {
    /// Drops the sockets of tables that could not be read: they are of an earlier poll.
    pub fn without_unread(mut self) -> Self {
        let problems = &self.problems;
        self.sockets
            .retain(|socket| has_read(problems, socket.protocol, socket.table));
        self
    }
}

/// True if none of the problems concerns this table.
pub fn has_read(problems: &[Problem], protocol: Protocol, family: Family) -> bool {
    let mut tables = problems.iter().map(|one| (one.protocol, one.family));
    !tables.any(|table| table == (protocol, family))
}

/// A socket table that could not be read to its end.
///
/// Its sockets of the last poll count as open: an unread table does not show what closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub protocol: Protocol,
    pub family: Family,
    /// Reason in the words of the system, escaped.
    pub reason: String,
}

impl Problem {
    /// `tcp6`
    pub fn table(&self) -> String {
        let family = match self.family {
            Family::Ipv4 => 4,
            Family::Ipv6 => 6,
        };
        format!("{}{family}", self.protocol)
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sockets: {}", self.table(), self.reason)
    }
}
