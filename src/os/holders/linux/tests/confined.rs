//! What needs another user or another pid namespace.

use super::*;
use crate::os::testing::confined::{
    become_nobody, end, enter_namespace, identity, is_confined, sleep_in_the_place_of, sleep_on,
};

#[test]
fn processes_that_may_not_be_read_are_not_tried_again_and_again() {
    become_nobody("os::holders::linux::tests::confined::as_nobody");
}

#[test]
#[ignore = "only as another process, for the other tests"]
fn as_nobody() {
    if !is_confined() {
        return;
    }
    let (listener, inode) = listener();
    let mut follower = Follower::new();
    // No socket has the inode 1: the kernel gives it to /proc itself.
    follower.update(&[], &[inode, 1]);
    follower.settle(inode, &[own()]);
    let all = follower.holders.census.all();
    let denied = all.filter(|known| known.denied_until > 0).count();
    assert!(denied > 5, "{denied}");
    let before = follower.holders.proc.calls();
    // Searches every process that may be read.
    follower.check(&[1]);
    let calls = follower.holders.proc.calls() - before;
    let readable = follower.holders.readable().len();
    assert!(calls < readable * 200, "{calls} for {readable}");
    assert!(!follower.holders.readable().contains(&1));
    drop(listener);
}

#[test]
fn a_pid_that_was_given_away_again_is_another_process() {
    enter_namespace("os::holders::linux::tests::confined::in_a_namespace");
}

#[test]
#[ignore = "only as another process, for the other tests"]
fn in_a_namespace() {
    if !is_confined() {
        return;
    }
    for doors in [0, 100] {
        reuse_a_pid(doors);
    }
}

fn reuse_a_pid(doors: usize) {
    let (first, first_inode) = listener();
    let mut victim = sleep_on(first);
    let ended = identity(&victim);
    let pid = ended.pid.0;
    let mut follower = Follower::new();
    follower.holders.roster.allow(doors);
    follower.update(&[], &[first_inode]);
    follower.settle(first_inode, &[pid]);
    end(&mut victim);
    let (second, second_inode) = listener();
    let mut successor = sleep_in_the_place_of(ended, &second);
    drop(second);
    follower.update(&[], &[second_inode]);
    follower.settle(second_inode, &[pid]);
    follower.settle(first_inode, &[]);
    let known: Vec<ProcessId> = follower.known[&second_inode].iter().copied().collect();
    assert_eq!(known, [identity(&successor)]);
    end(&mut successor);
}
