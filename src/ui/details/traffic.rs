//! What goes through a connection, what waits at a socket and what its holders use. What is unknown gets no line.

use crate::model::endpoint::{Protocol, Socket, State};
use crate::model::process::ProcessId;
use crate::model::sighting::Queue;
use crate::model::traffic::{Flow, Rates, Usage};
use crate::table::value::{Bound, shown_age};
use crate::ui::details::numbers::{bytes, percent, round_trip};
use crate::ui::details::{Entry, Scene};
use std::time::Duration;

/// Stands where something is still to come.
const AWAITED: &str = "…";

pub fn traffic(scene: &Scene) -> Vec<Entry> {
    let (row, closeups) = (scene.row, &scene.app.details.closeups);
    if row.is_gone() {
        return Vec::new();
    }
    let (socket, id) = (&row.endpoint.socket, row.endpoint.id());
    let counted = closeups.traffic(id);
    let flow = counted.and_then(|(traffic, rates)| Some((traffic.flow?, rates)));
    let mut entries = match flow {
        Some((flow, rates)) => vec![("traffic", gone_through(flow, rates)), ("path", path(flow))],
        None if has_flow(socket) && closeups.are_awaited(id) => {
            vec![
                ("traffic", AWAITED.to_owned()),
                ("path", AWAITED.to_owned()),
            ]
        }
        None => Vec::new(),
    };
    let queue = counted
        .map(|(traffic, _)| traffic.queue)
        .filter(|queue| *queue != Queue::UNKNOWN)
        .or(row.queue());
    let waiting = queue.and_then(|queue| waiting(socket, queue));
    entries.extend(waiting.map(|words| ("queue", words)));
    entries
}

/// What one holder uses.
pub fn uses(scene: &Scene, process: ProcessId) -> Option<Entry> {
    let (row, closeups) = (scene.row, &scene.app.details.closeups);
    let id = row.endpoint.id();
    let words = match closeups.usage(id, process) {
        _ if row.is_gone() => None,
        Some((usage, share)) => Some(used(usage, share)),
        None => closeups.are_awaited(id).then(|| AWAITED.to_owned()),
    };
    words.map(|words| ("uses", words))
}

/// Whether the kernel counts what goes through: what it keeps without a process is no whole socket any more, or yet.
fn has_flow(socket: &Socket) -> bool {
    socket.protocol == Protocol::Tcp
        && socket.remote.is_some()
        && !matches!(socket.state, Some(State::TimeWait | State::SynRecv))
}

/// `↑ 1.2 MB/s  ↓ 340 B/s · sent 12 MB, received 3.4 MB`; a connection at rest says since when instead.
fn gone_through(flow: Flow, rates: Option<Rates>) -> String {
    let totals = format!(
        "sent {}, received {}",
        bytes(flow.sent),
        bytes(flow.received)
    );
    let quiet = flow.idle_sent.min(flow.idle_received);
    let pace = match rates {
        Some(rates) if is_moving(rates) || quiet < Duration::from_secs(1) => {
            format!("↑ {}/s  ↓ {}/s", bytes(rates.sent), bytes(rates.received))
        }
        _ if quiet >= Duration::from_secs(1) => {
            format!("quiet for {}", shown_age(Bound::Exact, quiet))
        }
        _ => return totals,
    };
    format!("{pace} · {totals}")
}

fn is_moving(rates: Rates) -> bool {
    rates.sent > 0 || rates.received > 0
}

/// `round trip 1.3 ms · 2 segments sent again`; a round trip of nothing was not measured yet.
fn path(flow: Flow) -> String {
    let again = match flow.retransmits {
        0 => "nothing sent again".to_owned(),
        1 => "1 segment sent again".to_owned(),
        count => format!("{count} segments sent again"),
    };
    if flow.round_trip.is_zero() {
        again
    } else {
        format!("round trip {} · {again}", round_trip(flow.round_trip))
    }
}

/// What waits at a listener, and in the buffers of what data goes through.
fn waiting(socket: &Socket, queue: Queue) -> Option<String> {
    let Queue { incoming, outgoing } = queue;
    if socket.is_listening() {
        // The kernel takes one more than the backlog (sk_acceptq_is_full in include/net/sock.h) and then drops what
        // else comes, which the client tries again until it gives up.
        let full = if incoming > outgoing {
            " · full: new clients time out"
        } else {
            ""
        };
        return Some(format!(
            "{incoming} of {outgoing} connections wait to be accepted{full}"
        ));
    }
    let unsent = match socket.protocol {
        Protocol::Udp => "waiting to be sent",
        Protocol::Tcp if has_flow(socket) => "not acknowledged",
        Protocol::Tcp => return None,
    };
    Some(format!(
        "waiting to be read {} · {unsent} {}",
        bytes(incoming.into()),
        bytes(outgoing.into())
    ))
}

/// `2.3 % CPU · 45 MB of memory`, in percent of one core.
fn used(usage: Usage, share: Option<u64>) -> String {
    let memory = format!("{} of memory", bytes(usage.memory));
    match share {
        Some(share) => format!("{} CPU · {memory}", percent(share)),
        None => memory,
    }
}

#[cfg(test)]
mod tests;
