//! Who holds sockets where the source of sockets itself says so: the mark of a socket is then the pid of its holder.

use super::{Finding, Sought};
use crate::model::process::{Pid, ProcessId};
use crate::os::identity;

#[derive(Default)]
pub struct Holders;

impl Holders {
    pub fn new() -> Self {
        Self
    }

    /// Names the process that has the pid of what is sought; nothing where it has ended or may not be asked.
    #[expect(clippy::unused_self, reason = "on Linux it remembers who holds what")]
    pub fn update(&mut self, _closed: &[u32], sought: &[Sought], _rows: usize) -> Vec<Finding> {
        let finding = |sought: &Sought| {
            let pid = Pid(sought.inode);
            let start = identity::start_time(pid)?;
            Some(Finding {
                inode: sought.inode,
                process: ProcessId { pid, start },
                holds: true,
            })
        };
        sought.iter().filter_map(finding).collect()
    }

    /// There is nothing to read anew: every look names the holders.
    #[expect(clippy::unused_self, reason = "on Linux it remembers who holds what")]
    pub fn check(&mut self, _inodes: &[u32]) -> Vec<Finding> {
        Vec::new()
    }
}
