//! The process that a question is about, held from when the question opens.

use super::process_handle::{HandleError, ProcessHandle};
use crate::model::process::{Pid, ProcessId};
use crate::os::descriptors;
use std::collections::HashMap;

pub type TargetHandles = HashMap<ProcessId, TargetHandle>;

pub struct TargetHandle {
    id: ProcessId,
    process: Result<ProcessHandle, HandleError>,
    process_id: fn(Pid) -> Option<ProcessId>,
}

impl TargetHandle {
    /// Opens the process with this pid, then verifies that it is the one that is meant.
    pub fn open(id: ProcessId, process_id: fn(Pid) -> Option<ProcessId>) -> Self {
        let process = ProcessHandle::open(id.pid);
        Self {
            id,
            process: process.and_then(|process| verify(id, &process, process_id).map(|()| process)),
            process_id,
        }
    }

    /// Returns the open process, or why there is none.
    pub fn process(&self) -> Result<&ProcessHandle, HandleError> {
        self.process.as_ref().map_err(Clone::clone)
    }

    /// Verifies that it still is that process and still runs.
    pub fn check(&self) -> Result<(), HandleError> {
        verify(self.id, self.process()?, self.process_id)
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.check(), Err(HandleError::Ended | HandleError::Reused))
    }
}

fn verify(
    id: ProcessId,
    process: &ProcessHandle,
    process_id: fn(Pid) -> Option<ProcessId>,
) -> Result<(), HandleError> {
    let found = process_id(id.pid);
    // Asked after it was read, since it may end in between.
    let has_ended = process.has_ended();
    match found {
        Some(found) if found != id => Err(HandleError::Reused),
        _ if has_ended => Err(HandleError::Ended),
        Some(_) => Ok(()),
        // It was not read for lack of descriptors, which says nothing of the process.
        None if !descriptors::can_open(1) => {
            Err(HandleError::Failed("too many open files".to_owned()))
        }
        None if process.outlives_process() => {
            Err(HandleError::Failed("it could not be read".to_owned()))
        }
        None => Err(HandleError::Ended),
    }
}
