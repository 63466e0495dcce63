//! Compares `/proc/PID` with what the kernel reports of a socket.
//!
//! Whose descriptors may not be read although a signal is permitted: the access check of ptrace(2) also compares
//! capabilities and asks for a dumpable process, that of kill(2) compares users only.

use crate::model::process::{
    CandidateChange, CandidateQuery, Pid, ProcessId, SocketCandidates, SocketOrigin, StartTime,
};
use crate::model::socket::{EndpointId, Protocol};
use crate::os::free::process_handle::{HandleError, ProcessHandle};
use crate::os::processes::run_state::cgroup_mounts::CgroupMounts;
use crate::os::processes::stat::system::StatLine;
use crate::os::processes::{Processes, access};
use crate::os::sockets::diag::Diag;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::{Duration, Instant};

/// `PF_KTHREAD` of the kernel's `sched.h`.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Readings of the uptime, the least of which is taken.
const UPTIME_READS: usize = 3;

/// A process whose descriptors may not be read.
struct ClosedProcess {
    id: ProcessId,
    /// Real, effective, saved and file system user (proc_pid_status(5)).
    uids: Vec<u32>,
    cgroup: Option<u64>,
    /// `None` if it has ended meanwhile.
    may_signal: Option<bool>,
}

/// Returns the candidates of each socket that has some.
pub fn find(queries: &[CandidateQuery], processes: &mut Processes) -> Vec<SocketCandidates> {
    let uids: HashSet<u32> = queries.iter().map(|query| query.uid).collect();
    if uids.is_empty() {
        return Vec::new();
    }
    let closed = closed_processes(&uids);
    let cgroups = socket_cgroups(queries);
    let candidates = queries.iter().filter_map(|query| {
        let cgroup = match query.socket {
            EndpointId::Cookie(cookie) => cgroups.get(&cookie).copied(),
            EndpointId::Connection { .. } | EndpointId::Unconnected { .. } => None,
        };
        let origin = SocketOrigin {
            uid: query.uid,
            cgroup,
        };
        let last_start = started_before(query);
        let matching: Vec<&ClosedProcess> = closed
            .iter()
            .filter(|process| process.uids.contains(&query.uid))
            .filter(|process| is_same_cgroup(origin.cgroup, process.cgroup))
            .filter(|process| last_start.is_none_or(|last| process.id.start <= last))
            .collect();
        candidates_among(&matching, query.socket, origin, processes)
    });
    candidates.collect()
}

fn candidates_among(
    matching: &[&ClosedProcess],
    socket: EndpointId,
    origin: SocketOrigin,
    processes: &mut Processes,
) -> Option<SocketCandidates> {
    let with = |may_signal| {
        let matching = matching.iter();
        matching.filter(move |process| process.may_signal == Some(may_signal))
    };
    let mut described = processes.describe(&with(true).map(|process| process.id.pid).collect());
    let named = with(true).filter_map(|process| {
        let described = described.remove(&process.id.pid)?;
        (described.id == process.id).then_some(described)
    });
    let mut named: Vec<_> = named.collect();
    named.sort_by_key(|process| process.id);
    (!named.is_empty()).then(|| SocketCandidates {
        socket,
        origin,
        processes: named,
        others: with(false).count(),
    })
}

/// Verifies that a process, whose identity and program are verified as well, still has the user and the control group of the
/// socket, and that its descriptors still cannot be read.
pub fn verify(pid: Pid, origin: SocketOrigin) -> Result<(), CandidateChange> {
    if !uids(pid).contains(&origin.uid) {
        return Err(CandidateChange::User);
    }
    if !is_same_cgroup(origin.cgroup, CgroupMounts::read().unified_inode_of(pid)) {
        return Err(CandidateChange::Cgroup);
    }
    if !access::hides_fds(pid) {
        return Err(CandidateChange::Readable);
    }
    Ok(())
}

/// Returns the processes with one of these users whose descriptors may not be read.
fn closed_processes(wanted: &HashSet<u32>) -> Vec<ClosedProcess> {
    let mounts = CgroupMounts::read();
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let closed = |pid: Pid| {
        let uids = uids(pid);
        if !uids.iter().any(|uid| wanted.contains(uid)) {
            return None;
        }
        let id = living(pid).filter(|_| access::hides_fds(pid))?;
        Some(ClosedProcess {
            id,
            uids,
            cgroup: mounts.unified_inode_of(pid),
            may_signal: may_signal(pid),
        })
    };
    pids.map(Pid).filter_map(closed).collect()
}

/// Returns the identity of a process that may have descriptors: no kernel thread, and none of whose threads all have
/// exited (state Z without others, field 20 of proc_pid_stat(5)).
fn living(pid: Pid) -> Option<ProcessId> {
    let mut buffer = StatLine::EMPTY_BUFFER;
    let line = StatLine::of(pid, &mut buffer)?;
    let has_exited = matches!(line.field(3), Some("Z" | "X")) && line.number::<u32>(20)? <= 1;
    let start = line.start()?;
    (!has_exited && !line.has_flag(KERNEL_THREAD)).then_some(ProcessId { pid, start })
}

/// Users of a process; empty if they cannot be read.
fn uids(pid: Pid) -> Vec<u32> {
    let status = fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let numbers = line.unwrap_or_default().split_ascii_whitespace();
    numbers.filter_map(|number| number.parse().ok()).collect()
}

fn may_signal(pid: Pid) -> Option<bool> {
    match ProcessHandle::open(pid).and_then(|process| process.check_permission()) {
        Ok(()) => Some(true),
        Err(HandleError::NotPermitted | HandleError::Failed(_)) => Some(false),
        Err(HandleError::Ended | HandleError::Reused) => None,
    }
}

/// True unless both control groups are known and differ.
fn is_same_cgroup(socket: Option<u64>, process: Option<u64>) -> bool {
    socket.is_none() || process.is_none() || socket == process
}

/// Returns the control groups of the sockets by their cookies.
fn socket_cgroups(queries: &[CandidateQuery]) -> HashMap<u64, u64> {
    let ports: HashSet<(Protocol, u16)> = queries
        .iter()
        .filter(|query| matches!(query.socket, EndpointId::Cookie(_)))
        .map(|query| (query.protocol, query.port))
        .collect();
    let mut found = HashMap::new();
    if ports.is_empty() {
        return found;
    }
    // Without the source they are unknown.
    if let Ok(mut diag) = Diag::open() {
        for (protocol, port) in ports {
            found.extend(diag.cgroups(protocol, port));
        }
    }
    found
}

/// Returns the last start of a process that may have opened the socket, in ticks since boot like field 22 of
/// proc_pid_stat(5), one tick later because both clocks are rounded; `None` if the clock cannot be read.
fn started_before(query: &CandidateQuery) -> Option<StartTime> {
    // Each is too late by the time between its two clocks, which is long if the thread has to wait for a processor.
    let seen = (0..UPTIME_READS).filter_map(|_| uptime_at(query.seen_at));
    let seen = seen.min()?;
    let per_second = u128::from(rustix::param::clock_ticks_per_second());
    let ticks = seen.as_millis().saturating_mul(per_second) / 1000;
    Some(StartTime(u64::try_from(ticks).ok()?.saturating_add(1)))
}

/// Returns the time since boot (proc_uptime(5)) at this instant or a little later, never earlier: no process that had the
/// socket may be left out.
fn uptime_at(instant: Instant) -> Option<Duration> {
    let elapsed = instant.elapsed();
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let uptime = uptime.split_ascii_whitespace().next()?.parse().ok()?;
    Some(
        Duration::try_from_secs_f64(uptime)
            .ok()?
            .saturating_sub(elapsed),
    )
}

#[cfg(test)]
mod tests;
