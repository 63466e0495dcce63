//! The process that a question is about, held from when the question opens.

use super::process_handle::{HandleError, ProcessHandle};
use crate::model::process::{Pid, ProcessId, Signal, StartTime};

pub struct TargetHandle {
    id: ProcessId,
    process: Result<ProcessHandle, HandleError>,
}

impl TargetHandle {
    /// Opens the process with this pid, then verifies that it is the one that is meant.
    pub fn open(id: ProcessId, start_time: fn(Pid) -> Option<StartTime>) -> Self {
        let process = ProcessHandle::open(id.pid);
        let process = process.and_then(|process| verify(id, start_time).map(|()| process));
        Self { id, process }
    }

    pub fn id(&self) -> ProcessId {
        self.id
    }

    /// Returns the open process; the reason if there is none.
    pub fn process(&self) -> Result<&ProcessHandle, HandleError> {
        self.process.as_ref().map_err(Clone::clone)
    }

    /// Verifies that it still is that process and still runs.
    pub fn check(&self, start_time: fn(Pid) -> Option<StartTime>) -> Result<(), HandleError> {
        if !self.process()?.has_ended() {
            return verify(self.id, start_time);
        }
        match start_time(self.id.pid) {
            Some(start) if start != self.id.start => Err(HandleError::Reused),
            _ => Err(HandleError::Ended),
        }
    }

    pub fn has_ended(&self, start_time: fn(Pid) -> Option<StartTime>) -> bool {
        matches!(
            self.check(start_time),
            Err(HandleError::Ended | HandleError::Reused)
        )
    }

    /// Whether this user may signal it; sends nothing.
    pub fn check_permission(&self) -> Result<(), HandleError> {
        self.process()?.check_permission()
    }

    pub fn signal(&self, signal: Signal) -> Result<(), HandleError> {
        self.process()?.signal(signal)
    }
}

fn verify(id: ProcessId, start_time: fn(Pid) -> Option<StartTime>) -> Result<(), HandleError> {
    match start_time(id.pid) {
        Some(start) if start == id.start => Ok(()),
        Some(_) => Err(HandleError::Reused),
        None => Err(HandleError::Ended),
    }
}
