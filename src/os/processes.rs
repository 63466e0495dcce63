//! Describes processes by their pids, and tells who descends from whom.
//!
//! A description must belong to the very process it names: the start time is read before and after everything else, and
//! a process that ended or was replaced meanwhile is left out. Only the processes asked for are read, never all.

use crate::model::process::{Pid, Process, ProcessId};
use crate::model::text::SystemText;
use crate::os::identity::{self, Stat};
use crate::os::users::Users;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

mod clock;
mod kin;

use clock::StartClock;
pub use kin::lineage;

/// The processes described last, so that one that did not change stays the very same value.
pub struct Processes {
    known: HashMap<ProcessId, Arc<Process>>,
    users: Users,
    clock: StartClock,
}

impl Default for Processes {
    fn default() -> Self {
        Self::new()
    }
}

impl Processes {
    pub fn new() -> Self {
        Self {
            known: HashMap::new(),
            users: Users::default(),
            clock: StartClock::new(),
        }
    }

    /// The name of a user, where the system has one.
    pub fn user(&mut self, uid: u32) -> Option<SystemText> {
        self.users.name(uid)
    }

    /// Describes these processes; those that ended or may not be seen are absent.
    ///
    /// Name, arguments, executable and directory are read anew each time, because an exec changes them all under the same
    /// identity; one in the midst of the call may be seen half, until the next call. While nothing changed the same `Arc` is returned, which makes the tracker's comparison cheap.
    pub fn describe(&mut self, pids: &HashSet<Pid>) -> HashMap<Pid, Arc<Process>> {
        let before: HashMap<Pid, Stat> = pids
            .iter()
            .filter_map(|pid| Some((*pid, identity::stat(*pid)?)))
            .collect();
        let seen = read(before.keys());
        let described: HashMap<Pid, Arc<Process>> = before
            .iter()
            .filter_map(|(pid, stat)| {
                let found = seen.as_ref()?.process(sysinfo::Pid::from_u32(pid.0));
                Some((*pid, self.description(*pid, stat, found)?))
            })
            .collect();
        self.known = described
            .values()
            .map(|process| (process.id, Arc::clone(process)))
            .collect();
        described
    }

    fn description(
        &mut self,
        pid: Pid,
        before: &Stat,
        found: Option<&sysinfo::Process>,
    ) -> Option<Arc<Process>> {
        let after = identity::stat(pid).filter(|after| after.start == before.start)?;
        let id = ProcessId {
            pid,
            start: after.start,
        };
        let process = self.put_together(id, after, found?);
        match self.known.get(&id) {
            Some(known) if **known == process => Some(Arc::clone(known)),
            _ => Some(Arc::new(process)),
        }
    }

    fn put_together(&mut self, id: ProcessId, stat: Stat, found: &sysinfo::Process) -> Process {
        let uid = uid(found);
        let short = stat.name.unwrap_or_else(|| found.name().into());
        Process {
            id,
            name: full_name(short, found.exe(), found.cmd()),
            command: found
                .cmd()
                .iter()
                .map(|part| part.as_os_str().into())
                .collect(),
            executable: found.exe().and_then(text),
            directory: found.cwd().and_then(text),
            started_at: self.clock.started_at(id.start, found),
            parent: stat
                .parent
                .or_else(|| found.parent().map(|pid| Pid(pid.as_u32()))),
            uid,
            user: uid.and_then(|uid| self.users.name(uid)),
            terminal: stat.terminal,
            is_kernel_thread: stat.is_kernel_thread,
        }
    }
}

/// Asks sysinfo for these processes only.
///
/// A `System` of its own each time: one that is kept never reads a name again, keeps what ended and costs memory for
/// every process that ever held a socket. Without `without_tasks` it would read every thread of each.
fn read<'p>(pids: impl Iterator<Item = &'p Pid>) -> Option<System> {
    let pids: Vec<sysinfo::Pid> = pids.map(|pid| sysinfo::Pid::from_u32(pid.0)).collect();
    let mut system = System::new().ok()?;
    let wanted = ProcessRefreshKind::nothing()
        .without_tasks()
        .with_cmd(UpdateKind::Always)
        .with_exe(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_user(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, wanted);
    Some(system)
}

/// The effective user, as ps shows it.
#[cfg(unix)]
fn uid(found: &sysinfo::Process) -> Option<u32> {
    found
        .effective_user_id()
        .or_else(|| found.user_id())
        .map(|uid| **uid)
}

/// Windows has no numbers for users: the last part of the SID, which tells the accounts of one machine apart.
#[cfg(windows)]
fn uid(found: &sysinfo::Process) -> Option<u32> {
    let sid = found.user_id()?.to_string();
    sid.rsplit('-').next()?.parse().ok()
}

/// Empty where the system does not say.
fn text(path: &Path) -> Option<SystemText> {
    let path = path.as_os_str();
    (!path.is_empty()).then(|| path.into())
}

/// Linux cuts names at this many bytes (`TASK_COMM_LEN` with its closing 0).
const CUT_AT: usize = 15;

/// A name that the kernel cut, completed from the executable or the first argument if that begins with it.
fn full_name<A: AsRef<OsStr>>(
    short: SystemText,
    executable: Option<&Path>,
    command: &[A],
) -> SystemText {
    if !cfg!(target_os = "linux") || short.raw().len() != CUT_AT {
        return short;
    }
    let argument = command.first().map(|first| Path::new(first.as_ref()));
    let longer = |path: &Path| {
        let name: SystemText = path.file_name()?.into();
        name.raw().starts_with(&*short.raw()).then_some(name)
    };
    [executable, argument]
        .into_iter()
        .flatten()
        .find_map(longer)
        .unwrap_or(short)
}

/// The user this program works for: under sudo the one who called it.
#[cfg(unix)]
pub fn own_uid() -> Option<u32> {
    let own = rustix::process::geteuid().as_raw();
    let caller = std::env::var("SUDO_UID").ok();
    caller
        .filter(|_| own == 0)
        .and_then(|uid| uid.parse().ok())
        .or(Some(own))
}

/// The user this program works for, numbered as those of processes are.
#[cfg(windows)]
pub fn own_uid() -> Option<u32> {
    let own = Pid(std::process::id());
    let seen = read(std::iter::once(&own))?;
    uid(seen.process(sysinfo::Pid::from_u32(own.0))?)
}

/// A moment that lies `seconds` after the epoch; none at 0, which sysinfo gives where it does not know.
fn epoch(seconds: u64) -> Option<SystemTime> {
    let since = std::time::Duration::from_secs(seconds);
    (seconds != 0).then(|| SystemTime::UNIX_EPOCH + since)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
