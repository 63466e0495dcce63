//! Compares `/proc/self` with getpid(2), and a pid with its pidfd's `/proc/self/fdinfo` (pidfd_open(2)).
//!
//! `/proc/self`, `Pid` and the first `NSpid` are pids in the PID namespace of the `/proc` mount; each further `NSpid` is
//! the pid one namespace further in (proc_pid_status(5)).

use crate::model::environment::PidNamespaceProblem;
use crate::model::process::Pid;
use rustix::io::Errno;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// portmon as `/proc/self` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SelfPid {
    /// Its pid in the PID namespace of `/proc`.
    shown: Pid,
    /// How many PID namespaces portmon is further in than `/proc`.
    nesting: usize,
}

impl SelfPid {
    /// Reads it each time, as another `/proc` may be mounted. `None` where `/proc/self` is missing or another process.
    fn read() -> Option<Self> {
        let link = fs::read_link("/proc/self").ok()?;
        let status = fs::read("/proc/self/status").ok()?;
        let status = String::from_utf8_lossy(&status);
        Self::parse(link.to_str()?, &status, Pid(std::process::id()))
    }

    /// A kernel without PID namespaces has no `NSpid`.
    fn parse(link: &str, status: &str, pid: Pid) -> Option<Self> {
        let shown = Pid(link.parse().ok()?);
        let numbers = numbers(status, "NSpid:").unwrap_or_else(|| vec![i64::from(shown.0)]);
        let is_itself = numbers.first() == Some(&i64::from(shown.0))
            && numbers.last() == Some(&i64::from(pid.0));
        is_itself.then_some(Self {
            shown,
            nesting: numbers.len() - 1,
        })
    }
}

/// Returns the pid of portmon in `/proc`; `None` where it is not in there.
pub fn own_pid() -> Option<Pid> {
    SelfPid::read().map(|itself| itself.shown)
}

/// Returns what is wrong with the pids in `/proc`, if anything.
pub fn problem() -> Option<PidNamespaceProblem> {
    match SelfPid::read() {
        Some(SelfPid { nesting: 0, .. }) => None,
        Some(SelfPid { shown, .. }) => Some(PidNamespaceProblem::OuterNamespace {
            shown,
            own: Pid(std::process::id()),
        }),
        None => Some(PidNamespaceProblem::NotShown),
    }
}

/// Verifies that any pid in `/proc` is the same process in portmon's own namespace.
pub fn verify_pid(shown: Pid) -> io::Result<()> {
    verify(SelfPid::read().as_ref(), shown)
}

fn verify(itself: Option<&SelfPid>, shown: Pid) -> io::Result<()> {
    match itself {
        Some(SelfPid { nesting: 0, .. }) => Ok(()),
        Some(_) => Err(foreign(shown)),
        None => Err(unknown(shown)),
    }
}

/// Verifies that a pidfd, opened by a pid from `/proc`, is of the process that has that pid there.
pub fn verify_pidfd(pidfd: impl AsFd, shown: Pid) -> io::Result<()> {
    let itself = SelfPid::read().ok_or_else(|| unknown(shown))?;
    let path = format!("/proc/self/fdinfo/{}", pidfd.as_fd().as_raw_fd());
    let reported = fs::read(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot read {path}: {error}")))?;
    verify_fdinfo(itself, &String::from_utf8_lossy(&reported), shown)
}

/// `Pid` is -1 once the process was reaped, and 0 where `/proc` does not show it.
fn verify_fdinfo(itself: SelfPid, fdinfo: &str, shown: Pid) -> io::Result<()> {
    let number = i64::from(shown.0);
    let in_proc = numbers(fdinfo, "Pid:").and_then(|numbers| numbers.first().copied());
    // The pid it was opened by; if it differs, the fdinfo is of another descriptor.
    let here = numbers(fdinfo, "NSpid:").map(|numbers| numbers.get(itself.nesting).copied());
    match in_proc {
        None => Err(unknown(shown)),
        Some(-1) if itself.nesting == 0 => Err(Errno::SRCH.into()),
        Some(reported) if reported != number => Err(foreign(shown)),
        Some(_) if here.is_some_and(|here| here != Some(number)) => Err(unknown(shown)),
        Some(_) => Ok(()),
    }
}

fn foreign(shown: Pid) -> io::Error {
    io::Error::other(format!(
        "/proc belongs to another PID namespace: its pid {shown} is another process here, or none"
    ))
}

fn unknown(shown: Pid) -> io::Error {
    io::Error::other(format!(
        "/proc does not show which process has pid {shown} in portmon's PID namespace"
    ))
}

/// Returns the numbers after a name, one or more.
fn numbers(text: &str, name: &str) -> Option<Vec<i64>> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let numbers: Result<Vec<i64>, _> = line.split_ascii_whitespace().map(str::parse).collect();
    numbers.ok().filter(|numbers| !numbers.is_empty())
}

#[cfg(test)]
mod tests;
