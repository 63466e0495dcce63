//! An order: an ending that was confirmed.
//!
//! Only [`Proposal::confirm`](super::Proposal::confirm) makes one, so no signal can be sent that nobody was asked about.

use crate::model::endpoint::{EndpointId, Protocol, Socket};
use crate::model::process::{Pid, Process, ProcessId};
use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Instant;

/// What is sent to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    Terminate,
    Kill,
}

impl Signal {
    /// Windows has no signals, and a sentence must not claim one: there both end the process by force.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate | Self::Kill if cfg!(windows) => "TerminateProcess",
            Self::Terminate => "SIGTERM",
            Self::Kill => "SIGKILL",
        }
    }
}

impl Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A process to end, and the sockets it was seen to hold when it was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub process: Arc<Process>,
    pub sockets: Vec<EndpointId>,
}

impl Target {
    pub fn id(&self) -> ProcessId {
        self.process.id
    }
}

/// Which order: the moment it was confirmed, for no two are confirmed at once. The SIGKILL that follows an order is one
/// of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderId(pub(super) Instant);

/// A confirmed ending, frozen as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub(super) id: OrderId,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    /// Every socket the port had when it was asked about, those that are not to be closed included.
    pub(super) sockets: Vec<Socket>,
    /// Every process that held one of them and could be seen.
    pub(super) holders: Vec<Arc<Process>>,
    pub(super) targets: Vec<Target>,
    pub(super) signal: Signal,
    pub(super) lineage: Vec<Pid>,
}

impl Order {
    /// What everything that is found for this order is marked with.
    pub fn id(&self) -> OrderId {
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
    pub fn lineage(&self) -> &[Pid] {
        &self.lineage
    }
}
