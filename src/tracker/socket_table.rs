//! The socket table: one small record per socket, found by its position in the last poll or by its addresses.
//!
//! Sources report sockets in nearly the same order in every poll, so each record knows its successor and a steady poll only
//! compares records in sequence. With 100,000 sockets every byte counts: a record holds no names, and of its owners only
//! the key in the [`OwnerPool`](super::owner_pool::OwnerPool).

use super::interfaces::Interfaces;
use super::owner_pool::OwnerPool;
use super::tracked_socket::{SlotId, SlotStatus, TrackedSocket};
use crate::model::socket::{CompactAddr, Owners, Protocol, RawSocket};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

#[derive(Default)]
pub struct SocketTable {
    pub owner_pool: OwnerPool,
    pub interfaces: Interfaces,
    pub(super) tracked: Vec<TrackedSocket>,
    pub(super) free: Vec<SlotId>,
    /// Sockets that hold a port by protocol and port, connections by protocol and both ends.
    pub(super) index: HashTable<SlotId>,
    hasher: DefaultHashBuilder,
    pub(super) first: SlotId,
    pub(super) last: SlotId,
    pub(super) poll: u8,
    seen: usize,
    /// Records of this poll that did not follow the one before in memory.
    pub(super) out_of_order: usize,
}

pub enum Observed {
    Unchanged,
    /// With the socket as it was before.
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
            .filter(|tracked| tracked.status != SlotStatus::Free)
    }

    pub fn get_mut(&mut self, slot: SlotId) -> Option<&mut TrackedSocket> {
        self.tracked
            .get_mut(slot.index())
            .filter(|tracked| tracked.status != SlotStatus::Free)
    }

    pub fn raw_socket(&self, slot: SlotId) -> Option<&RawSocket> {
        Some(&self.get(slot)?.raw_socket)
    }

    pub fn raw_sockets<'t>(&'t self, slots: &'t [SlotId]) -> impl Iterator<Item = &'t RawSocket> {
        slots.iter().filter_map(|slot| self.raw_socket(*slot))
    }

    pub fn owners(&self, tracked: &TrackedSocket) -> &Owners {
        self.owner_pool.get(tracked.owners)
    }

    /// Every socket, in no particular order.
    pub fn each(&self) -> impl Iterator<Item = (SlotId, &TrackedSocket)> {
        (0..)
            .map(SlotId)
            .zip(&self.tracked)
            .filter(|(_, tracked)| tracked.status != SlotStatus::Free)
    }

    pub fn begin_poll(&mut self) {
        self.poll = self.poll.wrapping_add(1);
        self.last = SlotId::NONE;
        self.seen = 0;
        self.out_of_order = 0;
    }

    /// Records one socket of the poll. A socket reported twice counts once.
    #[inline]
    pub fn observe(&mut self, raw_socket: &RawSocket) -> Observed {
        let expected = match self.tracked.get(self.last.index()) {
            Some(last) => last.next,
            None => self.first,
        };
        match self.tracked.get_mut(expected.index()) {
            Some(tracked) if tracked.is_same_socket(raw_socket) && tracked.seen != self.poll => {
                tracked.seen = self.poll;
                self.out_of_order += usize::from(expected.0 != self.last.0.wrapping_add(1));
                self.last = expected;
                self.seen += 1;
                if tracked.raw_socket == *raw_socket {
                    return Observed::Unchanged;
                }
                self.rewrite(expected, raw_socket)
            }
            _ => self.search(raw_socket),
        }
    }

    fn search(&mut self, raw_socket: &RawSocket) -> Observed {
        let (mut ordinals, mut known) = (Vec::new(), None);
        for slot in self.index.iter_hash(self.hash(raw_socket)) {
            if let Some(tracked) = self.get(*slot)
                && tracked.is_same_socket(raw_socket)
            {
                ordinals.push(tracked.ordinal);
                if tracked.seen != self.poll {
                    known = Some((*slot, tracked.raw_socket == *raw_socket));
                }
            }
        }
        // Only sockets without a remote end and without a cookie can be several that are equal.
        let may_repeat = !raw_socket.has_cookie() && !raw_socket.remote.is_some();
        match known {
            Some((slot, is_unchanged)) => {
                self.link_after_last(slot);
                if is_unchanged {
                    Observed::Unchanged
                } else {
                    self.rewrite(slot, raw_socket)
                }
            }
            None if !ordinals.is_empty() && !may_repeat => Observed::Unchanged,
            None => {
                let unused = (0..=u8::MAX).find(|ordinal| !ordinals.contains(ordinal));
                let slot = self.insert(raw_socket, unused.unwrap_or(u8::MAX));
                self.link_after_last(slot);
                Observed::New(slot)
            }
        }
    }

    /// Makes this record the successor of the last one.
    fn link_after_last(&mut self, slot: SlotId) {
        let before = match self.tracked.get_mut(self.last.index()) {
            Some(last) => std::mem::replace(&mut last.next, slot),
            None => std::mem::replace(&mut self.first, slot),
        };
        let poll = self.poll;
        if let Some(tracked) = self.tracked.get_mut(slot.index()) {
            tracked.seen = poll;
            // The record that followed before now most likely follows this one.
            if tracked.next == SlotId::NONE && before != slot {
                tracked.next = before;
            }
        }
        self.last = slot;
        self.seen += 1;
    }

    fn rewrite(&mut self, slot: SlotId, raw_socket: &RawSocket) -> Observed {
        let Some(tracked) = self.tracked.get_mut(slot.index()) else {
            return Observed::Unchanged;
        };
        let before = std::mem::replace(&mut tracked.raw_socket, *raw_socket);
        let (old, new) = (self.hash(&before), self.hash(raw_socket));
        if old != new {
            self.unindex(slot, old);
            self.index(slot, new);
        }
        Observed::Changed(slot, before)
    }

    fn insert(&mut self, raw_socket: &RawSocket, ordinal: u8) -> SlotId {
        let tracked = TrackedSocket {
            seen: self.poll,
            ordinal,
            ..TrackedSocket::new(raw_socket)
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            // Doubling would leave half of the memory unused.
            if self.tracked.len() == self.tracked.capacity() {
                self.tracked.reserve_exact(self.tracked.len() / 32 + 64);
            }
            let next = u32::try_from(self.tracked.len()).unwrap_or(u32::MAX);
            self.tracked.push(tracked);
            SlotId(next)
        });
        if let Some(place) = self.tracked.get_mut(slot.index()) {
            *place = tracked;
        }
        self.index(slot, self.hash(raw_socket));
        slot
    }

    pub fn remove(&mut self, slot: SlotId) -> Option<TrackedSocket> {
        let tracked = *self.get(slot)?;
        self.unindex(slot, self.hash(&tracked.raw_socket));
        self.tracked.get_mut(slot.index())?.status = SlotStatus::Free;
        self.free.push(slot);
        Some(tracked)
    }

    /// Counts a socket as seen that this poll could not report.
    pub fn mark_seen(&mut self, slot: SlotId) {
        let poll = self.poll;
        if let Some(tracked) = self.get_mut(slot) {
            tracked.seen = poll;
        }
    }

    /// Sockets that this poll did not report.
    pub fn unseen(&self) -> Vec<(SlotId, RawSocket)> {
        if self.seen == self.len() {
            return Vec::new();
        }
        self.each()
            .filter(|(_, tracked)| tracked.seen != self.poll)
            .map(|(slot, tracked)| (slot, tracked.raw_socket))
            .collect()
    }

    /// The connection with these ends. A socket that is bound to no interface may lead to any.
    pub fn connection(
        &self,
        protocol: Protocol,
        local: CompactAddr,
        remote: CompactAddr,
        interface: u32,
    ) -> Option<SlotId> {
        let ends = (protocol, local, remote);
        let is_meant = |socket: &RawSocket| {
            let is_apart = socket.interface != interface && socket.interface != 0 && interface != 0;
            (socket.protocol, socket.local, socket.remote) == ends
                && !socket.holds_port()
                && !is_apart
        };
        let mut slots = self.index.iter_hash(self.hasher.hash_one(ends)).copied();
        slots.find(|slot| self.raw_socket(*slot).is_some_and(is_meant))
    }

    /// Sockets that hold this port, without portmon's own.
    pub fn holding_port(
        &self,
        protocol: Protocol,
        port: u16,
    ) -> impl Iterator<Item = (SlotId, &TrackedSocket)> {
        self.index
            .iter_hash(self.hasher.hash_one((protocol, port)))
            .filter_map(|slot| Some((*slot, self.get(*slot)?)))
            .filter(move |(_, tracked)| {
                let socket = &tracked.raw_socket;
                (socket.protocol, socket.local.port()) == (protocol, port)
                    && socket.holds_port()
                    && tracked.status == SlotStatus::InUse
            })
    }

    pub(super) fn hash(&self, raw_socket: &RawSocket) -> u64 {
        address_hash(&self.hasher, raw_socket)
    }

    pub(super) fn index(&mut self, slot: SlotId, hash: u64) {
        let (tracked, hasher) = (&self.tracked, &self.hasher);
        self.index.insert_unique(hash, slot, |slot| {
            tracked
                .get(slot.index())
                .map_or(0, |tracked| address_hash(hasher, &tracked.raw_socket))
        });
    }

    fn unindex(&mut self, slot: SlotId, hash: u64) {
        if let Ok(entry) = self.index.find_entry(hash, |other| *other == slot) {
            entry.remove();
        }
    }
}

fn address_hash(hasher: &DefaultHashBuilder, raw_socket: &RawSocket) -> u64 {
    if raw_socket.holds_port() {
        hasher.hash_one((raw_socket.protocol, raw_socket.local.port()))
    } else {
        hasher.hash_one((raw_socket.protocol, raw_socket.local, raw_socket.remote))
    }
}
