//! A port that nothing stands on: whether it can be used, and if not, what is in the way.

use super::{FreeOutcome, FreeReport};
use crate::model::port::{BindResult, PortSpec};
use crate::model::socket::{Endpoint, Owners, Socket, State, TIME_WAIT, TimeWaitLeft};
use crate::wording;
use std::time::Instant;

/// What is said of the port.
pub fn report(spec: PortSpec, table: &[Endpoint], bind: &BindResult, now: Instant) -> FreeReport {
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    let sockets: Vec<&Socket> = sockets
        .filter(|socket| spec.has_same_port(socket))
        .collect();
    let (outcome, rest) = match bind {
        BindResult::Usable => (FreeOutcome::Free, String::new()),
        BindResult::OnlyWithReuseAddr => {
            let left = left(&sockets);
            let words = format!(", but it can be bound only with SO_REUSEADDR{left}");
            (FreeOutcome::Free, words)
        }
        BindResult::NotPermitted => (
            FreeOutcome::Free,
            ". You are not permitted to bind it, so only the socket tables show this.".to_owned(),
        ),
        BindResult::InUse | BindResult::NoSuchAddress | BindResult::Failed(_) => {
            let message = format!(
                "{spec} is STILL HELD: {}",
                blocking_connections(spec, &sockets, bind, now)
            );
            let mut report = FreeReport::without_signal(spec, FreeOutcome::StillHeld, message);
            let owners = sockets.iter().flat_map(|socket| socket.owners.known());
            for owner in owners {
                if !report.holders.iter().any(|known| known.id == owner.id) {
                    report.holders.push(owner.clone());
                }
            }
            return report;
        }
    };
    let message = format!("{spec} is free: nothing holds it{rest}");
    FreeReport::without_signal(spec, outcome, message)
}

/// Only what was named is ended, so whatever else is in the way is told with the way out.
fn blocking_connections(
    spec: PortSpec,
    sockets: &[&Socket],
    bind: &BindResult,
    now: Instant,
) -> String {
    let standing = sockets.iter().find(|socket| socket.holds_port());
    let connected = sockets
        .iter()
        .find(|socket| socket.owners != Owners::NoProcess);
    let waits = |socket: &&Socket| socket.state == Some(State::TimeWait);
    if let Some(socket) = standing {
        let (holder, place) = (wording::holder(socket), socket.local_address());
        let word = spec.on_all_addresses().to_argument();
        format!("{holder} has the port on {place}; portmon free {word} is about every address")
    } else if let Some(socket) = connected {
        let holder = wording::holder(socket);
        let to = socket
            .remote
            .map(|to| format!(" to {}", wording::place_at(spec.protocol, to)));
        let to = to.unwrap_or_default();
        format!(
            "nobody listens, but {holder} has a connection{to} on it, and no connection is ended"
        )
    } else if !sockets.is_empty() && sockets.iter().copied().all(|socket| waits(&socket)) {
        let left = TimeWaitLeft::of_last(sockets.iter().copied(), now, TIME_WAIT, |_| None);
        let states = wording::states(sockets);
        let rest = left.map_or_else(String::new, |left| {
            format!(" for {}", wording::time_left_roughly(left))
        });
        format!("no process holds it; the kernel keeps {states}{rest}")
    } else {
        format!(
            "nothing is seen there{}, but a bind fails: {}",
            left(sockets),
            wording::bind_result(bind)
        )
    }
}

/// ` (12 TIME_WAIT)`
fn left(sockets: &[&Socket]) -> String {
    if sockets.is_empty() {
        String::new()
    } else {
        format!(" ({})", wording::states(sockets))
    }
}
