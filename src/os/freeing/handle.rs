//! A hold on one process that outlives the reuse of its pid: a pidfd on Linux, a handle on Windows.
//!
//! Where the system has neither, the start time is compared again before each signal, which leaves a gap of
//! microseconds and no more.

use crate::model::freeing::Signal;
use crate::model::process::{Pid, ProcessId, StartTime};
use std::io;

#[cfg(not(windows))]
#[path = "handle_unix.rs"]
mod system;
#[cfg(windows)]
#[path = "handle_windows.rs"]
mod system;

/// What was learnt when the hold was taken.
pub struct Handle {
    id: ProcessId,
    grip: Result<system::Grip, Lost>,
}

/// Why there is no process to signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    Ended,
    Reused,
    NotPermitted,
    Failed(String),
}

impl Handle {
    /// Takes hold of the process with that pid, then makes sure that it is the one that is meant.
    pub fn open(id: ProcessId, start_time: fn(Pid) -> Option<StartTime>) -> Self {
        let grip = system::Grip::open(id.pid)
            .map_err(|error| Lost::from(&error))
            .and_then(|grip| identify(id, start_time).map(|()| grip));
        Self { id, grip }
    }

    pub fn id(&self) -> ProcessId {
        self.id
    }

    /// Whether it still is that process and runs.
    pub fn check(&self, start_time: fn(Pid) -> Option<StartTime>) -> Result<(), Lost> {
        let grip = self.grip.as_ref().map_err(Clone::clone)?;
        if grip.has_ended(self.id.pid) {
            // Its pid may be another's by now, which is worth saying.
            return match start_time(self.id.pid) {
                Some(start) if start != self.id.start => Err(Lost::Reused),
                _ => Err(Lost::Ended),
            };
        }
        identify(self.id, start_time)
    }

    pub fn has_ended(&self, start_time: fn(Pid) -> Option<StartTime>) -> bool {
        matches!(self.check(start_time), Err(Lost::Ended | Lost::Reused))
    }

    /// Whether this user may signal it.
    pub fn permits(&self) -> Result<(), Lost> {
        let grip = self.grip.as_ref().map_err(Clone::clone)?;
        grip.permits(self.id.pid)
            .map_err(|error| Lost::from(&error))
    }

    pub fn signal(&self, signal: Signal) -> Result<(), Lost> {
        let grip = self.grip.as_ref().map_err(Clone::clone)?;
        grip.signal(self.id.pid, signal)
            .map_err(|error| Lost::from(&error))
    }

    #[cfg(target_os = "linux")]
    pub fn pidfd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        self.grip.as_ref().ok().and_then(system::Grip::pidfd)
    }
}

fn identify(id: ProcessId, start_time: fn(Pid) -> Option<StartTime>) -> Result<(), Lost> {
    match start_time(id.pid) {
        Some(start) if start == id.start => Ok(()),
        Some(_) => Err(Lost::Reused),
        None => Err(Lost::Ended),
    }
}

impl From<&io::Error> for Lost {
    fn from(error: &io::Error) -> Self {
        if system::says_ended(error) {
            Self::Ended
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            Self::NotPermitted
        } else {
            Self::Failed(error.to_string())
        }
    }
}
