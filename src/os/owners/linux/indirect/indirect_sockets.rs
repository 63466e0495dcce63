//! The sockets that were found in another place than a descriptor of their process.

use crate::model::process::ProcessId;
use std::collections::{BTreeMap, BTreeSet};

/// A socket and where its owner has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndirectSocket {
    pub inode: u32,
    pub owner: ProcessId,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A descriptor of this thread.
    Thread { thread: u32, descriptor: u32 },
    /// A fixed file of the io_uring on this descriptor of this thread.
    Ring { thread: u32, descriptor: u32 },
}

#[derive(Default)]
pub struct IndirectSockets {
    pub found: Vec<IndirectSocket>,
    /// Descriptors of processes that are io_urings, as of their last scan.
    pub rings: BTreeMap<u32, BTreeSet<u32>>,
    /// Processes with a UNIX socket through which files were on their way in the last search.
    pub carriers: Vec<ProcessId>,
    /// Which one is verified next.
    pub turn: usize,
}

impl IndirectSockets {
    pub fn has(&self, inode: u32) -> bool {
        self.of(inode).next().is_some()
    }

    pub fn of(&self, inode: u32) -> impl Iterator<Item = &IndirectSocket> {
        self.found.iter().filter(move |found| found.inode == inode)
    }

    pub fn has_owner(&self, inode: u32, pid: u32) -> bool {
        self.of(inode).any(|found| found.owner.pid.0 == pid)
    }

    /// Forgets a socket that closed.
    pub fn forget(&mut self, inode: u32) {
        self.found.retain(|found| found.inode != inode);
    }

    /// Records the io_urings that a scan saw; `is_whole` if it read every descriptor that is no socket.
    pub fn set_rings(&mut self, pid: u32, rings: &[u32], is_whole: bool) {
        if is_whole {
            self.rings.remove(&pid);
        }
        if !rings.is_empty() {
            self.rings.entry(pid).or_default().extend(rings);
        }
    }

    /// Forgets a process that exited, and returns its sockets.
    pub fn remove_exited(&mut self, pid: u32) -> Vec<IndirectSocket> {
        self.rings.remove(&pid);
        let exited = |found: &mut IndirectSocket| found.owner.pid.0 == pid;
        self.found.extract_if(.., exited).collect()
    }
}
