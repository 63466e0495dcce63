//! The verdict: what became of the port and of its owners, as values. `wording` writes the sentences.

mod survival;

use super::exec_command::SignalError;
use crate::model::port::{BindResult, Doubt, Port, WhyUnseen};
use crate::model::process::{Process, Signal, Unit};
use crate::model::snapshot::Problem;
use crate::model::socket::{Socket, State, TimeWaitLeft};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use survival::SurvivalReason;

/// What became of the port and of the targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub port: Port,
    /// The targets that have ended or closed the port.
    pub outcomes: Vec<TargetOutcome>,
    pub kind: VerdictKind,
}

/// What became of the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerdictKind {
    /// Nothing holds it.
    Free(Proof),
    /// Nothing holds it, and it can be bound only with SO_REUSEADDR, which most servers set.
    OnlyWithReuseAddr(Leftovers),
    /// No table shows a socket that holds it, and yet it cannot be bound.
    CannotBind {
        leftovers: Leftovers,
        why: BindRefusal,
    },
    /// The targets' addresses are free; the others belong to processes that were no targets.
    PartlyFree {
        free: Vec<SocketAddr>,
        held: Vec<Socket>,
        /// The first address of `localhost`, where it leads to a held socket.
        localhost: Option<IpAddr>,
    },
    /// Every target has ended, and others hold its sockets.
    HeldByOthers(RemainingOwners),
    /// A target has not ended.
    NotEnded {
        survivors: Vec<Survivor>,
        /// Another signal that may help.
        offer: Option<Signal>,
    },
    TakenAgain {
        /// How long nothing held it; `None` where no poll saw it free.
        free_for: Option<Duration>,
        by: Socket,
        /// `None` if it is unknown.
        starter: Option<Starter>,
    },
    /// Socket tables could not be read after the signal, so that not every owner is known.
    Unknown {
        /// Targets not known to have ended or closed the port.
        survivors: Vec<Survivor>,
        evidence: Evidence,
        problems: Vec<Problem>,
    },
    /// No signal was sent.
    NothingSent(SignalError),
}

/// What started the process that took the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Starter {
    Parent(Arc<Process>),
    /// systemd, as part of this unit.
    Systemd {
        unit: Box<Unit>,
        /// True if a previous owner belonged to the unit.
        is_restart: bool,
    },
}

/// How a target released the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetOutcome {
    pub process: Arc<Process>,
    pub how: ReleaseKind,
    /// Time since its signal; `None` if it got none.
    pub after: Option<(Duration, Signal)>,
    /// True if it was suspended and got SIGCONT too.
    pub was_suspended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseKind {
    Ended,
    /// It closed its sockets, and may be about to exit.
    ClosedSocket,
    /// It closed its sockets a while ago and is still running.
    StillRunning,
}

/// Why a port cannot be bound that no socket is seen to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindRefusal {
    /// Neither with SO_REUSEADDR nor without.
    InUse,
    /// Something holds it that no table shows.
    Unseen(WhyUnseen),
    Unknown(Doubt),
}

/// Evidence that a port is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    Bound,
    /// Only the tables: this user is not permitted to bind the port.
    NotPermitted,
    /// Only the tables: this machine has none of the addresses any more.
    NoSuchAddress,
    /// Every bind succeeded; these tables could not be read.
    BindOnly(Vec<Problem>),
}

/// What is known of a port whose tables could not all be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A table that was read shows these sockets.
    Held(Vec<Socket>),
    /// No table shows a socket, and this is the result of a bind.
    Bind(BindResult),
}

/// Sockets on the port that do not hold it and may still prevent a bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftovers {
    /// The state of each.
    pub states: Vec<Option<State>>,
    /// Until the last one ends, where all are in TIME_WAIT.
    pub wait: Option<TimeWaitLeft>,
}

/// Who still holds the sockets of targets that have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemainingOwners {
    /// Children of the targets.
    Children(Vec<Arc<Process>>),
    /// One socket for each set of owners.
    Others(Vec<Socket>),
}

/// A target that still holds the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    pub process: Arc<Process>,
    pub reason: SurvivalReason,
    pub signal: Signal,
    pub waited: Duration,
    pub was_suspended: bool,
    /// Why it got no signal, if it got none.
    pub error: Option<SignalError>,
}

/// What is awaited while there is no verdict, or until a free port counts as free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Sending {
        signal: Signal,
        targets: Vec<Arc<Process>>,
    },
    /// A bind is being tried, because nothing holds the port or these tables could not be read.
    Binding { port: Port, problems: Vec<Problem> },
    /// Some targets have released the port, which these processes hold.
    SomeEnded {
        port: Port,
        outcomes: Vec<TargetOutcome>,
        owners: Vec<Arc<Process>>,
        problems: Vec<Problem>,
    },
    Waiting {
        port: Port,
        signal: Signal,
        targets: Vec<Arc<Process>>,
        waited: Duration,
    },
    /// The port is free, which is watched for this long before it counts.
    Settling { left: Duration },
}

/// Class of a verdict, by which it is colored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VerdictClass {
    /// Nothing holds it, and it can be bound, if only with SO_REUSEADDR.
    Free,
    /// Something holds all or part of it, or it cannot be bound.
    Held,
    /// It was free, and a process has taken it.
    Taken,
    /// No signal was sent.
    NothingSent,
}

impl VerdictKind {
    pub fn class(&self) -> VerdictClass {
        match self {
            Self::Free(_) | Self::OnlyWithReuseAddr(_) => VerdictClass::Free,
            Self::CannotBind { .. }
            | Self::PartlyFree { .. }
            | Self::HeldByOthers(_)
            | Self::NotEnded { .. }
            | Self::Unknown { .. } => VerdictClass::Held,
            Self::TakenAgain { .. } => VerdictClass::Taken,
            Self::NothingSent(_) => VerdictClass::NothingSent,
        }
    }
}
