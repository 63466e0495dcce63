//! An endpoint: a socket with its age and its relation to the other sockets.

use crate::model::Moment;
use crate::model::process::Process;
use crate::model::socket::{EndpointId, Socket};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A socket as the tracker knows it over time and beside the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub socket: Socket,
    pub since: Since,
    /// When it was first seen in its current state.
    pub state_since: Instant,
    pub relation: Relation,
}

impl Endpoint {
    pub fn id(&self) -> EndpointId {
        self.socket.id
    }
}

/// Since when a socket exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It was seen to open: absent in one poll, present in the next.
    Opened(Instant),
    /// It was there at the first poll, so only a bound of its age is known.
    Initial(Instant),
}

impl Since {
    /// When a poll first saw the socket.
    pub fn first_seen(self) -> Instant {
        match self {
            Self::Opened(at) | Self::Initial(at) => at,
        }
    }
}

/// Relation of a socket to the others in the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub role: SocketRole,
    /// True in the local scope: it holds a port, both ends are here, or a local listener accepted it.
    pub is_local: bool,
    /// The process at the other end, if it is on this machine and can be seen.
    pub peer: Option<Arc<Process>>,
    /// True if another process holds the same port number on another local address.
    pub shares_port: bool,
}

/// Role of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketRole {
    /// Holds its port: listening, bound, or UDP without a remote end.
    Unconnected,
    /// A connection that a local listener accepted.
    Server,
    /// A connection that was opened from here.
    Client,
    /// A connection whose listener is gone, so that the sides cannot be told apart.
    Unknown,
}

/// A duration that is exact or a bound. Ages sort by their duration first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    pub span: Duration,
    pub bound: AgeBound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeBound {
    Exact,
    AtMost,
    MoreThan,
}

impl Age {
    pub fn exact(span: Duration) -> Self {
        let bound = AgeBound::Exact;
        Self { span, bound }
    }

    /// Exact for a socket that portmon saw open; else at most the age of its oldest owner, or more than the time that
    /// portmon has seen it.
    pub fn of_socket(since: Since, owners: &[Arc<Process>], now: Moment) -> Self {
        let seen_to_open = matches!(since, Since::Opened(_));
        let watched = now.instant.saturating_duration_since(since.first_seen());
        let oldest = owners.iter().filter_map(|owner| owner.started_at).min();
        let (span, bound) = match oldest {
            _ if seen_to_open => (watched, AgeBound::Exact),
            Some(started) => (now.since(started), AgeBound::AtMost),
            None => (watched, AgeBound::MoreThan),
        };
        Self { span, bound }
    }
}
