//! Keeps the records in the order in which looks come by, so that a look goes through memory from its beginning to its end.
//!
//! Slots of sockets that are gone are given to new ones, which the kernel tells elsewhere; on a machine whose sockets come
//! and go, every record would in the end be somewhere else than the one before.

use super::socket_table::{SlotId, SocketTable};
use super::tracked_socket::{SlotStatus, TrackedSocket};
use hashbrown::HashTable;

/// How often it is asked whether the records are in order; divides the number of looks that are told apart.
const COMPACT_EVERY: u8 = 64;

/// Fewer records out of order are not worth a word.
const MIN_OUT_OF_ORDER: usize = 256;

impl SocketTable {
    /// Puts the records into the order of the last look if many have come to stand elsewhere, and gives back what is
    /// unused. To be called while nobody has a slot.
    pub fn compact(&mut self) {
        let unused = self.free.len();
        let is_scattered =
            self.out_of_order.max(unused) > MIN_OUT_OF_ORDER + self.tracked.len() / 4;
        if self.poll.is_multiple_of(COMPACT_EVERY) && is_scattered {
            self.sort_by_last_poll();
        }
    }

    fn sort_by_last_poll(&mut self) {
        let mut ordered: Vec<TrackedSocket> = Vec::with_capacity(self.len());
        let mut at = self.first;
        while let Some(tracked_socket) = self.tracked.get_mut(at.index())
            && tracked_socket.status != SlotStatus::Free
        {
            ordered.push(*tracked_socket);
            tracked_socket.status = SlotStatus::Free;
            at = tracked_socket.next;
        }
        // What the last look left out is in no chain.
        let others = self
            .tracked
            .iter()
            .filter(|one| one.status != SlotStatus::Free);
        ordered.extend(others);
        for (next, tracked_socket) in (1..).map(SlotId).zip(&mut ordered) {
            tracked_socket.next = next;
        }
        self.index = HashTable::with_capacity(ordered.len());
        self.tracked = ordered;
        self.free = Vec::new();
        (self.first, self.last) = (SlotId(0), SlotId::NONE);
        for place in (0..).map(SlotId).take(self.tracked.len()) {
            if let Some(tracked_socket) = self.get(place) {
                self.index(place, self.hash(&tracked_socket.raw_socket));
            }
        }
    }
}
