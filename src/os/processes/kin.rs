//! Who started a process, what it started, who is in its group, and what stands behind it.

use super::reading::{Standing, standings};
use super::{Processes, access};
use crate::model::freeing::Port;
use crate::model::inspection::{Kin, Restriction};
use crate::model::process::{Condition, Pid, Process, ProcessId};
use crate::os::identity;
use crate::os::provenance::{self, Inquiry};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The first process adopts whoever lost a parent, so it is nobody's ancestor in any useful sense.
const FIRST: Pid = Pid(1);

type Parents = HashMap<Pid, Pid>;

/// The pids that have to do with a process.
struct Family {
    of: ProcessId,
    up: Vec<Pid>,
    down: Vec<Pid>,
    group: Vec<Pid>,
}

impl Family {
    fn members(&self) -> impl Iterator<Item = Pid> {
        let others = self.up.iter().chain(&self.down).chain(&self.group);
        others.copied().chain([self.of.pid])
    }
}

impl Processes {
    /// The kin of each of these processes that still is what it was, by one walk over all processes, and what stands behind
    /// each; `port` being the one that each was asked about.
    pub fn kin(&mut self, of: &[ProcessId], port: impl Fn(ProcessId) -> Option<Port>) -> Vec<Kin> {
        let families = families(of, &standings());
        let everyone: HashSet<Pid> = families.iter().flat_map(Family::members).collect();
        let described = self.describe(&everyone);
        let restrictions = access::restrictions(described.values().map(|process| process.id));
        let mut inquiry = Inquiry::begin();
        let kin = families.into_iter().filter_map(|family| {
            let itself = described.get(&family.of.pid)?;
            let mut provenance = provenance::of(itself);
            inquiry.complete(&mut provenance, itself, port(family.of));
            (itself.id == family.of).then(|| Kin {
                process: family.of,
                condition: condition(family.of),
                ancestors: chain(family.of, &family.up, &described),
                descendants: offspring(family.of, &family.down, &described),
                group: companions(itself, &family.group, &described),
                restrictions: restrictions_of(&family, &restrictions),
                provenance,
            })
        });
        kin.collect()
    }
}

fn families(of: &[ProcessId], standings: &HashMap<Pid, Standing>) -> Vec<Family> {
    let parents = parents(standings);
    let children = children(&parents);
    of.iter()
        .map(|id| Family {
            of: *id,
            up: ancestors(id.pid, &parents),
            down: descendants(id.pid, &children),
            group: group(id.pid, standings),
        })
        .collect()
}

fn parents(standings: &HashMap<Pid, Standing>) -> Parents {
    let parents = standings.iter();
    parents
        .filter_map(|(pid, standing)| Some((*pid, standing.parent?)))
        .collect()
}

/// All that are in the process group of this one.
fn group(of: Pid, standings: &HashMap<Pid, Standing>) -> Vec<Pid> {
    let group_of = |pid: Pid| standings.get(&pid).and_then(|standing| standing.group);
    let Some(group) = group_of(of) else {
        return Vec::new();
    };
    let is_in = |pid: &&Pid| group_of(**pid) == Some(group);
    let mut pids: Vec<Pid> = standings.keys().filter(is_in).copied().collect();
    pids.sort_unstable();
    pids
}

/// Only of the very process, not of another one that has its pid by now.
fn condition(of: ProcessId) -> Option<Condition> {
    let stat = identity::stat(of.pid).filter(|stat| stat.start == of.start)?;
    stat.state.and_then(Condition::of)
}

/// The process itself, its parent and so on, the first process of the system last.
pub fn lineage(of: Pid) -> Vec<Pid> {
    let mut line = vec![of];
    line.extend(ancestors_with_first(of, single_parent()));
    line
}

/// Asks for one process at a time, because a walk over all would delay the first screen.
#[cfg(unix)]
fn single_parent() -> impl Fn(Pid) -> Option<Pid> {
    |pid| crate::os::identity::stat(pid)?.parent
}

/// Windows tells parents only in its list of all processes.
#[cfg(windows)]
fn single_parent() -> impl Fn(Pid) -> Option<Pid> {
    let parents = parents(&standings());
    move |pid| parents.get(&pid).copied()
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

fn ancestors(of: Pid, parents: &Parents) -> Vec<Pid> {
    let mut line = ancestors_with_first(of, |pid| parents.get(&pid).copied());
    line.retain(|pid| *pid != FIRST);
    line
}

/// Stops at a loop, which pids given away again can make where a parent's end leaves its number behind (Windows).
fn ancestors_with_first(of: Pid, parent: impl Fn(Pid) -> Option<Pid>) -> Vec<Pid> {
    let mut line = Vec::new();
    let mut at = of;
    while let Some(parent) = parent(at) {
        if parent == of || line.contains(&parent) {
            break;
        }
        line.push(parent);
        at = parent;
    }
    line
}

/// Breadth first, so that children come before their children.
fn descendants(of: Pid, children: &HashMap<Pid, Vec<Pid>>) -> Vec<Pid> {
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

/// The ancestors as far as they are certain: a parent that started after its child only got the true parent's pid.
fn chain(of: ProcessId, up: &[Pid], described: &HashMap<Pid, Arc<Process>>) -> Vec<Arc<Process>> {
    let mut child = of;
    let mut chain = Vec::new();
    for parent in up.iter().map_while(|pid| described.get(pid)) {
        if parent.id.start > child.start {
            break;
        }
        child = parent.id;
        chain.push(Arc::clone(parent));
    }
    chain
}

/// The descendants that did not start before the process: one that did only names the pid of a parent that ended.
fn offspring(
    of: ProcessId,
    down: &[Pid],
    described: &HashMap<Pid, Arc<Process>>,
) -> Vec<Arc<Process>> {
    down.iter()
        .filter_map(|pid| described.get(pid))
        .filter(|process| process.id.start >= of.start)
        .map(Arc::clone)
        .collect()
}

/// Those of the group that still are in it: a process may leave it, and another one get the pid of one that ended.
fn companions(
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

/// Those of the processes that may be ended for this one: itself, its ancestors and its group.
fn restrictions_of(family: &Family, all: &[Restriction]) -> Vec<Restriction> {
    let may_be_ended: HashSet<Pid> = family.up.iter().chain(&family.group).copied().collect();
    let is_meant = |pid: Pid| pid == family.of.pid || may_be_ended.contains(&pid);
    let all = all.iter().filter(|one| is_meant(one.process.pid));
    all.copied().collect()
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
    fn ancestors_end_before_the_first_process_and_at_loops() {
        let parents = tree(&[(40, 30), (30, 20), (20, 1), (7, 8), (8, 9), (9, 8)]);
        assert_eq!(ancestors(Pid(40), &parents), [Pid(30), Pid(20)]);
        assert_eq!(ancestors(Pid(7), &parents), [Pid(8), Pid(9)]);
        assert_eq!(ancestors(Pid(1), &parents), []);
    }

    #[test]
    fn a_group_is_all_that_are_in_it_by_pid() {
        let standing = |(pid, group): (u32, Option<u32>)| {
            let standing = Standing {
                parent: Some(Pid(1)),
                group: group.map(Pid),
            };
            (Pid(pid), standing)
        };
        let pairs = [
            (9, Some(7)),
            (7, Some(7)),
            (8, Some(8)),
            (3, Some(7)),
            (5, None),
            (6, None),
        ];
        let standings = pairs.into_iter().map(standing).collect();
        let groups = [9, 8, 5, 4].map(|pid| group(Pid(pid), &standings));
        assert_eq!(
            groups,
            [vec![Pid(3), Pid(7), Pid(9)], vec![Pid(8)], vec![], vec![]]
        );
    }

    #[test]
    fn whoever_left_the_group_is_no_companion() {
        let member = |pid, group: u32| process(pid, "sh").with(|it| it.group = Some(Pid(group)));
        let [own, other, gone] =
            [(3, 3), (4, 3), (5, 5)].map(|(pid, group)| member(pid, group).build());
        let described = [&own, &other, &gone].map(|one| (one.pid(), Arc::clone(one)));
        let found = companions(&own, &[3, 4, 5, 6].map(Pid), &described.into());
        assert_eq!(found, [own, other]);
    }

    #[test]
    fn descendants_are_children_before_grandchildren_and_end_at_loops() {
        let children = children(&tree(&[(5, 2), (3, 2), (9, 3), (4, 5), (2, 4), (6, 1)]));
        assert_eq!(descendants(Pid(2), &children), [3, 5, 9, 4].map(Pid));
    }
}
