//! A confirmed request to send a signal.
//!
//! Only [`KillPlan::confirm`](super::KillPlan::confirm) makes one, so no signal can be sent that was not confirmed.

use crate::model::endpoint::{EndpointId, Protocol, Socket};
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::signal::Signal;
use std::sync::Arc;
use std::time::Instant;

/// A process that gets the signal, and its sockets of the port when it was shown: none for a parent or a group member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub process: Arc<Process>,
    pub sockets: Vec<EndpointId>,
}

impl Target {
    pub fn id(&self) -> ProcessId {
        self.process.id
    }

    pub fn is_owner(&self) -> bool {
        !self.sockets.is_empty()
    }
}

/// Identity of a request: when it was confirmed, and the port, since several ports may be confirmed at once. A repeated
/// signal is a request of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    pub(super) at: Instant,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
}

/// A confirmed plan, frozen as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillRequest {
    pub(super) id: RequestId,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    /// The sockets of the port when it was shown, including those that stay open.
    pub(super) sockets: Vec<Socket>,
    /// The known owners of these sockets.
    pub(super) owners: Vec<Arc<Process>>,
    pub(super) targets: Vec<Target>,
    pub(super) signal: Signal,
    pub(super) self_pids: Vec<Pid>,
    /// True if it sends another signal to the remaining targets of an earlier request.
    pub(super) is_repeated: bool,
}

impl KillRequest {
    /// Returns the identity that marks every result of this request.
    pub fn id(&self) -> RequestId {
        self.id
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Returns portmon's own pid and its ancestors', which the executor checks again.
    pub fn self_pids(&self) -> &[Pid] {
        &self.self_pids
    }

    /// Returns true if targets that have exited by now do not stop the request.
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// Returns the known owners of the port when it was shown.
    pub fn owners(&self) -> &[Arc<Process>] {
        &self.owners
    }

    /// Returns the sockets of the port when it was shown.
    pub fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    /// Returns the same request for other targets and another signal, confirmed now.
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
