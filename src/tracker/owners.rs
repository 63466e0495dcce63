//! Who holds the sockets in the book: what is sought, what was found, and which sockets are the program's own.

use super::socket_table::SlotId;
use super::tracked_socket::{PendingChange, SlotStatus, TrackedSocket};
use super::{ClosedSocket, Tracker, peers};
use crate::model::endpoint::{EndpointId, Owners};
use crate::model::process::{Process, ProcessId};
use crate::model::raw_socket::RawSocket;
use hashbrown::HashSet;
use std::sync::Arc;

impl Tracker {
    /// Sockets that came, or got a holder, since they were last taken by [`unresolved`](Self::take_unresolved).
    pub fn unresolved(&self) -> Vec<(SlotId, RawSocket)> {
        let tracked = self.unresolved.iter();
        let tracked = tracked.filter_map(|slot| Some((*slot, self.table.get(*slot)?)));
        tracked
            .filter(|(_, tracked_socket)| tracked_socket.status == SlotStatus::Listed)
            .map(|(slot, tracked_socket)| (slot, tracked_socket.raw_socket))
            .collect()
    }

    /// Takes the sockets whose holder is to be found, each once.
    pub fn take_unresolved(&mut self) -> Vec<(SlotId, RawSocket)> {
        let unresolved = self.unresolved();
        self.unresolved.clear();
        unresolved
    }

    /// The marks of sockets that went, or lost their holder, since this was last asked.
    pub fn take_removed_hints(&mut self) -> Vec<u32> {
        let mut removed_hints: HashSet<u32> = self.removed_hints.drain(..).collect();
        if !removed_hints.is_empty() {
            // Subflows of a multipath connection share an inode.
            for (_, tracked_socket) in self.table.each() {
                removed_hints.remove(&tracked_socket.raw_socket.owner_hint);
            }
        }
        removed_hints.into_iter().collect()
    }

    /// Every socket and its owners, in no particular order.
    pub fn each(&self) -> impl Iterator<Item = (SlotId, &RawSocket, &Owners)> {
        self.table.each().map(|(slot, tracked_socket)| {
            (
                slot,
                &tracked_socket.raw_socket,
                self.owner_pool.get(tracked_socket.owners),
            )
        })
    }

    /// Where the socket with this identity stands, most likely still at `last`.
    pub fn find(&self, id: EndpointId, last: Option<SlotId>) -> Option<SlotId> {
        let is_it = |tracked_socket: &TrackedSocket| {
            tracked_socket.raw_socket.id(tracked_socket.ordinal.into()) == id
        };
        last.filter(|slot| self.table.get(*slot).is_some_and(is_it))
            .or_else(|| {
                let mut tracked = self.table.each();
                tracked
                    .find(|(_, tracked_socket)| is_it(tracked_socket))
                    .map(|(slot, _)| slot)
            })
    }

    pub fn raw_socket(&self, slot: SlotId) -> Option<&RawSocket> {
        Some(&self.table.get(slot)?.raw_socket)
    }

    pub fn owners(&self, slot: SlotId) -> Option<&Owners> {
        Some(self.owner_pool.get(self.table.get(slot)?.owners))
    }

    /// Every process that holds a socket, perhaps more than once.
    pub fn owner_processes(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.owner_pool.processes()
    }

    /// Who holds the socket that listens where this one was accepted.
    pub fn listener_owners(&self, socket: &RawSocket) -> Option<&Owners> {
        let listener = peers::listener(&self.table, socket)?;
        Some(self.owner_pool.get(listener.owners))
    }

    /// Takes in who holds a socket.
    pub fn set_owners(&mut self, slot: SlotId, owners: &Owners) {
        let Some(before) = self
            .table
            .get(slot)
            .map(|tracked_socket| tracked_socket.owners)
        else {
            return;
        };
        let pending = if owners_changed(self.owner_pool.get(before), owners) {
            PendingChange::Changed
        } else {
            PendingChange::Refreshed
        };
        let after = self.owner_pool.intern(owners);
        self.owner_pool.release_key(before);
        if before == after {
            return;
        }
        if let Some(tracked_socket) = self.table.get_mut(slot) {
            tracked_socket.owners = after;
        }
        self.dirty.owned.push(slot);
        self.add_pending(slot, pending);
    }

    /// Takes in a better description of a process that holds sockets.
    pub fn describe(&mut self, process: &Arc<Process>) {
        let keys = self.owner_pool.describe(process);
        if keys.is_empty() {
            return;
        }
        let has_it =
            |(_, tracked_socket): &(SlotId, &TrackedSocket)| keys.contains(&tracked_socket.owners);
        let slots: Vec<SlotId> = self
            .table
            .each()
            .filter(has_it)
            .map(|(slot, _)| slot)
            .collect();
        for slot in slots {
            self.dirty.owned.push(slot);
            self.add_pending(slot, PendingChange::Refreshed);
        }
    }

    /// From now on this socket is the program's own, which nobody is told of.
    pub fn hide_own_socket(&mut self, slot: SlotId) {
        let has_emitted = self.has_emitted;
        let Some(tracked_socket) = self.table.get_mut(slot) else {
            return;
        };
        let was_told = tracked_socket.pending != PendingChange::Opened && has_emitted;
        let (id, raw_socket) = (
            tracked_socket.raw_socket.id(tracked_socket.ordinal.into()),
            tracked_socket.raw_socket,
        );
        (tracked_socket.status, tracked_socket.pending) =
            (SlotStatus::OwnSocket, PendingChange::None);
        self.dirty.closed.push(raw_socket);
        if was_told {
            self.closed.push(ClosedSocket { id, raw_socket });
        }
    }
}

/// Learning an owner that was unknown is no change, and neither is a better description of the same process.
fn owners_changed(before: &Owners, after: &Owners) -> bool {
    let ids = |owners: &Owners| -> HashSet<ProcessId> {
        owners.known().iter().map(|process| process.id).collect()
    };
    let before = ids(before);
    !before.is_empty() && before != ids(after)
}
