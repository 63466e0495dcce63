//! An order: an ending that was confirmed.
//!
//! Only [`KillPlan::confirm`](super::Proposal::confirm) makes one, so no signal can be sent that nobody was asked about.

use crate::model::endpoint::{EndpointId, Protocol, Socket};
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::signal::Signal;
use std::sync::Arc;
use std::time::Instant;

/// A process to end, and the sockets it was seen to hold when it was asked about: none if it is to end because it started
/// a holder or is of its group.
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

/// Which order: the moment it was confirmed, and the port, for those of several ports are confirmed at once. The SIGKILL
/// that follows an order is one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    pub(super) at: Instant,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
}

/// A confirmed ending, frozen as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillRequest {
    pub(super) id: RequestId,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    /// Every socket the port had when it was asked about, those that are not to be closed included.
    pub(super) sockets: Vec<Socket>,
    /// Every process that held one of them and could be seen.
    pub(super) owners: Vec<Arc<Process>>,
    pub(super) targets: Vec<Target>,
    pub(super) signal: Signal,
    pub(super) self_pids: Vec<Pid>,
    /// Whether it sends another signal to what is left of the targets of an earlier one.
    pub(super) is_repeated: bool,
}

impl KillRequest {
    /// What everything that is found for this order is marked with.
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

    /// portmon's own pid and its ancestors', which the executor refuses once more.
    pub fn self_pids(&self) -> &[Pid] {
        &self.self_pids
    }

    /// Whether targets that have ended by now are no reason to spare the others.
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// Every process that held the port when it was asked about, as far as it could be seen.
    pub fn owners(&self) -> &[Arc<Process>] {
        &self.owners
    }

    /// The sockets that the port had then.
    pub fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    /// The same for other targets and another signal, confirmed now.
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
