//! Sockets that a process has open where its `/proc/PID/fd` does not show them.
//!
//! They are searched only after every process was scanned, since that takes a few system calls for each thread:
//!
//! | place | seen in |
//! | --- | --- |
//! | a thread with descriptors of its own (`CLONE_FILES` of unshare(2)), or any where the first thread has exited | `/proc/PID/task/TID/fd` |
//! | the fixed files of an io_uring (io_uring_register(2)) | `UserFiles` in its fdinfo |
//! | on its way through a UNIX socket (`SCM_RIGHTS` of unix(7)) | `scm_fds` in the fdinfo of that socket |
//!
//! The first two have an owner. The third has none, and the kernel does not tell which file is on its way.

use super::owner_cache::OwnerCache;
use super::proc_fs::FdLink;
use crate::model::process::{Pid, ProcessId};
use crate::os::processes::stat;
use indirect_sockets::{IndirectSocket, Place};
use proc_tasks::{files_in_flight, ring_sockets};
use rustix::io::Result;
use std::collections::HashSet;

pub mod indirect_sockets;
mod proc_tasks;

impl OwnerCache {
    /// Searches these sockets in the threads and io_urings of these processes, then among what is on its way through UNIX
    /// sockets.
    pub fn search_indirect(&mut self, mut wanted: HashSet<u32>, order: &[u32]) {
        for pid in order {
            if wanted.is_empty() {
                return;
            }
            let Some(owner) = stat::process_id(Pid(*pid)) else {
                continue;
            };
            let found = self.sockets_elsewhere(owner, &wanted);
            // It is the same process as before, so what was found is its own.
            if found.is_empty() || stat::process_id(Pid(*pid)) != Some(owner) {
                continue;
            }
            for one in found {
                wanted.remove(&one.inode);
                self.add_indirect(one);
            }
        }
        self.indirect.carriers = if wanted.is_empty() {
            Vec::new()
        } else {
            self.carriers()
        };
    }

    /// Verifies the next of these sockets in turn.
    pub fn verify_next_indirect(&mut self) {
        let turn = self.indirect.turn;
        self.indirect.turn = turn.wrapping_add(1);
        let count = self.indirect.found.len().max(1);
        if let Some(found) = self.indirect.found.get(turn % count).copied() {
            self.verify_indirect(found);
        }
    }

    /// Verifies that the owner of a socket still has it in its place.
    pub fn verify_indirect_socket(&mut self, inode: u32) {
        let found: Vec<IndirectSocket> = self.indirect.of(inode).copied().collect();
        for one in found {
            self.verify_indirect(one);
        }
    }

    fn verify_indirect(&mut self, found: IndirectSocket) {
        let IndirectSocket {
            inode,
            owner,
            place,
        } = found;
        let pid = owner.pid.0;
        let has_it = match place {
            Place::Thread { thread, descriptor } => {
                let socket = self.proc.socket_of_thread(pid, thread, descriptor);
                socket.map(|socket| socket == Some(inode))
            }
            Place::Ring { thread, descriptor } => {
                let fdinfo = self.proc.fdinfo(pid, thread, descriptor);
                fdinfo.map(|fdinfo| ring_sockets(&fdinfo).any(|socket| socket == inode))
            }
        };
        if has_it != Ok(true) || stat::process_id(owner.pid) != Some(owner) {
            self.indirect.found.retain(|one| *one != found);
            self.lose_owner(inode, owner);
        }
    }

    fn add_indirect(&mut self, found: IndirectSocket) {
        let pid = found.owner.pid.0;
        if self.has_owner(found.inode, pid) {
            return;
        }
        self.register_owner(pid);
        self.indirect.found.push(found);
        self.report_owner(found.inode, found.owner, true);
    }

    /// Returns which of the wanted sockets a process has in its other threads and its io_urings.
    fn sockets_elsewhere(&self, owner: ProcessId, wanted: &HashSet<u32>) -> Vec<IndirectSocket> {
        let pid = owner.pid.0;
        let mut found = Vec::new();
        let mut add = |inode: u32, place: Place| {
            if wanted.contains(&inode) {
                found.push(IndirectSocket {
                    inode,
                    owner,
                    place,
                });
            }
        };
        let rings = self.indirect.rings.get(&pid).into_iter().flatten();
        let mut rings: Vec<(u32, u32)> = rings.map(|ring| (pid, *ring)).collect();
        for thread in self.threads_with_own_fds(pid) {
            // What a thread that exits meanwhile had is not found, as if it had exited before.
            let _ = self.read_thread(pid, thread, |descriptor, link| match link {
                FdLink::Socket(inode) => add(inode, Place::Thread { thread, descriptor }),
                FdLink::Ring => rings.push((thread, descriptor)),
                FdLink::Other => {}
            });
        }
        for (thread, descriptor) in rings {
            let fdinfo = self.proc.fdinfo(pid, thread, descriptor);
            for inode in ring_sockets(&fdinfo.unwrap_or_default()) {
                add(inode, Place::Ring { thread, descriptor });
            }
        }
        found
    }

    fn read_thread(&self, pid: u32, thread: u32, mut each: impl FnMut(u32, FdLink)) -> Result<()> {
        let directory = self.proc.open_thread(pid, thread)?;
        self.proc.descriptors(&directory, |descriptor, name| {
            each(descriptor, self.proc.link(&directory, name)?);
            Ok(())
        })
    }

    /// Returns one thread for each set of descriptors that is not the first thread's.
    fn threads_with_own_fds(&self, pid: u32) -> Vec<u32> {
        let mut distinct = Vec::new();
        for thread in self.proc.other_threads(pid).unwrap_or_default() {
            let known = [pid].into_iter().chain(distinct.iter().copied());
            let is_shared = |known| self.proc.share_fds(thread, known) == Some(true);
            if !known.into_iter().any(is_shared) {
                distinct.push(thread);
            }
        }
        distinct
    }

    /// Returns the processes with a UNIX socket through which files are on their way. Sockets of UNIX are among those that
    /// no table requested.
    fn carriers(&self) -> Vec<ProcessId> {
        let mut seen = HashSet::new();
        let mut carriers = Vec::new();
        for entry in self.unclaimed.all() {
            if !seen.insert(entry.inode) || self.proc.own == Some(Pid(entry.pid)) {
                continue;
            }
            let fdinfo = self.proc.fdinfo(entry.pid, entry.pid, entry.descriptor);
            if files_in_flight(&fdinfo.unwrap_or_default()) > 0 {
                carriers.extend(stat::process_id(Pid(entry.pid)));
            }
        }
        carriers.sort_unstable();
        carriers.dedup();
        carriers
    }
}
