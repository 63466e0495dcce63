//! Who holds the sockets of a look: asks for what is new, and tells the tracker what is found.

use super::SocketPoller;
use crate::model::endpoint::Owners;
use crate::model::process::{Process, ProcessId, topmost_first};
use crate::model::raw_socket::RawSocket;
use crate::os::owners::{LookupRequest, OwnerChange};
use crate::tracker::SlotId;
use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

/// How many looks come to one process that is read again: a steady look must cost hardly more than its tables.
const POLLS_PER_REREAD: u32 = 3;

/// How holders are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanMode {
    /// Those that are new or changed, and the others in turn.
    Incremental,
    /// All of them.
    Full,
}

impl SocketPoller {
    pub(super) fn update_owners(&mut self, mode: ScanMode) {
        let unresolved_sockets = self.tracker.take_unresolved();
        let removed_inodes = self.tracker.take_removed_hints();
        let requests: Vec<LookupRequest> = unresolved_sockets
            .iter()
            .map(|(_, socket)| self.lookup_request(socket))
            .collect();
        let mut changes = self
            .resolver
            .update(&removed_inodes, &requests, self.tracker.len());
        if mode == ScanMode::Full {
            let inodes: Vec<u32> = self
                .tracker
                .each()
                .map(|(_, socket, _)| socket.owner_hint)
                .collect();
            changes.extend(self.resolver.recheck(&inodes));
        }
        self.assign(mode, &unresolved_sockets, changes);
        if !removed_inodes.is_empty() {
            let held: HashSet<ProcessId> = self
                .tracker
                .owner_processes()
                .map(|process| process.id)
                .collect();
            self.processes.retain(|id| held.contains(&id));
        }
        self.polls = self.polls.wrapping_add(1);
        if self.polls.is_multiple_of(POLLS_PER_REREAD)
            && let Some(process) = self.processes.reread_next()
        {
            self.tracker.describe(&process);
        }
    }

    fn lookup_request(&self, socket: &RawSocket) -> LookupRequest {
        let listener = (!socket.holds_port()).then(|| self.tracker.listener_owners(socket));
        let owner = listener.flatten().and_then(Owners::first);
        LookupRequest {
            inode: socket.owner_hint,
            uid: socket.uid,
            holds_port: socket.holds_port(),
            likely_owner: owner.map(|owner| owner.pid()),
        }
    }

    /// Tells the tracker who holds what was sought and what was found to have other holders.
    fn assign(
        &mut self,
        mode: ScanMode,
        unresolved_sockets: &[(SlotId, RawSocket)],
        mut changes: Vec<OwnerChange>,
    ) {
        let orphaned = std::mem::take(&mut self.orphaned);
        let unresolved = std::mem::take(&mut self.unresolved);
        // In the order in which they came to light, for each socket.
        changes.sort_by_key(|change| change.inode);
        let mut new: HashSet<u32> = unresolved_sockets
            .iter()
            .map(|(_, socket)| socket.owner_hint)
            .collect();
        new.extend(unresolved);
        let mut inodes: HashSet<u32> = new.union(&orphaned).copied().collect();
        inodes.extend(changes.iter().map(|change| change.inode));
        if inodes.is_empty() {
            return;
        }
        let each = self.tracker.each();
        let affected: Vec<(SlotId, u32)> = each
            .filter(|(_, socket, _)| inodes.contains(&socket.owner_hint))
            .map(|(slot, socket, _)| (slot, socket.owner_hint))
            .collect();
        let mut cache = OwnersById::new();
        for (slot, owner_hint) in affected {
            let is_reset = new.contains(&owner_hint) || orphaned.contains(&owner_hint);
            let mut ids = if is_reset {
                Vec::new()
            } else {
                self.owner_ids(slot)
            };
            for change in changes_of(&changes, owner_hint) {
                ids.retain(|id| *id != change.process);
                if change.is_owner {
                    ids.push(change.process);
                }
            }
            let was_owned = !ids.is_empty() || self.has_known_owner(slot);
            match self.known_owners(ids, &mut cache) {
                Some(owners) => self.set_owners(slot, &owners),
                None if mode == ScanMode::Incremental
                    && was_owned
                    && !orphaned.contains(&owner_hint) =>
                {
                    self.orphaned.insert(owner_hint);
                }
                None if mode == ScanMode::Incremental
                    && self.resolver.has_pending_search(owner_hint) =>
                {
                    self.unresolved.insert(owner_hint);
                }
                None => self.tracker.set_owners(slot, &Owners::NoPermission),
            }
        }
    }

    /// These processes as owners, unless all of them have ended.
    fn known_owners(&mut self, ids: Vec<ProcessId>, cache: &mut OwnersById) -> Option<Owners> {
        if let Some(owners) = cache.get(&ids) {
            return owners.clone();
        }
        let processes = ids.iter().filter_map(|id| self.processes.known(*id));
        let known: Vec<Arc<Process>> = processes.collect();
        let owners = (!known.is_empty()).then(|| Owners::Known(topmost_first(known).into()));
        cache.insert(ids, owners.clone());
        owners
    }

    fn set_owners(&mut self, slot: SlotId, owners: &Owners) {
        match owners.known() {
            [only] if Some(only.pid()) == self.own_pid => self.tracker.hide_own_socket(slot),
            _ => self.tracker.set_owners(slot, owners),
        }
    }

    fn owner_ids(&self, slot: SlotId) -> Vec<ProcessId> {
        let known = self.tracker.owners(slot).map_or(&[][..], Owners::known);
        known.iter().map(|process| process.id).collect()
    }

    fn has_known_owner(&self, slot: SlotId) -> bool {
        let owners = self.tracker.owners(slot);
        owners.is_some_and(|owners| !owners.known().is_empty())
    }
}

/// What was made of the same holders, of which most sockets have one.
type OwnersById = HashMap<Vec<ProcessId>, Option<Owners>>;

/// Those about one socket, of findings in the order of their sockets.
fn changes_of(changes: &[OwnerChange], owner_hint: u32) -> &[OwnerChange] {
    let first = changes.partition_point(|change| change.inode < owner_hint);
    let rest = changes.get(first..).unwrap_or_default();
    let count = rest.partition_point(|change| change.inode == owner_hint);
    rest.get(..count).unwrap_or_default()
}
