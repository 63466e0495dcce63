//! What makes a process that process: its start at the full resolution of the system.
//!
//! sysinfo knows whole seconds only, in which a pid can be given away twice. So this is read here, one way for each
//! system, and everything that acts on a process compares it first.

use crate::model::process::{Pid, StartTime};
use crate::model::text::SystemText;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::{StatLine, stat};
#[cfg(target_os = "macos")]
pub use macos::stat;
#[cfg(windows)]
pub use windows::stat;

/// What one read tells of a process; `None` where this system does not say it in the same breath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStat {
    pub start: StartTime,
    /// The kernel's short name, cut by it at 15 bytes on Linux.
    pub name: Option<SystemText>,
    pub parent: Option<Pid>,
    /// The process group and the session, each by the pid of who began it.
    pub group: Option<Pid>,
    pub session: Option<Pid>,
    /// As proc_pid_stat(5) writes it: R, S, D, Z (ended, not yet reaped), T (stopped) and others.
    pub state: Option<char>,
    /// The controlling terminal, such as `pts/4`.
    pub terminal: Option<SystemText>,
    pub is_kernel_thread: bool,
}

/// When the process that has this pid now started; `None` where there is none or it may not be asked.
pub fn of_pid(pid: Pid) -> Option<StartTime> {
    stat(pid).map(|stat| stat.start)
}
