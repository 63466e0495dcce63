//! What the executor reports: that a signal went out or did not, what a look saw, what a bind said.

use super::{Protected, RequestId};
use crate::model::bind::AddressProbe;
use crate::model::endpoint::Socket;
use crate::model::process::{Process, ProcessId, ProcessState};
use crate::model::snapshot::Problem;
use crate::model::supervisor::Unit;
use std::fmt::{self, Display};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// The end of a [`ExecCommand::Send`](super::Step::Send).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendReport {
    pub request: RequestId,
    pub at: Instant,
    pub sending: SendOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    Sent {
        /// The sockets of the port just before the signal, which tell newcomers from what was there.
        sockets: Vec<Socket>,
        /// Those that were stopped and got SIGCONT after the signal.
        resumed: Vec<ProcessId>,
        /// Those that turned out not to take the signal although everything was checked before.
        missed: Vec<SignalError>,
    },
    /// Not one signal went out.
    NotSent(SignalError),
}

/// Why a process was not signalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalError {
    AlreadyExited(Arc<Process>),
    /// The pid belongs to another process by now.
    PidReused(Arc<Process>),
    /// It runs but holds none of the sockets any more that it was asked about for.
    NotAnOwner(Arc<Process>),
    NotPermitted(Arc<Process>),
    Protected(Arc<Process>, Protected),
    /// A call failed in another way; the reason is in the words of the system and safe to show.
    Failed(Arc<Process>, String),
    /// The sockets could not be read, so nothing could be checked.
    TablesUnread(String),
}

impl SignalError {
    pub fn process(&self) -> Option<&Arc<Process>> {
        match self {
            Self::AlreadyExited(process)
            | Self::PidReused(process)
            | Self::NotAnOwner(process)
            | Self::NotPermitted(process)
            | Self::Protected(process, _)
            | Self::Failed(process, _) => Some(process),
            Self::TablesUnread(_) => None,
        }
    }
}

impl Display for SignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExited(process) => write!(f, "{process} ended meanwhile"),
            Self::PidReused(process) => write!(
                f,
                "{process} ended meanwhile, and pid {} is another process now",
                process.pid()
            ),
            Self::NotAnOwner(process) => {
                write!(f, "{process} no longer holds the socket you were shown")
            }
            Self::NotPermitted(process) => write!(f, "you are not permitted to end {process}"),
            Self::Protected(process, protected) => {
                write!(f, "{process} {}", crate::wording::protected(*protected))
            }
            Self::Failed(process, reason) => {
                write!(f, "{process} could not be signalled: {reason}")
            }
            Self::TablesUnread(reason) => write!(f, "the sockets could not be read: {reason}"),
        }
    }
}

/// What one look at the port saw.
///
/// A table that could not be read says nothing, so nothing of it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortSnapshot {
    pub request: RequestId,
    pub at: Instant,
    /// Every socket with that protocol and local port, in whatever state, of the tables that were read.
    pub sockets: Vec<Socket>,
    /// The tables of that protocol that could not be read.
    pub problems: Vec<Problem>,
    /// The targets that have ended.
    pub ended: Vec<ProcessId>,
    /// How the targets that have not ended take the signal, as far as the system tells.
    pub signal_state: Vec<(ProcessId, SignalState)>,
    /// The parents of the holders that are no targets, as far as they may be seen.
    pub parents: Vec<Arc<Process>>,
    /// The units of systemd that these holders belong to, and those that the holders before the signal belonged to.
    pub units: Vec<(ProcessId, Unit)>,
}

/// How a process takes the signal, read from `/proc/PID/status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalState {
    pub disposition: SignalDisposition,
    /// `None` if it simply runs.
    pub process_state: Option<ProcessState>,
}

/// What a process does with the signal that was sent (SigBlk, SigIgn, SigCgt of proc_pid_status(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignalDisposition {
    Blocked,
    Ignored,
    Caught,
    /// Nothing of these: the kernel's own reaction, which for SIGTERM is to end it.
    Default,
}

/// The one bind that is tried at the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindProbe {
    pub request: RequestId,
    pub at: Instant,
    pub probes: Vec<AddressProbe>,
    /// What the name `localhost` stands for on this machine, in the order in which clients try it.
    pub localhost: Vec<IpAddr>,
}
