//! A plan to free one port: its sockets and owners, frozen as they are shown and not yet confirmed.

mod candidates;
mod left_over;
mod other_sockets;
mod relatives;
mod respawn;
pub(super) mod supervision;
mod target_choice;

use super::protected::{Protected, protected};
use super::request::{KillRequest, RequestId, Target};
use crate::model::environment::Environment;
use crate::model::port::Port;
use crate::model::process::{
    Pid, Process, ProcessId, ProcessTree, Restriction, Signal, SocketOrigin, is_topmost,
    topmost_first,
};
use crate::model::socket::{Endpoint, Socket};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

pub use candidates::Unproved;
pub use other_sockets::{OtherPort, OtherSockets};
pub use relatives::RelativeObstacle;
pub use target_choice::TargetChoice;

/// What would free a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillPlan {
    pub host: String,
    pub port: Port,
    /// The port's sockets on all local addresses, the row's own first.
    pub sockets: Vec<Socket>,
    /// The known owners of these sockets: those of the row's own socket first, among each the topmost first.
    pub owners: Vec<PortOwner>,
    /// All other sockets of the machine.
    pub(super) others: OtherSockets,
    /// The owners' ancestors, descendants and groups; `None` until they have been inspected.
    pub(super) trees: Option<Vec<ProcessTree>>,
    pub(super) uid: Option<u32>,
    /// The number of processes that may hold the port as well as its candidates do, and that this user may not signal.
    other_candidates: usize,
    self_pids: Vec<Pid>,
}

/// A process that owns a socket of the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortOwner {
    pub process: Arc<Process>,
    /// True if no other owner is its parent: a master, not its worker.
    pub is_topmost: bool,
    /// Why it is never signaled, if so.
    pub protected: Option<Protected>,
    /// The plan's sockets that it owns, or probably owns.
    pub sockets: Vec<Socket>,
    /// What these sockets have in common with it, if it is only a candidate; empty for an owner.
    pub origins: Vec<SocketOrigin>,
}

impl PortOwner {
    /// True if nothing proves that it owns one of the sockets.
    pub fn is_candidate(&self) -> bool {
        !self.origins.is_empty()
    }
}

/// Which processes get the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetSet {
    /// The owners that no other owner started. A master stops its workers; a worker alone would only be started again.
    Topmost,
    /// Every owner.
    All,
    /// The process groups of the topmost owners.
    Group,
    /// The topmost owners and the ancestors up to this one: a parent that is left may start its child again.
    WithAncestors(ProcessId),
    /// Only this candidate, whose pid was typed.
    Candidate(ProcessId),
}

impl KillPlan {
    /// Creates the plan for these sockets of a port, the row's own first; later changes of the table do not change it.
    pub(super) fn new(
        port: Port,
        sockets: Vec<Socket>,
        table: &[&Endpoint],
        environment: &Environment,
    ) -> Self {
        Self {
            host: environment.host.clone(),
            port,
            owners: owners(&sockets, &environment.self_pids),
            others: OtherSockets::new(&sockets, table),
            sockets,
            trees: None,
            uid: environment.uid,
            other_candidates: 0,
            self_pids: environment.self_pids.clone(),
        }
    }

    /// Updates what else closes, since an owner may have been found after the plan was made.
    pub fn update_others(&mut self, table: &[&Endpoint]) {
        self.others = OtherSockets::new(&self.sockets, table);
    }

    /// Replaces the descriptions of owners by these, which are newer than the table that the plan was made of.
    pub fn describe(&mut self, described: &[Arc<Process>]) {
        let replace = |process: &mut Arc<Process>| {
            if let Some(now) = described.iter().find(|now| now.id == process.id) {
                *process = Arc::clone(now);
            }
        };
        for owner in &mut self.owners {
            replace(&mut owner.process);
            owner
                .sockets
                .iter_mut()
                .for_each(|socket| socket.owners.describe(replace));
        }
        self.sockets
            .iter_mut()
            .for_each(|socket| socket.owners.describe(replace));
    }

    /// Adds the owners' process trees, which are only known a moment after the plan.
    pub fn add_trees(&mut self, trees: &[ProcessTree]) {
        self.trees = Some(trees.to_vec());
    }

    pub fn trees(&self) -> &[ProcessTree] {
        self.trees.as_deref().unwrap_or_default()
    }

    pub fn tree_of(&self, process: ProcessId) -> Option<&ProcessTree> {
        self.trees().iter().find(|tree| tree.process == process)
    }

    /// True if the system does not let this user do something with the process.
    pub(super) fn is_restricted(
        &self,
        process: ProcessId,
        is_such: fn(&Restriction) -> bool,
    ) -> bool {
        let mut restrictions = self.trees().iter().flat_map(|tree| &tree.restrictions);
        restrictions.any(|restriction| restriction.process == process && is_such(restriction))
    }

    pub(super) fn owner(&self, process: ProcessId) -> Option<&PortOwner> {
        self.owners.iter().find(|owner| owner.process.id == process)
    }

    /// Returns the owners that are never signaled, each with the reason.
    pub(super) fn protected(&self) -> impl Iterator<Item = (Arc<Process>, Protected)> {
        let owners = self.owners.iter();
        owners.filter_map(|owner| Some((Arc::clone(&owner.process), owner.protected?)))
    }

    /// Returns the owners without candidates.
    pub fn owner_processes(&self) -> Vec<Arc<Process>> {
        let owners = self.owners.iter().filter(|owner| !owner.is_candidate());
        owners.map(|owner| Arc::clone(&owner.process)).collect()
    }

    /// Returns the owners and the candidates.
    pub(super) fn shown_processes(&self) -> Vec<Arc<Process>> {
        let owners = self.owners.iter();
        owners.map(|owner| Arc::clone(&owner.process)).collect()
    }

    /// Returns the identities of owners and candidates: the processes to open handles for while the plan is shown.
    pub fn process_ids(&self) -> Vec<ProcessId> {
        self.owners.iter().map(|owner| owner.process.id).collect()
    }

    /// Returns the processes that get the signal, owners first, without protected ones.
    ///
    /// Never empty for [`TargetSet::Topmost`]: if all of these are protected, there is no plan.
    pub fn targets(&self, targets: TargetSet) -> Vec<Target> {
        let processes = match targets {
            _ if self.is_unproved() => self.candidates(targets),
            TargetSet::Topmost => self.unprotected_owners(|owner| owner.is_topmost),
            TargetSet::All => self.unprotected_owners(|_| true),
            TargetSet::Group => self.group(),
            TargetSet::WithAncestors(last) => self.with_ancestors(last),
            TargetSet::Candidate(_) => Vec::new(),
        };
        let target = |process: &Arc<Process>| {
            let owner = self.owner(process.id);
            let sockets = owner.map(|owner| owner.sockets.iter());
            Target {
                process: Arc::clone(process),
                sockets: sockets.into_iter().flatten().map(|one| one.id).collect(),
                origins: owner.map_or_else(Vec::new, |owner| owner.origins.clone()),
            }
        };
        processes.into_iter().map(target).collect()
    }

    /// True if not every owner is topmost.
    pub fn has_more_than_topmost(&self) -> bool {
        self.targets(TargetSet::All).len() > self.targets(TargetSet::Topmost).len()
    }

    /// Returns none for candidates: neither their group nor their parents are stopped for them.
    fn unprotected_owners(&self, is_meant: fn(&PortOwner) -> bool) -> Vec<&Arc<Process>> {
        let owners = self.owners.iter().filter(|_| !self.is_unproved());
        let owners = owners.filter(|owner| owner.protected.is_none() && is_meant(owner));
        owners.map(|owner| &owner.process).collect()
    }

    /// Returns the request to send the signal. This is the only way to a [`KillRequest`]: call it once the person has done
    /// what the preview's [`Confirmation`](super::Confirmation) requires. Of candidates, only the one that was typed is a target.
    pub fn confirm(&self, targets: TargetSet, signal: Signal, now: Instant) -> KillRequest {
        let targets = match targets {
            TargetSet::Candidate(_) => self.targets(targets),
            _ if self.is_unproved() => Vec::new(),
            _ => self.targets(targets),
        };
        KillRequest {
            id: RequestId {
                at: now,
                port: self.port,
            },
            sockets: self.sockets.clone(),
            owners: self.shown_processes(),
            targets,
            signal,
            self_pids: self.self_pids.clone(),
            is_repeated: false,
            stop_command: self.stop_command(),
        }
    }
}

/// Returns the owners of the first socket, then those of the others, among each the topmost first.
fn owners(sockets: &[Socket], self_pids: &[Pid]) -> Vec<PortOwner> {
    let (own, others) = sockets.split_at(sockets.len().min(1));
    let mut seen = BTreeSet::new();
    let mut processes = Vec::new();
    for group in [own, others] {
        let owners = group.iter().flat_map(|socket| socket.owners.known());
        processes.extend(topmost_first(owners.cloned().collect()));
    }
    processes.retain(|process: &Arc<Process>| seen.insert(process.id));
    let pids: Vec<Pid> = processes.iter().map(|process| process.pid()).collect();
    let owner = |process: Arc<Process>| {
        let sockets = sockets.iter().filter(|socket| holds(process.id, socket));
        PortOwner {
            is_topmost: is_topmost(&process, &pids),
            protected: protected(&process, self_pids),
            sockets: sockets.cloned().collect(),
            origins: Vec::new(),
            process,
        }
    };
    processes.into_iter().map(owner).collect()
}

pub(super) fn holds(process: ProcessId, socket: &Socket) -> bool {
    let owners = socket.owners.known();
    owners.iter().any(|owner| owner.id == process)
}
