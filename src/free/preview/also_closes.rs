//! What closes or stops with the targets.

use crate::free::kill_plan::{KillPlan, OtherPort};
use crate::model::process::{Process, ProcessId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What else closes or stops with the targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlsoCloses {
    /// Other sockets that hold a port, each protocol and address once.
    pub ports: Vec<OtherPort>,
    pub connections: usize,
    /// The targets' descendants that own none of the ports.
    pub children: Vec<Arc<Process>>,
    /// The number of descendants that own one of the ports and get no signal themselves.
    pub workers: usize,
    /// True if the descendants of all targets are known.
    pub knows_children: bool,
    /// False until the owners have been inspected.
    pub is_inspected: bool,
    /// The number of other sockets whose owners are still being looked up; each may belong to a target.
    pub pending: usize,
    pub unseen: Option<Unseen>,
}

/// The targets of which it is unknown what else they own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Never empty.
    pub processes: Vec<Arc<Process>>,
    /// The number of all targets.
    pub of: usize,
    /// True if all of them belong to other users.
    pub are_foreign: bool,
}

impl AlsoCloses {
    /// `targets` are those of all plans, each once.
    pub fn new(plans: &[KillPlan], targets: &[Arc<Process>]) -> Self {
        let ids: Vec<ProcessId> = targets.iter().map(|process| process.id).collect();
        let tree_of = |id: &ProcessId| plans.iter().find_map(|plan| plan.tree_of(*id));
        let mut seen: BTreeSet<ProcessId> = ids.iter().copied().collect();
        let (workers, children): (Vec<_>, Vec<_>) = ids
            .iter()
            .filter_map(tree_of)
            .flat_map(|tree| tree.descendants.iter().cloned())
            .filter(|child| seen.insert(child.id))
            .partition(|child| plans.iter().any(|plan| plan.owner(child.id).is_some()));
        // Every plan was made from the same table.
        let others = plans.first().map(|plan| &plan.others);
        let is_freed = |other: &OtherPort| {
            let mut sockets = plans.iter().flat_map(|plan| &plan.sockets);
            sockets.any(|socket| other.socket.place() == socket.place())
        };
        let mut ports = others.map_or_else(Vec::new, |others| others.ports_of(&ids));
        ports.retain(|other| !is_freed(other));
        Self {
            ports,
            connections: others.map_or(0, |others| others.connections_of(&ids)),
            children,
            workers: workers.len(),
            knows_children: ids.iter().all(|id| tree_of(id).is_some()),
            is_inspected: plans.iter().all(|plan| plan.trees.is_some()),
            pending: others.map_or(0, |others| others.pending),
            unseen: unseen(plans, targets),
        }
    }
}

fn unseen(plans: &[KillPlan], targets: &[Arc<Process>]) -> Option<Unseen> {
    let uid = plans.first()?.uid;
    let is_unseen = |process: &&Arc<Process>| {
        let mut plans = plans.iter();
        plans.any(|plan| plan.is_restricted(process.id, |restriction| restriction.no_fds))
    };
    let processes: Vec<Arc<Process>> = targets.iter().filter(is_unseen).cloned().collect();
    (!processes.is_empty()).then(|| Unseen {
        are_foreign: processes.iter().all(|process| process.is_foreign(uid)),
        of: targets.len(),
        processes,
    })
}
