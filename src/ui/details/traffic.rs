//! Traffic, path and queues of a socket, and the CPU and memory of its owners. Unknown values have no line.

use crate::model::process::ProcessId;
use crate::model::socket::SocketQueue;
use crate::ui::details::{DetailsView, PENDING, entry};
use crate::ui::labeled_text::LabeledText;
use crate::wording::screen;

pub fn traffic_lines(view: &DetailsView) -> Vec<Option<LabeledText>> {
    let (row, stats_history) = (view.row, &view.app.details.stats_history);
    if row.is_closed() {
        return Vec::new();
    }
    let (socket, id) = (&row.endpoint.socket, row.endpoint.id());
    let counted = stats_history.traffic(id);
    let flow = counted.and_then(|(traffic, rates)| Some((traffic.flow?, rates)));
    let is_pending = socket.counts_traffic() && stats_history.is_pending(id);
    let or_pending = |text: Option<String>| text.or(is_pending.then(|| PENDING.to_owned()));
    let queue = counted
        .map(|(traffic, _)| traffic.queue)
        .filter(|queue| *queue != SocketQueue::UNKNOWN)
        .or(socket.queue());
    let traffic = flow.map(|(flow, rates)| screen::traffic(flow, rates));
    vec![
        entry("traffic", or_pending(traffic)),
        entry("path", or_pending(flow.map(|(flow, _)| screen::path(flow)))),
        entry(
            "queue",
            queue.and_then(|queue| screen::queue(socket, queue)),
        ),
    ]
}

/// CPU and memory of one owner.
pub fn usage(view: &DetailsView, process: ProcessId) -> Option<String> {
    let (row, stats_history) = (view.row, &view.app.details.stats_history);
    let id = row.endpoint.id();
    match stats_history.usage(id, process) {
        _ if row.is_closed() => None,
        Some((usage, share)) => Some(screen::usage(usage, share)),
        None => stats_history.is_pending(id).then(|| PENDING.to_owned()),
    }
}

#[cfg(test)]
mod tests;
