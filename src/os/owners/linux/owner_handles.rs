//! Open handles of the processes that own sockets.
//!
//! With an open `/proc/PID/fd` each question is one system call, and a pidfd (pidfd_open(2)) reports the exit. Both are
//! descriptors, so at most half of the allowed ones are used for them. Beyond that, and if the kernel has no pidfd or `/proc`
//! shows the pids of another namespace, a process is opened by its pid each time and its start time compared.

use super::fd_set::FdSet;
use super::proc_fs::{FdDir, ProcFs};
use crate::model::process::{Pid, ProcessId};
use crate::os::processes::stat;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Resource, getrlimit};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// A process that owns sockets, or did.
pub struct OwnerEntry {
    pub id: ProcessId,
    /// Descriptors that are known sockets.
    pub socket_fds: FdSet,
    /// Descriptors that were open when last read, sockets included.
    pub open_fds: FdSet,
    /// Number of its entries in the fd cache; `socket_fds` lacks huge descriptors.
    pub entry_count: usize,
    /// Inodes of its sockets that were not requested when it was last scanned: UNIX sockets and others.
    pub other_sockets: Vec<u32>,
    handles: Option<ProcHandles>,
}

/// Two descriptors of portmon.
struct ProcHandles {
    directory: Arc<FdDir>,
    /// Stays in the epoll while it is open.
    _pidfd: OwnedFd,
}

impl OwnerEntry {
    /// Returns the descriptors of the process; fails with `NOENT` once it has exited.
    pub fn directory(&self, proc: &ProcFs) -> Result<Arc<FdDir>> {
        if let Some(handles) = &self.handles {
            return Ok(Arc::clone(&handles.directory));
        }
        let directory = proc.open(self.id.pid.0)?;
        proc.count(3);
        // It runs now and did before the directory was opened, so the directory is its own.
        if stat::process_id(self.id.pid) == Some(self.id) {
            Ok(Arc::new(directory))
        } else {
            Err(Errno::NOENT)
        }
    }
}

#[derive(Default)]
pub struct OwnerHandles {
    exit_epoll: Option<OwnedFd>,
    pub open: usize,
    /// Limit of open handles; read when the first is opened.
    pub max: Option<usize>,
}

impl OwnerHandles {
    pub fn close(&mut self, owner: &mut OwnerEntry) {
        self.open -= usize::from(owner.handles.take().is_some());
    }

    /// Owners that exited since the last call.
    pub fn exited(&self, proc: &ProcFs) -> Vec<u32> {
        let Some(exit_epoll) = self.exit_epoll.as_ref().filter(|_| self.open > 0) else {
            return Vec::new();
        };
        proc.count(1);
        let mut events: Vec<Event> = Vec::with_capacity(self.open);
        let at_once = Some(&Timespec::default());
        // What an error hides is reported by the next call.
        let _ = epoll::wait(exit_epoll, spare_capacity(&mut events), at_once);
        let pids = events.iter().map(|event| u32::try_from(event.data.u64()));
        pids.flatten().collect()
    }

    /// Returns the process with this directory as an owner; `None` if it has exited. `others` are the owners so far.
    pub fn register<'o>(
        &mut self,
        proc: &ProcFs,
        pid: u32,
        directory: &Arc<FdDir>,
        others: impl Iterator<Item = &'o mut OwnerEntry>,
    ) -> Option<Box<OwnerEntry>> {
        proc.count(5);
        let pidfd = proc.pidfd(pid);
        let id = stat::process_id(Pid(pid))?;
        // Unless it is still alive, the pid may already be of another process than the directory.
        if !proc.is_alive(directory) {
            return None;
        }
        let pidfd = pidfd.and_then(|pidfd| self.watch(pid, pidfd, others));
        Some(Box::new(OwnerEntry {
            id,
            socket_fds: FdSet::default(),
            open_fds: FdSet::default(),
            entry_count: 0,
            other_sockets: Vec::new(),
            handles: pidfd.map(|pidfd| ProcHandles {
                directory: Arc::clone(directory),
                _pidfd: pidfd,
            }),
        }))
    }

    /// Adds a pidfd to the epoll and returns it; `None` if too many are open.
    fn watch<'o>(
        &mut self,
        pid: u32,
        pidfd: OwnedFd,
        others: impl Iterator<Item = &'o mut OwnerEntry>,
    ) -> Option<OwnedFd> {
        if self.exit_epoll.is_none() {
            self.exit_epoll = epoll::create(CreateFlags::CLOEXEC).ok();
        }
        let max = *self.max.get_or_insert_with(default_max);
        if self.open >= max {
            // What owns nothing now does not need them.
            let idle = others.filter(|owner| owner.entry_count == 0);
            idle.for_each(|owner| self.close(owner));
        }
        if self.open >= max {
            return None;
        }
        let data = EventData::new_u64(pid.into());
        epoll::add(self.exit_epoll.as_ref()?, &pidfd, data, EventFlags::IN).ok()?;
        self.open += 1;
        Some(pidfd)
    }
}

/// Descriptors that the rest of portmon uses at most.
const RESERVED: u64 = 32;

/// Half of the descriptors that portmon may open, at two for each handle.
fn default_max() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let handles = (limit / 4).min(limit.saturating_sub(RESERVED) / 2);
    usize::try_from(handles).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::StartTime;

    #[test]
    fn without_handles_a_reused_pid_is_detected_by_start_time() {
        let proc = ProcFs::default();
        let mut handles = OwnerHandles {
            max: Some(0),
            ..OwnerHandles::default()
        };
        let pid = std::process::id();
        let directory = Arc::new(proc.open(pid).expect("its own"));
        let owner = handles.register(&proc, pid, &directory, std::iter::empty());
        let mut owner = owner.expect("it runs");
        assert_eq!(handles.open, 0);
        assert!(owner.directory(&proc).is_ok());
        owner.id.start = StartTime(owner.id.start.0 - 1);
        assert_eq!(owner.directory(&proc).err(), Some(Errno::NOENT));
    }
}
