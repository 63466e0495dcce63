//! A confirmed request to signal processes.
//!
//! Only [`KillPlan::confirm`](super::KillPlan::confirm) makes one, and from it a repeat for the survivors, so no signal
//! can be sent that was not confirmed.

use crate::model::port::Port;
use crate::model::process::{Pid, Process, ProcessId, Signal, SocketOrigin};
use crate::model::socket::{EndpointId, Socket};
use std::sync::Arc;
use std::time::Instant;

/// A process that gets the signal, and the sockets of the port that it owned when it was shown, or probably owned; a parent
/// or group member may own none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub process: Arc<Process>,
    pub sockets: Vec<EndpointId>,
    /// What these sockets have in common with it, if it is only a candidate for their owner.
    pub origins: Vec<SocketOrigin>,
}

impl Target {
    pub fn id(&self) -> ProcessId {
        self.process.id
    }

    /// False for a candidate: nothing proves that it owns its sockets.
    pub fn is_owner(&self) -> bool {
        !self.sockets.is_empty() && !self.is_candidate()
    }

    pub fn is_candidate(&self) -> bool {
        !self.origins.is_empty()
    }
}

/// Identity of a request: when it was confirmed, and the port, since several ports may be confirmed at once. A repeated
/// signal is a request of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    pub(super) at: Instant,
    pub(super) port: Port,
}

/// A confirmed plan, frozen as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillRequest {
    pub(super) id: RequestId,
    pub(super) sockets: Vec<Socket>,
    pub(super) owners: Vec<Arc<Process>>,
    pub(super) targets: Vec<Target>,
    pub(super) signal: Signal,
    pub(super) self_pids: Vec<Pid>,
    pub(super) is_repeated: bool,
    pub(super) stop_command: Option<String>,
}

impl KillRequest {
    /// Returns the identity that marks every result of this request.
    pub fn id(&self) -> RequestId {
        self.id
    }

    pub fn port(&self) -> Port {
        self.id.port
    }

    pub fn signal(&self) -> Signal {
        self.signal
    }

    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Returns the targets in the order of their signals, the oldest first: a parent must not start its child again in
    /// between.
    pub fn targets_by_age(&self) -> Vec<&Target> {
        let mut targets: Vec<&Target> = self.targets.iter().collect();
        targets.sort_by_key(|target| (target.id().start, target.id().pid));
        targets
    }

    pub fn has_target(&self, process: ProcessId) -> bool {
        self.targets.iter().any(|target| target.id() == process)
    }

    /// Returns the known owners of the port when it was shown.
    pub fn owners(&self) -> &[Arc<Process>] {
        &self.owners
    }

    pub fn has_owner(&self, process: ProcessId) -> bool {
        self.owners.iter().any(|owner| owner.id == process)
    }

    /// Returns the sockets of the port when it was shown, including those that stay open.
    pub fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    /// Returns portmon's own pid and its ancestors', which the executor checks again.
    pub fn self_pids(&self) -> &[Pid] {
        &self.self_pids
    }

    /// Returns the command that stops what may bring the targets back, as far as it is known. Raw: show it through
    /// [`escaped`](crate::model::text::escaped).
    pub fn stop_command(&self) -> Option<&str> {
        self.stop_command.as_deref()
    }

    /// True if it sends another signal to the survivors of an earlier request: those that have exited do not stop it.
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// Returns the same request for these survivors and another signal, confirmed now.
    pub(super) fn again(&self, targets: Vec<Target>, signal: Signal, now: Instant) -> Self {
        Self {
            id: RequestId { at: now, ..self.id },
            targets,
            signal,
            is_repeated: true,
            ..self.clone()
        }
    }
}
