//! SocketCandidates: processes that probably own a socket whose owner was not found.
//!
//! A process whose descriptors may not be read hides its sockets even from its own user, who may end it: a program with
//! file capabilities, one that changed its user, one that called prctl(2) with `PR_SET_DUMPABLE` (ptrace(2), "Ptrace
//! access mode checking"). A candidate is no owner: nothing proves that it has the socket.

use crate::model::process::{Pid, Process, ProcessId};
use crate::model::socket::{Endpoint, EndpointId, Protocol};
use std::sync::Arc;
use std::time::Instant;

/// What is known of a socket whose candidates are to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidateQuery {
    pub socket: EndpointId,
    pub protocol: Protocol,
    pub port: u16,
    pub uid: u32,
    /// When the socket was first seen: a process that started later did not open it.
    pub seen_at: Instant,
}

impl CandidateQuery {
    /// Returns the query for a socket whose owner was not found; `None` for others and without a user.
    pub fn of(endpoint: &Endpoint) -> Option<Self> {
        let socket = &endpoint.socket;
        let not_found = socket.owners.not_found();
        let is_unowned = not_found.is_some_and(|not_found| not_found.cause.leaves_candidates());
        let uid = socket.uid.filter(|_| is_unowned)?;
        Some(Self {
            socket: socket.id,
            protocol: socket.protocol,
            port: socket.port(),
            uid,
            seen_at: endpoint.since.first_seen(),
        })
    }
}

/// What a socket has in common with its candidates, which is checked again before a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketOrigin {
    /// Its user, who is the real, effective or saved user of each candidate.
    pub uid: u32,
    /// Its control group in the unified hierarchy, by inode; `None` where the source does not report it.
    pub cgroup: Option<u64>,
}

/// The processes that may own a socket: their descriptors may not be read, they started before the socket was seen, and
/// they have its user and control group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketCandidates {
    pub socket: EndpointId,
    pub origin: SocketOrigin,
    /// Those that this user may signal, by pid; never empty.
    pub processes: Vec<Arc<Process>>,
    /// The number of those that this user may not signal.
    pub others: usize,
}

/// More candidates than this are counted, not named, and none of them is offered to be stopped: a pid among many is a guess.
const FEW: usize = 3;

impl SocketCandidates {
    /// True if so few match that each is worth naming.
    pub fn are_few(&self) -> bool {
        self.count() <= FEW
    }

    /// Returns the number of all, of whom some may not be signaled.
    pub fn count(&self) -> usize {
        self.processes.len() + self.others
    }

    /// Returns those that are worth naming.
    pub fn named(&self) -> &[Arc<Process>] {
        if self.are_few() { &self.processes } else { &[] }
    }

    /// True if the socket is known to have been opened in the control group of this candidate, which names a supervisor.
    pub fn proves_supervisor_of(&self, process: ProcessId) -> bool {
        self.origin.cgroup.is_some() && self.processes.iter().any(|one| one.id == process)
    }

    /// Returns the pids of those that are worth naming.
    pub fn pids(&self) -> Vec<Pid> {
        self.named().iter().map(|process| process.pid()).collect()
    }
}

/// Why a process is no candidate any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CandidateChange {
    /// The socket was closed.
    SocketClosed,
    /// The owner of the socket is known now, and is another process.
    OwnerFound,
    User,
    Cgroup,
    /// Its descriptors can be read, and the socket is not among them.
    Readable,
}
