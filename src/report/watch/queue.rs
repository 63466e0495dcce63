//! The events that are not told yet, in the order in which they happened.
//!
//! What opened may wait for its owner. It keeps back everything behind it, so that events are told in the order of their
//! times; that is why nobody may wait without a bound.

use crate::model::endpoint::{Endpoint, EndpointId, Owners};
use crate::report::watch::SocketEvent;
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

#[derive(Default)]
pub struct EventQueue {
    events: VecDeque<QueuedEvent>,
    /// How many have left the queue: what the first one's number is.
    left: usize,
    /// The numbers of those that wait, so that a look that brings thousands of owners need not search for each.
    waiting: HashMap<EndpointId, usize>,
}

struct QueuedEvent {
    event: SocketEvent,
    /// Until when it waits for its owner, if it does.
    until: Option<Instant>,
}

impl EventQueue {
    pub fn push(&mut self, event: SocketEvent) {
        self.events.push_back(QueuedEvent { event, until: None });
    }

    pub fn push_waiting(&mut self, event: SocketEvent, until: Instant) {
        let number = self.left + self.events.len();
        self.waiting.insert(event.row.endpoint.id(), number);
        let until = Some(until);
        self.events.push_back(QueuedEvent { event, until });
    }

    /// Takes in what was learned about a socket; where that is its owner, it waits no longer.
    pub fn refresh(&mut self, endpoint: &Endpoint) {
        let id = endpoint.id();
        if let Some(queued) = self.waiting(id) {
            queued.event.row.endpoint = endpoint.clone();
            if endpoint.socket.owners != Owners::Pending {
                self.release(id);
            }
        }
    }

    /// Lets a socket that waits be told with owners that came to light with its next event.
    pub fn release_with(&mut self, id: EndpointId, owners: &Owners) {
        if let (Some(queued), Owners::Known(_)) = (self.waiting(id), owners) {
            queued.event.row.endpoint.socket.owners = owners.clone();
        }
        self.release(id);
    }

    /// Lets a socket be told as it is: something else happened to it meanwhile.
    pub fn release(&mut self, id: EndpointId) {
        if let Some(queued) = self.waiting(id) {
            queued.until = None;
        }
        self.waiting.remove(&id);
    }

    pub fn due(&mut self, now: Instant) -> Vec<SocketEvent> {
        let is_due = |queued: &&QueuedEvent| queued.until.is_none_or(|until| until <= now);
        let count = self.events.iter().take_while(is_due).count();
        self.take(count)
    }

    pub fn flush(&mut self) -> Vec<SocketEvent> {
        self.take(self.events.len())
    }

    /// When the first of the queue is due, if it waits.
    pub fn next_due(&self) -> Option<Instant> {
        self.events.front().and_then(|queued| queued.until)
    }

    fn waiting(&mut self, id: EndpointId) -> Option<&mut QueuedEvent> {
        let number = *self.waiting.get(&id)?;
        self.events.get_mut(number.checked_sub(self.left)?)
    }

    fn take(&mut self, count: usize) -> Vec<SocketEvent> {
        self.left += count;
        let left = self.left;
        self.waiting.retain(|_, number| *number >= left);
        self.events
            .drain(..count)
            .map(|queued| queued.event)
            .collect()
    }
}
