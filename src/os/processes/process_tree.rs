//! Process trees: ancestors, descendants, process group and supervisor of a process.

use super::reading::all_stats;
use super::run_state::run_states;
use super::stat::{self, ProcessStat};
use super::{Processes, access};
use crate::model::port::Port;
use crate::model::process::{Pid, Process, ProcessId, ProcessTree, Restriction, SIGNALS, Signal};
use crate::os::free::{is_denied, signal_state};
use crate::os::supervisors::{self, SupervisorLookup};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::mem;
use std::sync::Arc;

/// Init adopts every orphan, so it is not shown as an ancestor.
const INIT: Pid = Pid(1);

type Stats = BTreeMap<Pid, ProcessStat>;
type Children = HashMap<Pid, Vec<Pid>>;

/// The pids of a process tree.
struct RelatedPids {
    of: ProcessId,
    ancestors: Vec<Pid>,
    descendants: Vec<Pid>,
    group: Vec<Pid>,
}

/// Builds the process tree of each of these processes that still is the same, by one walk over all processes. `port` is the
/// port that each was asked about.
pub fn process_trees(
    processes: &mut Processes,
    of: &[ProcessId],
    port: impl Fn(ProcessId) -> Option<Port>,
) -> Vec<ProcessTree> {
    let stats = all_stats();
    let children = children(&stats);
    let related = of.iter().map(|id| RelatedPids {
        of: *id,
        ancestors: ancestor_pids(id.pid, &stats),
        descendants: descendant_pids(id.pid, &children),
        group: group_pids(id.pid, &stats),
    });
    let related: Vec<RelatedPids> = related.collect();
    let pids = related.iter().flat_map(|one| {
        let itself = [one.of.pid];
        [&itself[..], &one.ancestors, &one.descendants, &one.group].concat()
    });
    let described = processes.describe(&pids.chain([INIT]).collect());
    let mut lookup = SupervisorLookup::begin();
    let trees = related.iter().filter_map(|related| {
        let process = described.get(&related.of.pid);
        let process = process.filter(|process| process.id == related.of)?;
        let described = |pid| described.get(pid).map(Arc::clone);
        let mut supervisor = supervisors::of(process);
        lookup.complete(&mut supervisor, process, port(process.id));
        let ancestors = ancestors(process, related.ancestors.iter().map_while(described));
        let group = group(process, related.group.iter().filter_map(described));
        Some(ProcessTree {
            process: process.id,
            restrictions: Vec::new(),
            run_states: Vec::new(),
            ancestors,
            descendants: descendants(process, related.descendants.iter().filter_map(described)),
            init: described(&INIT),
            group,
            supervisor,
        })
    });
    let mut trees: Vec<ProcessTree> = trees.collect();
    restrict(&mut trees, |process| Restriction {
        process,
        no_fds: access::hides_fds(process.pid),
        no_signal: is_denied(process),
    });
    add_run_states(&mut trees);
    trees
}

/// Returns the process, its parent and so on up to init.
pub fn self_pids(of: Pid) -> Vec<Pid> {
    // One process at a time, as a walk over all would delay the first screen.
    let mut ancestors = parents(of, |pid| stat::read(pid)?.parent);
    if ancestors.is_empty() {
        // Windows has parents only in its list of all processes.
        let stats = all_stats();
        ancestors = parents(of, |pid| stats.get(&pid)?.parent);
    }
    ancestors.insert(0, of);
    ancestors
}

fn ancestor_pids(of: Pid, stats: &Stats) -> Vec<Pid> {
    let mut ancestors = parents(of, |pid| stats.get(&pid)?.parent);
    ancestors.retain(|pid| *pid != INIT);
    ancestors
}

/// Returns the parent, its parent and so on. Stops at a loop, which reused pids can form where a process keeps the pid of a
/// parent that has ended (Windows).
fn parents(of: Pid, parent: impl Fn(Pid) -> Option<Pid>) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut child = of;
    while let Some(parent) = parent(child).filter(|pid| *pid != of && !found.contains(pid)) {
        found.push(parent);
        child = parent;
    }
    found
}

/// Returns the children of each parent, by pid.
fn children(stats: &Stats) -> Children {
    let mut children = Children::new();
    for (child, stat) in stats {
        if let Some(parent) = stat.parent {
            children.entry(parent).or_default().push(*child);
        }
    }
    children
}

/// Breadth first.
fn descendant_pids(of: Pid, children: &Children) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([of]);
    let mut queue = VecDeque::from([of]);
    while let Some(parent) = queue.pop_front() {
        let children = children.get(&parent).into_iter().flatten();
        let unseen: Vec<Pid> = children.copied().filter(|pid| seen.insert(*pid)).collect();
        found.extend(&unseen);
        queue.extend(unseen);
    }
    found
}

/// Returns the members of the process group, by pid.
fn group_pids(of: Pid, stats: &Stats) -> Vec<Pid> {
    let Some(group) = stats.get(&of).and_then(|stat| stat.group) else {
        return Vec::new();
    };
    let members = stats.iter().filter(|(_, stat)| stat.group == Some(group));
    members.map(|(pid, _)| *pid).collect()
}

/// Returns the ancestors up to one that started after its child: it has only reused the pid of the parent.
fn ancestors(of: &Process, found: impl Iterator<Item = Arc<Process>>) -> Vec<Arc<Process>> {
    let mut child = of.id.start;
    found
        .take_while(|parent| parent.id.start <= mem::replace(&mut child, parent.id.start))
        .collect()
}

/// Returns the descendants without those that started before the process: it has only reused the pid of their parent.
fn descendants(of: &Process, found: impl Iterator<Item = Arc<Process>>) -> Vec<Arc<Process>> {
    found
        .filter(|process| process.id.start >= of.id.start)
        .collect()
}

/// Returns the members that are still in the group: a process may have left it, and a pid may have been reused.
fn group(of: &Process, found: impl Iterator<Item = Arc<Process>>) -> Vec<Arc<Process>> {
    found
        .filter(|process| process.group.is_some() && process.group == of.group)
        .collect()
}

/// Sets the restrictions of the processes that can be stopped with each tree. Trees share ancestors and groups, so each
/// process is tried once for all of them.
fn restrict(trees: &mut [ProcessTree], restriction: impl FnMut(ProcessId) -> Restriction) {
    let all = stoppable_with_any(trees).into_iter();
    let mut found: Vec<Restriction> = all.map(restriction).collect();
    found.retain(|one| one.no_fds || one.no_signal);
    for tree in trees {
        let own = stoppable_with(tree);
        let restrictions = found.iter().filter(|one| own.contains(&one.process));
        tree.restrictions = restrictions.copied().collect();
    }
}

/// Sets the run states of the same processes.
fn add_run_states(trees: &mut [ProcessTree]) {
    let mut found = run_states(stoppable_with_any(trees));
    for one in found.iter_mut().filter(|one| one.is_namespace_init) {
        let drops = |signal: &Signal| {
            let state = signal_state(one.process.pid, *signal);
            state.is_some_and(|state| state.is_dropped())
        };
        one.drops = SIGNALS.iter().copied().filter(drops).collect();
    }
    for tree in trees {
        let own = stoppable_with(tree);
        let states = found.iter().filter(|one| own.contains(&one.process));
        tree.run_states = states.cloned().collect();
    }
}

fn stoppable_with_any(trees: &[ProcessTree]) -> BTreeSet<ProcessId> {
    trees.iter().flat_map(stoppable_with).collect()
}

/// Returns the process, its ancestors and its group.
fn stoppable_with(tree: &ProcessTree) -> BTreeSet<ProcessId> {
    let related = tree.ancestors.iter().chain(&tree.group).map(|one| one.id);
    related.chain([tree.process]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{process, process_tree};

    /// Processes with their parents, in group 7.
    fn stats<const N: usize>(pairs: [(u32, u32); N]) -> Stats {
        let stat = |parent| ProcessStat {
            parent: Some(Pid(parent)),
            group: Some(Pid(7)),
            ..ProcessStat::default()
        };
        let stats = pairs.map(|(child, parent)| (Pid(child), stat(parent)));
        stats.into()
    }

    #[test]
    fn ancestors_exclude_init_and_stop_at_loops() {
        let stats = stats([(40, 30), (30, 20), (20, 1), (7, 8), (8, 9), (9, 8)]);
        let ancestors = [40, 7, 1].map(|pid| ancestor_pids(Pid(pid), &stats));
        assert_eq!(
            ancestors,
            [vec![Pid(30), Pid(20)], vec![Pid(8), Pid(9)], vec![]]
        );
    }

    #[test]
    fn a_group_lists_its_members_by_pid() {
        let mut stats = stats([(9, 1), (7, 1), (8, 1), (3, 1), (5, 1), (6, 1)]);
        for (pid, group) in [(8, Some(Pid(8))), (5, None), (6, None)] {
            stats.get_mut(&Pid(pid)).expect("a link").group = group;
        }
        let groups = [9, 8, 5, 4].map(|pid| group_pids(Pid(pid), &stats));
        let expected = [vec![Pid(3), Pid(7), Pid(9)], vec![Pid(8)], vec![], vec![]];
        assert_eq!(groups, expected);
    }

    #[test]
    fn a_process_that_left_the_group_is_no_member() {
        let members = [(3, 3), (4, 3), (5, 5)].map(|(pid, group): (u32, u32)| {
            process(pid, "sh")
                .with(|it| it.group = Some(Pid(group)))
                .build()
        });
        let found = group(&members[0], members.iter().cloned());
        assert_eq!(found, members[..2]);
    }

    #[test]
    fn each_process_is_tried_once_for_all_trees() {
        let [shell, one, two, child] = [3, 4, 5, 6].map(|pid| process(pid, "node").build());
        let tree = |of: &Arc<Process>, group: &[&Arc<Process>]| ProcessTree {
            ancestors: vec![Arc::clone(&shell)],
            descendants: vec![Arc::clone(&child)],
            group: group.iter().copied().map(Arc::clone).collect(),
            ..process_tree(of.id)
        };
        let mut trees = [tree(&one, &[&one, &two]), tree(&two, &[])];
        let mut tried = Vec::new();
        restrict(&mut trees, |process| {
            tried.push(process);
            Restriction {
                process,
                no_fds: false,
                no_signal: process != two.id,
            }
        });
        assert_eq!(tried, [shell.id, one.id, two.id]);
        let restricted = trees.map(|tree| {
            let restrictions = tree.restrictions.into_iter();
            restrictions.map(|one| one.process).collect::<Vec<_>>()
        });
        assert_eq!(restricted, [vec![shell.id, one.id], vec![shell.id]]);
    }

    #[test]
    fn descendants_are_breadth_first_and_stop_at_loops() {
        let children = children(&stats([(5, 2), (3, 2), (9, 3), (4, 5), (2, 4), (6, 1)]));
        assert_eq!(descendant_pids(Pid(2), &children), [3, 5, 9, 4].map(Pid));
    }
}
