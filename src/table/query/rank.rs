//! Ranks of matching rows: a new filter puts the cursor on the best one.

use crate::model::socket::{SocketRole, State};
use crate::table::query::condition::{Condition, PortEnd, Ports};
use crate::table::query::numbers::Numbers;
use crate::table::row::Row;

/// Ranks, best first: rows that hold a port come before rows that use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// A listener on the port.
    Listener,
    /// A UDP socket or a bound TCP socket on the port.
    Bound,
    /// The server side of a connection on the port.
    Server,
    /// The client side, or an unknown side, of a connection on the port.
    Client,
    /// The port is only at the remote end.
    Remote,
    /// It matches by something else, or is closed.
    Rest,
}

/// Ranks a row that matches `conditions`.
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

/// The end of a row with a port of the filter.
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

/// Returns the port numbers of the filter; a class of ports does not rank.
fn numbers(ports: Ports) -> Option<Numbers> {
    match ports {
        Ports::Typed(digits) => Some(Numbers::Prefix(digits.into())),
        Ports::Numbers(numbers) => Some(numbers),
        Ports::Class(_) | Ports::Ephemeral => None,
    }
}

/// Ranks by the kind of row alone.
fn rank_by_kind(row: &Row) -> Rank {
    let socket = &row.endpoint.socket;
    match (row.endpoint.relation.role, socket.state) {
        (SocketRole::Unconnected, Some(State::Listen)) => Rank::Listener,
        (SocketRole::Unconnected, _) => Rank::Bound,
        (SocketRole::Server, _) => Rank::Server,
        (SocketRole::Client | SocketRole::Unknown, _) => Rank::Client,
    }
}
