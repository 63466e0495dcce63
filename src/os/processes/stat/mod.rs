//! What one cheap read shows of a process: `/proc/PID/stat` on Linux, and what comes nearest to it elsewhere.
//!
//! The start time is at the system's full resolution, and together with the pid identifies a process: everything that acts
//! on one compares it first. sysinfo has whole seconds only, in which a pid can be reused.

use crate::model::process::{Pid, ProcessId, StartTime};
use crate::model::text::SystemText;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
#[cfg_attr(windows, path = "windows.rs")]
pub mod system;

pub use system::read;

/// What the read shows; `None` where this system's call does not include it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessStat {
    pub start: StartTime,
    /// The kernel's name of the process, which Linux cuts at 15 bytes.
    pub name: Option<SystemText>,
    pub parent: Option<Pid>,
    /// The process group and the session, each by the pid of its leader.
    pub group: Option<Pid>,
    pub session: Option<Pid>,
    /// As in proc_pid_stat(5): R, S, D, Z (ended, not yet reaped), T (suspended) and others.
    pub state: Option<char>,
    /// The controlling terminal, such as `pts/4`.
    pub terminal: Option<SystemText>,
    pub is_kernel_thread: bool,
}

/// Returns the process that has this pid now; `None` if there is none or it may not be read.
pub fn process_id(pid: Pid) -> Option<ProcessId> {
    let start = read(pid)?.start;
    Some(ProcessId { pid, start })
}
