//! What can be done about a port that is still held, or taken again, after its verdict.
//!
//! Nothing here is sent: each step only leads to the next question, with a preview of its own.

use super::FreeMachine;
use crate::free::kill_plan::TargetChoice;
use crate::free::protected::protected;
use crate::free::verdict::{RemainingOwners, Starter, VerdictKind};
use crate::model::process::{Process, is_interactive_shell, leads_terminal};
use crate::model::socket::Socket;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What can be done next about a port; nothing where it is free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NextSteps {
    /// The processes that hold the port, got no signal and may get one.
    pub rest: Vec<Arc<Process>>,
    pub rest_kind: RestKind,
    /// True if something holds the port whose owner is not visible, so that only a new question tells what can be done.
    pub is_hidden: bool,
    /// The parent that started the first of them and may be stopped with it.
    pub parent: Option<Arc<Process>>,
    /// True if the first of them is in the process group of another.
    pub has_group: bool,
    /// The command that stops what brings them back. Raw: show it through [`escaped`](crate::model::text::escaped).
    pub stop_command: Option<String>,
}

/// What the rest is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RestKind {
    #[default]
    Owners,
    /// Children of the targets.
    Workers,
    /// It took the port after that was free.
    TookAgain,
}

impl NextSteps {
    /// Returns what can be done after the verdict of a port.
    pub fn after(machine: &FreeMachine) -> Self {
        let Some(verdict) = machine.verdict() else {
            return Self::default();
        };
        let unsignaled = || {
            let owners = machine.owners().into_iter();
            owners.filter(|owner| !machine.has_signaled(owner.id))
        };
        let (rest_kind, mut rest): (RestKind, Vec<Arc<Process>>) = match &verdict.kind {
            VerdictKind::HeldByOthers(RemainingOwners::Children(workers)) => {
                (RestKind::Workers, workers.clone())
            }
            VerdictKind::HeldByOthers(RemainingOwners::Others(_))
            | VerdictKind::PartlyFree { .. } => {
                (RestKind::Owners, owners_of(sockets_of(&verdict.kind)))
            }
            VerdictKind::TakenAgain { .. } => {
                (RestKind::TookAgain, owners_of(sockets_of(&verdict.kind)))
            }
            VerdictKind::NotEnded { .. } | VerdictKind::Unknown { .. } => {
                (RestKind::Owners, unsignaled().cloned().collect())
            }
            VerdictKind::Free(_)
            | VerdictKind::OnlyWithReuseAddr(_)
            | VerdictKind::CannotBind { .. }
            | VerdictKind::NothingSent(_) => return Self::default(),
        };
        let self_pids = machine.request().self_pids();
        rest.retain(|process| protected(process, self_pids).is_none());
        let may_stop = |parent: &&Arc<Process>| {
            let is_someones = is_interactive_shell(parent) || leads_terminal(parent);
            !is_someones && protected(parent, self_pids).is_none()
        };
        Self {
            parent: parent(&verdict.kind).filter(may_stop).cloned(),
            has_group: rest
                .first()
                .is_some_and(|one| one.group.is_some_and(|group| group != one.pid())),
            stop_command: stop_command(machine),
            is_hidden: sockets_of(&verdict.kind)
                .iter()
                .any(|socket| socket.owners.known().is_empty()),
            rest,
            rest_kind,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty() && !self.is_hidden && self.stop_command.is_none()
    }

    /// Returns the targets to ask about in order to stop the rest: all that are left, or the topmost of what took the port.
    pub fn rest_choice(&self) -> TargetChoice {
        match self.rest_kind {
            RestKind::Owners | RestKind::Workers => TargetChoice::All,
            RestKind::TookAgain => TargetChoice::Topmost,
        }
    }

    /// Adds the steps of another port. What a parent or a command brings back is that of one port only.
    pub fn and(mut self, other: Self) -> Self {
        self.rest.extend(other.rest);
        self.is_hidden |= other.is_hidden;
        let mut seen = BTreeSet::new();
        self.rest.retain(|process| seen.insert(process.id));
        if self.rest_kind != other.rest_kind {
            self.rest_kind = RestKind::Owners;
        }
        (self.parent, self.has_group, self.stop_command) = (None, false, None);
        self
    }
}

/// Returns the sockets that hold the port, where the verdict names them.
fn sockets_of(verdict: &VerdictKind) -> &[Socket] {
    match verdict {
        VerdictKind::HeldByOthers(RemainingOwners::Others(sockets))
        | VerdictKind::PartlyFree { held: sockets, .. } => sockets,
        VerdictKind::TakenAgain { by, .. } => std::slice::from_ref(by),
        VerdictKind::HeldByOthers(RemainingOwners::Children(_))
        | VerdictKind::Free(_)
        | VerdictKind::OnlyWithReuseAddr(_)
        | VerdictKind::CannotBind { .. }
        | VerdictKind::NotEnded { .. }
        | VerdictKind::Unknown { .. }
        | VerdictKind::NothingSent(_) => &[],
    }
}

/// Returns the owners that are known, each once.
fn owners_of(sockets: &[Socket]) -> Vec<Arc<Process>> {
    let mut seen = BTreeSet::new();
    let owners = sockets.iter().flat_map(|socket| socket.owners.known());
    owners
        .filter(|process| seen.insert(process.id))
        .cloned()
        .collect()
}

fn parent(verdict: &VerdictKind) -> Option<&Arc<Process>> {
    match verdict {
        VerdictKind::TakenAgain {
            starter: Some(Starter::Parent(parent)),
            ..
        } => Some(parent),
        _ => None,
    }
}

/// Returns the command for the unit that started what took the port, else the one that was known before the signal.
fn stop_command(machine: &FreeMachine) -> Option<String> {
    let unit = match &machine.verdict()?.kind {
        VerdictKind::TakenAgain {
            starter: Some(Starter::Systemd { unit, .. }),
            ..
        } => unit.stop_command(),
        _ => None,
    };
    unit.or_else(|| machine.request().stop_command().map(str::to_owned))
}
