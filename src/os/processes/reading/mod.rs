//! What the system tells of processes, read anew each time: from `/proc` on Linux, elsewhere through sysinfo.
//!
//! Both ways offer the same functions. A reading must be of one process throughout, and one of which that is not certain
//! is left out; nothing here is remembered.

use crate::model::process::{Pid, Process};

#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub use linux::{ExecFingerprint, all_links, exec_changed, read, usage};
#[cfg(not(target_os = "linux"))]
pub use other::{ExecFingerprint, all_links, exec_changed, read, usage};

/// One process as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Complete but for the name of the user.
    pub process: Process,
    pub fingerprint: ExecFingerprint,
    /// Whether it is about to end and has already lost its arguments and more; only Linux tells.
    pub is_ending: bool,
}

/// Where a process stands among the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessLinks {
    pub parent: Option<Pid>,
    pub group: Option<Pid>,
}
