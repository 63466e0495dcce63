//! Follows sockets from poll to poll and reports what changed.
//!
//! The sampler thread owns the tracker and feeds it each poll one socket at a time; it gives back [`Changes`], not tables.
//! A table that could not be read keeps its sockets, so that a failed poll never reports them closed. Sockets come first
//! and owners later: the owner of a new socket is [`Owners::Pending`] until it is set.

use crate::model::port::EphemeralRange;
use crate::model::socket::{Endpoint, OwnerHint, Owners, RawSocket, State};
use closed::ClosedSockets;
use emit::UserNames;
use hashbrown::{HashMap, HashSet};
use owner_pool::OwnersKey;
use peers::DirtySockets;
use socket_table::{Observed, SocketTable};
use std::time::Instant;
use tracked_socket::{Centiseconds, PendingChange, SlotStatus};

mod changes;
mod closed;
mod compaction;
mod emit;
mod interfaces;
mod owner_pool;
mod owners;
mod peers;
mod socket_table;
mod tracked_socket;

pub use changes::{Change, Changes, UnreadTables};
pub use closed::REPLACE_WINDOW;
pub use tracked_socket::SlotId;

/// The sockets of the last poll.
pub struct Tracker {
    table: SocketTable,
    ephemeral: EphemeralRange,
    start: Instant,
    now: Centiseconds,
    has_emitted: bool,
    /// Sockets with a pending change, each once.
    pending: Vec<SlotId>,
    dirty: DirtySockets,
    closed: ClosedSockets,
    /// Sockets that opened and closed between two polls.
    short_lived: Vec<RawSocket>,
    unresolved: Vec<SlotId>,
    /// Hints of sockets that closed or lost their owner.
    removed_hints: Vec<OwnerHint>,
}

impl Tracker {
    /// No poll may be earlier than `start`.
    pub fn new(ephemeral: EphemeralRange, start: Instant) -> Self {
        Self {
            table: SocketTable::default(),
            ephemeral,
            start,
            now: Centiseconds::default(),
            has_emitted: false,
            pending: Vec::new(),
            dirty: DirtySockets::default(),
            closed: ClosedSockets::default(),
            short_lived: Vec::new(),
            unresolved: Vec::new(),
            removed_hints: Vec::new(),
        }
    }

    pub fn socket_count(&self) -> usize {
        self.table.len()
    }

    /// Begins a poll: [`observe`](Self::observe) every socket, then [`end_poll`](Self::end_poll).
    pub fn begin_poll(&mut self, at: Instant) {
        let centiseconds = at.saturating_duration_since(self.start).as_millis() / 10;
        self.now = Centiseconds(u32::try_from(centiseconds).unwrap_or(u32::MAX));
        self.table.begin_poll();
        self.closed.forget_before(at);
    }

    /// Records one socket. Cheapest if sockets come in the order of the last poll.
    #[inline]
    pub fn observe(&mut self, raw_socket: &RawSocket) {
        match self.table.observe(raw_socket) {
            Observed::Unchanged => {}
            Observed::New(slot) => self.open(slot),
            Observed::Changed(slot, before) => self.update(slot, &before, raw_socket),
        }
    }

    fn open(&mut self, slot: SlotId) {
        let Some(tracked) = self.table.get_mut(slot) else {
            return;
        };
        (tracked.since, tracked.state_since) = (self.now, self.now);
        let interface = tracked.raw_socket.interface;
        tracked.is_initial = !self.has_emitted;
        if tracked.raw_socket.owner_hint.is_none() {
            tracked.owners = OwnersKey::NO_PROCESS;
        } else {
            self.unresolved.push(slot);
        }
        self.table.interfaces.note(interface);
        self.dirty.slots.push(slot);
        self.add_pending(slot, PendingChange::Opened);
    }

    fn update(&mut self, slot: SlotId, before: &RawSocket, after: &RawSocket) {
        let mut pending = PendingChange::Refreshed;
        if let Some(tracked) = self.table.get_mut(slot) {
            if before.state != after.state {
                pending = PendingChange::Changed;
                tracked.state_since = self.now;
            } else if after.state == Some(State::TimeWait) {
                // The time left counts from the poll that first saw the state.
                tracked.raw_socket.queue = before.queue;
            }
        }
        if before.owner_hint != after.owner_hint {
            self.removed_hints.extend(before.owner_hint);
            if after.owner_hint.is_none() {
                self.set_owners(slot, &Owners::NoProcess);
            } else {
                self.unresolved.push(slot);
            }
        }
        self.table.interfaces.note(after.interface);
        let is_only_queued = RawSocket {
            queue: before.queue,
            ..*after
        } == *before;
        if !is_only_queued {
            self.dirty.slots.push(slot);
        }
        self.add_pending(slot, pending);
    }

    /// Ends a poll: a socket that it did not report is closed, unless its table was not read. `confirm` returns the cookies
    /// of those listeners that still exist, because a listener must not be reported closed by mistake.
    pub fn end_poll(
        &mut self,
        unread: &UnreadTables,
        confirm: impl FnOnce(&[RawSocket]) -> HashSet<u64>,
    ) {
        let mut unseen = self.table.unseen();
        self.rejoin_by_cookie(&mut unseen);
        let listeners: Vec<RawSocket> = unseen
            .iter()
            .map(|(_, socket)| *socket)
            .filter(|socket| socket.state == Some(State::Listen) && unread.was_requested(socket))
            .collect();
        let confirmed = if listeners.is_empty() {
            HashSet::new()
        } else {
            confirm(&listeners)
        };
        for (slot, socket) in unseen {
            if unread.was_requested(&socket) && !confirmed.contains(&socket.cookie()) {
                self.close(slot);
            } else {
                self.table.mark_seen(slot);
            }
        }
    }

    /// A socket that gained or lost its remote end is indexed elsewhere; its cookie shows that it is the same.
    fn rejoin_by_cookie(&mut self, unseen: &mut Vec<(SlotId, RawSocket)>) {
        if unseen.is_empty() {
            return;
        }
        let with_cookie = unseen.iter().filter(|(_, socket)| socket.has_cookie());
        let by_cookie: HashMap<[u32; 2], SlotId> = with_cookie
            .map(|(slot, socket)| (socket.cookie, *slot))
            .collect();
        let mut resolved: HashSet<SlotId> = HashSet::new();
        for slot in &self.pending {
            let opened = self.table.get(*slot);
            let Some(opened) = opened.filter(|tracked| tracked.pending == PendingChange::Opened)
            else {
                continue;
            };
            let owner_hint = opened.raw_socket.owner_hint;
            let old = by_cookie.get(&opened.raw_socket.cookie);
            let Some(before) = old.and_then(|old| self.table.remove(*old)) else {
                continue;
            };
            self.dirty.closed.push(before.raw_socket);
            let is_same_hint = before.raw_socket.owner_hint == owner_hint;
            if is_same_hint {
                resolved.insert(*slot);
            } else {
                self.table.owner_pool.release_key(before.owners);
                self.removed_hints.extend(before.raw_socket.owner_hint);
            }
            if let Some(tracked) = self.table.get_mut(*slot) {
                tracked.since = before.since;
                tracked.is_initial = before.is_initial;
                if is_same_hint {
                    tracked.owners = before.owners;
                }
                tracked.status = before.status;
                tracked.pending = PendingChange::Changed;
            }
        }
        unseen.retain(|(slot, _)| self.table.get(*slot).is_some());
        self.unresolved.retain(|slot| !resolved.contains(slot));
    }

    fn close(&mut self, slot: SlotId) {
        let Some(tracked) = self.table.remove(slot) else {
            return;
        };
        self.table.owner_pool.release_key(tracked.owners);
        self.removed_hints.extend(tracked.raw_socket.owner_hint);
        self.dirty.closed.push(tracked.raw_socket);
        if tracked.status != SlotStatus::OwnSocket {
            self.closed.push(tracked);
        }
    }

    /// Records the sockets that the kernel reported as destroyed since the last poll.
    pub fn observe_destroyed(&mut self, destroyed: Vec<RawSocket>) {
        let (table, has_emitted) = (&self.table, self.has_emitted);
        let short_lived = self.closed.short_lived(table, destroyed, has_emitted);
        self.short_lived.extend(short_lived);
    }

    fn add_pending(&mut self, slot: SlotId, pending: PendingChange) {
        let Some(tracked) = self.table.get_mut(slot) else {
            return;
        };
        if tracked.status == SlotStatus::OwnSocket {
            return;
        }
        if tracked.pending == PendingChange::None {
            self.pending.push(slot);
        }
        tracked.pending = tracked.pending.max(pending);
    }

    /// Returns the changes since the last call.
    pub fn emit(&mut self, now: Instant, users: &mut UserNames) -> Vec<Change> {
        emit::emit(self, now, users)
    }

    /// Every socket as of the last poll.
    pub fn endpoints(&self, users: &mut UserNames) -> Vec<Endpoint> {
        self.table
            .each()
            .filter(|(_, tracked)| tracked.status == SlotStatus::InUse)
            .map(|(_, tracked)| emit::endpoint(self, tracked, users))
            .collect()
    }
}

#[cfg(test)]
mod tests;
