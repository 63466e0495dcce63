//! Process trees: ancestors, descendants, process group and supervisor of a process.

use super::reading::{ProcessLinks, all_links};
use super::{Processes, access, start_time};
use crate::model::port::Port;
use crate::model::process::{Pid, Process, ProcessId, ProcessTree, Restriction};
use crate::os::free::is_denied;
use crate::os::supervisors::{self, SupervisorLookup};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem;
use std::sync::Arc;

/// Init adopts every orphan, so it is not shown as an ancestor.
const INIT: Pid = Pid(1);

type Links = BTreeMap<Pid, ProcessLinks>;
type Children = HashMap<Pid, Vec<Pid>>;

/// The pids of a process tree.
struct RelatedPids {
    of: ProcessId,
    ancestors: Vec<Pid>,
    descendants: Vec<Pid>,
    group: Vec<Pid>,
}

impl RelatedPids {
    fn new(of: ProcessId, links: &Links, children: &Children) -> Self {
        Self {
            of,
            ancestors: ancestor_pids(of.pid, links),
            descendants: descendant_pids(of.pid, children),
            group: group_pids(of.pid, links),
        }
    }

    fn all(&self) -> impl Iterator<Item = Pid> {
        let relatives = self.ancestors.iter().chain(&self.descendants);
        let all = relatives.chain(&self.group).chain([&self.of.pid]);
        all.copied()
    }

    /// Returns what can be stopped with the process: itself, its ancestors and its group.
    fn targets(&self) -> BTreeSet<&Pid> {
        let others = self.ancestors.iter().chain(&self.group);
        others.chain([&self.of.pid]).collect()
    }
}

/// Builds the process tree of each of these processes that still is the same, by one walk over all processes. `port` is the
/// port that each was asked about.
pub fn process_trees(
    processes: &mut Processes,
    of: &[ProcessId],
    port: impl Fn(ProcessId) -> Option<Port>,
) -> Vec<ProcessTree> {
    let links = all_links();
    let children = children(&links);
    let related = of.iter().map(|id| RelatedPids::new(*id, &links, &children));
    let related: Vec<RelatedPids> = related.collect();
    let described = processes.describe(&related.iter().flat_map(RelatedPids::all).collect());
    let mut lookup = SupervisorLookup::begin();
    let trees = related.iter().filter_map(|related| {
        let process = described.get(&related.of.pid);
        let process = process.filter(|process| process.id == related.of)?;
        let described = |pid| described.get(pid).map(Arc::clone);
        let mut supervisor = supervisors::of(process);
        lookup.complete(&mut supervisor, process, port(related.of));
        Some(ProcessTree {
            process: related.of,
            ancestors: ancestors(process, related.ancestors.iter().map_while(described)),
            descendants: descendants(process, related.descendants.iter().filter_map(described)),
            process_state: start_time::process_state(related.of),
            group: group(process, related.group.iter().filter_map(described)),
            supervisor,
            restrictions: restrictions(related.targets().into_iter().filter_map(described)),
        })
    });
    trees.collect()
}

/// Returns the process, its parent and so on up to init.
pub fn self_pids(of: Pid) -> Vec<Pid> {
    // One process at a time, as a walk over all would delay the first screen.
    let mut ancestors = parents(of, |pid| start_time::stat(pid)?.parent);
    if ancestors.is_empty() {
        // Windows has parents only in its list of all processes.
        let links = all_links();
        ancestors = parents(of, |pid| links.get(&pid)?.parent);
    }
    ancestors.insert(0, of);
    ancestors
}

fn ancestor_pids(of: Pid, links: &Links) -> Vec<Pid> {
    let mut ancestors = parents(of, |pid| links.get(&pid)?.parent);
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
fn children(links: &Links) -> Children {
    let mut children = Children::new();
    for (child, link) in links {
        if let Some(parent) = link.parent {
            children.entry(parent).or_default().push(*child);
        }
    }
    children
}

/// Breadth first.
fn descendant_pids(of: Pid, children: &Children) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([of]);
    let mut generation = vec![of];
    while !generation.is_empty() {
        let next = generation.iter().filter_map(|pid| children.get(pid));
        generation = next
            .flatten()
            .copied()
            .filter(|pid| seen.insert(*pid))
            .collect();
        found.extend(&generation);
    }
    found
}

/// Returns the members of the process group, by pid.
fn group_pids(of: Pid, links: &Links) -> Vec<Pid> {
    let Some(group) = links.get(&of).and_then(|link| link.group) else {
        return Vec::new();
    };
    let members = links.iter().filter(|(_, link)| link.group == Some(group));
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

fn restrictions(of: impl Iterator<Item = Arc<Process>>) -> Vec<Restriction> {
    let restriction = |process: Arc<Process>| Restriction {
        process: process.id,
        no_fds: access::hides_fds(process.pid()),
        no_signal: is_denied(process.id),
    };
    of.map(restriction)
        .filter(|restriction| restriction.no_fds || restriction.no_signal)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::process;

    /// Processes with their parents, in group 7.
    fn links(pairs: &[(u32, u32)]) -> Links {
        let link = |(child, parent): &(u32, u32)| {
            let parent = Some(Pid(*parent));
            (
                Pid(*child),
                ProcessLinks {
                    parent,
                    group: Some(Pid(7)),
                },
            )
        };
        pairs.iter().map(link).collect()
    }

    #[test]
    fn ancestors_exclude_init_and_stop_at_loops() {
        let links = links(&[(40, 30), (30, 20), (20, 1), (7, 8), (8, 9), (9, 8)]);
        let ancestors = [40, 7, 1].map(|pid| ancestor_pids(Pid(pid), &links));
        assert_eq!(
            ancestors,
            [vec![Pid(30), Pid(20)], vec![Pid(8), Pid(9)], vec![]]
        );
    }

    #[test]
    fn a_group_lists_its_members_by_pid() {
        let mut links = links(&[(9, 1), (7, 1), (8, 1), (3, 1), (5, 1), (6, 1)]);
        for (pid, group) in [(8, Some(Pid(8))), (5, None), (6, None)] {
            links.get_mut(&Pid(pid)).expect("a link").group = group;
        }
        let groups = [9, 8, 5, 4].map(|pid| group_pids(Pid(pid), &links));
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
    fn descendants_are_breadth_first_and_stop_at_loops() {
        let children = children(&links(&[(5, 2), (3, 2), (9, 3), (4, 5), (2, 4), (6, 1)]));
        assert_eq!(descendant_pids(Pid(2), &children), [3, 5, 9, 4].map(Pid));
    }
}
