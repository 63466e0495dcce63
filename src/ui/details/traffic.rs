//! What goes through a connection, what waits at a socket and what its holders use. What is unknown gets no line.

use crate::model::endpoint::{Protocol, Socket, State};
use crate::model::process::ProcessId;
use crate::model::socket::SocketQueue;
use crate::model::stats::{ByteRates, ProcessUsage, TcpCounters};
use crate::ui::details::DetailsView;
use crate::ui::labeled_text::LabeledText;
use crate::wording::{bytes, duration, latency, percent};
use std::time::Duration;

/// Stands where something is still to come.
const PENDING: &str = "…";

pub fn traffic(view: &DetailsView) -> Vec<LabeledText> {
    let (row, stats_history) = (view.row, &view.app.details.stats_history);
    if row.is_closed() {
        return Vec::new();
    }
    let (socket, id) = (&row.endpoint.socket, row.endpoint.id());
    let counted = stats_history.traffic(id);
    let flow = counted.and_then(|(traffic, rates)| Some((traffic.flow?, rates)));
    let mut entries = match flow {
        Some((flow, rates)) => vec![
            LabeledText::new("traffic", traffic_text(flow, rates)),
            LabeledText::new("path", path_text(flow)),
        ],
        None if has_flow(socket) && stats_history.is_pending(id) => {
            vec![
                LabeledText::new("traffic", PENDING.to_owned()),
                LabeledText::new("path", PENDING.to_owned()),
            ]
        }
        None => Vec::new(),
    };
    let queue = counted
        .map(|(traffic, _)| traffic.queue)
        .filter(|queue| *queue != SocketQueue::UNKNOWN)
        .or(row.queue());
    let waiting = queue.and_then(|queue| waiting(socket, queue));
    entries.extend(waiting.map(|words| LabeledText::new("queue", words)));
    entries
}

/// What one holder uses.
pub fn usage_line(view: &DetailsView, process: ProcessId) -> Option<LabeledText> {
    let (row, stats_history) = (view.row, &view.app.details.stats_history);
    let id = row.endpoint.id();
    let words = match stats_history.usage(id, process) {
        _ if row.is_closed() => None,
        Some((usage, share)) => Some(usage_text(usage, share)),
        None => stats_history.is_pending(id).then(|| PENDING.to_owned()),
    };
    words.map(|words| LabeledText::new("uses", words))
}

/// Whether the kernel counts what goes through: what it keeps without a process is no whole socket any more, or yet.
fn has_flow(socket: &Socket) -> bool {
    socket.protocol == Protocol::Tcp
        && socket.remote.is_some()
        && !matches!(socket.state, Some(State::TimeWait | State::SynRecv))
}

/// `↑ 1.2 MB/s  ↓ 340 B/s · sent 12 MB, received 3.4 MB`; a connection at rest says since when instead.
fn traffic_text(flow: TcpCounters, rates: Option<ByteRates>) -> String {
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
            format!("quiet for {}", duration(quiet))
        }
        _ => return totals,
    };
    format!("{pace} · {totals}")
}

fn is_moving(rates: ByteRates) -> bool {
    rates.sent > 0 || rates.received > 0
}

/// `round trip 1.3 ms · 2 segments sent again`; a round trip of nothing was not measured yet.
fn path_text(flow: TcpCounters) -> String {
    let again = match flow.retransmits {
        0 => "nothing sent again".to_owned(),
        1 => "1 segment sent again".to_owned(),
        count => format!("{count} segments sent again"),
    };
    if flow.round_trip.is_zero() {
        again
    } else {
        format!("round trip {} · {again}", latency(flow.round_trip))
    }
}

/// What waits at a listener, and in the buffers of what data goes through.
fn waiting(socket: &Socket, queue: SocketQueue) -> Option<String> {
    let SocketQueue { incoming, outgoing } = queue;
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
fn usage_text(usage: ProcessUsage, share: Option<u64>) -> String {
    let memory = format!("{} of memory", bytes(usage.memory));
    match share {
        Some(share) => format!("{} CPU · {memory}", percent(share)),
        None => memory,
    }
}

#[cfg(test)]
mod tests;
