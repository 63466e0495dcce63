//! Keeps the records in the order in which looks come by, so that a look goes through memory from its beginning to its end.
//!
//! Slots of sockets that are gone are given to new ones, which the kernel tells elsewhere; on a machine whose sockets come
//! and go, every record would in the end be somewhere else than the one before.

use super::book::{Book, Slot};
use super::record::{Record, Status};
use hashbrown::HashTable;

/// How often it is asked whether the records are in order; divides the number of looks that are told apart.
const TIDY_EVERY: u8 = 64;

/// Fewer records out of order are not worth a word.
const LEAST_LEAPS: usize = 256;

impl Book {
    /// Puts the records into the order of the last look if many have come to stand elsewhere, and gives back what is
    /// unused. To be called while nobody has a slot.
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
            && record.status != Status::Free
        {
            ordered.push(*record);
            record.status = Status::Free;
            at = record.next;
        }
        // What the last look left out is in no chain.
        let others = self.records.iter().filter(|one| one.status != Status::Free);
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
}
