//! Queue of the events that are not printed yet, in order of time.
//!
//! An opened socket may wait for its owner. It holds back the events after it, so that the output is in order; that is why
//! each wait has a limit.

use crate::model::socket::{Endpoint, EndpointId, Owners};
use crate::report::watch::SocketEvent;
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

#[derive(Default)]
pub struct EventQueue {
    events: VecDeque<QueuedEvent>,
    /// Number of events that were removed, which is the number of the first event in the queue.
    removed: usize,
    /// Numbers of the waiting events: a poll may bring thousands of owners, and each finds its event at once.
    waiting: HashMap<EndpointId, usize>,
}

struct QueuedEvent {
    event: SocketEvent,
    /// Latest time until which it waits for its owner; `None` if it does not wait.
    until: Option<Instant>,
}

impl EventQueue {
    /// Adds an event, which waits for its owner at most `until`.
    pub fn push(&mut self, event: SocketEvent, until: Option<Instant>) {
        if until.is_some() {
            let number = self.removed + self.events.len();
            self.waiting.insert(event.row.endpoint.id(), number);
        }
        self.events.push_back(QueuedEvent { event, until });
    }

    /// Updates a waiting socket; once its owners are known it waits no longer.
    pub fn refresh(&mut self, endpoint: &Endpoint) {
        let id = endpoint.id();
        if let Some(queued) = self.waiting(id) {
            queued.event.row.endpoint = endpoint.clone();
            if endpoint.socket.owners != Owners::Pending {
                self.release(id);
            }
        }
    }

    /// Releases a waiting socket with the owners that its next event brought.
    pub fn release_with(&mut self, id: EndpointId, owners: &Owners) {
        if let (Some(queued), Owners::Known(_)) = (self.waiting(id), owners) {
            queued.event.row.endpoint.socket.owners = owners.clone();
        }
        self.release(id);
    }

    /// Releases a waiting socket as it is, since another event of it follows.
    pub fn release(&mut self, id: EndpointId) {
        if let Some(queued) = self.waiting(id) {
            queued.until = None;
        }
        self.waiting.remove(&id);
    }

    /// Removes and returns the first events, until one that waits longer than `now`; without a time, all of them.
    pub fn due(&mut self, now: Option<Instant>) -> Vec<SocketEvent> {
        let is_due = |queued: &&QueuedEvent| now.is_none() || queued.until <= now;
        let count = self.events.iter().take_while(is_due).count();
        self.removed += count;
        let removed = self.removed;
        self.waiting.retain(|_, number| *number >= removed);
        let due = self.events.drain(..count);
        due.map(|queued| queued.event).collect()
    }

    /// Time when the first event is due, if it waits.
    pub fn next_due(&self) -> Option<Instant> {
        self.events.front().and_then(|queued| queued.until)
    }

    fn waiting(&mut self, id: EndpointId) -> Option<&mut QueuedEvent> {
        let number = *self.waiting.get(&id)?;
        self.events.get_mut(number.checked_sub(self.removed)?)
    }
}
