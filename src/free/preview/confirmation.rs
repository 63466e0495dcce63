//! What a person must do before a plan may be confirmed.

use crate::free::kill_plan::{KillPlan, OtherPort, TargetSet};
use crate::model::process::{LoginKind, Pid, Process, login_kind};
use crate::model::socket::Protocol;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Closing more other listening ports than this takes more than one key.
const MAX_PORTS_WITHOUT_TYPING: usize = 3;

/// What confirms a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The key `y`.
    Key,
    /// The port must be typed, for these reasons.
    TypePort { port: u16, why: Vec<TypingReason> },
    /// The pid of one of these candidates must be typed, since none is proved to be the owner; the reasons tell what else to
    /// know.
    TypePid {
        pids: Vec<Pid>,
        why: Vec<TypingReason>,
    },
}

impl Confirmation {
    /// True if a number must be typed.
    pub fn is_typed(&self) -> bool {
        !matches!(self, Self::Key)
    }

    /// True if this confirms the plan, as far as something must be typed.
    pub fn accepts(&self, typed: &str) -> bool {
        match self {
            Self::Key => true,
            Self::TypePort { port, .. } => typed == port.to_string(),
            Self::TypePid { pids, .. } => pids.iter().any(|pid| typed == pid.to_string()),
        }
    }

    /// Returns how many digits can be typed: a port has five, a pid seven (`PID_MAX_LIMIT` of the kernel's threads.h).
    pub fn max_digits(&self) -> usize {
        match self {
            Self::Key => 0,
            Self::TypePort { .. } => 5,
            Self::TypePid { .. } => 7,
        }
    }

    /// Returns why one key is not enough, besides what is not proved.
    pub fn reasons(&self) -> &[TypingReason] {
        match self {
            Self::Key => &[],
            Self::TypePort { why, .. } | Self::TypePid { why, .. } => why,
        }
    }
}

/// Why one key is not enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypingReason {
    /// This many other listening ports close.
    ClosesPorts(usize),
    /// The process and this many others belong to another user.
    OtherUser { first: Arc<Process>, more: usize },
    /// The process carries someone's login.
    Login(Arc<Process>, LoginKind),
}

/// Returns what confirms these plans together, which also close other ports. For several ports, typing the first port
/// that requires it is enough.
pub fn required_confirmation(
    plans: &[KillPlan],
    targets: TargetSet,
    also_closed: &[OtherPort],
) -> Confirmation {
    let listening = also_closed.iter().filter(|other| other.is_listening());
    let closed: BTreeSet<(Protocol, u16)> = listening
        .map(|other| (other.socket.protocol, other.socket.port()))
        .collect();
    let closes_many = closed.len() > MAX_PORTS_WITHOUT_TYPING;
    let mut port = plans.first().filter(|_| closes_many);
    let mut why = Vec::new();
    why.extend(closes_many.then_some(TypingReason::ClosesPorts(closed.len())));
    for plan in plans {
        let reasons = process_reasons(plan, targets);
        if !reasons.is_empty() {
            port = port.or(Some(plan));
        }
        why.extend(reasons);
    }
    why.dedup();
    let unproved = plans.iter().filter(|plan| plan.is_unproved());
    let candidates = unproved.flat_map(|plan| plan.targets(targets));
    let pids: Vec<Pid> = candidates.map(|target| target.process.pid()).collect();
    if !pids.is_empty() {
        return Confirmation::TypePid { pids, why };
    }
    port.map_or(Confirmation::Key, |plan| Confirmation::TypePort {
        port: plan.port.number,
        why,
    })
}

fn process_reasons(plan: &KillPlan, targets: TargetSet) -> Vec<TypingReason> {
    let targets = plan.targets(targets);
    let stopped = targets.into_iter().map(|target| target.process);
    let mut foreign = stopped
        .clone()
        .filter(|process| process.is_foreign(plan.uid));
    let other_user = foreign.next().map(|first| TypingReason::OtherUser {
        first,
        more: foreign.count(),
    });
    let logins = stopped.filter_map(|process| {
        let kind = login_kind(&process)?;
        Some(TypingReason::Login(process, kind))
    });
    other_user.into_iter().chain(logins).collect()
}
