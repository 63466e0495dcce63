//! What freeing one or several ports would do: one value for the dialog and for `portmon free`.

mod also_closes;
mod confirmation;
mod target_tree;

use super::kill_plan::supervision::Restarter;
use super::kill_plan::{KillPlan, PortOwner, TargetSet, Unproved};
use super::protected::Protected;
use super::request::Target;
use super::verdict::SurvivalReason;
use crate::model::port::Port;
use crate::model::process::{Engine, Origin, Process, ProcessTree, Signal};
use crate::model::socket::{Owners, Socket};
use confirmation::required_confirmation;
use std::collections::BTreeSet;
use std::sync::Arc;
use target_tree::target_tree;

pub use also_closes::{AlsoCloses, Unseen};
pub use confirmation::{Confirmation, TypingReason};
pub use target_tree::TreeNode;

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

/// Where these processes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedBy {
    pub processes: Vec<Arc<Process>>,
    /// `None` until they have been inspected.
    pub origin: Option<Origin>,
    /// True if the parent may start them again: see [`KillPlan::may_be_respawned`].
    pub may_restart: bool,
}

/// Why less would be freed than expected, or nothing at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    NotPermitted(NotPermitted),
    /// Its owner is hidden or unknown, so it stays open.
    StaysHeld(Socket),
    Protected(Arc<Process>, Protected),
    /// Nothing proves which of these candidates holds the port.
    Unproved(Port, Unproved),
    /// The engine has left this port proxy over, so it may be stopped.
    LeftOver(Arc<Process>, Engine, Port),
    /// The target is suspended, and gets SIGCONT after this signal, on which it would not act before.
    Resumed(Arc<Process>, Signal),
    /// The target may survive this signal.
    Survives(Arc<Process>, Signal, SurvivalReason),
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
        let host = plans.first().map(|plan| plan.host.clone());
        let single = if let [plan] = plans { Some(plan) } else { None };
        let ports = plans.iter().map(|plan| PortPreview {
            port: plan.port,
            has_several_addresses: has_several_addresses(&plan.sockets),
            tree: target_tree(plan, targets),
        });
        let also_closes = AlsoCloses::new(plans, &target_processes(plans, targets));
        let warnings = plans
            .iter()
            .flat_map(|plan| warnings(plan, targets, signal));
        Self {
            host: host.unwrap_or_default(),
            targets,
            signal,
            ports: ports.collect(),
            started_by: single.map_or_else(Vec::new, |plan| started_by(plan, targets)),
            restarted_by: single.map_or_else(Vec::new, KillPlan::restarted_by),
            stop_command: single.and_then(KillPlan::stop_command),
            confirmation: required_confirmation(plans, targets, &also_closes.ports),
            also_closes,
            warnings: warnings.collect(),
        }
    }
}

fn has_several_addresses(sockets: &[Socket]) -> bool {
    let address = |socket: &Socket| (socket.place(), socket.is_dual_stack());
    let mut addresses = sockets.iter().map(address);
    let first = addresses.next();
    addresses.any(|other| Some(other) != first)
}

/// Returns the processes that get the signal, each once.
fn target_processes(plans: &[KillPlan], targets: TargetSet) -> Vec<Arc<Process>> {
    let targets = plans.iter().flat_map(|plan| plan.targets(targets));
    let mut seen = BTreeSet::new();
    let mut processes: Vec<Arc<Process>> = targets.map(|target| target.process).collect();
    processes.retain(|process| seen.insert(process.id));
    processes
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
                may_restart: matches!((&origin, tree), (Some(Origin::Ancestors(above)), Some(tree))
                    if plan.may_be_respawned(process, above.first(), tree)),
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
    let targets = plan.targets(targets);
    let of = targets.len();
    let processes = targets.into_iter().map(|target| target.process);
    let processes: Vec<Arc<Process>> = processes
        .filter(|process| plan.is_restricted(process.id, |restriction| restriction.no_signal))
        .collect();
    (!processes.is_empty()).then_some(NotPermitted {
        port: plan.port,
        processes,
        of,
        uid: plan.uid,
    })
}

fn warnings(plan: &KillPlan, targets: TargetSet, signal: Signal) -> Vec<Warning> {
    let sockets = plan.sockets.iter();
    let candidates = || plan.owners.iter().filter(|owner| owner.is_candidate());
    let is_probable = |socket: &&Socket| {
        let mut probable = candidates().flat_map(|owner| &owner.sockets);
        probable.any(|one| one.id == socket.id)
    };
    let hidden = sockets
        .filter(|socket| !matches!(socket.owners, Owners::Known(_)))
        .filter(|socket| !is_probable(socket));
    let unproved = plan.unproved();
    let unproved = unproved.map(|unproved| Warning::Unproved(plan.port, unproved));
    let protected = plan.protected();
    let left_over = plan.left_over(targets).into_iter();
    let left_over = left_over.map(|(proxy, engine)| Warning::LeftOver(proxy, engine, plan.port));
    let resumed = plan.resumed_by(signal, targets).into_iter();
    not_permitted(plan, targets)
        .map(Warning::NotPermitted)
        .into_iter()
        .chain(unproved)
        .chain(hidden.cloned().map(Warning::StaysHeld))
        .chain(left_over)
        .chain(protected.map(|(owner, why)| Warning::Protected(owner, why)))
        .chain(resumed.map(|target| Warning::Resumed(target, signal)))
        .chain(survivors(plan, targets, signal))
        .collect()
}

/// Returns the targets that may survive the signal, by what is known before it is sent.
fn survivors(plan: &KillPlan, targets: TargetSet, signal: Signal) -> Vec<Warning> {
    let states = plan.run_states(targets).into_iter();
    let survivors = states.filter_map(|(target, state)| {
        let reason = SurvivalReason::foreseen(state, signal)?;
        Some(Warning::Survives(target, signal, reason))
    });
    survivors.collect()
}
