//! A row: an endpoint and how lately it changed.

use crate::model::Moment;
use crate::model::endpoint::{Endpoint, Owners, Side};
use crate::model::ports::EphemeralRange;
use crate::model::sighting::Queue;
use std::time::{Duration, Instant};

/// How long a change stays marked, and how long a closed row stays in its place.
pub const MARK_TIME: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub endpoint: Endpoint,
    pub mark: Mark,
}

/// What happened to a row, and when. A gone row is kept for [`MARK_TIME`], the others only lose their mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    None,
    New(Instant),
    Changed(Instant),
    Replaced(Instant),
    Gone(Instant),
}

impl Mark {
    pub fn at(self) -> Option<Instant> {
        match self {
            Self::None => None,
            Self::New(at) | Self::Changed(at) | Self::Replaced(at) | Self::Gone(at) => Some(at),
        }
    }

    /// When the mark is taken away.
    pub fn ends(self) -> Option<Instant> {
        self.at().map(|at| at + MARK_TIME)
    }
}

/// Where a row stands: what holds ports first, then connections, and below them what the scope leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    Standing,
    Connected,
    Outside,
}

impl Row {
    pub fn is_gone(&self) -> bool {
        matches!(self.mark, Mark::Gone(_))
    }

    /// Its section while the whole table is shown.
    pub fn section(&self) -> Section {
        match self.endpoint.relation.side {
            Side::Standing => Section::Standing,
            Side::Server | Side::Client | Side::Unknown => Section::Connected,
        }
    }

    /// What waits at it, where the source tells.
    pub fn queue(&self) -> Option<Queue> {
        self.endpoint.socket.queue()
    }

    pub fn is_owner_hidden(&self) -> bool {
        self.endpoint.socket.owners == Owners::Hidden
    }

    /// Whether the socket or one of its holders belongs to the user `me`.
    pub fn is_of(&self, me: u32) -> bool {
        let socket = &self.endpoint.socket;
        socket.uid == Some(me)
            || socket
                .owners
                .known()
                .iter()
                .any(|process| process.uid == Some(me))
    }
}

/// What a cell may depend on besides its row.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    pub now: Moment,
    /// The home directory that paths are shortened by.
    pub home: Option<&'a str>,
    pub ephemeral: EphemeralRange,
    /// Whether only ASCII may be shown.
    pub is_ascii: bool,
}

impl Surroundings<'_> {
    /// `×6`, or `x6` in ASCII.
    pub fn times(&self, count: usize) -> String {
        if self.is_ascii {
            format!("x{count}")
        } else {
            format!("×{count}")
        }
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
