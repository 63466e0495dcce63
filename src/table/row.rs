//! A row: an endpoint with its change mark.

use crate::model::Moment;
use crate::model::environment::Environment;
use crate::model::port::EphemeralRange;
use crate::model::socket::{Endpoint, SocketRole};
use std::time::{Duration, Instant};

/// Time that a change stays marked and a closed row stays in its place.
pub const CHANGE_MARK_TIME: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub endpoint: Endpoint,
    pub change_mark: ChangeMark,
}

/// The last change of a row. After [`CHANGE_MARK_TIME`] a closed row is removed; others lose their mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeMark {
    None,
    Opened(Instant),
    Changed(Instant),
    Replaced(Instant),
    Closed(Instant),
}

impl ChangeMark {
    pub fn at(self) -> Option<Instant> {
        match self {
            Self::None => None,
            Self::Opened(at) | Self::Changed(at) | Self::Replaced(at) | Self::Closed(at) => {
                Some(at)
            }
        }
    }

    /// Returns when the mark expires.
    pub fn ends(self) -> Option<Instant> {
        self.at().map(|at| at + CHANGE_MARK_TIME)
    }
}

/// The part of the table that shows a row: sockets that hold a port, connections, and sockets out of scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    PortHolders,
    Connected,
    OutOfScope,
}

/// Without a change mark.
impl From<Endpoint> for Row {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            change_mark: ChangeMark::None,
        }
    }
}

impl Row {
    pub fn is_closed(&self) -> bool {
        matches!(self.change_mark, ChangeMark::Closed(_))
    }

    /// Returns its section, if it is in scope.
    pub fn section(&self) -> Section {
        match self.endpoint.relation.role {
            SocketRole::Unconnected => Section::PortHolders,
            SocketRole::Server | SocketRole::Client | SocketRole::Unknown => Section::Connected,
        }
    }

    pub fn is_owner_hidden(&self) -> bool {
        self.endpoint.socket.owners.not_found().is_some()
    }

    /// True if the socket or one of its owners belongs to this user.
    pub fn is_of_user(&self, uid: u32) -> bool {
        let socket = &self.endpoint.socket;
        let mut owners = socket.owners.known().iter();
        socket.uid == Some(uid) || owners.any(|process| process.uid == Some(uid))
    }
}

/// What cells depend on besides their row.
#[derive(Clone, Copy, Debug)]
pub struct DisplayContext<'a> {
    pub now: Moment,
    /// The home directory, shown as `~`.
    pub home: Option<&'a str>,
    pub ephemeral: EphemeralRange,
    /// True if only ASCII may be shown.
    pub is_ascii: bool,
}

impl<'a> DisplayContext<'a> {
    pub fn new(environment: &'a Environment, now: Moment) -> Self {
        Self {
            now,
            home: environment.home.as_deref(),
            ephemeral: environment.ephemeral,
            is_ascii: false,
        }
    }

    /// `×6`, or `x6` in ASCII.
    pub fn times(&self, count: usize) -> String {
        let sign = if self.is_ascii { 'x' } else { '×' };
        format!("{sign}{count}")
    }

    pub fn from_arrow(&self) -> &'static str {
        if self.is_ascii { "<-" } else { "←" }
    }

    pub fn to_arrow(&self) -> &'static str {
        if self.is_ascii { "->" } else { "→" }
    }

    pub fn dot(&self) -> &'static str {
        if self.is_ascii { "-" } else { "·" }
    }
}
