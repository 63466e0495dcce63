//! `portmon watch`: what opens, changes, is replaced and closes, an event at a time.
//!
//! [`WatchReporter`] is fed the changes of each look and asked which events are due; it reads no clock and prints nothing.
//! [`text`] and [`JsonEvent`](crate::report::json::JsonEvent) write an event as a line. Whoever reads it may read for
//! weeks: it never keeps more than the sockets that are there and the events of the last second.

use crate::model::Moment;
use crate::model::address::Family;
use crate::model::endpoint::{Endpoint, EndpointId, Owners, Protocol};
use crate::model::process::Pid;
use crate::model::snapshot::Problem;
use crate::table::listing::Filter;
use crate::table::row::{ChangeMark, DisplayContext, Row};
use crate::tracker::{Change, Changes};
use queue::EventQueue;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant, SystemTime};

mod queue;
mod text;

pub use text::text;

/// How long what opened waits to be told until its owner is known.
pub const OWNER_TIMEOUT: Duration = Duration::from_secs(1);

/// What happened to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Opened,
    Changed,
    Replaced,
    Closed,
}

impl EventKind {
    /// The word that scripts look for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Replaced => "replaced",
            Self::Closed => "closed",
        }
    }
}

/// One line of what is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketEvent {
    pub at: SystemTime,
    pub kind: EventKind,
    /// The socket as it was after the event; of one that closed, as it was last known.
    pub row: Row,
    /// What changed: the same socket before, or the one that was replaced.
    pub before: Option<Row>,
}

/// Follows the changes and tells of those that a filter asks for.
pub struct WatchReporter {
    filter: Filter,
    /// portmon's own pid: its sockets are no events.
    self_pid: Option<Pid>,
    /// Every socket as it was last known, since a change says of one that closed only which it was.
    known: HashMap<EndpointId, Endpoint>,
    /// The tables that were read to their end at least once. What a table holds when it is first read may have stood
    /// there all along.
    read: HashSet<(Protocol, Family)>,
    queue: EventQueue,
}

impl WatchReporter {
    pub fn new(filter: Filter, self_pid: Option<Pid>) -> Self {
        Self {
            filter,
            self_pid,
            known: HashMap::new(),
            read: HashSet::new(),
            queue: EventQueue::default(),
        }
    }

    pub fn apply(&mut self, changes: Changes) {
        for change in changes.list {
            self.apply_change(change, changes.taken);
        }
        self.record_read_tables(&changes.problems);
    }

    /// The events that are due, in the order in which they happened.
    ///
    /// One that waits for its owner keeps back those after it. The filter looks at the sockets as they are told, so
    /// that it may ask for an owner.
    pub fn due(&mut self, now: Instant, context: &DisplayContext) -> Vec<SocketEvent> {
        let events = self.queue.due(now);
        self.filtered(events, context)
    }

    /// All that is left to tell, for the end.
    pub fn flush(&mut self, context: &DisplayContext) -> Vec<SocketEvent> {
        let events = self.queue.flush();
        self.filtered(events, context)
    }

    /// When the next event is due, if no look brings it sooner.
    pub fn next_due(&self) -> Option<Instant> {
        self.queue.next_due()
    }

    fn apply_change(&mut self, change: Change, taken: Moment) {
        let id = change.id();
        match change {
            Change::Opened(endpoint) if self.is_new(&endpoint) => {
                self.open(EventKind::Opened, endpoint, None, taken);
            }
            Change::Initial(endpoint) | Change::Opened(endpoint) => self.store(endpoint),
            Change::Replaced { gone, endpoint } => {
                self.queue.release(gone);
                let before = self.known.remove(&gone);
                self.open(EventKind::Replaced, endpoint, before, taken);
            }
            Change::Changed(endpoint) => {
                self.queue.release_with(id, &endpoint.socket.owners);
                let before = self.known.insert(id, endpoint.clone());
                self.queue
                    .push(event(EventKind::Changed, endpoint, before, taken));
            }
            Change::Refreshed(endpoint) => {
                self.queue.refresh(&endpoint);
                self.store(endpoint);
            }
            Change::Closed(id) => {
                self.queue.release(id);
                if let Some(last) = self.known.remove(&id) {
                    self.queue.push(event(EventKind::Closed, last, None, taken));
                }
            }
            Change::ShortLived(endpoint) => {
                let opened = event(EventKind::Opened, endpoint.clone(), None, taken);
                self.queue.push(opened);
                self.queue
                    .push(event(EventKind::Closed, endpoint, None, taken));
            }
        }
    }

    fn store(&mut self, endpoint: Endpoint) {
        self.known.insert(endpoint.id(), endpoint);
    }

    fn open(
        &mut self,
        kind: EventKind,
        endpoint: Endpoint,
        before: Option<Endpoint>,
        taken: Moment,
    ) {
        self.store(endpoint.clone());
        let is_pending = endpoint.socket.owners == Owners::Pending;
        let event = event(kind, endpoint, before, taken);
        if is_pending {
            self.queue
                .push_waiting(event, taken.instant + OWNER_TIMEOUT);
        } else {
            self.queue.push(event);
        }
    }

    fn is_new(&self, endpoint: &Endpoint) -> bool {
        let socket = &endpoint.socket;
        self.read.contains(&(socket.protocol, socket.table))
    }

    fn record_read_tables(&mut self, problems: &[Problem]) {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            for family in [Family::Ipv4, Family::Ipv6] {
                let is_it =
                    |problem: &Problem| problem.protocol == protocol && problem.family == family;
                if !problems.iter().any(is_it) {
                    self.read.insert((protocol, family));
                }
            }
        }
    }

    fn filtered(&self, mut events: Vec<SocketEvent>, context: &DisplayContext) -> Vec<SocketEvent> {
        events.retain(|event| {
            !self.is_own(&event.row) && self.filter.section_of(&event.row, context).is_some()
        });
        events
    }

    /// Whether nobody but portmon holds it; one that it was started with belongs to others too.
    fn is_own(&self, row: &Row) -> bool {
        let holders = row.endpoint.socket.owners.known();
        !holders.is_empty()
            && holders
                .iter()
                .all(|holder| Some(holder.pid()) == self.self_pid)
    }
}

fn event(
    kind: EventKind,
    endpoint: Endpoint,
    before: Option<Endpoint>,
    taken: Moment,
) -> SocketEvent {
    let row = |endpoint| Row {
        endpoint,
        change_mark: ChangeMark::None,
    };
    SocketEvent {
        at: taken.wall,
        kind,
        row: row(endpoint),
        before: before.map(row),
    }
}

#[cfg(test)]
mod tests;
