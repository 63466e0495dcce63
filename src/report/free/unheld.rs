//! A port that nothing stands on: whether it can be used, and if not, what is in the way.

use super::{Account, Outcome};
use crate::model::endpoint::{Endpoint, Owners, Socket, State};
use crate::model::target::Spot;
use crate::model::time_wait::{Remainder, TIME_WAIT};
use crate::model::words;
use std::time::Instant;

/// How a bind on the port went, on the address that was named or on all local ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    Bound,
    OnlyWithReuse,
    /// This user may not bind it, so only the table speaks.
    Denied,
    /// In the words of the system.
    Failed(String),
}

/// What is said of the port.
pub fn account(spot: Spot, table: &[Endpoint], bind: &Bind, now: Instant) -> Account {
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    let sockets: Vec<&Socket> = sockets.filter(|socket| spot.is_port_of(socket)).collect();
    let (outcome, rest) = match bind {
        Bind::Bound => (Outcome::Free, String::new()),
        Bind::OnlyWithReuse => {
            let left = left(&sockets);
            let words = format!(", but it can be bound only with SO_REUSEADDR{left}");
            (Outcome::Free, words)
        }
        Bind::Denied => (
            Outcome::Free,
            ". A bind was not allowed to this user, so only the table says so.".to_owned(),
        ),
        Bind::Failed(reason) => {
            let message = format!(
                "{spot} is STILL HELD: {}",
                in_the_way(spot, &sockets, reason, now)
            );
            let mut account = Account::without_signal(spot, Outcome::StillHeld, message);
            let owners = sockets.iter().flat_map(|socket| socket.owners.known());
            for owner in owners {
                if !account.holders.iter().any(|known| known.id == owner.id) {
                    account.holders.push(owner.clone());
                }
            }
            return account;
        }
    };
    let message = format!("{spot} is free: nothing holds it{rest}");
    Account::without_signal(spot, outcome, message)
}

/// Only what was named is ended, so whatever else is in the way is told with the way out.
fn in_the_way(spot: Spot, sockets: &[&Socket], reason: &str, now: Instant) -> String {
    let standing = sockets.iter().find(|socket| socket.is_standing());
    let connected = sockets.iter().find(|socket| socket.owners != Owners::None);
    let waits = |socket: &&Socket| socket.state == Some(State::TimeWait);
    if let Some(socket) = standing {
        let everywhere = Spot {
            address: None,
            ..spot
        };
        let (holder, place) = (words::holder(socket), socket.local_address());
        let word = everywhere.word();
        format!("{holder} has the port on {place}; portmon free {word} is about every address")
    } else if let Some(socket) = connected {
        let holder = words::holder(socket);
        let to = socket
            .remote
            .map(|to| format!(" to {}", words::place_at(spot.protocol, to)));
        let to = to.unwrap_or_default();
        format!(
            "nobody listens, but {holder} has a connection{to} on it, and no connection is ended"
        )
    } else if !sockets.is_empty() && sockets.iter().copied().all(|socket| waits(&socket)) {
        let left = Remainder::of_last(sockets.iter().copied(), now, TIME_WAIT, |_| None);
        let states = words::states(sockets);
        let rest = left.map_or_else(String::new, |left| format!(" for {}", left.roughly()));
        format!("no process holds it; the kernel keeps {states}{rest}")
    } else {
        format!(
            "nothing is seen there{}, but a bind fails: {reason}",
            left(sockets)
        )
    }
}

/// ` (12 TIME_WAIT)`
fn left(sockets: &[&Socket]) -> String {
    if sockets.is_empty() {
        String::new()
    } else {
        format!(" ({})", words::states(sockets))
    }
}
