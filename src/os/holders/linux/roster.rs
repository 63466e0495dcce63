//! The processes that hold sockets, each with its door kept open.
//!
//! A kept `/proc/PID/fd` makes every question one system call, and a pidfd (pidfd_open(2)) tells the end of the process
//! without asking. Both are descriptors, so no more than half of those allowed are kept; beyond that, and where the
//! kernel has no pidfd or `/proc` shows the pids of another namespace, a process is opened by its pid each time and its start time compared.

use super::descriptors::Descriptors;
use super::proc::{Directory, Proc};
use crate::model::process::{Pid, ProcessId};
use crate::os::identity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Resource, getrlimit};
use slab::Slab;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// How many of those that were found last are remembered as such.
const RECENT: usize = 8;

/// A process that holds something, or did.
pub struct Holder {
    pub id: ProcessId,
    /// The descriptors that are sockets it was found to hold.
    pub held: Descriptors,
    /// Those that were in use when last seen, the held ones among them.
    pub used: Descriptors,
    /// How many edges it has: as many as are held, and those with huge numbers.
    pub edges: usize,
    door: Option<Door>,
}

/// Two descriptors of this process.
struct Door {
    directory: Arc<Directory>,
    /// In the epoll for as long as it is open.
    _pidfd: OwnedFd,
}

#[derive(Default)]
pub struct Roster {
    holders: Slab<Holder>,
    ends: Option<OwnedFd>,
    /// The most recently found first.
    recent: Vec<u32>,
    doors: usize,
    /// How many doors may be open; not known before the first is.
    allowed: Option<usize>,
}

impl Roster {
    /// Takes in the process that this directory belongs to; `None` if it has ended.
    pub fn enrol(&mut self, proc: &Proc, pid: u32, directory: &Arc<Directory>) -> Option<u32> {
        proc.count(5);
        let pidfd = proc.pidfd(pid);
        let start = identity::start_time(Pid(pid))?;
        // The directory may be of one process and the rest of its successor, unless it is still alive now.
        if !proc.is_alive(directory) {
            return None;
        }
        let slot = self.holders.insert(Holder {
            id: ProcessId {
                pid: Pid(pid),
                start,
            },
            held: Descriptors::default(),
            used: Descriptors::default(),
            edges: 0,
            door: None,
        });
        let door = pidfd.and_then(|pidfd| self.keep(slot, pidfd, directory));
        self.doors += usize::from(door.is_some());
        if let Some(holder) = self.holders.get_mut(slot) {
            holder.door = door;
        }
        u32::try_from(slot).ok()
    }

    fn keep(&mut self, slot: usize, pidfd: OwnedFd, directory: &Arc<Directory>) -> Option<Door> {
        if self.ends.is_none() {
            self.ends = epoll::create(CreateFlags::CLOEXEC).ok();
        }
        let allowed = *self.allowed.get_or_insert_with(allowed);
        if self.doors >= allowed {
            self.close_idle_doors();
        }
        if self.doors >= allowed {
            return None;
        }
        let data = EventData::new_u64(u64::try_from(slot).ok()?);
        epoll::add(self.ends.as_ref()?, &pidfd, data, EventFlags::IN).ok()?;
        Some(Door {
            directory: Arc::clone(directory),
            _pidfd: pidfd,
        })
    }

    /// Those who hold nothing now are only kept in case they soon hold something again.
    fn close_idle_doors(&mut self) {
        for (_, holder) in &mut self.holders {
            if holder.edges == 0 && holder.door.take().is_some() {
                self.doors -= 1;
            }
        }
    }

    /// The holders that ended since this was last asked.
    pub fn ended(&self, proc: &Proc) -> Vec<u32> {
        let mut ended = Vec::new();
        let Some(ends) = self.ends.as_ref().filter(|_| self.doors > 0) else {
            return ended;
        };
        let no_wait = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        proc.count(1);
        let mut room: Vec<MaybeUninit<Event>> = vec![MaybeUninit::uninit(); self.doors];
        if let Ok((events, _)) = epoll::wait(ends, room.as_mut_slice(), Some(&no_wait)) {
            ended.extend(
                events
                    .iter()
                    .filter_map(|event| u32::try_from(event.data.u64()).ok()),
            );
        }
        ended
    }

    /// The descriptors of a holder, fails with `NOENT` once it has ended.
    pub fn directory(&self, proc: &Proc, slot: u32) -> Result<Arc<Directory>> {
        let holder = self.get(slot).ok_or(Errno::NOENT)?;
        if let Some(door) = &holder.door {
            return Ok(Arc::clone(&door.directory));
        }
        let directory = proc.open(holder.id.pid.0)?;
        proc.count(3);
        // It lives now and did before the directory was opened, so the directory is its own.
        if identity::start_time(holder.id.pid) == Some(holder.id.start) {
            Ok(Arc::new(directory))
        } else {
            Err(Errno::NOENT)
        }
    }

    pub fn get(&self, slot: u32) -> Option<&Holder> {
        self.holders.get(usize::try_from(slot).ok()?)
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut Holder> {
        self.holders.get_mut(usize::try_from(slot).ok()?)
    }

    pub fn remove(&mut self, slot: u32) -> Option<Holder> {
        self.recent.retain(|recent| *recent != slot);
        let holder = self.holders.try_remove(usize::try_from(slot).ok()?)?;
        self.doors -= usize::from(holder.door.is_some());
        Some(holder)
    }

    /// Remembers that something was found here.
    pub fn touch(&mut self, slot: u32) {
        if self.recent.first() != Some(&slot) {
            self.recent.retain(|recent| *recent != slot);
            self.recent.insert(0, slot);
            self.recent.truncate(RECENT);
        }
    }

    /// Where something was found last, the latest first.
    pub fn recent(&self) -> &[u32] {
        &self.recent
    }

    #[cfg(test)]
    pub fn allow(&mut self, doors: usize) {
        self.allowed = Some(doors);
    }

    #[cfg(test)]
    pub fn doors(&self) -> usize {
        self.doors
    }
}

/// Half of the descriptors that this process may have, at two for each door.
fn allowed() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(limit / 4).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::StartTime;

    #[test]
    fn a_process_without_a_door_is_told_from_its_successor_by_its_start() {
        let mut proc = Proc::default();
        proc.prepare();
        let mut roster = Roster::default();
        roster.allow(0);
        let pid = std::process::id();
        let directory = Arc::new(proc.open(pid).expect("its own"));
        let slot = roster.enrol(&proc, pid, &directory).expect("a place");
        assert_eq!(roster.doors(), 0);
        assert!(roster.directory(&proc, slot).is_ok());
        let holder = roster.get_mut(slot).expect("a holder");
        holder.id.start = StartTime(holder.id.start.0 - 1);
        assert_eq!(roster.directory(&proc, slot).err(), Some(Errno::NOENT));
    }
}
