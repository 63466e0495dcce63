//! Plans to stop a candidate: a process that probably owns a socket of the port whose owner was not found.

use super::{KillPlan, PortOwner, TargetSet};
use crate::free::explanation::{Explanation, Obstacle};
use crate::free::protected::protected;
use crate::model::environment::Environment;
use crate::model::process::{
    Process, ProcessId, ProcessTree, SocketCandidates, SocketOrigin, is_topmost,
};
use crate::model::socket::{Endpoint, Owners, Socket};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The processes of which nothing proves which one holds the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproved {
    /// The candidates; never empty.
    pub candidates: Vec<Arc<Process>>,
    /// The number of further processes that may hold it just as well, and that this user may not signal.
    pub others: usize,
}

impl KillPlan {
    /// Plans to stop one of the candidates where the owner is hidden. Visible owners on other addresses are no targets.
    ///
    /// `None` if none of them may be stopped: each is protected or must be stopped through its supervisor. `None` as well
    /// where so many match that none is probable.
    pub fn of_candidates(
        explanation: &Explanation,
        found: &[SocketCandidates],
        trees: &[ProcessTree],
        table: &[&Endpoint],
        environment: &Environment,
    ) -> Option<Self> {
        let Obstacle::NotFound {
            socket: own,
            probable,
            visible,
            ..
        } = &explanation.obstacle
        else {
            return None;
        };
        if !found.iter().all(SocketCandidates::are_few) {
            return None;
        }
        let is_meant = |socket: &&Socket| {
            let mut unowned = probable.sockets.iter();
            let is_unowned = unowned.any(|query| query.socket == socket.id);
            is_unowned || visible.iter().any(|one| one.id == socket.id)
        };
        let sockets = table.iter().map(|endpoint| &endpoint.socket);
        let mut sockets: Vec<Socket> = sockets.filter(is_meant).cloned().collect();
        sockets.sort_by_key(|socket| {
            let is_visible = matches!(socket.owners, Owners::Known(_));
            (socket.id != own.id, is_visible, socket.local, socket.id)
        });
        let mut plan = Self::new(explanation.port, sockets, table, environment);
        let candidates = plan.candidate_owners(found, environment);
        plan.owners.splice(0..0, candidates);
        plan.other_candidates = found.iter().map(|one| one.others).max().unwrap_or(0);
        plan.add_trees(trees);
        let can_stop = plan.is_unproved() && !plan.targets(TargetSet::Topmost).is_empty();
        can_stop.then_some(plan)
    }

    /// Returns the candidates of the plan's sockets, each process once.
    fn candidate_owners(
        &self,
        found: &[SocketCandidates],
        environment: &Environment,
    ) -> Vec<PortOwner> {
        let mut candidates: BTreeMap<ProcessId, PortOwner> = BTreeMap::new();
        for socket in &self.sockets {
            let of_socket = found.iter().filter(|one| one.socket == socket.id);
            for (process, origin) in of_socket.flat_map(with_origin) {
                let owner = candidates.entry(process.id).or_insert_with(|| PortOwner {
                    process: Arc::clone(process),
                    is_topmost: false,
                    protected: protected(process, &environment.self_pids),
                    sockets: Vec::new(),
                    origins: Vec::new(),
                });
                owner.sockets.push(socket.clone());
                owner.origins.push(origin);
            }
        }
        let pids: Vec<_> = candidates.keys().map(|id| id.pid).collect();
        let mut candidates: Vec<PortOwner> = candidates.into_values().collect();
        for owner in &mut candidates {
            owner.is_topmost = is_topmost(&owner.process, &pids);
        }
        candidates
    }

    /// True if it would stop a process of which it is not proved that it holds the port.
    pub fn is_unproved(&self) -> bool {
        self.owners.iter().any(PortOwner::is_candidate)
    }

    /// Returns what is not proved; `None` if every target is an owner.
    pub fn unproved(&self) -> Option<Unproved> {
        let candidates = self.owners.iter().filter(|owner| owner.is_candidate());
        let candidates: Vec<_> = candidates.map(|owner| Arc::clone(&owner.process)).collect();
        (!candidates.is_empty()).then_some(Unproved {
            candidates,
            others: self.other_candidates,
        })
    }

    /// Returns the candidates that may be stopped; with [`TargetSet::Candidate`] only that one.
    pub(super) fn candidates(&self, targets: TargetSet) -> Vec<&Arc<Process>> {
        let owners = self.owners.iter();
        owners
            .filter(|owner| owner.is_candidate() && owner.protected.is_none())
            .map(|owner| &owner.process)
            .filter(|process| !self.is_managed(process))
            .filter(|process| match targets {
                TargetSet::Candidate(id) => process.id == id,
                TargetSet::Topmost
                | TargetSet::All
                | TargetSet::Group
                | TargetSet::WithAncestors(_) => true,
            })
            .collect()
    }

    /// Returns the target set of the candidate whose pid was typed.
    pub fn typed_candidate(&self, typed: &str) -> Option<TargetSet> {
        let mut targets = self.targets(TargetSet::Topmost).into_iter();
        let is_typed = |process: &Process| process.pid().to_string() == typed;
        let target = targets.find(|target| self.is_unproved() && is_typed(&target.process))?;
        Some(TargetSet::Candidate(target.id()))
    }
}

fn with_origin(
    candidates: &SocketCandidates,
) -> impl Iterator<Item = (&Arc<Process>, SocketOrigin)> {
    let processes = candidates.processes.iter();
    processes.map(|process| (process, candidates.origin))
}

#[cfg(test)]
mod tests;
