//! Who holds sockets where the source of sockets itself says so: the mark of a socket is then the pid of its holder.

use super::{Finding, Sought};
use crate::model::process::{Pid, ProcessId, StartTime};
use crate::os::identity;
use std::collections::HashMap;

/// Which process had each pid that a socket names, so that another one under the same pid is known for another.
#[derive(Default)]
pub struct Holders {
    starts: HashMap<u32, StartTime>,
}

impl Holders {
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the process that has the pid of what is sought, nothing where it has ended or may not be asked, and tells of
    /// every pid that another process has by now.
    pub fn update(&mut self, closed: &[u32], sought: &[Sought], _rows: usize) -> Vec<Finding> {
        for pid in closed {
            self.starts.remove(pid);
        }
        let known: Vec<u32> = self.starts.keys().copied().collect();
        let mut findings = self.check(&known);
        for sought in sought.iter().filter(|sought| sought.inode != 0) {
            if let Some(start) = identity::start_time(Pid(sought.inode)) {
                self.starts.insert(sought.inode, start);
                findings.push(finding(sought.inode, start, true));
            }
        }
        findings
    }

    /// Asks anew who has these pids.
    pub fn check(&mut self, pids: &[u32]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for pid in pids {
            let Some(before) = self.starts.get(pid).copied() else {
                continue;
            };
            let now = identity::start_time(Pid(*pid));
            if now == Some(before) {
                continue;
            }
            findings.push(finding(*pid, before, false));
            match now {
                Some(start) => {
                    self.starts.insert(*pid, start);
                    findings.push(finding(*pid, start, true));
                }
                None => drop(self.starts.remove(pid)),
            }
        }
        findings
    }

    /// No search is ever open: whoever holds a socket comes with it.
    pub fn is_seeking(&self, _inode: u32) -> bool {
        false
    }
}

fn finding(inode: u32, start: StartTime, holds: bool) -> Finding {
    let pid = Pid(inode);
    Finding {
        inode,
        process: ProcessId { pid, start },
        holds,
    }
}
