//! A handle of one process that outlives the reuse of its pid: a pidfd on Linux, a process handle on Windows.
//!
//! Where the system has neither, the start time is compared again before each signal, which leaves a gap of microseconds.

use std::io;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "macos", path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;
#[cfg(target_os = "linux")]
mod unix;

pub use system::{ProcessHandle, is_unused};

/// Why a process cannot be signaled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandleError {
    Ended,
    Reused,
    NotPermitted,
    /// What failed, with the call and the system's reason.
    Failed(String),
}

impl HandleError {
    /// Classifies the error of a system call.
    fn of(call: &str, error: &io::Error) -> Self {
        if system::is_no_such_process(error) {
            Self::Ended
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            Self::NotPermitted
        } else {
            Self::Failed(format!("{call}: {error}"))
        }
    }
}
