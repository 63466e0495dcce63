//! Asks sysinfo, between two reads of the start time that must be equal.

use super::{ProcessLinks, Reading};
use crate::model::process::{Pid, Process, ProcessId, StartTime};
use crate::model::socket::ProcessUsage;
use crate::model::text::SystemText;
use crate::os::now;
use crate::os::processes::start_time::{self, ProcessStat};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, SystemTime};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

/// Empty: only a full read notices an exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecFingerprint;

pub fn read(pids: impl Iterator<Item = Pid>) -> HashMap<Pid, Reading> {
    let refresh = ProcessRefreshKind::nothing()
        .with_cmd(UpdateKind::Always)
        .with_exe(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_user(UpdateKind::Always);
    let before = pids.filter_map(|pid| Some((pid, start_time::of_pid(pid)?)));
    read_verified(before.collect(), refresh, |id, stat, found| Reading {
        process: process(id, stat, found),
        fingerprint: ExecFingerprint,
        is_ending: false,
    })
}

pub fn exec_changed(_pid: Pid, _fingerprint: ExecFingerprint) -> bool {
    true
}

pub fn usage(of: &[ProcessId]) -> Vec<ProcessUsage> {
    let at = now().instant;
    let refresh = ProcessRefreshKind::nothing().with_cpu().with_memory();
    let before = of.iter().map(|id| (id.pid, id.start));
    let mut found = read_verified(before.collect(), refresh, |process, _, found| {
        ProcessUsage {
            process,
            at,
            processor: Duration::from_millis(found.accumulated_cpu_time()),
            memory: found.memory(),
        }
    });
    // sysinfo returns 0 for what it may not read.
    of.iter()
        .filter_map(|id| found.remove(&id.pid))
        .filter(|usage| usage.memory > 0)
        .collect()
}

/// Returns the parent of every process; sysinfo has no groups.
pub fn all_links() -> BTreeMap<Pid, ProcessLinks> {
    let Some(system) = refreshed(ProcessesToUpdate::All, ProcessRefreshKind::nothing()) else {
        return BTreeMap::new();
    };
    let links = system.processes().iter().map(|(pid, process)| {
        let parent = process.parent().map(|pid| Pid(pid.as_u32()));
        let parent = parent.filter(|pid| pid.0 != 0);
        let group = None;
        (Pid(pid.as_u32()), ProcessLinks { parent, group })
    });
    links.collect()
}

/// Converts those of these processes that have the same start time after sysinfo has asked as before.
fn read_verified<T>(
    before: HashMap<Pid, StartTime>,
    refresh: ProcessRefreshKind,
    convert: impl Fn(ProcessId, ProcessStat, &sysinfo::Process) -> T,
) -> HashMap<Pid, T> {
    let number = |pid: &Pid| sysinfo::Pid::from_u32(pid.0);
    let pids: Vec<sysinfo::Pid> = before.keys().map(number).collect();
    let Some(system) = refreshed(ProcessesToUpdate::Some(&pids), refresh) else {
        return HashMap::new();
    };
    let taken = before.into_iter().filter_map(|(pid, start)| {
        let found = system.process(number(&pid))?;
        let after = start_time::stat(pid).filter(|after| after.start == start)?;
        Some((pid, convert(ProcessId { pid, start }, after, found)))
    });
    taken.collect()
}

/// Returns a new `System` each time: one that is kept never reads a name again and keeps ended processes.
fn refreshed(which: ProcessesToUpdate, refresh: ProcessRefreshKind) -> Option<System> {
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(which, true, refresh.without_tasks());
    Some(system)
}

fn process(id: ProcessId, stat: ProcessStat, found: &sysinfo::Process) -> Process {
    let command = found.cmd().iter();
    Process {
        id,
        name: stat.name.unwrap_or_else(|| found.name().into()),
        command: command.map(|part| part.as_os_str().into()).collect(),
        executable: found.exe().and_then(text),
        directory: found.cwd().and_then(text),
        // sysinfo returns 0 where it is unknown.
        started_at: Some(Duration::from_secs(found.start_time()))
            .filter(|since| !since.is_zero())
            .map(|since| SystemTime::UNIX_EPOCH + since),
        parent: stat
            .parent
            .or_else(|| found.parent().map(|pid| Pid(pid.as_u32()))),
        group: stat.group,
        session: stat.session,
        uid: uid(found),
        user: None,
        terminal: stat.terminal,
        is_kernel_thread: stat.is_kernel_thread,
    }
}

/// Returns the effective user, as ps shows it. Windows has no numbers for users, only SIDs (`S-1-5-21-…-1001`): the last
/// part of one tells the accounts of a machine apart.
fn uid(found: &sysinfo::Process) -> Option<u32> {
    let user = found.effective_user_id().or_else(|| found.user_id())?;
    user.to_string().rsplit('-').next()?.parse().ok()
}

fn text(path: &Path) -> Option<SystemText> {
    let path = path.as_os_str();
    (!path.is_empty()).then(|| path.into())
}
