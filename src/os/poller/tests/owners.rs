//! The owners in the rows are those that a full scan of `/proc` finds, whatever processes do.
//!
//! A child of another test may own a socket between its fork and its exec. So if this process owns the socket too, both are
//! read until they agree.

use super::*;
use crate::os::testing::confined::{
    become_nobody, enter_namespace, is_confined, sleep_in_the_place_of,
};
use crate::os::testing::helper_process::HelperProcess;
use crate::os::testing::{Pids, inode, owners_in_proc, sleeper};
use std::fs;

/// Owners of these sockets in the rows; none without a row.
fn owners_of(poller: &SocketPoller, inodes: &[u32]) -> Vec<Pids> {
    let owners = |inode: &u32| {
        let rows = poller.tracker.each();
        let mut rows = rows.filter(|(_, socket, _)| socket.owner_hint == OwnerHint::new(*inode));
        let owners = rows.next().map(|(_, _, owners)| owners.known());
        let pids = owners.into_iter().flatten().map(|owner| owner.pid().0);
        pids.collect()
    };
    inodes.iter().map(owners).collect()
}

/// Polls until rows and `/proc` agree that these processes own each socket; returns the number of polls.
fn polls_until_owned(poller: &mut SocketPoller, inodes: &[u32], pids: &[u32]) -> usize {
    let expected = all_owned_by(inodes, pids);
    let mut polls = 0;
    until(&format!("{pids:?} own {inodes:?}"), || {
        polls += 1;
        poller.poll();
        let both = [owners_of(poller, inodes), owners_in_proc(inodes)];
        both.iter()
            .all(|owners| *owners == expected)
            .then_some(polls)
    })
}

/// The same for one socket, within the polls of a round.
fn is_owned_within_a_round(poller: &mut SocketPoller, inode: u32, pids: &[u32]) {
    let polls = polls_until_owned(poller, &[inode], pids);
    assert!(polls <= polls_per_round(), "{polls}");
}

/// Rows and `/proc` agree that these processes own each socket.
fn are_owned(poller: &SocketPoller, inodes: &[u32], pids: &[u32]) {
    let expected = all_owned_by(inodes, pids);
    let both = (owners_of(poller, inodes), owners_in_proc(inodes));
    assert_eq!(both, (expected.clone(), expected));
}

/// Polls in which every process is verified, while other tests change some.
fn polls_per_round() -> usize {
    let all = fs::read_dir("/proc").expect("/proc").flatten();
    let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let processes = all.filter(|entry| entry.file_name().to_str().is_some_and(is_process));
    processes.count() / 2 + 60
}

fn all_owned_by(inodes: &[u32], pids: &[u32]) -> Vec<Pids> {
    vec![pids.iter().copied().collect(); inodes.len()]
}

fn listener() -> (TcpListener, SocketAddr, u32) {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let inode = inode(&listener);
    (listener, local, inode)
}

/// A poller after its first poll.
fn polled() -> SocketPoller {
    let mut poller = poller();
    poller.poll();
    poller
}

#[test]
fn both_ends_of_new_connections_have_owners_after_one_poll() {
    let mut poller = polled();
    let mut helper = HelperProcess::new();
    let (listener, local, _) = listener();
    let (mut clients, mut servers) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let opened = helper.connect(local, 50);
        servers.extend(
            opened
                .iter()
                .map(|_| listener.accept().expect("one comes").0),
        );
        clients.extend(opened);
        poller.poll();
        // No other process can own the clients: nothing forks the helper.
        are_owned(&poller, &clients, &[helper.pid()]);
        let (closed, kept) = clients.split_at(30);
        helper.close(closed);
        servers.drain(..30);
        clients = kept.to_vec();
    }
    let servers: Vec<u32> = servers.iter().map(inode).collect();
    polls_until_owned(&mut poller, &servers, &[own().0]);
    assert_eq!((clients.len(), servers.len()), (80, 80));
}

#[test]
fn churned_sockets_of_a_process_have_owners_after_one_poll() {
    let mut poller = polled();
    let mut helper = HelperProcess::new();
    let mut sockets = helper.open(200);
    for _ in 0..5 {
        poller.poll();
        assert_eq!(owners_of(&poller, &sockets), owners_in_proc(&sockets));
        let closed: Vec<u32> = sockets.iter().step_by(2).copied().collect();
        helper.close(&closed);
        sockets.retain(|inode| !closed.contains(inode));
        sockets.extend(helper.open(100));
    }
}

#[test]
fn forked_workers_are_owners_after_one_poll() {
    let mut poller = polled();
    let (listener, _, inode) = listener();
    let script = "sleep 60 <&3 & echo $!; sleep 60 <&3 & echo $!; wait";
    let family = shell(listener, script, 2);
    poller.poll();
    let pids: Vec<u32> = family.all().iter().map(|pid| pid.0).collect();
    let reported = &owners_of(&poller, &[inode])[0];
    assert!(
        pids.iter().all(|pid| reported.contains(pid)),
        "{reported:?}"
    );
    is_owned_within_a_round(&mut poller, inode, &pids);
}

#[test]
fn a_socket_kept_over_exec_or_left_to_a_child_keeps_an_owner() {
    let mut poller = polled();
    let (listener, _, inode) = listener();
    let mut orphan = shell(listener, "sleep 60 <&3 & echo $!; exec sleep 60 <&3", 1);
    let pids: Vec<u32> = orphan.all().iter().map(|pid| pid.0).collect();
    is_owned_within_a_round(&mut poller, inode, &pids);
    orphan.end();
    poller.poll();
    are_owned(&poller, &[inode], &pids[1..]);
    drop(orphan);
    polls_until_owned(&mut poller, &[inode], &[]);
}

#[test]
fn passed_and_exec_closed_sockets_are_found_within_a_round() {
    let mut poller = polled();
    let mut helper = HelperProcess::new();
    let (listener, _, inode) = listener();
    polls_until_owned(&mut poller, &[inode], &[own().0]);
    helper.take(&listener);
    is_owned_within_a_round(&mut poller, inode, &[own().0, helper.pid()]);
    helper.exec();
    is_owned_within_a_round(&mut poller, inode, &[own().0]);
}

#[test]
fn an_exit_removes_all_sockets_of_the_process() {
    let mut poller = polled();
    let mut helper = HelperProcess::new();
    let sockets = helper.open(50);
    polls_until_owned(&mut poller, &sockets, &[helper.pid()]);
    drop(helper);
    poller.poll();
    let mut rows = poller.tracker.each();
    let hints: Vec<_> = sockets.iter().map(|inode| OwnerHint::new(*inode)).collect();
    assert!(!rows.any(|(_, socket, _)| hints.contains(&socket.owner_hint)));
}

#[test]
fn an_uncached_poll_has_no_former_owner() {
    let mut poller = polled();
    let mut helpers = [HelperProcess::new(), HelperProcess::new()];
    let (kept, _, inode) = listener();
    let pids = helpers.each_ref().map(HelperProcess::pid);
    for helper in &mut helpers {
        helper.take(&kept);
    }
    drop(kept);
    polls_until_owned(&mut poller, &[inode], &pids);
    let [first, second] = &mut helpers;
    let moved = second.open(1);
    poller.poll();
    // The numbers of descriptors stay the same.
    first.close(&[inode]);
    first.open(1);
    second.dup(moved[0]);
    second.close(&moved);
    poller.poll_uncached();
    are_owned(&poller, &[inode, moved[0]], &[pids[1]]);
}

#[test]
fn an_uncached_poll_finds_the_receiver_of_a_passed_socket() {
    let mut poller = polled();
    let mut helper = HelperProcess::new();
    let (listener, _, inode) = listener();
    polls_until_owned(&mut poller, &[inode], &[own().0]);
    helper.take(&listener);
    drop(listener);
    poller.poll_uncached();
    // A child of another test may have it too until its exec.
    let reported = &owners_of(&poller, &[inode])[0];
    assert!(
        reported.contains(&helper.pid()) && !reported.contains(&own().0),
        "{reported:?}"
    );
}

#[test]
fn unprivileged_owners_match_a_full_scan() {
    become_nobody(as_nobody);
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn as_nobody() {
    if !is_confined() {
        return;
    }
    both_ends_of_new_connections_have_owners_after_one_poll();
    passed_and_exec_closed_sockets_are_found_within_a_round();
    an_uncached_poll_has_no_former_owner();
}

#[test]
fn a_reused_pid_is_a_different_owner() {
    enter_namespace(in_a_namespace);
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn in_a_namespace() {
    if !is_confined() {
        return;
    }
    let mut poller = polled();
    let (listener, local, _) = listener();
    let mut victim = sleeper(listener.try_clone().expect("a copy"));
    let before = victim.process_id();
    poller.wait_for_owners(local, &[own(), before.pid]);
    victim.end();
    let mut successor = sleep_in_the_place_of(before, &listener);
    drop(listener);
    poller.poll();
    let socket = poller.wait_for_owners(local, &[before.pid]);
    let reported: Vec<_> = socket.owners.known().iter().map(|owner| owner.id).collect();
    assert_eq!(reported, [successor.process_id()]);
    successor.end();
}
