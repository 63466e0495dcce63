//! The processes that own sockets, with open handles.
//!
//! With an open `/proc/PID/fd` each question is one system call, and a pidfd (pidfd_open(2)) reports the exit. Both are
//! descriptors, so at most half of the allowed ones are used for them. Beyond that, and if the kernel has no pidfd or `/proc`
//! shows the pids of another namespace, a process is opened by its pid each time and its start time compared.

use super::fd_set::FdSet;
use super::proc_fs::{FdDir, ProcFs};
use crate::model::process::{Pid, ProcessId};
use crate::os::processes::start_time;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Resource, getrlimit};
use slab::Slab;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Number of owners that are remembered as recent.
const RECENT: usize = 8;

/// A process that owns sockets, or did.
pub struct OwnerEntry {
    pub id: ProcessId,
    /// Descriptors that are known sockets.
    pub socket_fds: FdSet,
    /// Descriptors that were open when last read, sockets included.
    pub open_fds: FdSet,
    /// Number of its entries in the fd cache; `socket_fds` lacks huge descriptors.
    pub entry_count: usize,
    handles: Option<ProcHandles>,
}

/// Two descriptors of portmon.
struct ProcHandles {
    directory: Arc<FdDir>,
    /// Stays in the epoll while it is open.
    _pidfd: OwnedFd,
}

#[derive(Default)]
pub struct OwnerTable {
    owners: Slab<OwnerEntry>,
    exit_epoll: Option<OwnedFd>,
    /// Owners that were found to own another socket, the latest first.
    recent: Vec<u32>,
    open_handles: usize,
    /// Limit of open handles; read when the first is opened.
    max_handles: Option<usize>,
}

impl OwnerTable {
    /// Adds the process with this directory; `None` if it has exited.
    pub fn register(&mut self, proc: &ProcFs, pid: u32, directory: &Arc<FdDir>) -> Option<u32> {
        proc.count(5);
        let pidfd = proc.pidfd(pid);
        let start = start_time::of_pid(Pid(pid))?;
        // Unless it is still alive, the pid may already be of another process than the directory.
        if !proc.is_alive(directory) {
            return None;
        }
        let slot = self.owners.insert(OwnerEntry {
            id: ProcessId {
                pid: Pid(pid),
                start,
            },
            socket_fds: FdSet::default(),
            open_fds: FdSet::default(),
            entry_count: 0,
            handles: None,
        });
        let handles = pidfd.and_then(|pidfd| self.keep_handles(slot, pidfd, directory));
        self.open_handles += usize::from(handles.is_some());
        if let Some(owner) = self.owners.get_mut(slot) {
            owner.handles = handles;
        }
        u32::try_from(slot).ok()
    }

    fn keep_handles(
        &mut self,
        slot: usize,
        pidfd: OwnedFd,
        directory: &Arc<FdDir>,
    ) -> Option<ProcHandles> {
        if self.exit_epoll.is_none() {
            self.exit_epoll = epoll::create(CreateFlags::CLOEXEC).ok();
        }
        let max_handles = *self.max_handles.get_or_insert_with(default_max_handles);
        if self.open_handles >= max_handles {
            self.close_idle_handles();
        }
        if self.open_handles >= max_handles {
            return None;
        }
        let data = EventData::new_u64(u64::try_from(slot).ok()?);
        epoll::add(self.exit_epoll.as_ref()?, &pidfd, data, EventFlags::IN).ok()?;
        Some(ProcHandles {
            directory: Arc::clone(directory),
            _pidfd: pidfd,
        })
    }

    /// Closes the handles of processes that own nothing now.
    fn close_idle_handles(&mut self) {
        for (_, owner) in &mut self.owners {
            if owner.entry_count == 0 && owner.handles.take().is_some() {
                self.open_handles -= 1;
            }
        }
    }

    /// Owners that exited since the last call.
    pub fn exited(&self, proc: &ProcFs) -> Vec<u32> {
        let Some(exit_epoll) = self.exit_epoll.as_ref().filter(|_| self.open_handles > 0) else {
            return Vec::new();
        };
        proc.count(1);
        let mut events: Vec<MaybeUninit<Event>> = vec![MaybeUninit::uninit(); self.open_handles];
        match epoll::wait(
            exit_epoll,
            events.as_mut_slice(),
            Some(&Timespec::default()),
        ) {
            Ok((events, _)) => events
                .iter()
                .filter_map(|event| u32::try_from(event.data.u64()).ok())
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Returns the descriptors of an owner; fails with `NOENT` once it has exited.
    pub fn directory(&self, proc: &ProcFs, slot: u32) -> Result<Arc<FdDir>> {
        let owner = self.get(slot).ok_or(Errno::NOENT)?;
        if let Some(handles) = &owner.handles {
            return Ok(Arc::clone(&handles.directory));
        }
        let directory = proc.open(owner.id.pid.0)?;
        proc.count(3);
        // It runs now and did before the directory was opened, so the directory is its own.
        if start_time::of_pid(owner.id.pid) == Some(owner.id.start) {
            Ok(Arc::new(directory))
        } else {
            Err(Errno::NOENT)
        }
    }

    pub fn get(&self, slot: u32) -> Option<&OwnerEntry> {
        self.owners.get(usize::try_from(slot).ok()?)
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut OwnerEntry> {
        self.owners.get_mut(usize::try_from(slot).ok()?)
    }

    pub fn remove(&mut self, slot: u32) -> Option<OwnerEntry> {
        self.recent.retain(|recent| *recent != slot);
        let owner = self.owners.try_remove(usize::try_from(slot).ok()?)?;
        self.open_handles -= usize::from(owner.handles.is_some());
        Some(owner)
    }

    /// Makes this owner the most recent one.
    pub fn touch(&mut self, slot: u32) {
        if self.recent.first() != Some(&slot) {
            self.recent.retain(|recent| *recent != slot);
            self.recent.insert(0, slot);
            self.recent.truncate(RECENT);
        }
    }

    pub fn recent(&self) -> &[u32] {
        &self.recent
    }

    #[cfg(test)]
    pub fn set_max_handles(&mut self, open_handles: usize) {
        self.max_handles = Some(open_handles);
    }

    #[cfg(test)]
    pub fn open_handles(&self) -> usize {
        self.open_handles
    }
}

/// Half of the descriptors that portmon may open, at two for each handle.
fn default_max_handles() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit / 4).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::StartTime;

    #[test]
    fn without_handles_a_reused_pid_is_detected_by_start_time() {
        let mut proc = ProcFs::default();
        proc.prepare();
        let mut owner_table = OwnerTable::default();
        owner_table.set_max_handles(0);
        let pid = std::process::id();
        let directory = Arc::new(proc.open(pid).expect("its own"));
        let slot = owner_table
            .register(&proc, pid, &directory)
            .expect("a place");
        assert_eq!(owner_table.open_handles(), 0);
        assert!(owner_table.directory(&proc, slot).is_ok());
        let owner = owner_table.get_mut(slot).expect("a holder");
        owner.id.start = StartTime(owner.id.start.0 - 1);
        assert_eq!(owner_table.directory(&proc, slot).err(), Some(Errno::NOENT));
    }
}
