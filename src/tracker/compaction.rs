//! Keeps the socket table in the order of the polls, so that a poll reads memory from start to end.
//!
//! New sockets take the slots of closed ones, but the kernel reports them elsewhere: where sockets come and go, the order
//! of the slots would end up random.

use super::socket_table::SocketTable;
use super::tracked_socket::{SlotId, SlotStatus, TrackedSocket};
use hashbrown::HashTable;

/// Polls between two checks; divides the range of the poll counter.
const COMPACT_EVERY: u8 = 64;

/// Fewer sockets out of order are ignored.
const MIN_OUT_OF_ORDER: usize = 256;

impl SocketTable {
    /// Sorts the slots and frees unused memory once many are out of order. Invalidates every slot id.
    pub fn compact(&mut self) {
        let out_of_order = self.out_of_order.max(self.free.len());
        let is_scattered = out_of_order > MIN_OUT_OF_ORDER + self.tracked.len() / 4;
        if self.poll.is_multiple_of(COMPACT_EVERY) && is_scattered {
            self.sort_by_last_poll();
        }
    }

    fn sort_by_last_poll(&mut self) {
        let mut ordered: Vec<TrackedSocket> = Vec::with_capacity(self.len());
        let mut at = self.first;
        while let Some(tracked) = self.tracked.get_mut(at.index())
            && tracked.status != SlotStatus::Free
        {
            ordered.push(*tracked);
            tracked.status = SlotStatus::Free;
            at = tracked.next;
        }
        // Sockets that the last poll did not see follow no other.
        ordered.extend(self.each().map(|(_, tracked)| tracked));
        for (next, tracked) in (1..).map(SlotId).zip(&mut ordered) {
            tracked.next = next;
        }
        self.index = HashTable::with_capacity(ordered.len());
        self.tracked = ordered;
        self.free = Vec::new();
        (self.first, self.last) = (SlotId(0), SlotId::NONE);
        for slot in (0..).map(SlotId).take(self.tracked.len()) {
            if let Some(tracked) = self.get(slot) {
                self.index(slot, self.hash(&tracked.raw_socket));
            }
        }
    }
}
