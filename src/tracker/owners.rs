//! Owners of the sockets: which are to be found, which were found, and which sockets are portmon's own.

use super::tracked_socket::{PendingChange, SlotId, SlotStatus, TrackedSocket};
use super::{Tracker, peers};
use crate::model::process::{Process, ProcessId};
use crate::model::socket::{EndpointId, OwnerHint, Owners, RawSocket};
use hashbrown::HashSet;
use std::sync::Arc;

impl Tracker {
    /// Sockets whose owner is to be found: new ones, and those with another hint.
    pub fn unresolved(&self) -> Vec<(SlotId, RawSocket)> {
        self.unresolved
            .iter()
            .filter_map(|slot| Some((*slot, self.table.get(*slot)?)))
            .filter(|(_, tracked)| tracked.status == SlotStatus::InUse)
            .map(|(slot, tracked)| (slot, tracked.raw_socket))
            .collect()
    }

    /// Takes the [`unresolved`](Self::unresolved) sockets.
    pub fn take_unresolved(&mut self) -> Vec<(SlotId, RawSocket)> {
        let unresolved = self.unresolved();
        self.unresolved.clear();
        unresolved
    }

    /// Returns and clears the hints that no socket has any more.
    pub fn take_removed_hints(&mut self) -> Vec<OwnerHint> {
        let mut removed: HashSet<OwnerHint> = self.removed_hints.drain(..).collect();
        if !removed.is_empty() {
            // Subflows of a multipath connection share an inode.
            for (_, tracked) in self.table.each() {
                if let Some(hint) = tracked.raw_socket.owner_hint {
                    removed.remove(&hint);
                }
            }
        }
        removed.into_iter().collect()
    }

    /// Every socket and its owners, in no particular order.
    pub fn each(&self) -> impl Iterator<Item = (SlotId, &RawSocket, &Owners)> {
        let each = self.table.each();
        each.map(|(slot, tracked)| (slot, &tracked.raw_socket, self.table.owners(tracked)))
    }

    /// Returns the slot of this socket; `last` is the one it most likely still has.
    pub fn find(&self, id: EndpointId, last: Option<SlotId>) -> Option<SlotId> {
        let has_id = |tracked: &TrackedSocket| tracked.id() == id;
        let found = || self.table.each().find(|(_, tracked)| has_id(tracked));
        last.filter(|slot| self.table.get(*slot).is_some_and(has_id))
            .or_else(|| Some(found()?.0))
    }

    /// Returns the slots of those of these sockets that are open.
    pub fn slots_of(&self, ids: &[EndpointId]) -> Vec<(EndpointId, SlotId)> {
        let wanted: HashSet<EndpointId> = ids.iter().copied().collect();
        let each = self.table.each();
        let each = each.map(|(slot, tracked)| (tracked.id(), slot));
        each.filter(|(id, _)| wanted.contains(id)).collect()
    }

    pub fn id(&self, slot: SlotId) -> Option<EndpointId> {
        self.table.get(slot).map(TrackedSocket::id)
    }

    pub fn raw_socket(&self, slot: SlotId) -> Option<&RawSocket> {
        self.table.raw_socket(slot)
    }

    pub fn owners(&self, slot: SlotId) -> Option<&Owners> {
        Some(self.table.owners(self.table.get(slot)?))
    }

    /// Every process that owns a socket, possibly more than once.
    pub fn owner_processes(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.table.owner_pool.processes()
    }

    /// Owners of the listener that accepts connections on the local address of this socket.
    pub fn listener_owners(&self, socket: &RawSocket) -> Option<&Owners> {
        let listener = peers::accepting_listener(&self.table, socket)?;
        Some(self.table.owners(listener))
    }

    pub fn set_owners(&mut self, slot: SlotId, owners: &Owners) {
        let Some(before) = self.table.get(slot).map(|tracked| tracked.owners) else {
            return;
        };
        let pool = &mut self.table.owner_pool;
        let pending = if owners_changed(pool.get(before), owners) {
            PendingChange::Changed
        } else {
            PendingChange::Refreshed
        };
        let after = pool.intern(owners);
        pool.release_key(before);
        if before == after {
            return;
        }
        if let Some(tracked) = self.table.get_mut(slot) {
            tracked.owners = after;
        }
        self.dirty.owned.push(slot);
        self.add_pending(slot, pending);
    }

    /// Replaces the description of a process wherever it owns sockets.
    pub fn describe(&mut self, process: &Arc<Process>) {
        let keys = self.table.owner_pool.describe(process);
        if keys.is_empty() {
            return;
        }
        let each = self.table.each();
        let owned = each.filter(|(_, tracked)| keys.contains(&tracked.owners));
        let slots: Vec<SlotId> = owned.map(|(slot, _)| slot).collect();
        self.dirty.owned.extend(&slots);
        for slot in slots {
            self.add_pending(slot, PendingChange::Refreshed);
        }
    }

    /// Marks a socket as portmon's own, which is never reported.
    pub fn hide_own_socket(&mut self, slot: SlotId) {
        let Some(tracked) = self.table.get_mut(slot) else {
            return;
        };
        let was_emitted = self.has_emitted && tracked.pending != PendingChange::Opened;
        tracked.status = SlotStatus::OwnSocket;
        tracked.pending = PendingChange::None;
        self.dirty.closed.push(tracked.raw_socket);
        if was_emitted {
            self.closed.push(*tracked);
        }
    }
}

/// True if known owners became others. Finding an unknown owner or a better description is no change.
fn owners_changed(before: &Owners, after: &Owners) -> bool {
    let ids = |owners: &Owners| -> HashSet<ProcessId> {
        owners.known().iter().map(|process| process.id).collect()
    };
    let before = ids(before);
    !before.is_empty() && before != ids(after)
}
