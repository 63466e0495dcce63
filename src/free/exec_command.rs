//! Commands to the executor and the events that it reports: signals sent or not, polls of the port, bind probes.

mod signal_state;

use super::protected::Protected;
use super::request::{KillRequest, RequestId};
use crate::model::port::PortBinds;
use crate::model::process::{CandidateChange, Process, ProcessId, Unit};
use crate::model::snapshot::Problem;
use crate::model::socket::{NotFound, Socket};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

pub use signal_state::{BlockedBy, SignalDisposition, SignalState};

/// What must be done next; `os::free::Executor` does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecCommand {
    /// Verify each target of these requests, then signal all of them; a process that is a target of several requests gets
    /// its signal once. Answered by an [`ExecResult::SignalsSent`] for each request.
    Send(Vec<KillRequest>),
    /// Poll the port of this request; answered by [`ExecResult::Polled`] until `StopWatching`.
    Watch(RequestId),
    /// Try to bind the request's port on these addresses, IPv6 ones with IPV6_V6ONLY; answered by
    /// [`ExecResult::BindProbed`].
    TryBind(RequestId, Vec<SocketAddr>),
    StopWatching(RequestId),
}

/// What the executor found for one request. It may arrive after another request was confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecEvent {
    pub request: RequestId,
    pub at: Instant,
    pub result: ExecResult,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecResult {
    SignalsSent(SendOutcome),
    Polled(PortSnapshot),
    BindProbed(BindProbe),
}

/// Result of an [`ExecCommand::Send`] for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    Sent {
        /// The sockets of the port just before the signal; any other is a newcomer.
        sockets: Vec<Socket>,
        /// Suspended targets that got SIGCONT after the signal.
        resumed: Vec<ProcessId>,
        /// Targets that got no signal.
        missed: HashMap<ProcessId, SignalError>,
        /// How the others handled the signal just before it was sent, as far as the system tells.
        states: HashMap<ProcessId, SignalState>,
    },
    /// No signal was sent.
    NotSent(SignalError),
}

/// Why a process was not signaled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalError {
    AlreadyExited(Arc<Process>),
    /// The pid is now another process.
    PidReused(Arc<Process>),
    /// It has executed another program since it was shown: what it was and what it is now.
    ProgramChanged(Arc<Process>, Arc<Process>),
    /// It is running and no longer holds any of the sockets that were shown.
    NotAnOwner(Arc<Process>),
    /// It is no candidate any more.
    NotACandidate(Arc<Process>, CandidateChange),
    /// The owner of its sockets was found no more.
    OwnerNotFound(Arc<Process>, NotFound),
    NotPermitted(Arc<Process>),
    Protected(Arc<Process>, Protected),
    /// A call failed in another way; error text of the system, safe to show.
    Failed(Arc<Process>, String),
    /// A socket table could not be read, so nothing could be verified.
    TablesUnread(Problem),
}

impl SignalError {
    pub fn process(&self) -> Option<&Arc<Process>> {
        match self {
            Self::AlreadyExited(process)
            | Self::PidReused(process)
            | Self::ProgramChanged(process, _)
            | Self::NotAnOwner(process)
            | Self::NotACandidate(process, _)
            | Self::OwnerNotFound(process, _)
            | Self::NotPermitted(process)
            | Self::Protected(process, _)
            | Self::Failed(process, _) => Some(process),
            Self::TablesUnread(_) => None,
        }
    }
}

/// One poll of the port. A table that could not be read contributes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSnapshot {
    /// Every socket with that protocol and local port, in any state.
    pub sockets: Vec<Socket>,
    /// The tables of that protocol that could not be read.
    pub problems: Vec<Problem>,
    /// Targets that have ended.
    pub ended: Vec<ProcessId>,
    /// How the other targets handle the signal, as far as the system tells.
    pub signal_state: Vec<(ProcessId, SignalState)>,
    /// Visible parents of the owners that are no targets.
    pub parents: Vec<Arc<Process>>,
    /// Systemd units of these owners, and of the owners before the signal.
    pub units: Vec<(ProcessId, Unit)>,
}

/// The binds that were tried for a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindProbe {
    pub binds: PortBinds,
    /// Addresses of the name `localhost` on this machine, in the order in which clients try them.
    pub localhost: Vec<IpAddr>,
}
