//! Owners of the sockets of a poll: resolves new sockets and updates the tracker.

use super::SocketPoller;
use crate::model::process::{Process, ProcessId, topmost_first};
use crate::model::socket::{NotFound, NotFoundCause, OwnerHint, Owners, RawSocket};
use crate::os::owners::{LookupRequest, OwnerChange, SearchReport};
use crate::tracker::SlotId;
use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

/// One process is reread in this many polls, so that a steady poll costs hardly more than its tables.
const POLLS_PER_REREAD: u32 = 3;

/// Owners that a poll reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanMode {
    /// Those of new and changed sockets, the others in turn.
    Incremental,
    Full,
}

impl SocketPoller {
    pub(super) fn update_owners(&mut self, mode: ScanMode) {
        let unresolved = self.tracker.take_unresolved();
        let removed = self.tracker.take_removed_hints();
        let requests = unresolved.iter();
        let requests: Vec<LookupRequest> = requests
            .filter_map(|(_, socket)| self.lookup_request(socket))
            .collect();
        let rows = self.tracker.socket_count();
        let in_view = self.in_view.update(&self.tracker);
        let resolver = &mut self.resolver;
        let mut changes = resolver.update(&removed, &requests, rows, &in_view);
        if mode == ScanMode::Full {
            let sockets = self.tracker.each();
            let hints = sockets.filter_map(|(_, socket, _)| socket.owner_hint);
            changes.extend(self.resolver.recheck(&hints.collect::<Vec<_>>()));
        }
        self.assign(mode, &requests, changes);
        if !removed.is_empty() {
            let owners = self.tracker.owner_processes();
            let owners: HashSet<ProcessId> = owners.map(|process| process.id).collect();
            self.processes.retain(|id| owners.contains(&id));
        }
        match mode {
            ScanMode::Incremental => self.describe_in_view(),
            ScanMode::Full => self.describe_all(),
        }
        self.polls = self.polls.wrapping_add(1);
        if self.polls.is_multiple_of(POLLS_PER_REREAD)
            && let Some(process) = self.processes.reread_next()
        {
            self.tracker.describe(&process);
        }
    }

    /// Describes every owner as it is now.
    fn describe_all(&mut self) {
        let owners = self.tracker.owner_processes();
        let owners: HashSet<ProcessId> = owners.map(|process| process.id).collect();
        for id in owners {
            self.describe_again(id);
        }
    }

    fn lookup_request(&self, socket: &RawSocket) -> Option<LookupRequest> {
        let holds_port = socket.holds_port();
        let listener_owners = (!holds_port).then(|| self.tracker.listener_owners(socket));
        let likely_owner = listener_owners.flatten().and_then(Owners::first);
        Some(LookupRequest {
            owner_hint: socket.owner_hint?,
            uid: socket.uid,
            holds_port,
            likely_owner: likely_owner.map(|owner| owner.pid()),
        })
    }

    /// Sets the owners of the requested sockets and of those whose owners changed.
    fn assign(
        &mut self,
        mode: ScanMode,
        requests: &[LookupRequest],
        mut changes: Vec<OwnerChange>,
    ) {
        // A stable sort keeps the order of the changes of each socket.
        changes.sort_by_key(|change| change.owner_hint);
        let orphaned = std::mem::take(&mut self.orphaned);
        let mut new = std::mem::take(&mut self.unresolved);
        new.extend(requests.iter().map(|request| request.owner_hint));
        // What was not found may not be found for another cause now.
        new.extend(self.resolver.unfound());
        let mut hints: HashSet<OwnerHint> = new.union(&orphaned).copied().collect();
        hints.extend(changes.iter().map(|change| change.owner_hint));
        if hints.is_empty() {
            return;
        }
        let sockets = self.tracker.each();
        let affected: Vec<(SlotId, OwnerHint)> = sockets
            .filter_map(|(slot, socket, _)| Some((slot, socket.owner_hint?)))
            .filter(|(_, hint)| hints.contains(hint))
            .collect();
        let mut cache = OwnersById::new();
        let mut search_report = None;
        for (slot, hint) in affected {
            let before = self.tracker.owners(slot).map_or(&[][..], Owners::known);
            let has_owners = !before.is_empty();
            let is_orphaned = orphaned.contains(&hint);
            let mut ids: Vec<ProcessId> = if is_orphaned || new.contains(&hint) {
                Vec::new()
            } else {
                before.iter().map(|process| process.id).collect()
            };
            for change in changes_of(&changes, hint) {
                ids.retain(|id| *id != change.process);
                if change.is_owner {
                    ids.push(change.process);
                }
            }
            let was_owned = has_owners || !ids.is_empty();
            match self.known_owners(ids, &mut cache) {
                Some(owners) => self.set_owners(slot, &owners),
                None if mode == ScanMode::Full => {
                    self.set_not_found(slot, &mut search_report);
                }
                None if was_owned && !is_orphaned => {
                    self.orphaned.insert(hint);
                }
                None if self.resolver.has_pending_search(hint) => {
                    // What is known to have closed it is no owner, whoever has it now.
                    self.tracker.set_owners(slot, &Owners::Pending);
                    self.unresolved.insert(hint);
                }
                None => self.set_not_found(slot, &mut search_report),
            }
        }
    }

    /// Returns these processes as owners; `None` if all of them have exited.
    fn known_owners(&mut self, ids: Vec<ProcessId>, cache: &mut OwnersById) -> Option<Owners> {
        if let Some(owners) = cache.get(&ids) {
            return owners.clone();
        }
        let known = ids.iter().filter_map(|id| self.processes.known(*id));
        let known: Vec<Arc<Process>> = known.collect();
        let owners = (!known.is_empty()).then(|| Owners::Known(topmost_first(known).into()));
        cache.insert(ids, owners.clone());
        owners
    }

    /// Sets the cause why no owner was found, with the report that is made for the first such socket.
    fn set_not_found(&mut self, slot: SlotId, report: &mut Option<SearchReport>) {
        let Some(socket) = self.tracker.raw_socket(slot) else {
            return;
        };
        let report = report.get_or_insert_with(|| self.resolver.search_report());
        let (cause, kernel) = report.explain(socket);
        let carriers = report
            .carriers
            .iter()
            .filter(|_| cause == NotFoundCause::InFlight);
        let carriers: Vec<Arc<Process>> = carriers
            .filter_map(|id| self.processes.known(*id))
            .collect();
        let not_found = NotFound {
            cause,
            carriers: carriers.into(),
            kernel,
        };
        self.tracker.set_owners(slot, &Owners::NotFound(not_found));
    }

    fn set_owners(&mut self, slot: SlotId, owners: &Owners) {
        match owners.known() {
            [only] if Some(only.pid()) == self.own_pid => self.tracker.hide_own_socket(slot),
            _ => self.tracker.set_owners(slot, owners),
        }
    }
}

/// Owners by their identities: most sockets share them.
type OwnersById = HashMap<Vec<ProcessId>, Option<Owners>>;

/// The changes of one socket, from changes sorted by socket.
fn changes_of(changes: &[OwnerChange], owner_hint: OwnerHint) -> &[OwnerChange] {
    let start = changes.partition_point(|change| change.owner_hint < owner_hint);
    let rest = changes.get(start..).unwrap_or_default();
    let count = rest.partition_point(|change| change.owner_hint == owner_hint);
    rest.get(..count).unwrap_or_default()
}
