//! Tests that need another user or another PID namespace.

use super::*;
use crate::os::testing::confined::{
    become_nobody, enter_namespace, is_confined, sleep_in_the_place_of,
};
use crate::os::testing::sleeper;

#[test]
fn unreadable_processes_are_not_retried_at_every_update() {
    become_nobody(as_nobody);
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn as_nobody() {
    if !is_confined() {
        return;
    }
    let (listener, inode) = listener();
    let mut fixture = ResolverFixture::new();
    // No socket has the inode 1: the kernel gives it to /proc itself.
    fixture.update(&[], &[inode, 1]);
    fixture.updates_until_owned(inode, &[own()]);
    let known = fixture.resolver.cache.pid_table.known.all();
    let denied = known.filter(|known| known.denied_until > 0).count();
    assert!(denied > 5, "{denied}");
    let first = fixture.resolver.cache.pid_table.known.get(1);
    assert_eq!(first.and_then(|first| first.denied_uid), Some(0));
    let before = fixture.resolver.cache.proc.calls();
    let report = fixture.resolver.search_report();
    assert_eq!(report, fixture.resolver.search_report());
    // What was denied is not asked again.
    assert_eq!(fixture.resolver.cache.proc.calls(), before);
    // Scans every readable process.
    fixture.check(&[1]);
    let cache = &fixture.resolver.cache;
    let calls = cache.proc.calls() - before;
    let readable: Vec<u32> = cache.readable().map(|known| known.pid).collect();
    let most = i64::try_from(readable.len() * 200).expect("few");
    assert!(calls < most, "{calls} for {readable:?}");
    assert!(!readable.contains(&1));
    drop(listener);
}

#[test]
fn a_reused_pid_is_another_process() {
    enter_namespace(in_a_namespace);
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn in_a_namespace() {
    if !is_confined() {
        return;
    }
    for open_handles in [0, 100] {
        reuse_a_pid(open_handles);
    }
}

fn reuse_a_pid(open_handles: usize) {
    let (first, first_inode) = listener();
    let mut victim = sleeper(first);
    let ended = victim.process_id();
    let pid = ended.pid.0;
    let mut fixture = ResolverFixture::new();
    fixture.resolver.cache.handles.max = Some(open_handles);
    fixture.update(&[], &[first_inode]);
    fixture.updates_until_owned(first_inode, &[pid]);
    victim.end();
    let (second, second_inode) = listener();
    let mut successor = sleep_in_the_place_of(ended, &second);
    drop(second);
    fixture.update(&[], &[second_inode]);
    fixture.updates_until_owned(second_inode, &[pid]);
    fixture.updates_until_owned(first_inode, &[]);
    let known: Vec<ProcessId> = fixture.known[&second_inode].iter().copied().collect();
    assert_eq!(known, [successor.process_id()]);
    successor.end();
}
