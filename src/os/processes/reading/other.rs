//! Asks sysinfo, between two reads of the start time that must be equal.

use super::Reading;
use super::title::{Names, is_title};
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::socket::ProcessUsage;
use crate::model::text::SystemText;
use crate::os::now;
use crate::os::processes::stat::{self, ProcessStat};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

/// Empty: only a full read notices an exec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecFingerprint;

pub fn read(pids: impl Iterator<Item = Pid>) -> Vec<Reading> {
    let refresh = ProcessRefreshKind::nothing()
        .with_cmd(UpdateKind::Always)
        .with_exe(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_user(UpdateKind::Always);
    let before: Vec<ProcessId> = pids.filter_map(stat::process_id).collect();
    read_verified(&before, refresh, |id, stat, found| Reading {
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
    let mut usage = read_verified(of, refresh, |process, _, found| ProcessUsage {
        process,
        at,
        processor: Duration::from_millis(found.accumulated_cpu_time()),
        memory: found.memory(),
    });
    // sysinfo returns 0 for what it may not read.
    usage.retain(|usage| usage.memory > 0);
    usage
}

/// Returns the parent of every process; sysinfo has no groups.
pub fn all_stats() -> BTreeMap<Pid, ProcessStat> {
    let Some(system) = refreshed(ProcessesToUpdate::All, ProcessRefreshKind::nothing()) else {
        return BTreeMap::new();
    };
    let stats = system.processes().iter().map(|(pid, process)| {
        let stat = ProcessStat {
            parent: parent(process).filter(|pid| pid.0 != 0),
            ..ProcessStat::default()
        };
        (Pid(pid.as_u32()), stat)
    });
    stats.collect()
}

/// Converts those of these processes that are the same before and after sysinfo has read them.
fn read_verified<T>(
    before: &[ProcessId],
    refresh: ProcessRefreshKind,
    convert: impl Fn(ProcessId, ProcessStat, &sysinfo::Process) -> T,
) -> Vec<T> {
    let number = |id: &ProcessId| sysinfo::Pid::from_u32(id.pid.0);
    let pids: Vec<sysinfo::Pid> = before.iter().map(number).collect();
    let Some(system) = refreshed(ProcessesToUpdate::Some(&pids), refresh) else {
        return Vec::new();
    };
    let verified = before.iter().filter_map(|id| {
        let found = system.process(number(id))?;
        let after = stat::read(id.pid).filter(|after| after.start == id.start)?;
        Some(convert(*id, after, found))
    });
    verified.collect()
}

/// Returns a new `System` each time: one that is kept never reads a name again and keeps ended processes.
fn refreshed(which: ProcessesToUpdate, refresh: ProcessRefreshKind) -> Option<System> {
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(which, true, refresh.without_tasks());
    Some(system)
}

fn process(id: ProcessId, stat: ProcessStat, found: &sysinfo::Process) -> Process {
    let command = found.cmd().iter();
    let command: Vec<SystemText> = command.map(|part| part.as_os_str().into()).collect();
    let executable = found.exe().and_then(text);
    let names = Names {
        executable: executable.as_ref().map(SystemText::bytes),
        comm: None,
    };
    let first = command.first();
    // sysinfo returns 0 where it is unknown.
    let since_epoch = Duration::from_secs(found.start_time());
    Process {
        id,
        exec: None,
        name: stat.name.unwrap_or_else(|| found.name().into()),
        comm: None,
        is_titled: first.is_some_and(|first| is_title(first.bytes(), names)),
        command,
        executable,
        directory: found.cwd().and_then(text),
        started_at: (!since_epoch.is_zero()).then(|| SystemTime::UNIX_EPOCH + since_epoch),
        parent: stat.parent.or_else(|| parent(found)),
        group: stat.group,
        session: stat.session,
        uid: uid(found),
        user: None,
        terminal: stat.terminal,
        is_kernel_thread: stat.is_kernel_thread,
    }
}

fn parent(of: &sysinfo::Process) -> Option<Pid> {
    of.parent().map(|pid| Pid(pid.as_u32()))
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
