//! Ranks of matching rows: a new filter puts the cursor on the best one.

use crate::model::socket::{SocketRole, State};
use crate::table::query::condition::{Condition, Ports, ports_at};
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

/// Ranks a row that matches `conditions`, by the best of them.
pub fn rank<'a>(conditions: impl Iterator<Item = &'a Condition>, row: &Row) -> Rank {
    if row.is_closed() {
        return Rank::Rest;
    }
    let ranks = conditions.filter_map(|condition| rank_by_port(condition, row));
    ranks.min().unwrap_or_else(|| rank_by_kind(row))
}

/// Ranks by the end with the port of a condition, if it has one. A class of ports does not rank.
fn rank_by_port(condition: &Condition, row: &Row) -> Option<Rank> {
    let socket = &row.endpoint.socket;
    let (is_local, is_remote) = match condition {
        Condition::EndpointSpec(spec) => (spec.is_of(socket), false),
        Condition::Port { end, ports } => {
            let numbers = match *ports {
                Ports::Typed(digits) => Numbers::Prefix(digits),
                Ports::Numbers(numbers) => numbers,
                Ports::Class(_) | Ports::Ephemeral => return None,
            };
            let [local, remote] = ports_at(socket, *end)
                .map(|port| port.is_some_and(|port| numbers.contains(port.into())));
            (local, remote)
        }
        Condition::State(_)
        | Condition::Protocol(_)
        | Condition::Address { .. }
        | Condition::Number { .. }
        | Condition::FieldText { .. }
        | Condition::Text(_) => return None,
    };
    Some(match (is_local, is_remote) {
        (true, _) => rank_by_kind(row),
        (false, true) => Rank::Remote,
        (false, false) => Rank::Rest,
    })
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
