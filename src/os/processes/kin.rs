//! Who started a process, and what it started.

use super::Processes;
use super::reading::parents;
use crate::model::inspection::Kin;
use crate::model::process::{Pid, Process, ProcessId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The first process adopts whoever lost a parent, so it is nobody's ancestor in any useful sense.
const FIRST: Pid = Pid(1);

type Parents = HashMap<Pid, Pid>;

impl Processes {
    /// The kin of each of these processes that still is what it was, by one walk over all processes.
    pub fn kin(&mut self, of: &[ProcessId]) -> Vec<Kin> {
        let parents = parents();
        let children = children(&parents);
        let families: Vec<(ProcessId, Vec<Pid>, Vec<Pid>)> = of
            .iter()
            .map(|id| {
                (
                    *id,
                    ancestors(id.pid, &parents),
                    descendants(id.pid, &children),
                )
            })
            .collect();
        let everyone: HashSet<Pid> = families
            .iter()
            .flat_map(|(id, up, down)| up.iter().chain(down).copied().chain([id.pid]))
            .collect();
        let described = self.describe(&everyone);
        families
            .into_iter()
            .filter(|(id, ..)| described.get(&id.pid).is_some_and(|found| found.id == *id))
            .map(|(process, up, down)| Kin {
                process,
                ancestors: chain(process, &up, &described),
                descendants: offspring(process, &down, &described),
                group: Vec::new(),
            })
            .collect()
    }
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
    let parents = parents();
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn descendants_are_children_before_grandchildren_and_end_at_loops() {
        let children = children(&tree(&[(5, 2), (3, 2), (9, 3), (4, 5), (2, 4), (6, 1)]));
        assert_eq!(descendants(Pid(2), &children), [3, 5, 9, 4].map(Pid));
    }
}
