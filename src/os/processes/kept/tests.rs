use super::*;
use crate::model::process::Pid;
use crate::os::processes::tests::{child, describe};
use crate::os::testing::{until, waiting};

/// A child as it is once its exec is done, known by `processes`.
fn known(processes: &mut Processes, pid: Pid, name: &str) -> Arc<Process> {
    let is_whole = |found: &Arc<Process>| {
        found.name == name.into() && found.command.first() == Some(&name.into())
    };
    let ready = until(name, || describe(processes, pid).filter(is_whole));
    processes.known(ready.id).expect("a process that lives")
}

#[test]
fn what_is_known_was_read_once_and_stays_when_the_process_ended() {
    let child = child();
    let mut processes = Processes::new();
    let first = known(&mut processes, child.pid(), "sleep");
    drop(child);
    let second = processes.known(first.id).expect("what is kept");
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(processes.reread_next(), None);
    assert_eq!(processes.known(first.id), Some(first));
}

#[test]
fn an_exec_is_not_known_until_its_turn() {
    let (child, input) = waiting("read line; exec sleep 60");
    let mut processes = Processes::new();
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
fn a_process_that_is_about_to_end_keeps_its_description() {
    let (child, input) = waiting("read line");
    let mut processes = Processes::new();
    let before = known(&mut processes, child.pid(), "sh");
    drop(input);
    let has_lost = |found: &Arc<Process>| found.command.is_empty();
    until("its end", || {
        describe(&mut processes, child.pid()).filter(has_lost)
    });
    let told: Vec<Option<Arc<Process>>> = (0..8).map(|_| processes.reread_next()).collect();
    assert_eq!(told, vec![None; 8]);
    assert_eq!(processes.known(before.id), Some(before));
}

#[test]
fn every_process_has_its_turn_however_many_come() {
    let mut processes = Processes::new();
    let (child, input) = waiting("read line; exec sleep 60");
    let id = known(&mut processes, child.pid(), "sh").id;
    assert_eq!(processes.reread_next(), None);
    drop(input);
    until("sleep", || {
        describe(&mut processes, child.pid()).filter(|found| found.name == "sleep".into())
    });
    let own = describe(&mut processes, Pid(std::process::id())).expect("this process");
    let mark = read(own.id).expect("this process").mark;
    let found = until("a turn", || {
        for _ in 0..2 {
            processes.kept.keep(Arc::clone(&own), mark);
        }
        processes.reread_next()
    });
    assert_eq!(found.id, id);
}

#[test]
fn what_is_not_wanted_is_forgotten_and_has_no_turn() {
    let children = [child(), child(), child()];
    let mut processes = Processes::new();
    let [one, other, newcomer] = children
        .each_ref()
        .map(|child| known(&mut processes, child.pid(), "sleep").id);
    // The first, the first again and the second have their turns.
    let told: Vec<Option<Arc<Process>>> = (0..3).map(|_| processes.reread_next()).collect();
    assert_eq!(told, vec![None; 3]);
    processes.retain(|id| id == one);
    let kept = [one, other, newcomer].map(|id| processes.kept.get(id).is_some());
    assert_eq!(kept, [true, false, false]);
    let turns = [processes.kept.next(), processes.kept.next()];
    assert_eq!(turns, [Some(one), None]);
}
