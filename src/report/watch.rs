//! Events of `portmon watch`: what opens, changes, is replaced and closes.
//!
//! [`WatchReporter`] takes the changes of each poll and returns the events that are due; it reads no clock and prints
//! nothing. [`text`] and [`JsonEvent`](crate::report::json::JsonEvent) format an event as a line. A watch may run for weeks:
//! it keeps only the present sockets and the events of the last second.

use crate::model::Moment;
use crate::model::process::Pid;
use crate::model::snapshot::{Problem, has_read};
use crate::model::socket::{Endpoint, EndpointId, Family, Owners, Protocol};
use crate::table::listing::Filter;
use crate::table::row::{DisplayContext, Row};
use crate::tracker::{Change, Changes};
use queue::EventQueue;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant, SystemTime};

mod queue;
mod text;

pub use text::{missed_text, text};

/// Longest time that an opened socket waits for its owner.
pub const OWNER_TIMEOUT: Duration = Duration::from_secs(1);

/// Kind of change to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Opened,
    Changed,
    Replaced,
    Closed,
}

impl EventKind {
    /// Name in the text and in JSON, which scripts rely on.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Replaced => "replaced",
            Self::Closed => "closed",
        }
    }
}

/// One line of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketEvent {
    pub at: SystemTime,
    pub kind: EventKind,
    /// The socket after the event; a closed one as last seen.
    pub row: Row,
    /// The same socket before a change, or the one that was replaced.
    pub before: Option<Row>,
}

/// Turns changes into the events that match a filter.
pub struct WatchReporter {
    filter: Filter,
    /// portmon's own pid: its sockets cause no events.
    self_pid: Option<Pid>,
    /// Every socket as last seen: a `Closed` change has only the id.
    known: HashMap<EndpointId, Endpoint>,
    /// Tables that were completely read at least once: what the first reading shows may have been there before.
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

    /// Removes and returns the events that are due, in order; all of them if there is no time left to wait.
    ///
    /// One that waits for its owner holds back those after it. The filter applies here, not before, since it may ask for the
    /// owner.
    pub fn due(&mut self, now: Option<Instant>, context: &DisplayContext) -> Vec<SocketEvent> {
        let mut events = self.queue.due(now);
        events.retain(|event| {
            !self.is_own(&event.row) && self.filter.section_of(&event.row, context).is_some()
        });
        events
    }

    /// Time when the next event is due, unless a poll releases it sooner.
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
                // One that an earlier poll found closed was reported then, and a restart is told only once.
                let kind = if before.is_some() {
                    EventKind::Replaced
                } else {
                    EventKind::Opened
                };
                self.open(kind, endpoint, before, taken);
            }
            Change::Changed(endpoint) => {
                self.queue.release_with(id, &endpoint.socket.owners);
                let before = self.known.insert(id, endpoint.clone());
                let changed = event(EventKind::Changed, endpoint, before, taken);
                self.queue.push(changed, None);
            }
            Change::Refreshed(endpoint) => {
                self.queue.refresh(&endpoint);
                self.store(endpoint);
            }
            Change::Closed(id) => {
                self.queue.release(id);
                if let Some(last) = self.known.remove(&id) {
                    let closed = event(EventKind::Closed, last, None, taken);
                    self.queue.push(closed, None);
                }
            }
            Change::ShortLived(endpoint) => {
                for kind in [EventKind::Opened, EventKind::Closed] {
                    let event = event(kind, endpoint.clone(), None, taken);
                    self.queue.push(event, None);
                }
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
        let until = is_pending.then(|| taken.instant + OWNER_TIMEOUT);
        self.queue.push(event(kind, endpoint, before, taken), until);
    }

    fn is_new(&self, endpoint: &Endpoint) -> bool {
        let socket = &endpoint.socket;
        self.read.contains(&(socket.protocol, socket.table))
    }

    fn record_read_tables(&mut self, problems: &[Problem]) {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            for family in [Family::Ipv4, Family::Ipv6] {
                if has_read(problems, protocol, family) {
                    self.read.insert((protocol, family));
                }
            }
        }
    }

    /// True if portmon is the only owner; a socket that it inherited has others.
    fn is_own(&self, row: &Row) -> bool {
        let owners = row.endpoint.socket.owners.known();
        !owners.is_empty()
            && owners
                .iter()
                .all(|owner| Some(owner.pid()) == self.self_pid)
    }
}

fn event(
    kind: EventKind,
    endpoint: Endpoint,
    before: Option<Endpoint>,
    taken: Moment,
) -> SocketEvent {
    SocketEvent {
        at: taken.wall,
        kind,
        row: endpoint.into(),
        before: before.map(Row::from),
    }
}

#[cfg(test)]
mod tests;
