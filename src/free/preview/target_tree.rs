//! The owners of a port and the processes that get the signal, as a tree: a master above its workers.

use crate::free::kill_plan::{KillPlan, PortOwner, TargetSet};
use crate::model::process::{Process, ProcessId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One process of the tree, which is listed from the top, each process before its children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeNode {
    pub process: Arc<Process>,
    /// Its sockets of the port; `None` if it owns none and only gets the signal.
    pub owner: Option<PortOwner>,
    /// True if it gets the signal.
    pub is_target: bool,
    /// True if it shares a socket with a target; always true for a target that is an owner.
    pub shares_socket: bool,
    /// The number of its ancestors in the tree.
    pub depth: usize,
    /// True if no sibling follows it.
    pub is_last: bool,
}

/// Returns every owner and every target, each below its parent if that is one of them.
pub fn target_tree(plan: &KillPlan, targets: TargetSet) -> Vec<TreeNode> {
    let targets = plan.targets(targets);
    let mut seen = BTreeSet::new();
    let mut processes = plan.shown_processes();
    processes.extend(targets.iter().map(|target| Arc::clone(&target.process)));
    processes.retain(|process| seen.insert(process.id));
    let node = |(process, depth, is_last): Placed| {
        let owner = plan.owner(process.id);
        let mut sockets = owner.iter().flat_map(|owner| &owner.sockets);
        let is_shared = |id| targets.iter().any(|target| target.sockets.contains(id));
        TreeNode {
            shares_socket: sockets.any(|socket| is_shared(&socket.id)),
            owner: owner.cloned(),
            is_target: targets.iter().any(|target| target.id() == process.id),
            process,
            depth,
            is_last,
        }
    };
    tree(&processes).into_iter().map(node).collect()
}

/// A process, the number of its ancestors, and whether it is the last of its siblings.
type Placed = (Arc<Process>, usize, bool);

fn tree(processes: &[Arc<Process>]) -> Vec<Placed> {
    let has_parent = |process: &Process| processes.iter().any(|one| is_parent(one, process));
    let mut nodes = Vec::new();
    for top in processes.iter().filter(|process| !has_parent(process)) {
        nodes.push((Arc::clone(top), 0, true));
        add_children(top, processes, 1, &mut nodes);
    }
    nodes
}

/// Adds the descendants of a process. Each is younger than its parent, so there is no cycle.
fn add_children(
    parent: &Process,
    processes: &[Arc<Process>],
    depth: usize,
    nodes: &mut Vec<Placed>,
) {
    let children = processes.iter().filter(|child| is_parent(parent, child));
    let mut children = children.peekable();
    while let Some(child) = children.next() {
        nodes.push((Arc::clone(child), depth, children.peek().is_none()));
        add_children(child, processes, depth + 1, nodes);
    }
}

fn is_parent(parent: &Process, child: &Process) -> bool {
    let age = |id: ProcessId| (id.start, id.pid);
    child.parent == Some(parent.pid()) && age(parent.id) < age(child.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::process;

    #[test]
    fn targets_form_a_tree_with_the_master_above_its_workers() {
        let processes = [
            process(10, "gunicorn").build(),
            process(11, "gunicorn").parent(10).build(),
            process(13, "sh").parent(11).build(),
            process(12, "gunicorn").parent(10).build(),
            process(40, "node").parent(1).build(),
        ];
        let nodes: Vec<(u32, usize, bool)> = tree(&processes)
            .iter()
            .map(|(process, depth, is_last)| (process.pid().0, *depth, *is_last))
            .collect();
        let expected = [
            (10, 0, true),
            (11, 1, false),
            (13, 2, true),
            (12, 1, true),
            (40, 0, true),
        ];
        assert_eq!(nodes, expected);
    }

    #[test]
    fn processes_that_name_each_other_as_parents_appear_once() {
        let circle = [
            process(10, "a").parent(11).build(),
            process(11, "b").parent(10).build(),
        ];
        assert_eq!(tree(&circle).len(), 2);
    }
}
