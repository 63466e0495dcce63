//! Who holds the sockets in the book: what is sought, what was found, and which sockets are the program's own.

use super::book::Slot;
use super::record::{News, Record, Status};
use super::{Closed, Tracker, relations};
use crate::model::endpoint::{EndpointId, Owners};
use crate::model::process::{Process, ProcessId};
use crate::model::sighting::Sighting;
use hashbrown::HashSet;
use std::sync::Arc;

impl Tracker {
    /// Sockets that came, or got a holder, since they were last taken by [`sought`](Self::sought).
    pub fn new_ones(&self) -> Vec<(Slot, Sighting)> {
        let records = self.sought.iter();
        let records = records.filter_map(|slot| Some((*slot, self.book.get(*slot)?)));
        records
            .filter(|(_, record)| record.status == Status::Listed)
            .map(|(slot, record)| (slot, record.sighting))
            .collect()
    }

    /// Takes the sockets whose holder is to be found, each once.
    pub fn sought(&mut self) -> Vec<(Slot, Sighting)> {
        let sought = self.new_ones();
        self.sought.clear();
        sought
    }

    /// The marks of sockets that went, or lost their holder, since this was last asked.
    pub fn released(&mut self) -> Vec<u32> {
        let mut released: HashSet<u32> = self.released.drain(..).collect();
        if !released.is_empty() {
            // Subflows of a multipath connection share an inode.
            for (_, record) in self.book.each() {
                released.remove(&record.sighting.mark);
            }
        }
        released.into_iter().collect()
    }

    /// Every socket and its owners, in no particular order.
    pub fn each(&self) -> impl Iterator<Item = (Slot, &Sighting, &Owners)> {
        self.book
            .each()
            .map(|(slot, record)| (slot, &record.sighting, self.pool.get(record.owners)))
    }

    /// Where the socket with this identity stands, most likely still at `last`.
    pub fn find(&self, id: EndpointId, last: Option<Slot>) -> Option<Slot> {
        let is_it = |record: &Record| record.sighting.id(record.ordinal.into()) == id;
        last.filter(|slot| self.book.get(*slot).is_some_and(is_it))
            .or_else(|| {
                let mut records = self.book.each();
                records
                    .find(|(_, record)| is_it(record))
                    .map(|(slot, _)| slot)
            })
    }

    pub fn sighting(&self, slot: Slot) -> Option<&Sighting> {
        Some(&self.book.get(slot)?.sighting)
    }

    pub fn owners(&self, slot: Slot) -> Option<&Owners> {
        Some(self.pool.get(self.book.get(slot)?.owners))
    }

    /// Every process that holds a socket, perhaps more than once.
    pub fn holders(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.pool.processes()
    }

    /// Who holds the socket that listens where this one was accepted.
    pub fn listener_owners(&self, socket: &Sighting) -> Option<&Owners> {
        let listener = relations::listener(&self.book, socket)?;
        Some(self.pool.get(listener.owners))
    }

    /// Takes in who holds a socket.
    pub fn own(&mut self, slot: Slot, owners: &Owners) {
        let Some(before) = self.book.get(slot).map(|record| record.owners) else {
            return;
        };
        let news = if holders_changed(self.pool.get(before), owners) {
            News::Changed
        } else {
            News::Refreshed
        };
        let after = self.pool.take(owners);
        self.pool.give_back(before);
        if before == after {
            return;
        }
        if let Some(record) = self.book.get_mut(slot) {
            record.owners = after;
        }
        self.touched.owned.push(slot);
        self.note(slot, news);
    }

    /// Takes in a better description of a process that holds sockets.
    pub fn describe(&mut self, process: &Arc<Process>) {
        let keys = self.pool.describe(process);
        if keys.is_empty() {
            return;
        }
        let has_it = |(_, record): &(Slot, &Record)| keys.contains(&record.owners);
        let slots: Vec<Slot> = self
            .book
            .each()
            .filter(has_it)
            .map(|(slot, _)| slot)
            .collect();
        for slot in slots {
            self.touched.owned.push(slot);
            self.note(slot, News::Refreshed);
        }
    }

    /// From now on this socket is the program's own, which nobody is told of.
    pub fn disregard(&mut self, slot: Slot) {
        let has_told = self.has_told;
        let Some(record) = self.book.get_mut(slot) else {
            return;
        };
        let was_told = record.news != News::Opened && has_told;
        let (id, sighting) = (record.sighting.id(record.ordinal.into()), record.sighting);
        (record.status, record.news) = (Status::Own, News::None);
        self.touched.closed.push(sighting);
        if was_told {
            self.closed.push(Closed { id, sighting });
        }
    }
}

/// Learning an owner that was unknown is no change, and neither is a better description of the same process.
fn holders_changed(before: &Owners, after: &Owners) -> bool {
    let ids = |owners: &Owners| -> HashSet<ProcessId> {
        owners.known().iter().map(|process| process.id).collect()
    };
    let before = ids(before);
    !before.is_empty() && before != ids(after)
}
