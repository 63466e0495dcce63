//! Process trees: ancestors, descendants, process group and supervisor of a process.

use super::reading::{ProcessLinks, all_links};
use super::{Processes, access, start_time};
use crate::model::port::Port;
use crate::model::process::{Pid, Process, ProcessId, ProcessTree, Restriction};
use crate::os::supervisors::{self, SupervisorLookup};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Init adopts every orphan, so it is not shown as an ancestor.
const INIT: Pid = Pid(1);

type Parents = HashMap<Pid, Pid>;

/// The pids of a process tree.
struct RelatedPids {
    of: ProcessId,
    ancestors: Vec<Pid>,
    descendants: Vec<Pid>,
    group: Vec<Pid>,
}

impl RelatedPids {
    fn members(&self) -> impl Iterator<Item = Pid> {
        let others = self
            .ancestors
            .iter()
            .chain(&self.descendants)
            .chain(&self.group);
        others.copied().chain([self.of.pid])
    }
}

/// Builds the process tree of each of these processes that still is the same, by one walk over all processes. `port` is the
/// port that each was asked about.
pub fn process_trees(
    processes: &mut Processes,
    of: &[ProcessId],
    port: impl Fn(ProcessId) -> Option<Port>,
) -> Vec<ProcessTree> {
    let all_related = related_pids(of, &all_links());
    let all_pids: HashSet<Pid> = all_related.iter().flat_map(RelatedPids::members).collect();
    let described = processes.describe(&all_pids);
    let restrictions = access::restrictions(described.values().map(|process| process.id));
    let mut lookup = SupervisorLookup::begin();
    let trees = all_related.into_iter().filter_map(|related| {
        let process = described.get(&related.of.pid);
        let process = process.filter(|process| process.id == related.of)?;
        let mut supervisor = supervisors::of(process);
        lookup.complete(&mut supervisor, process, port(related.of));
        Some(ProcessTree {
            process: related.of,
            process_state: start_time::process_state(related.of),
            ancestors: ancestors(related.of, &related.ancestors, &described),
            descendants: descendants(related.of, &related.descendants, &described),
            group: group_members(process, &related.group, &described),
            restrictions: restrictions_of(&related, &restrictions),
            supervisor,
        })
    });
    trees.collect()
}

fn related_pids(of: &[ProcessId], links: &HashMap<Pid, ProcessLinks>) -> Vec<RelatedPids> {
    let parents = parents(links);
    let children = children(&parents);
    of.iter()
        .map(|id| RelatedPids {
            of: *id,
            ancestors: ancestor_pids(id.pid, &parents),
            descendants: descendant_pids(id.pid, &children),
            group: group_pids(id.pid, links),
        })
        .collect()
}

fn parents(links: &HashMap<Pid, ProcessLinks>) -> Parents {
    links
        .iter()
        .filter_map(|(pid, link)| Some((*pid, link.parent?)))
        .collect()
}

/// Returns the members of the process group, sorted.
fn group_pids(of: Pid, links: &HashMap<Pid, ProcessLinks>) -> Vec<Pid> {
    let group_of = |pid: Pid| links.get(&pid).and_then(|link| link.group);
    let Some(group) = group_of(of) else {
        return Vec::new();
    };
    let is_in = |pid: &&Pid| group_of(**pid) == Some(group);
    let mut pids: Vec<Pid> = links.keys().filter(is_in).copied().collect();
    pids.sort_unstable();
    pids
}

/// Returns the process, its parent and so on up to init.
pub fn self_pids(of: Pid) -> Vec<Pid> {
    // One process at a time, as a walk over all would delay the first screen.
    let mut ancestors = ancestors_with_init(of, |pid| start_time::stat(pid)?.parent);
    if ancestors.is_empty() {
        // Windows has parents only in its list of all processes.
        let parents = parents(&all_links());
        ancestors = ancestors_with_init(of, |pid| parents.get(&pid).copied());
    }
    ancestors.insert(0, of);
    ancestors
}

fn children(parents: &Parents) -> HashMap<Pid, Vec<Pid>> {
    let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for (child, parent) in parents {
        children.entry(*parent).or_default().push(*child);
    }
    for list in children.values_mut() {
        list.sort_unstable();
    }
    children
}

fn ancestor_pids(of: Pid, parents: &Parents) -> Vec<Pid> {
    let mut ancestors = ancestors_with_init(of, |pid| parents.get(&pid).copied());
    ancestors.retain(|pid| *pid != INIT);
    ancestors
}

/// Stops at a loop, which reused pids can form where a process keeps the pid of a parent that has ended (Windows).
fn ancestors_with_init(of: Pid, parent: impl Fn(Pid) -> Option<Pid>) -> Vec<Pid> {
    let mut ancestors = Vec::new();
    let mut child = of;
    while let Some(parent) = parent(child) {
        if parent == of || ancestors.contains(&parent) {
            break;
        }
        ancestors.push(parent);
        child = parent;
    }
    ancestors
}

/// Breadth first.
fn descendant_pids(of: Pid, children: &HashMap<Pid, Vec<Pid>>) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([of]);
    let mut generation = vec![of];
    while !generation.is_empty() {
        generation = generation
            .iter()
            .filter_map(|pid| children.get(pid))
            .flatten()
            .copied()
            .filter(|pid| seen.insert(*pid))
            .collect();
        found.extend(&generation);
    }
    found
}

/// Returns the ancestors as far as they are certain: a parent that started after its child only reused the true parent's
/// pid.
fn ancestors(
    of: ProcessId,
    pids: &[Pid],
    described: &HashMap<Pid, Arc<Process>>,
) -> Vec<Arc<Process>> {
    let mut child = of;
    let mut chain = Vec::new();
    for parent in pids.iter().map_while(|pid| described.get(pid)) {
        if parent.id.start > child.start {
            break;
        }
        child = parent.id;
        chain.push(Arc::clone(parent));
    }
    chain
}

/// Returns the descendants, without those that started before the process: their parent has ended and its pid was reused.
fn descendants(
    of: ProcessId,
    pids: &[Pid],
    described: &HashMap<Pid, Arc<Process>>,
) -> Vec<Arc<Process>> {
    pids.iter()
        .filter_map(|pid| described.get(pid))
        .filter(|process| process.id.start >= of.start)
        .map(Arc::clone)
        .collect()
}

/// Returns the members that are still in the group: a process may have left it, and a pid may have been reused.
fn group_members(
    of: &Process,
    group: &[Pid],
    described: &HashMap<Pid, Arc<Process>>,
) -> Vec<Arc<Process>> {
    group
        .iter()
        .filter_map(|pid| described.get(pid))
        .filter(|process| process.group.is_some() && process.group == of.group)
        .map(Arc::clone)
        .collect()
}

/// Returns the restrictions of the processes that can be stopped with this one: itself, its ancestors and its group.
fn restrictions_of(related: &RelatedPids, all: &[Restriction]) -> Vec<Restriction> {
    let others = related.ancestors.iter().chain(&related.group);
    let targets: HashSet<Pid> = others.copied().chain([related.of.pid]).collect();
    let all = all.iter().copied();
    all.filter(|restriction| targets.contains(&restriction.process.pid))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::process;

    fn tree(pairs: &[(u32, u32)]) -> Parents {
        pairs
            .iter()
            .map(|(child, parent)| (Pid(*child), Pid(*parent)))
            .collect()
    }

    #[test]
    fn ancestors_exclude_init_and_stop_at_loops() {
        let parents = tree(&[(40, 30), (30, 20), (20, 1), (7, 8), (8, 9), (9, 8)]);
        assert_eq!(ancestor_pids(Pid(40), &parents), [Pid(30), Pid(20)]);
        assert_eq!(ancestor_pids(Pid(7), &parents), [Pid(8), Pid(9)]);
        assert_eq!(ancestor_pids(Pid(1), &parents), []);
    }

    #[test]
    fn a_group_lists_its_members_by_pid() {
        let link = |(pid, group): (u32, Option<u32>)| {
            let link = ProcessLinks {
                parent: Some(Pid(1)),
                group: group.map(Pid),
            };
            (Pid(pid), link)
        };
        let pairs = [
            (9, Some(7)),
            (7, Some(7)),
            (8, Some(8)),
            (3, Some(7)),
            (5, None),
            (6, None),
        ];
        let links = pairs.into_iter().map(link).collect();
        let groups = [9, 8, 5, 4].map(|pid| group_pids(Pid(pid), &links));
        assert_eq!(
            groups,
            [vec![Pid(3), Pid(7), Pid(9)], vec![Pid(8)], vec![], vec![]]
        );
    }

    #[test]
    fn a_process_that_left_the_group_is_no_member() {
        let member = |pid, group: u32| process(pid, "sh").with(|it| it.group = Some(Pid(group)));
        let [own, other, gone] =
            [(3, 3), (4, 3), (5, 5)].map(|(pid, group)| member(pid, group).build());
        let described = [&own, &other, &gone].map(|one| (one.pid(), Arc::clone(one)));
        let found = group_members(&own, &[3, 4, 5, 6].map(Pid), &described.into());
        assert_eq!(found, [own, other]);
    }

    #[test]
    fn descendants_are_breadth_first_and_stop_at_loops() {
        let children = children(&tree(&[(5, 2), (3, 2), (9, 3), (4, 5), (2, 4), (6, 1)]));
        assert_eq!(descendant_pids(Pid(2), &children), [3, 5, 9, 4].map(Pid));
    }
}
