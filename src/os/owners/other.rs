//! Who holds sockets where the source of sockets itself says so: the mark of a socket is then the pid of its holder.

use super::{LookupRequest, OwnerChange};
use crate::model::process::{Pid, ProcessId, StartTime};
use crate::os::processes::start_time;
use std::collections::HashMap;

/// Which process had each pid that a socket names, so that another one under the same pid is known for another.
#[derive(Default)]
pub struct OwnerResolver {
    starts: HashMap<u32, StartTime>,
}

impl OwnerResolver {
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the process that has the pid of what is sought, nothing where it has ended or may not be asked, and tells of
    /// every pid that another process has by now.
    pub fn update(
        &mut self,
        closed: &[u32],
        requests: &[LookupRequest],
        _rows: usize,
    ) -> Vec<OwnerChange> {
        for pid in closed {
            self.starts.remove(pid);
        }
        let known: Vec<u32> = self.starts.keys().copied().collect();
        let mut owner_changes = self.recheck(&known);
        for request in requests.iter().filter(|request| request.inode != 0) {
            if let Some(start) = start_time::of_pid(Pid(request.inode)) {
                self.starts.insert(request.inode, start);
                owner_changes.push(owner_change(request.inode, start, true));
            }
        }
        owner_changes
    }

    /// Asks anew who has these pids.
    pub fn recheck(&mut self, pids: &[u32]) -> Vec<OwnerChange> {
        let mut owner_changes = Vec::new();
        for pid in pids {
            let Some(before) = self.starts.get(pid).copied() else {
                continue;
            };
            let now = start_time::of_pid(Pid(*pid));
            if now == Some(before) {
                continue;
            }
            owner_changes.push(owner_change(*pid, before, false));
            match now {
                Some(start) => {
                    self.starts.insert(*pid, start);
                    owner_changes.push(owner_change(*pid, start, true));
                }
                None => drop(self.starts.remove(pid)),
            }
        }
        owner_changes
    }

    /// No search is ever open: whoever holds a socket comes with it.
    pub fn has_pending_search(&self, _inode: u32) -> bool {
        false
    }
}

fn owner_change(inode: u32, start: StartTime, is_owner: bool) -> OwnerChange {
    let pid = Pid(inode);
    OwnerChange {
        inode,
        process: ProcessId { pid, start },
        is_owner,
    }
}
