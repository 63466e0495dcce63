//! The process that a question is about, held from when the question opens.

use super::process_handle::{HandleError, ProcessHandle};
use crate::model::process::{Pid, ProcessId, StartTime};
use std::collections::HashMap;

pub type TargetHandles = HashMap<ProcessId, TargetHandle>;

pub struct TargetHandle {
    id: ProcessId,
    process: Result<ProcessHandle, HandleError>,
    start_time: fn(Pid) -> Option<StartTime>,
}

impl TargetHandle {
    /// Opens the process with this pid, then verifies that it is the one that is meant.
    pub fn open(id: ProcessId, start_time: fn(Pid) -> Option<StartTime>) -> Self {
        let process = ProcessHandle::open(id.pid);
        Self {
            id,
            process: process.and_then(|process| verify(id, start_time).map(|()| process)),
            start_time,
        }
    }

    /// Returns the open process, or why there is none.
    pub fn process(&self) -> Result<&ProcessHandle, HandleError> {
        self.process.as_ref().map_err(Clone::clone)
    }

    /// Verifies that it still is that process and still runs.
    pub fn check(&self) -> Result<(), HandleError> {
        let has_ended = self.process()?.has_ended();
        verify(self.id, self.start_time)?;
        if has_ended {
            Err(HandleError::Ended)
        } else {
            Ok(())
        }
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.check(), Err(HandleError::Ended | HandleError::Reused))
    }
}

fn verify(id: ProcessId, start_time: fn(Pid) -> Option<StartTime>) -> Result<(), HandleError> {
    match start_time(id.pid) {
        Some(start) if start == id.start => Ok(()),
        Some(_) => Err(HandleError::Reused),
        None => Err(HandleError::Ended),
    }
}
