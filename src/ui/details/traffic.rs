//! Traffic, path and queues of a socket, and the CPU and memory of its owners. Unknown values have no line.

use crate::model::process::ProcessId;
use crate::model::socket::{
    ByteRates, ProcessUsage, Protocol, Socket, SocketQueue, State, TcpCounters,
};
use crate::ui::details::DetailsView;
use crate::ui::labeled_text::LabeledText;
use crate::wording::{bytes, duration, latency, percent};
use std::time::Duration;

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
        .or(row.endpoint.socket.queue());
    let waiting = queue.and_then(|queue| queue_text(socket, queue));
    entries.extend(waiting.map(|words| LabeledText::new("queue", words)));
    entries
}

/// CPU and memory of one owner.
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

/// True if the kernel counts the traffic: it does not for sockets that it keeps without a process.
fn has_flow(socket: &Socket) -> bool {
    socket.protocol == Protocol::Tcp
        && socket.remote.is_some()
        && !matches!(socket.state, Some(State::TimeWait | State::SynRecv))
}

/// `↑ 1.2 MB/s  ↓ 340 B/s · sent 12 MB, received 3.4 MB`, or `idle for 12 s · …`.
fn traffic_text(flow: TcpCounters, rates: Option<ByteRates>) -> String {
    let totals = format!(
        "sent {}, received {}",
        bytes(flow.sent),
        bytes(flow.received)
    );
    let idle = flow.idle_sent.min(flow.idle_received);
    let rate = match rates {
        Some(rates) if is_moving(rates) || idle < Duration::from_secs(1) => {
            format!("↑ {}/s  ↓ {}/s", bytes(rates.sent), bytes(rates.received))
        }
        _ if idle >= Duration::from_secs(1) => {
            format!("idle for {}", duration(idle))
        }
        _ => return totals,
    };
    format!("{rate} · {totals}")
}

fn is_moving(rates: ByteRates) -> bool {
    rates.sent > 0 || rates.received > 0
}

/// `round trip 1.3 ms · 2 retransmits`; a round trip of zero is not measured yet.
fn path_text(flow: TcpCounters) -> String {
    let retransmits = match flow.retransmits {
        0 => "no retransmits".to_owned(),
        1 => "1 retransmit".to_owned(),
        count => format!("{count} retransmits"),
    };
    if flow.rtt.is_zero() {
        retransmits
    } else {
        format!("round trip {} · {retransmits}", latency(flow.rtt))
    }
}

/// `backlog 6 / 5 · full: new clients time out`, or the bytes in the buffers of a socket with data.
fn queue_text(socket: &Socket, queue: SocketQueue) -> Option<String> {
    let SocketQueue { incoming, outgoing } = queue;
    if socket.is_listening() {
        // The kernel accepts one more than the backlog (sk_acceptq_is_full in include/net/sock.h), then drops
        // connections, which the clients retry until they give up.
        let full = if incoming > outgoing {
            " · full: new clients time out"
        } else {
            ""
        };
        return Some(format!("backlog {incoming} / {outgoing}{full}"));
    }
    let unsent = match socket.protocol {
        Protocol::Udp => "unsent",
        Protocol::Tcp if has_flow(socket) => "unacknowledged",
        Protocol::Tcp => return None,
    };
    Some(format!(
        "unread {} · {unsent} {}",
        bytes(incoming.into()),
        bytes(outgoing.into())
    ))
}

/// `2.3 % CPU · 45 MB memory`, in percent of one core.
fn usage_text(usage: ProcessUsage, share: Option<u64>) -> String {
    let memory = format!("{} memory", bytes(usage.memory));
    match share {
        Some(share) => format!("{} CPU · {memory}", percent(share)),
        None => memory,
    }
}

#[cfg(test)]
mod tests;
