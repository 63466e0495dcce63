//! A hold on one process that outlives the reuse of its pid: a pidfd on Linux, a handle on Windows.
//!
//! Where the system has neither, the start time is compared again before each signal, which leaves a gap of
//! microseconds and no more.

use crate::free::Signal;
use crate::model::process::{Pid, ProcessId, StartTime};
use std::io;

#[cfg(not(windows))]
#[path = "process_handle_unix.rs"]
mod system;
#[cfg(windows)]
#[path = "process_handle_windows.rs"]
mod system;

/// What was learnt when the hold was taken.
pub struct TargetHandle {
    id: ProcessId,
    handle: Result<system::ProcessHandle, HandleError>,
}

/// Why there is no process to signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandleError {
    Ended,
    Reused,
    NotPermitted,
    Failed(String),
}

impl TargetHandle {
    /// Takes hold of the process with that pid, then makes sure that it is the one that is meant.
    pub fn open(id: ProcessId, start_time: fn(Pid) -> Option<StartTime>) -> Self {
        let handle = system::ProcessHandle::open(id.pid)
            .map_err(|error| HandleError::from(&error))
            .and_then(|handle| identify(id, start_time).map(|()| handle));
        Self { id, handle }
    }

    pub fn id(&self) -> ProcessId {
        self.id
    }

    /// Whether it still is that process and runs.
    pub fn check(&self, start_time: fn(Pid) -> Option<StartTime>) -> Result<(), HandleError> {
        let handle = self.handle.as_ref().map_err(Clone::clone)?;
        if handle.has_ended(self.id.pid) {
            // Its pid may be another's by now, which is worth saying.
            return match start_time(self.id.pid) {
                Some(start) if start != self.id.start => Err(HandleError::Reused),
                _ => Err(HandleError::Ended),
            };
        }
        identify(self.id, start_time)
    }

    pub fn has_ended(&self, start_time: fn(Pid) -> Option<StartTime>) -> bool {
        matches!(
            self.check(start_time),
            Err(HandleError::Ended | HandleError::Reused)
        )
    }

    /// Whether this user may signal it.
    pub fn check_permission(&self) -> Result<(), HandleError> {
        let handle = self.handle.as_ref().map_err(Clone::clone)?;
        handle
            .check_permission(self.id.pid)
            .map_err(|error| HandleError::from(&error))
    }

    pub fn signal(&self, signal: Signal) -> Result<(), HandleError> {
        let handle = self.handle.as_ref().map_err(Clone::clone)?;
        handle
            .signal(self.id.pid, signal)
            .map_err(|error| HandleError::from(&error))
    }

    #[cfg(target_os = "linux")]
    pub fn pidfd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        self.handle
            .as_ref()
            .ok()
            .and_then(system::ProcessHandle::pidfd)
    }
}

fn identify(id: ProcessId, start_time: fn(Pid) -> Option<StartTime>) -> Result<(), HandleError> {
    match start_time(id.pid) {
        Some(start) if start == id.start => Ok(()),
        Some(_) => Err(HandleError::Reused),
        None => Err(HandleError::Ended),
    }
}

impl From<&io::Error> for HandleError {
    fn from(error: &io::Error) -> Self {
        if system::is_no_such_process(error) {
            Self::Ended
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            Self::NotPermitted
        } else {
            Self::Failed(error.to_string())
        }
    }
}
