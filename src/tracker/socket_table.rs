//! The book of sockets: one small record for each, found by its place in the last look or by its ends.
//!
//! Sources give their sockets in nearly the same order look after look, so each record knows which one came after it and
//! a steady look compares records one after the other. At 100,000 sockets every byte and every search counts: a record
//! has no names, and of its owners only the key of a [`OwnerPool`](super::owner_pool::Pool).

use super::tracked_socket::{SlotStatus, TrackedSocket};
use crate::model::endpoint::Protocol;
use crate::model::raw_socket::{CompactAddr, RawSocket};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Where a record stands; given to another socket once that one is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub(super) u32);

impl SlotId {
    pub const NONE: Self = Self(u32::MAX);

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

pub struct SocketTable {
    pub(super) tracked: Vec<TrackedSocket>,
    pub(super) free: Vec<SlotId>,
    /// By protocol and local port what stands, by protocol and both ends what is connected.
    pub(super) index: HashTable<SlotId>,
    hasher: DefaultHashBuilder,
    pub(super) first: SlotId,
    pub(super) last: SlotId,
    pub(super) poll: u8,
    seen: usize,
    /// How many records of this look did not stand right behind the one before.
    pub(super) out_of_order: usize,
}

impl Default for SocketTable {
    fn default() -> Self {
        Self {
            tracked: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            first: SlotId::NONE,
            last: SlotId::NONE,
            poll: 0,
            seen: 0,
            out_of_order: 0,
        }
    }
}

/// What a raw_socket is to the book.
pub enum Observed {
    /// Seen before, and just as it was.
    Unchanged,
    /// Seen before, now otherwise: as it was.
    Changed(SlotId, RawSocket),
    New(SlotId),
}

impl SocketTable {
    pub fn len(&self) -> usize {
        self.tracked.len() - self.free.len()
    }

    pub fn get(&self, slot: SlotId) -> Option<&TrackedSocket> {
        self.tracked
            .get(slot.index())
            .filter(|tracked_socket| tracked_socket.status != SlotStatus::Free)
    }

    pub fn get_mut(&mut self, slot: SlotId) -> Option<&mut TrackedSocket> {
        self.tracked
            .get_mut(slot.index())
            .filter(|tracked_socket| tracked_socket.status != SlotStatus::Free)
    }

    /// Every record, in no particular order.
    pub fn each(&self) -> impl Iterator<Item = (SlotId, &TrackedSocket)> {
        (0..)
            .map(SlotId)
            .zip(&self.tracked)
            .filter(|(_, tracked_socket)| tracked_socket.status != SlotStatus::Free)
    }

    pub fn begin_poll(&mut self) {
        self.poll = self.poll.wrapping_add(1);
        self.last = SlotId::NONE;
        self.seen = 0;
        self.out_of_order = 0;
    }

    /// Takes in a raw_socket. A socket that comes twice in one look counts once.
    #[inline]
    pub fn observe(&mut self, raw_socket: &RawSocket) -> Observed {
        let expected = match self.tracked.get(self.last.index()) {
            Some(last) => last.next,
            None => self.first,
        };
        match self.tracked.get_mut(expected.index()) {
            Some(tracked_socket)
                if tracked_socket.is_same_socket(raw_socket)
                    && tracked_socket.seen != self.poll =>
            {
                tracked_socket.seen = self.poll;
                self.out_of_order += usize::from(expected.0 != self.last.0.wrapping_add(1));
                self.last = expected;
                self.seen += 1;
                if tracked_socket.raw_socket == *raw_socket {
                    return Observed::Unchanged;
                }
                self.rewrite(expected, raw_socket)
            }
            _ => self.search(raw_socket),
        }
    }

    fn search(&mut self, raw_socket: &RawSocket) -> Observed {
        let equals = self.at(raw_socket).filter_map(|slot| {
            let tracked_socket = self.get(slot)?;
            tracked_socket
                .is_same_socket(raw_socket)
                .then_some((slot, tracked_socket))
        });
        let (mut ordinals, mut known) = (Vec::new(), None);
        for (slot, tracked_socket) in equals {
            ordinals.push(tracked_socket.ordinal);
            if tracked_socket.seen != self.poll {
                known = Some(slot);
            }
        }
        // Only sockets without a remote end and without a cookie can be several that nothing tells apart.
        let may_repeat = !raw_socket.has_cookie() && !raw_socket.remote.is_some();
        match known {
            Some(slot) => {
                self.follow(slot);
                let is_same = self
                    .get(slot)
                    .is_some_and(|tracked_socket| tracked_socket.raw_socket == *raw_socket);
                if is_same {
                    Observed::Unchanged
                } else {
                    self.rewrite(slot, raw_socket)
                }
            }
            None if !ordinals.is_empty() && !may_repeat => Observed::Unchanged,
            None => {
                let unused = (0..=u8::MAX).find(|ordinal| !ordinals.contains(ordinal));
                let slot = self.insert(raw_socket, unused.unwrap_or(u8::MAX));
                self.follow(slot);
                Observed::New(slot)
            }
        }
    }

    /// Notes that this record comes after the last one.
    fn follow(&mut self, slot: SlotId) {
        let before = match self.tracked.get_mut(self.last.index()) {
            Some(last) => std::mem::replace(&mut last.next, slot),
            None => std::mem::replace(&mut self.first, slot),
        };
        let poll = self.poll;
        if let Some(tracked_socket) = self.tracked.get_mut(slot.index()) {
            tracked_socket.seen = poll;
            // Most likely what came after the one before still comes after this.
            if tracked_socket.next == SlotId::NONE && before != slot {
                tracked_socket.next = before;
            }
        }
        self.last = slot;
        self.seen += 1;
    }

    fn rewrite(&mut self, slot: SlotId, raw_socket: &RawSocket) -> Observed {
        let Some(tracked_socket) = self.tracked.get_mut(slot.index()) else {
            return Observed::Unchanged;
        };
        let before = std::mem::replace(&mut tracked_socket.raw_socket, *raw_socket);
        let (old, new) = (self.hash(&before), self.hash(raw_socket));
        if old != new {
            self.unindex(slot, old);
            self.index(slot, new);
        }
        Observed::Changed(slot, before)
    }

    fn insert(&mut self, raw_socket: &RawSocket, ordinal: u8) -> SlotId {
        let tracked_socket = TrackedSocket {
            seen: self.poll,
            ordinal,
            ..TrackedSocket::new(raw_socket)
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            // Growing by doubling would leave half of the memory unused.
            if self.tracked.len() == self.tracked.capacity() {
                self.tracked.reserve_exact(self.tracked.len() / 32 + 64);
            }
            let next = u32::try_from(self.tracked.len()).unwrap_or(u32::MAX);
            self.tracked.push(tracked_socket);
            SlotId(next)
        });
        if let Some(place) = self.tracked.get_mut(slot.index()) {
            *place = tracked_socket;
        }
        self.index(slot, self.hash(raw_socket));
        slot
    }

    /// Takes a record out of the book.
    pub fn remove(&mut self, slot: SlotId) -> Option<TrackedSocket> {
        let tracked_socket = *self.get(slot)?;
        self.unindex(slot, self.hash(&tracked_socket.raw_socket));
        self.tracked.get_mut(slot.index())?.status = SlotStatus::Free;
        self.free.push(slot);
        Some(tracked_socket)
    }

    /// Counts a record as seen that this look had no reason to see.
    pub fn keep(&mut self, slot: SlotId) {
        let poll = self.poll;
        if let Some(tracked_socket) = self.get_mut(slot) {
            tracked_socket.seen = poll;
        }
    }

    /// What was not seen in this look.
    pub fn unseen(&self) -> Vec<SlotId> {
        if self.seen == self.len() {
            return Vec::new();
        }
        let unseen =
            |(_, tracked_socket): &(SlotId, &TrackedSocket)| tracked_socket.seen != self.poll;
        self.each().filter(unseen).map(|(slot, _)| slot).collect()
    }

    /// The connection with these ends.
    pub fn connection(
        &self,
        protocol: Protocol,
        local: CompactAddr,
        remote: CompactAddr,
    ) -> Option<SlotId> {
        let hash = self.hasher.hash_one((protocol, local, remote));
        self.index.iter_hash(hash).copied().find(|slot| {
            self.get(*slot).is_some_and(|tracked_socket| {
                let socket = &tracked_socket.raw_socket;
                (socket.protocol, socket.local, socket.remote) == (protocol, local, remote)
                    && !socket.holds_port()
            })
        })
    }

    /// What stands on this port, but for the program's own sockets.
    pub fn holding_port(
        &self,
        protocol: Protocol,
        port: u16,
    ) -> impl Iterator<Item = (SlotId, &TrackedSocket)> {
        let slots = self.index.iter_hash(self.hasher.hash_one((protocol, port)));
        slots
            .filter_map(|slot| Some((*slot, self.get(*slot)?)))
            .filter(move |(_, tracked_socket)| {
                let socket = &tracked_socket.raw_socket;
                (socket.protocol, socket.local.port()) == (protocol, port)
                    && socket.holds_port()
                    && tracked_socket.status == SlotStatus::Listed
            })
    }

    fn at(&self, raw_socket: &RawSocket) -> impl Iterator<Item = SlotId> {
        self.index.iter_hash(self.hash(raw_socket)).copied()
    }

    pub(super) fn hash(&self, raw_socket: &RawSocket) -> u64 {
        place_hash(&self.hasher, raw_socket)
    }

    pub(super) fn index(&mut self, slot: SlotId, hash: u64) {
        let (tracked, hasher) = (&self.tracked, &self.hasher);
        self.index.insert_unique(hash, slot, |slot| {
            tracked.get(slot.index()).map_or(0, |tracked_socket| {
                place_hash(hasher, &tracked_socket.raw_socket)
            })
        });
    }

    fn unindex(&mut self, slot: SlotId, hash: u64) {
        if let Ok(entry) = self.index.find_entry(hash, |other| *other == slot) {
            entry.remove();
        }
    }
}

fn place_hash(hasher: &DefaultHashBuilder, raw_socket: &RawSocket) -> u64 {
    if raw_socket.holds_port() {
        hasher.hash_one((raw_socket.protocol, raw_socket.local.port()))
    } else {
        hasher.hash_one((raw_socket.protocol, raw_socket.local, raw_socket.remote))
    }
}
