//! The truth about the port, as a value; `sentence` puts it into words.

use super::observations::{SignalError, SignalState};
use crate::model::endpoint::Socket;
use crate::model::ports::Port;
use crate::model::process::Process;
use crate::model::signal::Signal;
use crate::model::time_wait::TimeWaitLeft;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What became of the port; `Display` is the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing holds it, and it was bound; or this user may not bind it, so that only the table speaks for it.
    Free {
        port: Port,
        outcomes: Vec<TargetOutcome>,
        proof: Proof,
    },
    /// Nothing holds it, yet a bind succeeds only with SO_REUSEADDR, as most servers do it.
    OnlyWithReuse {
        port: Port,
        outcomes: Vec<TargetOutcome>,
        leftovers: Leftovers,
    },
    /// Nothing holds it, and still it cannot be bound.
    CannotBind {
        port: Port,
        outcomes: Vec<TargetOutcome>,
        leftovers: Leftovers,
        reason: Option<String>,
    },
    /// What was ended held some of its addresses; the others belong to someone who was not.
    PartlyFree {
        free: Vec<String>,
        kept: Vec<Socket>,
        /// The first address of `localhost`, where it leads to a kept socket.
        localhost: Option<IpAddr>,
    },
    /// Everything that was to end has, and others hold on to its sockets.
    HeldByOthers {
        port: Port,
        outcomes: Vec<TargetOutcome>,
        remaining_owners: RemainingOwners,
    },
    /// Something that was to end has not.
    NotEnded {
        port: Port,
        outcomes: Vec<TargetOutcome>,
        survivors: Vec<Survivor>,
        next: NextAction,
    },
    TakenAgain {
        port: Port,
        /// How long nothing held it; `None` where no look saw that.
        free_for: Option<Duration>,
        by: Socket,
        parent: Option<Arc<Process>>,
        /// The service as which systemd started it, such as `shop.service (user)`.
        service: Option<String>,
    },
    /// Socket tables could not be read after the signal, so that not all is known of who holds it.
    Unknown {
        port: Port,
        outcomes: Vec<TargetOutcome>,
        /// The targets that are not known to have ended or to have let go of it.
        survivors: Vec<Survivor>,
        evidence: Findings,
        /// What could not be read, and why.
        unread: String,
    },
    /// Not one signal went out.
    NothingSent(SignalError),
}

/// How a target stopped holding the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetOutcome {
    pub process: Arc<Process>,
    pub how: ReleaseKind,
    /// How long after which signal; `None` where it got none.
    pub after: Option<(Duration, Signal)>,
    /// Whether it was stopped and got SIGCONT too.
    pub was_suspended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseKind {
    Ended,
    /// It closed its sockets; whether it is about to end is not known yet.
    ClosedSocket,
    /// It closed its sockets a while ago and still runs.
    StillRunning,
}

/// What a free port was proved by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    Bound,
    /// No bind may be tried by this user: no socket is what was seen.
    TableOnly,
    /// Tables could not be read, for the reason that is told; every bind succeeded.
    BindOnly(String),
}

/// What is known of a port where tables could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Findings {
    /// A table that was read shows these.
    Seen(Vec<Socket>),
    /// A bind says that it is in use.
    InUse,
    /// Something is there, be it only in TIME_WAIT.
    OnlyWithReuse,
    /// A bind failed for another reason; `None` where it is not permitted.
    NotBound(Option<String>),
}

/// Sockets of the port that hold nothing and may still be in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftovers {
    /// `12 TIME_WAIT`; empty where there is nothing.
    pub states: String,
    /// Until the last ends, where TIME_WAIT is all there is.
    pub wait: Option<TimeWaitLeft>,
}

/// Who holds on to the sockets of what has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemainingOwners {
    /// Processes that what has ended had started.
    Children(Vec<Arc<Process>>),
    Others(Vec<Socket>),
}

/// A target that still holds the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    pub process: Arc<Process>,
    pub signal_state: Option<SignalState>,
    pub signal: Signal,
    pub waited: Duration,
    pub was_suspended: bool,
    /// Why it got no signal, if it got none.
    pub missed: Option<SignalError>,
}

/// What can be done about survivors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAction {
    /// Another signal, which is stronger.
    Offer(Signal),
    Nothing,
}

/// The colour of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VerdictKind {
    /// Nothing holds it and it can be bound, be it only with SO_REUSEADDR.
    Free,
    /// Something holds it, or part of it, or it cannot be bound.
    Held,
    /// It was free and someone took it.
    Taken,
    /// No signal went out.
    NothingSent,
}

impl Verdict {
    pub fn kind(&self) -> VerdictKind {
        match self {
            Self::Free { .. } | Self::OnlyWithReuse { .. } => VerdictKind::Free,
            Self::CannotBind { .. }
            | Self::PartlyFree { .. }
            | Self::HeldByOthers { .. }
            | Self::NotEnded { .. }
            | Self::Unknown { .. } => VerdictKind::Held,
            Self::TakenAgain { .. } => VerdictKind::Taken,
            Self::NothingSent(_) => VerdictKind::NothingSent,
        }
    }
}
