//! Who holds a port and who would be signalled, as a tree: a master above its workers.

use super::kill_plan::{KillPlan, PortOwner, TargetSet};
use crate::model::process::{Process, ProcessId};
use std::sync::Arc;

/// One process of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeNode {
    pub process: Arc<Process>,
    /// What it holds of the port; `None` for one that is only signalled along.
    pub owner: Option<PortOwner>,
    /// Whether it would be signalled.
    pub is_target: bool,
    /// The branch that leads to it, such as `│ └ `; empty at the top.
    pub branch: String,
}

impl KillPlan {
    /// Every holder, and whoever else would be signalled, each below its parent if that is one of them.
    pub fn target_tree(&self, targets: TargetSet) -> Vec<TreeNode> {
        let targets = self.targets(targets);
        let mut everyone: Vec<Arc<Process>> = self
            .owners
            .iter()
            .map(|owner| Arc::clone(&owner.process))
            .collect();
        for target in &targets {
            if !everyone.iter().any(|one| one.id == target.id()) {
                everyone.push(Arc::clone(&target.process));
            }
        }
        let member = |(process, branch): (Arc<Process>, String)| {
            let mut owners = self.owners.iter();
            TreeNode {
                owner: owners.find(|one| one.process.id == process.id).cloned(),
                is_target: targets.iter().any(|target| target.id() == process.id),
                process,
                branch,
            }
        };
        tree(&everyone).into_iter().map(member).collect()
    }
}

/// The processes in the order of a tree, each with its branch.
fn tree(everyone: &[Arc<Process>]) -> Vec<(Arc<Process>, String)> {
    let is_there = |process: &Process| everyone.iter().any(|one| is_parent(one, process));
    let mut lines = Vec::new();
    for top in everyone.iter().filter(|process| !is_there(process)) {
        lines.push((Arc::clone(top), String::new()));
        add_children(top, everyone, "", &mut lines);
    }
    lines
}

/// Hangs the children of a process below it. Each is younger than its parent, so that no circle can be.
fn add_children(
    parent: &Process,
    everyone: &[Arc<Process>],
    stem: &str,
    lines: &mut Vec<(Arc<Process>, String)>,
) {
    let children = everyone.iter().filter(|child| is_parent(parent, child));
    let children: Vec<&Arc<Process>> = children.collect();
    let last = children.last().map(|child| child.id);
    for child in children {
        let is_last = Some(child.id) == last;
        let (turn, on) = if is_last {
            ("└ ", "  ")
        } else {
            ("├ ", "│ ")
        };
        lines.push((Arc::clone(child), format!("{stem}{turn}")));
        add_children(child, everyone, &format!("{stem}{on}"), lines);
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
        let family = [
            process(10, "gunicorn").build(),
            process(11, "gunicorn").parent(10).build(),
            process(13, "sh").parent(11).build(),
            process(12, "gunicorn").parent(10).build(),
            process(40, "node").parent(1).build(),
        ];
        let lines = tree(&family);
        let drawn: Vec<String> = lines
            .iter()
            .map(|(process, branch)| format!("{branch}{process}"))
            .collect();
        let expected = [
            "gunicorn 10",
            "├ gunicorn 11",
            "│ └ sh 13",
            "└ gunicorn 12",
            "node 40",
        ];
        assert_eq!(drawn, expected);
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
