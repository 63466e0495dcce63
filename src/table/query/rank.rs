//! How good a match a row is: where the cursor goes when a filter changes.

use crate::model::endpoint::{Side, State};
use crate::table::row::Row;

/// The best first: what holds a port comes before what merely uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// A listener on the port that is looked for.
    Listener,
    /// A UDP socket on it, or a TCP socket that is bound to it and does not listen.
    Bound,
    /// The accepted side of a connection to it.
    Server,
    /// A connection that was opened from it.
    Client,
    /// Only the other end has that port.
    Remote,
    Rest,
}

impl Rank {
    /// The rank by the kind of the row alone.
    pub fn of_kind(row: &Row) -> Self {
        let socket = &row.endpoint.socket;
        match (row.endpoint.relation.side, socket.state) {
            _ if row.is_gone() => Self::Rest,
            (Side::Standing, Some(State::Listen)) => Self::Listener,
            (Side::Standing, _) => Self::Bound,
            (Side::Server, _) => Self::Server,
            (Side::Client, _) => Self::Client,
            (Side::Unknown, _) => Self::Rest,
        }
    }
}
