//! How good a match a row is: where the cursor goes when a filter changes.

use crate::model::endpoint::{SocketRole, State};
use crate::table::query::condition::{Condition, PortEnd, Ports};
use crate::table::query::numbers::Numbers;
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
    /// A connection that was opened from it, or one of which nothing tells the side.
    Client,
    /// Only the other end has that port.
    Remote,
    /// It matches by something else, or is gone.
    Rest,
}

/// The rank of a row among those that match `conditions`.
pub fn rank<'a>(conditions: impl Iterator<Item = &'a Condition>, row: &Row) -> Rank {
    let socket = &row.endpoint.socket;
    let hits: Vec<Hit> = conditions
        .filter_map(|condition| match condition {
            Condition::EndpointSpec(spec) => Some(Hit::of(spec.is_of(socket), false)),
            Condition::Port { end, ports } => {
                let numbers = numbers(*ports)?;
                let remote = socket.remote.map(|remote| remote.port());
                let is_local = *end != PortEnd::Remote && numbers.contains(socket.port().into());
                let is_remote = *end != PortEnd::Local
                    && remote.is_some_and(|port| numbers.contains(port.into()));
                Some(Hit::of(is_local, is_remote))
            }
            Condition::State(_)
            | Condition::Protocol(_)
            | Condition::Address(_)
            | Condition::Number { .. }
            | Condition::FieldText { .. }
            | Condition::Text(_) => None,
        })
        .collect();
    match hits.into_iter().min() {
        _ if row.is_closed() => Rank::Rest,
        None | Some(Hit::Local) => rank_by_kind(row),
        Some(Hit::Remote) => Rank::Remote,
        Some(Hit::Nowhere) => Rank::Rest,
    }
}

/// Where a row has a port that is looked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hit {
    Local,
    Remote,
    Nowhere,
}

impl Hit {
    fn of(is_local: bool, is_remote: bool) -> Self {
        match (is_local, is_remote) {
            (true, _) => Self::Local,
            (false, true) => Self::Remote,
            (false, false) => Self::Nowhere,
        }
    }
}

/// A class of ports is no port that is looked for.
fn numbers(ports: Ports) -> Option<Numbers> {
    match ports {
        Ports::Typed(digits) => Some(Numbers::Prefix(digits.into())),
        Ports::Numbers(numbers) => Some(numbers),
        Ports::Class(_) | Ports::Ephemeral => None,
    }
}

/// The rank by the kind of the row alone.
fn rank_by_kind(row: &Row) -> Rank {
    let socket = &row.endpoint.socket;
    match (row.endpoint.relation.role, socket.state) {
        (SocketRole::Unconnected, Some(State::Listen)) => Rank::Listener,
        (SocketRole::Unconnected, _) => Rank::Bound,
        (SocketRole::Server, _) => Rank::Server,
        (SocketRole::Client | SocketRole::Unknown, _) => Rank::Client,
    }
}
