//! Systems on which a process whose descriptors may not be read cannot be signaled either.

use crate::model::process::{CandidateChange, CandidateQuery, Pid, SocketCandidates, SocketOrigin};
use crate::os::processes::Processes;

/// Returns none.
pub fn find(_queries: &[CandidateQuery], _processes: &mut Processes) -> Vec<SocketCandidates> {
    Vec::new()
}

/// Fails: there are no candidates.
pub fn verify(_pid: Pid, _origin: SocketOrigin) -> Result<(), CandidateChange> {
    Err(CandidateChange::Readable)
}
