#![cfg(target_os = "linux")]

use super::*;
use crate::model::process::Pid;
use crate::os::processes::tests::{child, describe};
use crate::os::testing::{until, waiting};

/// Waits until the exec of a child is done, and caches the child.
fn known(processes: &mut Processes, pid: Pid, name: &str) -> Arc<Process> {
    let is_whole = |found: &Arc<Process>| {
        found.name == name.into() && found.command.first() == Some(&name.into())
    };
    let ready = until(name, || describe(processes, pid).filter(is_whole));
    processes.known(ready.id).expect("a process that lives")
}

#[test]
fn a_cached_description_survives_the_exit() {
    let child = child();
    let mut processes = Processes::default();
    let first = known(&mut processes, child.pid(), "sleep");
    drop(child);
    let second = processes.known(first.id).expect("what is kept");
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(processes.reread_next(), None);
    assert_eq!(processes.known(first.id), Some(first));
}

#[test]
fn an_exec_is_noticed_when_the_process_is_reread() {
    let (child, input) = waiting("read line; exec sleep 60");
    let mut processes = Processes::default();
    let before = known(&mut processes, child.pid(), "sh");
    assert_eq!(processes.reread_next(), None);
    drop(input);
    until("sleep", || {
        describe(&mut processes, child.pid()).filter(|found| found.name == "sleep".into())
    });
    assert_eq!(processes.known(before.id), Some(Arc::clone(&before)));
    let is_whole = |found: &Arc<Process>| !found.command.is_empty();
    let after = until("its turn", || processes.reread_next().filter(is_whole));
    assert_eq!((after.id, &after.name), (before.id, &"sleep".into()));
    let now = processes.known(before.id).expect("what is kept");
    assert!(Arc::ptr_eq(&now, &after));
}

#[test]
fn an_exiting_process_keeps_its_description() {
    let (child, input) = waiting("read line");
    let mut processes = Processes::default();
    let before = known(&mut processes, child.pid(), "sh");
    drop(input);
    let has_lost = |found: &Arc<Process>| found.command.is_empty();
    until("its end", || {
        describe(&mut processes, child.pid()).filter(has_lost)
    });
    let reported: Vec<Option<Arc<Process>>> = (0..8).map(|_| processes.reread_next()).collect();
    assert_eq!(reported, vec![None; 8]);
    assert_eq!(processes.known(before.id), Some(before));
}

#[test]
fn every_process_is_reread_despite_newcomers() {
    let mut processes = Processes::default();
    let (child, input) = waiting("read line; exec sleep 60");
    let id = known(&mut processes, child.pid(), "sh").id;
    assert_eq!(processes.reread_next(), None);
    drop(input);
    until("sleep", || {
        describe(&mut processes, child.pid()).filter(|found| found.name == "sleep".into())
    });
    let own = describe(&mut processes, Pid(std::process::id())).expect("this process");
    let fingerprint = read(own.id).expect("this process").fingerprint;
    let found = until("a turn", || {
        for _ in 0..2 {
            processes.cache.insert(&own, fingerprint);
        }
        processes.reread_next()
    });
    assert_eq!(found.id, id);
}

#[test]
fn dropped_processes_are_not_reread() {
    let children = [child(), child(), child()];
    let mut processes = Processes::default();
    let [one, other, newcomer] = children
        .each_ref()
        .map(|child| known(&mut processes, child.pid(), "sleep").id);
    // The turns are those of the first, the first again and the second.
    let reported: Vec<Option<Arc<Process>>> = (0..3).map(|_| processes.reread_next()).collect();
    assert_eq!(reported, vec![None; 3]);
    processes.retain(|id| id == one);
    let cache = [one, other, newcomer].map(|id| processes.cache.get(id).is_some());
    assert_eq!(cache, [true, false, false]);
    let turns = [processes.cache.next(), processes.cache.next()];
    assert_eq!(turns, [Some(one), None]);
}
