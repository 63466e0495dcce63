//! Owners where the socket source reports their pids.

use super::{InView, LookupRequest, OwnerChange};
use crate::model::process::{Pid, ProcessId};
use crate::model::socket::{KernelServices, NotFoundCause, OwnerHint, RawSocket};
use crate::os::processes::{is_root, stat};
use std::collections::HashMap;

/// The process that had each pid, so that a reused pid is recognized.
#[derive(Default)]
pub struct OwnerResolver {
    owners: HashMap<OwnerHint, ProcessId>,
}

/// What decides which owners are found.
pub struct SearchReport {
    is_root: bool,
    pub carriers: Vec<ProcessId>,
}

impl OwnerResolver {
    /// Returns the processes with the requested pids, and every pid that belongs to another process now.
    pub fn update(
        &mut self,
        closed: &[OwnerHint],
        requests: &[LookupRequest],
        _rows: usize,
        _in_view: &InView,
    ) -> Vec<OwnerChange> {
        for hint in closed {
            self.owners.remove(hint);
        }
        let known: Vec<OwnerHint> = self.owners.keys().copied().collect();
        let mut changes = self.recheck(&known);
        let requested = requests.iter().map(|request| request.owner_hint);
        changes.extend(requested.filter_map(|hint| self.add_owner(hint)));
        changes
    }

    pub fn recheck(&mut self, hints: &[OwnerHint]) -> Vec<OwnerChange> {
        let mut changes = Vec::new();
        for hint in hints {
            let Some(before) = self.owners.get(hint).copied() else {
                continue;
            };
            if stat::process_id(pid(*hint)) != Some(before) {
                self.owners.remove(hint);
                changes.push(owner_change(*hint, before, false));
                changes.extend(self.add_owner(*hint));
            }
        }
        changes
    }

    /// Records the process that has this pid now.
    fn add_owner(&mut self, hint: OwnerHint) -> Option<OwnerChange> {
        let owner = stat::process_id(pid(hint))?;
        self.owners.insert(hint, owner);
        Some(owner_change(hint, owner, true))
    }

    /// None: every owner that this user may see is known with its socket.
    pub fn unfound(&self) -> impl Iterator<Item = OwnerHint> {
        std::iter::empty()
    }

    pub fn search_report(&self) -> SearchReport {
        SearchReport {
            is_root: is_root(),
            carriers: Vec::new(),
        }
    }

    /// False: every owner is known with its socket.
    pub fn has_pending_search(&self, _owner_hint: OwnerHint) -> bool {
        false
    }
}

impl SearchReport {
    /// Returns why no owner was found: the sources leave out the processes of other users, but not for root.
    pub fn explain(&self, _socket: &RawSocket) -> (NotFoundCause, KernelServices) {
        let cause = if self.is_root {
            NotFoundCause::Unknown
        } else {
            NotFoundCause::OtherUser
        };
        (cause, KernelServices::default())
    }
}

fn pid(owner_hint: OwnerHint) -> Pid {
    Pid(owner_hint.0.get())
}

fn owner_change(owner_hint: OwnerHint, process: ProcessId, is_owner: bool) -> OwnerChange {
    OwnerChange {
        owner_hint,
        process,
        is_owner,
    }
}
