//! The book of sockets: one small record for each, found by its place in the last look or by its ends.
//!
//! Sources give their sockets in nearly the same order look after look, so each record knows which one came after it and
//! a steady look compares records one after the other. At 100,000 sockets every byte and every search counts: a record
//! has no names, and of its owners only the key of a [`Pool`](super::pool::Pool).

use super::pool::OwnersKey;
use crate::model::endpoint::{Protocol, Side};
use crate::model::sighting::{End, Sighting};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// How often it is asked whether the records are in order; divides the number of looks that are told apart.
const TIDY_EVERY: u8 = 64;

/// Fewer records out of order are not worth a word.
const LEAST_LEAPS: usize = 256;

/// Where a record stands; given to another socket once that one is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u32);

impl Slot {
    const NONE: Self = Self(u32::MAX);

    fn place(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Record {
    pub sighting: Sighting,
    /// When it was first seen, and first seen in its state.
    pub since: Stamp,
    pub state_since: Stamp,
    pub owners: OwnersKey,
    next: Slot,
    seen: u8,
    pub ordinal: u8,
    pub standing: Standing,
    pub news: News,
    /// Whether it stood there at the first look.
    pub was_before: bool,
    pub side: Side,
    pub is_local: bool,
    pub shares_number: bool,
}

/// Hundredths of a second since the first look, for 497 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp(pub u32);

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody's: the slot is free.
    Free,
    Listed,
    /// The program's own socket, which is no row.
    Own,
}

/// What is to be told of a record, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    None,
    Refreshed,
    Changed,
    Opened,
}

pub struct Book {
    records: Vec<Record>,
    free: Vec<Slot>,
    /// By protocol and local port what stands, by protocol and both ends what is connected.
    index: HashTable<Slot>,
    hasher: DefaultHashBuilder,
    first: Slot,
    last: Slot,
    look: u8,
    seen: usize,
    /// How many records of this look did not stand right behind the one before.
    leaps: usize,
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
            .filter(|record| record.standing != Standing::Free)
    }

    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut Record> {
        self.records
            .get_mut(slot.place())
            .filter(|record| record.standing != Standing::Free)
    }

    /// Every record, in no particular order.
    pub fn each(&self) -> impl Iterator<Item = (Slot, &Record)> {
        (0..)
            .map(Slot)
            .zip(&self.records)
            .filter(|(_, record)| record.standing != Standing::Free)
    }

    pub fn begin_look(&mut self) {
        self.look = self.look.wrapping_add(1);
        self.last = Slot::NONE;
        self.seen = 0;
        self.leaps = 0;
    }

    /// Puts the records into the order of the last look if many have come to stand elsewhere, and gives back what is
    /// unused: a look goes through memory from its beginning to its end again. To be called while nobody has a slot.
    pub fn tidy(&mut self) {
        let unused = self.free.len();
        let is_scattered = self.leaps.max(unused) > LEAST_LEAPS + self.records.len() / 4;
        if self.look.is_multiple_of(TIDY_EVERY) && is_scattered {
            self.put_in_order();
        }
    }

    fn put_in_order(&mut self) {
        let mut ordered: Vec<Record> = Vec::with_capacity(self.len());
        let mut at = self.first;
        while let Some(record) = self.records.get_mut(at.place())
            && record.standing != Standing::Free
        {
            ordered.push(*record);
            record.standing = Standing::Free;
            at = record.next;
        }
        // What the last look left out is in no chain.
        let others = self
            .records
            .iter()
            .filter(|one| one.standing != Standing::Free);
        ordered.extend(others);
        for (next, record) in (1..).map(Slot).zip(&mut ordered) {
            record.next = next;
        }
        self.index = HashTable::with_capacity(ordered.len());
        self.records = ordered;
        self.free = Vec::new();
        (self.first, self.last) = (Slot(0), Slot::NONE);
        for place in (0..).map(Slot).take(self.records.len()) {
            if let Some(record) = self.get(place) {
                self.index(place, self.hash(&record.sighting));
            }
        }
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
        let mut equals: u8 = 0;
        let mut known = None;
        for slot in self.at(sighting) {
            let record = self.get(slot).filter(|record| record.is_of(sighting));
            let Some(record) = record else { continue };
            if record.seen != self.look {
                known = Some(slot);
                break;
            }
            equals = equals.saturating_add(1);
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
            None if equals > 0 && !may_repeat => Found::Same,
            None => {
                let slot = self.insert(sighting, equals);
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
                self.records.reserve_exact(self.records.len() / 16 + 64);
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
        self.records.get_mut(slot.place())?.standing = Standing::Free;
        self.free.push(slot);
        Some(record)
    }

    /// How many records of the last look did not stand right behind the one before.
    #[cfg(test)]
    pub fn leaps(&self) -> usize {
        self.leaps
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
                    && record.standing == Standing::Listed
            })
    }

    fn at(&self, sighting: &Sighting) -> impl Iterator<Item = Slot> {
        self.index.iter_hash(self.hash(sighting)).copied()
    }

    fn hash(&self, sighting: &Sighting) -> u64 {
        place_hash(&self.hasher, sighting)
    }

    fn index(&mut self, slot: Slot, hash: u64) {
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

impl Record {
    /// A socket of which nothing else is known.
    pub fn new(sighting: &Sighting) -> Self {
        Self {
            sighting: *sighting,
            since: Stamp::default(),
            state_since: Stamp::default(),
            owners: OwnersKey::SOUGHT,
            next: Slot::NONE,
            seen: 0,
            ordinal: 0,
            standing: Standing::Listed,
            news: News::None,
            was_before: false,
            side: if sighting.stands() {
                Side::Standing
            } else {
                Side::Unknown
            },
            is_local: sighting.stands(),
            shares_number: false,
        }
    }

    /// Whether this is the socket that was sighted, whatever its state; equals without a cookie are told apart by order.
    #[inline]
    fn is_of(&self, sighting: &Sighting) -> bool {
        let own = &self.sighting;
        if self.standing == Standing::Free {
            return false;
        }
        if sighting.has_cookie() || own.has_cookie() {
            return own.cookie == sighting.cookie;
        }
        let ends = |socket: &Sighting| (socket.protocol, socket.local, socket.remote, socket.scope);
        ends(own) == ends(sighting) && (sighting.remote.is_some() || own.mark == sighting.mark)
    }
}
