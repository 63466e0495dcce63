//! Follows the sockets from look to look and tells what changed.
//!
//! The sampler's thread owns the tracker and feeds it every look one socket at a time; what leaves it are [`Changes`],
//! not tables. A table that could not be read keeps what it had, so that a failed look never reports that everything
//! closed. Sockets come first and owners after: whoever holds a new socket is [`Owners::Pending`] until it is told.

use crate::model::endpoint::{EndpointId, Owners, Protocol, State};
use crate::model::ports::EphemeralRange;
use crate::model::raw_socket::RawSocket;
use crate::model::snapshot::{Problem, has_read};
use owner_pool::{OwnerPool, OwnersKey};
use socket_table::{Observed, SocketTable};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};
use tracked_socket::{Centiseconds, PendingChange, SlotStatus};

mod changes;
mod compaction;
mod emit;
mod owner_pool;
mod owners;
mod peers;
mod socket_table;
mod tracked_socket;

pub use changes::{Change, Changes};
use peers::DirtySockets;
pub use socket_table::SlotId;

/// How long a closed socket can still be replaced by one that takes its place; as long as its row stays on the screen.
pub const REPLACE_WINDOW: Duration = Duration::from_secs(3);

/// The sockets as they were at the last look.
pub struct Tracker {
    table: SocketTable,
    owner_pool: OwnerPool,
    ephemeral: EphemeralRange,
    /// Stamps count from here.
    first: Instant,
    now: Centiseconds,
    has_emitted: bool,
    /// What there is to tell of records, each once; a record's `pending` says what.
    pending: Vec<SlotId>,
    dirty: DirtySockets,
    closed: Vec<ClosedSocket>,
    recently_closed: Vec<(ClosedSocket, Instant)>,
    /// The cookies that the last look missed: what the kernel tells of their end may come late.
    missed_cookies: HashSet<[u32; 2]>,
    /// Sockets that came and went between two looks.
    short_lived: Vec<RawSocket>,
    unresolved: Vec<SlotId>,
    /// Inodes, or elsewhere pids, that no socket in the book has any more.
    removed_hints: Vec<u32>,
}

/// A socket that is gone.
#[derive(Clone, Copy, Debug)]
struct ClosedSocket {
    id: EndpointId,
    raw_socket: RawSocket,
}

/// What one look over the tables left out.
#[derive(Clone, Debug, Default)]
pub struct UnreadTables {
    pub problems: Vec<Problem>,
    /// TCP sockets that are only bound were not asked for this time.
    pub is_without_bound: bool,
}

impl UnreadTables {
    /// Whether the look would have seen this socket.
    fn was_asked(&self, socket: &RawSocket) -> bool {
        !(self.is_without_bound && is_bound(socket))
            && has_read(&self.problems, socket.protocol, socket.table)
    }
}

impl Tracker {
    /// The first look is not taken before `start`.
    pub fn new(ephemeral: EphemeralRange, start: Instant) -> Self {
        Self {
            table: SocketTable::default(),
            owner_pool: OwnerPool::default(),
            ephemeral,
            first: start,
            now: Centiseconds::default(),
            has_emitted: false,
            pending: Vec::new(),
            dirty: DirtySockets::default(),
            closed: Vec::new(),
            recently_closed: Vec::new(),
            missed_cookies: HashSet::new(),
            short_lived: Vec::new(),
            unresolved: Vec::new(),
            removed_hints: Vec::new(),
        }
    }

    /// How many sockets there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins a look; every socket is then to be [seen](Self::observe) and the look [ended](Self::end_poll).
    pub fn begin_poll(&mut self, at: Instant) {
        self.now = centiseconds(self.first, at);
        self.table.begin_poll();
        self.recently_closed
            .retain(|(_, closed)| at.saturating_duration_since(*closed) < REPLACE_WINDOW);
    }

    /// Takes in one socket. It is cheapest where sockets come in the order of the look before.
    #[inline]
    pub fn observe(&mut self, raw_socket: &RawSocket) {
        match self.table.observe(raw_socket) {
            Observed::Unchanged => {}
            Observed::New(slot) => self.open(slot),
            Observed::Changed(slot, before) => self.update(slot, &before, raw_socket),
        }
    }

    fn open(&mut self, slot: SlotId) {
        let (now, is_initial) = (self.now, !self.has_emitted);
        let Some(tracked_socket) = self.table.get_mut(slot) else {
            return;
        };
        tracked_socket.since = now;
        tracked_socket.state_since = now;
        tracked_socket.is_initial = is_initial;
        if tracked_socket.raw_socket.owner_hint == 0 {
            tracked_socket.owners = OwnersKey::NONE;
        } else {
            self.unresolved.push(slot);
        }
        self.dirty.slots.push(slot);
        self.add_pending(slot, PendingChange::Opened);
    }

    fn update(&mut self, slot: SlotId, before: &RawSocket, after: &RawSocket) {
        let now = self.now;
        let mut pending = PendingChange::Refreshed;
        if before.state != after.state {
            pending = PendingChange::Changed;
            if let Some(tracked_socket) = self.table.get_mut(slot) {
                tracked_socket.state_since = now;
            }
        } else if after.state == Some(State::TimeWait)
            && let Some(tracked_socket) = self.table.get_mut(slot)
        {
            // How long it lasts counts from when it entered the state.
            tracked_socket.raw_socket.queue = before.queue;
        }
        if before.owner_hint != after.owner_hint {
            self.remove_hint(before.owner_hint);
            if after.owner_hint == 0 {
                self.set_owners(slot, &Owners::NoProcess);
            } else {
                self.unresolved.push(slot);
            }
        }
        let is_only_queued = RawSocket {
            queue: before.queue,
            ..*after
        } == *before;
        if !is_only_queued {
            self.dirty.slots.push(slot);
        }
        self.add_pending(slot, pending);
    }

    /// Ends a look: what it did not see is gone, unless its table was not read. Of listeners, whose closing nobody may be
    /// told by mistake, `confirm` gives the cookies of those that are there all the same.
    pub fn end_poll(
        &mut self,
        unread: &UnreadTables,
        confirm: impl FnOnce(&[RawSocket]) -> HashSet<u64>,
    ) {
        let mut unseen = self.table.unseen();
        self.rejoin_by_cookie(&mut unseen);
        let (asked, unasked): (Vec<SlotId>, Vec<SlotId>) = unseen.into_iter().partition(|slot| {
            self.raw_socket(*slot)
                .is_some_and(|one| unread.was_asked(one))
        });
        let listeners: Vec<RawSocket> = asked
            .iter()
            .filter_map(|slot| self.raw_socket(*slot))
            .filter(|socket| socket.state == Some(State::Listen))
            .copied()
            .collect();
        let confirmed = if listeners.is_empty() {
            HashSet::new()
        } else {
            confirm(&listeners)
        };
        for slot in asked {
            let cookie = self.raw_socket(slot).map_or(0, RawSocket::cookie);
            if confirmed.contains(&cookie) {
                self.table.keep(slot);
            } else {
                self.close(slot);
            }
        }
        for slot in unasked {
            self.table.keep(slot);
        }
    }

    /// A socket that gained or lost its other end stands elsewhere in the book; its cookie tells that it is the same.
    fn rejoin_by_cookie(&mut self, unseen: &mut Vec<SlotId>) {
        if unseen.is_empty() {
            return;
        }
        let cookies: HashMap<[u32; 2], SlotId> = unseen
            .iter()
            .filter_map(|slot| Some((self.raw_socket(*slot)?.cookie, *slot)))
            .filter(|(cookie, _)| *cookie != [0, 0])
            .collect();
        let came: Vec<(SlotId, RawSocket)> = self
            .pending
            .iter()
            .filter_map(|slot| Some((*slot, self.table.get(*slot)?)))
            .filter(|(_, tracked_socket)| tracked_socket.pending == PendingChange::Opened)
            .map(|(slot, tracked_socket)| (slot, tracked_socket.raw_socket))
            .collect();
        let mut rejoined: HashSet<SlotId> = HashSet::new();
        let mut settled: HashSet<SlotId> = HashSet::new();
        for (slot, raw_socket) in came {
            let old = cookies.get(&raw_socket.cookie).copied();
            let Some((old, before)) = old.and_then(|old| Some((old, self.table.remove(old)?)))
            else {
                continue;
            };
            rejoined.insert(old);
            let is_same_hint = before.raw_socket.owner_hint == raw_socket.owner_hint;
            if is_same_hint {
                settled.insert(slot);
            } else {
                self.owner_pool.release_key(before.owners);
                self.remove_hint(before.raw_socket.owner_hint);
            }
            self.dirty.closed.push(before.raw_socket);
            if let Some(renewed) = self.table.get_mut(slot) {
                renewed.since = before.since;
                renewed.is_initial = before.is_initial;
                if is_same_hint {
                    renewed.owners = before.owners;
                }
                renewed.status = before.status;
                renewed.pending = PendingChange::Changed;
            }
        }
        unseen.retain(|slot| !rejoined.contains(slot));
        self.unresolved.retain(|slot| !settled.contains(slot));
    }

    fn close(&mut self, slot: SlotId) {
        let Some(tracked_socket) = self.table.remove(slot) else {
            return;
        };
        self.owner_pool.release_key(tracked_socket.owners);
        let raw_socket = tracked_socket.raw_socket;
        self.remove_hint(raw_socket.owner_hint);
        self.dirty.closed.push(raw_socket);
        if tracked_socket.status == SlotStatus::OwnSocket {
            return;
        }
        self.closed.push(ClosedSocket {
            id: raw_socket.id(tracked_socket.ordinal.into()),
            raw_socket,
        });
    }

    /// Takes in sockets that the kernel told to have closed since the last look: those that no look ever had have passed.
    /// One that enters TIME_WAIT is told too, but has its row still.
    pub fn observe_closed(&mut self, destroyed: Vec<RawSocket>) {
        let missed_cookies = std::mem::take(&mut self.missed_cookies);
        if !self.has_emitted {
            // What stood there before the first look is no event, and neither is its end.
            self.missed_cookies
                .extend(destroyed.iter().map(|one| one.cookie));
            return;
        }
        let closed = self.closed.iter().map(|closed| closed.raw_socket.cookie);
        self.missed_cookies.extend(closed);
        if destroyed.is_empty() {
            return;
        }
        let told: HashSet<[u32; 2]> = destroyed.iter().map(|one| one.cookie).collect();
        let listed = self
            .table
            .each()
            .map(|(_, tracked_socket)| tracked_socket.raw_socket.cookie);
        let mut known: HashSet<[u32; 2]> = listed
            .chain(missed_cookies)
            .chain(self.missed_cookies.iter().copied())
            .filter(|cookie| told.contains(cookie))
            .collect();
        let is_unknown = |one: &RawSocket| {
            one.has_cookie() && known.insert(one.cookie) && !self.is_left_waiting(one)
        };
        let short_lived: Vec<RawSocket> = destroyed.into_iter().filter(is_unknown).collect();
        self.short_lived.extend(short_lived);
    }

    /// Whether the kernel keeps the connection of a socket that closed, under another cookie: it gives a socket one only
    /// when somebody asks, so one that no look ever had comes to TIME_WAIT without (`inet_twsk_alloc` in
    /// net/ipv4/inet_timewait_sock.c), where it may also wait as FIN_WAIT2.
    fn is_left_waiting(&self, closed: &RawSocket) -> bool {
        let slot = self
            .table
            .connection(closed.protocol, closed.local, closed.remote);
        let left = slot.and_then(|slot| self.raw_socket(slot));
        left.is_some_and(|left| {
            left.owner_hint == 0 && matches!(left.state, Some(State::TimeWait | State::FinWait2))
        })
    }

    fn remove_hint(&mut self, owner_hint: u32) {
        if owner_hint != 0 {
            self.removed_hints.push(owner_hint);
        }
    }

    fn add_pending(&mut self, slot: SlotId, pending: PendingChange) {
        let Some(tracked_socket) = self.table.get_mut(slot) else {
            return;
        };
        if tracked_socket.status == SlotStatus::OwnSocket {
            return;
        }
        if tracked_socket.pending == PendingChange::None {
            self.pending.push(slot);
        }
        tracked_socket.pending = tracked_socket.pending.max(pending);
    }
}

fn is_bound(socket: &RawSocket) -> bool {
    socket.protocol == Protocol::Tcp && socket.state == Some(State::Bound)
}

fn centiseconds(first: Instant, at: Instant) -> Centiseconds {
    let hundredths = at.saturating_duration_since(first).as_millis() / 10;
    Centiseconds(u32::try_from(hundredths).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
