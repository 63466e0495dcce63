//! The book of sockets: one small record for each, found by its place in the last look or by its ends.
//!
//! Sources give their sockets in nearly the same order look after look, so each record knows which one came after it and
//! a steady look compares records one after the other. At 100,000 sockets every byte and every search counts: a record
//! has no names, and of its owners only the key of a [`Pool`](super::pool::Pool).

use super::record::{Record, Status};
use crate::model::endpoint::Protocol;
use crate::model::sighting::{End, Sighting};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Where a record stands; given to another socket once that one is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub(super) u32);

impl Slot {
    pub const NONE: Self = Self(u32::MAX);

    pub fn place(self) -> usize {
        self.0 as usize
    }
}

pub struct Book {
    pub(super) records: Vec<Record>,
    pub(super) free: Vec<Slot>,
    /// By protocol and local port what stands, by protocol and both ends what is connected.
    pub(super) index: HashTable<Slot>,
    hasher: DefaultHashBuilder,
    pub(super) first: Slot,
    pub(super) last: Slot,
    pub(super) look: u8,
    seen: usize,
    /// How many records of this look did not stand right behind the one before.
    pub(super) leaps: usize,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            first: Slot::NONE,
            last: Slot::NONE,
            look: 0,
            seen: 0,
            leaps: 0,
        }
    }
}

/// What a sighting is to the book.
pub enum Found {
    /// Seen before, and just as it was.
    Same,
    /// Seen before, now otherwise: as it was.
    Other(Slot, Sighting),
    New(Slot),
}

impl Book {
    pub fn len(&self) -> usize {
        self.records.len() - self.free.len()
    }

    pub fn get(&self, slot: Slot) -> Option<&Record> {
        self.records
            .get(slot.place())
            .filter(|record| record.status != Status::Free)
    }

    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut Record> {
        self.records
            .get_mut(slot.place())
            .filter(|record| record.status != Status::Free)
    }

    /// Every record, in no particular order.
    pub fn each(&self) -> impl Iterator<Item = (Slot, &Record)> {
        (0..)
            .map(Slot)
            .zip(&self.records)
            .filter(|(_, record)| record.status != Status::Free)
    }

    pub fn begin_look(&mut self) {
        self.look = self.look.wrapping_add(1);
        self.last = Slot::NONE;
        self.seen = 0;
        self.leaps = 0;
    }

    /// Takes in a sighting. A socket that comes twice in one look counts once.
    #[inline]
    pub fn see(&mut self, sighting: &Sighting) -> Found {
        let expected = match self.records.get(self.last.place()) {
            Some(last) => last.next,
            None => self.first,
        };
        match self.records.get_mut(expected.place()) {
            Some(record) if record.is_of(sighting) && record.seen != self.look => {
                record.seen = self.look;
                self.leaps += usize::from(expected.0 != self.last.0.wrapping_add(1));
                self.last = expected;
                self.seen += 1;
                if record.sighting == *sighting {
                    return Found::Same;
                }
                self.rewrite(expected, sighting)
            }
            _ => self.search(sighting),
        }
    }

    fn search(&mut self, sighting: &Sighting) -> Found {
        let equals = self.at(sighting).filter_map(|slot| {
            let record = self.get(slot)?;
            record.is_of(sighting).then_some((slot, record))
        });
        let (mut ordinals, mut known) = (Vec::new(), None);
        for (slot, record) in equals {
            ordinals.push(record.ordinal);
            if record.seen != self.look {
                known = Some(slot);
            }
        }
        // Only sockets without a remote end and without a cookie can be several that nothing tells apart.
        let may_repeat = !sighting.has_cookie() && !sighting.remote.is_some();
        match known {
            Some(slot) => {
                self.follow(slot);
                let is_same = self
                    .get(slot)
                    .is_some_and(|record| record.sighting == *sighting);
                if is_same {
                    Found::Same
                } else {
                    self.rewrite(slot, sighting)
                }
            }
            None if !ordinals.is_empty() && !may_repeat => Found::Same,
            None => {
                let unused = (0..=u8::MAX).find(|ordinal| !ordinals.contains(ordinal));
                let slot = self.insert(sighting, unused.unwrap_or(u8::MAX));
                self.follow(slot);
                Found::New(slot)
            }
        }
    }

    /// Notes that this record comes after the last one.
    fn follow(&mut self, slot: Slot) {
        let before = match self.records.get_mut(self.last.place()) {
            Some(last) => std::mem::replace(&mut last.next, slot),
            None => std::mem::replace(&mut self.first, slot),
        };
        let look = self.look;
        if let Some(record) = self.records.get_mut(slot.place()) {
            record.seen = look;
            // Most likely what came after the one before still comes after this.
            if record.next == Slot::NONE && before != slot {
                record.next = before;
            }
        }
        self.last = slot;
        self.seen += 1;
    }

    fn rewrite(&mut self, slot: Slot, sighting: &Sighting) -> Found {
        let Some(record) = self.records.get_mut(slot.place()) else {
            return Found::Same;
        };
        let before = std::mem::replace(&mut record.sighting, *sighting);
        let (old, new) = (self.hash(&before), self.hash(sighting));
        if old != new {
            self.unindex(slot, old);
            self.index(slot, new);
        }
        Found::Other(slot, before)
    }

    fn insert(&mut self, sighting: &Sighting, ordinal: u8) -> Slot {
        let record = Record {
            seen: self.look,
            ordinal,
            ..Record::new(sighting)
        };
        let slot = self.free.pop().unwrap_or_else(|| {
            // Growing by doubling would leave half of the memory unused.
            if self.records.len() == self.records.capacity() {
                self.records.reserve_exact(self.records.len() / 32 + 64);
            }
            let next = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
            self.records.push(record);
            Slot(next)
        });
        if let Some(place) = self.records.get_mut(slot.place()) {
            *place = record;
        }
        self.index(slot, self.hash(sighting));
        slot
    }

    /// Takes a record out of the book.
    pub fn remove(&mut self, slot: Slot) -> Option<Record> {
        let record = *self.get(slot)?;
        self.unindex(slot, self.hash(&record.sighting));
        self.records.get_mut(slot.place())?.status = Status::Free;
        self.free.push(slot);
        Some(record)
    }

    /// Counts a record as seen that this look had no reason to see.
    pub fn keep(&mut self, slot: Slot) {
        let look = self.look;
        if let Some(record) = self.get_mut(slot) {
            record.seen = look;
        }
    }

    /// What was not seen in this look.
    pub fn unseen(&self) -> Vec<Slot> {
        if self.seen == self.len() {
            return Vec::new();
        }
        let unseen = |(_, record): &(Slot, &Record)| record.seen != self.look;
        self.each().filter(unseen).map(|(slot, _)| slot).collect()
    }

    /// The connection with these ends.
    pub fn connection(&self, protocol: Protocol, local: End, remote: End) -> Option<Slot> {
        let hash = self.hasher.hash_one((protocol, local, remote));
        self.index.iter_hash(hash).copied().find(|slot| {
            self.get(*slot).is_some_and(|record| {
                let socket = &record.sighting;
                (socket.protocol, socket.local, socket.remote) == (protocol, local, remote)
                    && !socket.stands()
            })
        })
    }

    /// What stands on this port, but for the program's own sockets.
    pub fn standing_on(
        &self,
        protocol: Protocol,
        port: u16,
    ) -> impl Iterator<Item = (Slot, &Record)> {
        let slots = self.index.iter_hash(self.hasher.hash_one((protocol, port)));
        slots
            .filter_map(|slot| Some((*slot, self.get(*slot)?)))
            .filter(move |(_, record)| {
                let socket = &record.sighting;
                (socket.protocol, socket.local.port()) == (protocol, port)
                    && socket.stands()
                    && record.status == Status::Listed
            })
    }

    fn at(&self, sighting: &Sighting) -> impl Iterator<Item = Slot> {
        self.index.iter_hash(self.hash(sighting)).copied()
    }

    pub(super) fn hash(&self, sighting: &Sighting) -> u64 {
        place_hash(&self.hasher, sighting)
    }

    pub(super) fn index(&mut self, slot: Slot, hash: u64) {
        let (records, hasher) = (&self.records, &self.hasher);
        self.index.insert_unique(hash, slot, |slot| {
            records
                .get(slot.place())
                .map_or(0, |record| place_hash(hasher, &record.sighting))
        });
    }

    fn unindex(&mut self, slot: Slot, hash: u64) {
        if let Ok(entry) = self.index.find_entry(hash, |other| *other == slot) {
            entry.remove();
        }
    }
}

fn place_hash(hasher: &DefaultHashBuilder, sighting: &Sighting) -> u64 {
    if sighting.stands() {
        hasher.hash_one((sighting.protocol, sighting.local.port()))
    } else {
        hasher.hash_one((sighting.protocol, sighting.local, sighting.remote))
    }
}
