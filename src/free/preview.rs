//! What freeing one or several ports would do: one value for the dialog and for `portmon free`.

use super::confirmation::{
    Confirmation, OtherPort, also_closed_ports, required_confirmation, target_processes,
};
use super::kill_plan::{KillPlan, PortOwner, TargetSet};
use super::plan::Target;
use super::protected::{ProtectedOwner, Restarter};
use super::target_tree::{TreeNode, target_tree};
use crate::model::port::Port;
use crate::model::process::{
    Origin, Process, ProcessId, ProcessState, ProcessTree, Restriction, Signal,
};
use crate::model::socket::{Owners, Socket};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What happens when these targets get this signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub host: String,
    pub targets: TargetSet,
    pub signal: Signal,
    /// One for each port, never empty.
    pub ports: Vec<PortPreview>,
    pub also_closes: AlsoCloses,
    /// Where what is stopped comes from; empty for several ports.
    pub started_by: Vec<StartedBy>,
    /// What may restart the owners; empty for several ports.
    pub restarted_by: Vec<Restarter>,
    /// The command that stops whatever would restart them. Raw: show it through [`escaped`](crate::model::text::escaped).
    pub stop_command: Option<String>,
    pub confirmation: Confirmation,
    pub warnings: Vec<Warning>,
}

/// One port, and the processes that own it or get the signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortPreview {
    pub port: Port,
    /// True if the port has sockets on more than one local address.
    pub has_several_addresses: bool,
    pub tree: Vec<TreeNode>,
}

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

/// Where these processes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedBy {
    pub processes: Vec<Arc<Process>>,
    /// `None` until they have been inspected.
    pub origin: Option<Origin>,
}

/// Why less would be freed than expected, or nothing at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    NotPermitted(NotPermitted),
    /// Its owner is hidden or unknown, so it stays open.
    StaysHeld(Socket),
    Protected(ProtectedOwner),
    /// The owner is suspended and acts on a signal only after SIGCONT, which is sent after it.
    Suspended(Arc<Process>),
}

/// The targets that this user may not signal; if there is one, no target gets a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPermitted {
    pub port: Port,
    /// Never empty.
    pub processes: Vec<Arc<Process>>,
    /// The number of all targets.
    pub of: usize,
    /// The user who asks.
    pub uid: Option<u32>,
}

impl Preview {
    /// Returns what happens when these targets of the plans, of which there is at least one, get this signal.
    pub fn new(plans: &[KillPlan], targets: TargetSet, signal: Signal) -> Self {
        let single = if let [plan] = plans { Some(plan) } else { None };
        Self {
            host: plans
                .first()
                .map_or_else(String::new, |plan| plan.host.clone()),
            targets,
            signal,
            ports: plans
                .iter()
                .map(|plan| PortPreview::new(plan, targets))
                .collect(),
            also_closes: AlsoCloses::new(plans, targets),
            started_by: single.map_or_else(Vec::new, |plan| started_by(plan, targets)),
            restarted_by: single.map_or_else(Vec::new, KillPlan::restarted_by),
            stop_command: single.and_then(KillPlan::stop_command),
            confirmation: required_confirmation(plans, targets),
            warnings: plans
                .iter()
                .flat_map(|plan| warnings(plan, targets))
                .collect(),
        }
    }

    /// Returns the number of processes that get the signal.
    pub fn target_count(&self) -> usize {
        let nodes = self.ports.iter().flat_map(|port| &port.tree);
        let targets = nodes.filter(|node| node.is_target);
        let ids = targets.map(|node| node.process.id);
        ids.collect::<BTreeSet<ProcessId>>().len()
    }
}

impl PortPreview {
    fn new(plan: &KillPlan, targets: TargetSet) -> Self {
        let addresses: BTreeSet<String> = plan.sockets.iter().map(Socket::local_address).collect();
        Self {
            port: plan.to_port(),
            has_several_addresses: addresses.len() > 1,
            tree: target_tree(plan, targets),
        }
    }
}

impl AlsoCloses {
    fn new(plans: &[KillPlan], targets: TargetSet) -> Self {
        let stopped = target_processes(plans, targets);
        let ids: Vec<ProcessId> = stopped.iter().map(|process| process.id).collect();
        let is_owner = |id: ProcessId| plans.iter().any(|plan| plan.owner(id).is_some());
        let mut children: Vec<Arc<Process>> = Vec::new();
        for tree in stopped.iter().filter_map(|process| tree_of(plans, process)) {
            for child in &tree.descendants {
                if !ids.contains(&child.id) && !children.iter().any(|known| known.id == child.id) {
                    children.push(Arc::clone(child));
                }
            }
        }
        let (workers, children): (Vec<_>, Vec<_>) =
            children.into_iter().partition(|child| is_owner(child.id));
        Self {
            ports: also_closed_ports(plans, targets),
            connections: plans
                .first()
                .map_or(0, |plan| plan.others.connections_of(&ids)),
            children,
            workers: workers.len(),
            knows_children: stopped
                .iter()
                .all(|process| tree_of(plans, process).is_some()),
            is_inspected: plans.iter().all(|plan| plan.trees.is_some()),
            pending: plans.first().map_or(0, |plan| plan.others.pending),
            unseen: unseen(plans, &stopped),
        }
    }
}

fn tree_of<'a>(plans: &'a [KillPlan], process: &Process) -> Option<&'a ProcessTree> {
    plans.iter().find_map(|plan| plan.tree_of(process.id))
}

fn unseen(plans: &[KillPlan], targets: &[Arc<Process>]) -> Option<Unseen> {
    let processes: Vec<Arc<Process>> = targets
        .iter()
        .filter(|process| is_restricted(plans, process.id, |one| one.no_fds))
        .cloned()
        .collect();
    let uid = plans.first()?.uid;
    (!processes.is_empty()).then(|| Unseen {
        are_foreign: processes.iter().all(|process| process.is_foreign(uid)),
        of: targets.len(),
        processes,
    })
}

fn is_restricted(
    plans: &[KillPlan],
    process: ProcessId,
    how: impl Fn(&Restriction) -> bool,
) -> bool {
    plans
        .iter()
        .flat_map(KillPlan::trees)
        .flat_map(|tree| &tree.restrictions)
        .any(|restriction| restriction.process == process && how(restriction))
}

/// Returns the origin of each topmost owner, or of its highest ancestor that is stopped; those of one origin share an
/// entry.
fn started_by(plan: &KillPlan, targets: TargetSet) -> Vec<StartedBy> {
    let stopped = plan.targets(targets);
    let mut entries: Vec<StartedBy> = Vec::new();
    for PortOwner { process, .. } in plan.owners.iter().filter(|owner| owner.is_topmost) {
        let tree = plan.tree_of(process.id);
        let above = tree.and_then(|tree| tree_above(tree, &stopped));
        let (process, origin) = match &above {
            Some((ancestor, tree)) => (ancestor, Some(tree.origin())),
            None => (process, tree.map(ProcessTree::origin)),
        };
        match entries.iter_mut().find(|known| known.origin == origin) {
            Some(known) if known.processes.iter().any(|one| one.id == process.id) => {}
            Some(known) => known.processes.push(Arc::clone(process)),
            None => entries.push(StartedBy {
                processes: vec![Arc::clone(process)],
                origin,
            }),
        }
    }
    entries
}

/// Returns the highest ancestor that is stopped, and its tree as far as it is known.
fn tree_above(tree: &ProcessTree, stopped: &[Target]) -> Option<(Arc<Process>, ProcessTree)> {
    let place = tree
        .ancestors
        .iter()
        .rposition(|ancestor| stopped.iter().any(|target| target.id() == ancestor.id))?;
    let process = Arc::clone(tree.ancestors.get(place)?);
    let above = ProcessTree {
        process: process.id,
        ancestors: tree.ancestors.iter().skip(place + 1).cloned().collect(),
        group: vec![Arc::clone(&process)],
        ..tree.clone()
    };
    Some((process, above))
}

/// Returns the targets of a plan that this user may not signal.
pub fn not_permitted(plan: &KillPlan, targets: TargetSet) -> Option<NotPermitted> {
    let plans = std::slice::from_ref(plan);
    let targets = target_processes(plans, targets);
    let of = targets.len();
    let processes: Vec<Arc<Process>> = targets
        .into_iter()
        .filter(|process| is_restricted(plans, process.id, |one| one.no_signal))
        .collect();
    (!processes.is_empty()).then(|| NotPermitted {
        port: plan.to_port(),
        processes,
        of,
        uid: plan.uid,
    })
}

fn warnings(plan: &KillPlan, targets: TargetSet) -> Vec<Warning> {
    let hidden = plan
        .sockets
        .iter()
        .filter(|socket| !matches!(socket.owners, Owners::Known(_)));
    let suspended = plan
        .trees()
        .iter()
        .filter(|tree| tree.process_state == Some(ProcessState::Suspended))
        .filter_map(|tree| plan.owner(tree.process));
    not_permitted(plan, targets)
        .map(Warning::NotPermitted)
        .into_iter()
        .chain(hidden.cloned().map(Warning::StaysHeld))
        .chain(plan.protected.iter().cloned().map(Warning::Protected))
        .chain(suspended.map(|owner| Warning::Suspended(Arc::clone(&owner.process))))
        .collect()
}
