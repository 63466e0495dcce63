//! Whoever the rows say holds a socket is whom a plain walk over `/proc` finds, whatever processes do meanwhile.
//!
//! What a child of another test holds between its fork and its exec is no mistake of either; so where this process has
//! the socket too, both are asked until they agree.

use super::*;
use crate::os::testing::confined::{
    become_nobody, end, enter_namespace, identity, is_confined, sleep_in_the_place_of, sleep_on,
};
use crate::os::testing::puppet::Puppet;
use crate::os::testing::{Pids, inode, oracle};
use std::fs;

/// Who holds these by the rows; nobody holds what has no row.
fn told(eye: &Eye, inodes: &[u32]) -> Vec<Pids> {
    let holders = |inode: &u32| {
        let rows = eye.tracker.each();
        let mut rows = rows.filter(|(_, socket, _)| socket.mark == *inode);
        let owners = rows.next().map(|(_, _, owners)| owners.known());
        let pids = owners.into_iter().flatten().map(|owner| owner.pid().0);
        pids.collect()
    };
    inodes.iter().map(holders).collect()
}

/// Looks until rows and kernel agree that these are the holders; how many looks that took.
fn settle(eye: &mut Eye, inodes: &[u32], holders: &[Pids]) -> usize {
    let mut looks = 0;
    until(&format!("{holders:?} hold {inodes:?}"), || {
        looks += 1;
        eye.look();
        (told(eye, inodes) == holders && oracle(inodes) == holders).then_some(looks)
    })
}

/// So many looks bring every process its turn, and four of each one that changes meanwhile in other tests.
fn round() -> usize {
    let all = fs::read_dir("/proc").expect("/proc").flatten();
    let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let processes = all.filter(|entry| entry.file_name().to_str().is_some_and(is_process));
    processes.count() / 2 + 60
}

fn all_held_by(inodes: &[u32], pids: &[u32]) -> Vec<Pids> {
    vec![pids.iter().copied().collect(); inodes.len()]
}

fn listener() -> (TcpListener, SocketAddr, u32) {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let inode = inode(&listener);
    (listener, local, inode)
}

/// An eye that has looked.
fn begun() -> Eye {
    let mut eye = eye();
    eye.look();
    eye
}

#[test]
fn the_ends_of_connections_that_come_and_go_are_told_with_their_holders_at_the_next_look() {
    let mut eye = begun();
    let mut puppet = Puppet::new();
    let (listener, local, _) = listener();
    let (mut clients, mut servers) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let come = puppet.connect(local, 50);
        let accepted = come.iter().map(|_| listener.accept().expect("one comes").0);
        servers.extend(accepted);
        clients.extend(come);
        eye.look();
        // The clients are the puppet's alone, which nothing else forks.
        let holders = all_held_by(&clients, &[puppet.pid()]);
        assert_eq!(
            (told(&eye, &clients), oracle(&clients)),
            (holders.clone(), holders)
        );
        let (gone, kept) = clients.split_at(30);
        puppet.close(gone);
        servers.drain(..30);
        clients = kept.to_vec();
    }
    let servers: Vec<u32> = servers.iter().map(inode).collect();
    settle(&mut eye, &servers, &all_held_by(&servers, &[own().0]));
    assert_eq!((clients.len(), servers.len()), (80, 80));
}

#[test]
fn sockets_that_one_process_closes_and_opens_are_told_as_its_own_at_the_next_look() {
    let mut eye = begun();
    let mut puppet = Puppet::new();
    let mut sockets = puppet.open(200);
    for _ in 0..5 {
        eye.look();
        assert_eq!(told(&eye, &sockets), oracle(&sockets));
        let gone: Vec<u32> = sockets.iter().step_by(2).copied().collect();
        puppet.close(&gone);
        sockets.retain(|inode| !gone.contains(inode));
        sockets.extend(puppet.open(100));
    }
}

#[test]
fn workers_that_are_forked_hold_it_at_the_next_look() {
    let mut eye = begun();
    let (listener, _, inode) = listener();
    let script = "sleep 60 <&3 & echo $!; sleep 60 <&3 & echo $!; wait";
    let family = shell(listener, script, 2);
    eye.look();
    let pids: Vec<u32> = family.all().iter().map(|pid| pid.0).collect();
    let holders = all_held_by(&[inode], &pids);
    assert!(told(&eye, &[inode])[0].is_superset(&holders[0]));
    assert!(settle(&mut eye, &[inode], &holders) <= round());
}

#[test]
fn an_exec_that_keeps_it_and_an_owner_that_leaves_it_to_a_child_are_followed() {
    let mut eye = begun();
    let (listener, _, inode) = listener();
    let mut orphan = shell(listener, "sleep 60 <&3 & echo $!; exec sleep 60 <&3", 1);
    let pids: Vec<u32> = orphan.all().iter().map(|pid| pid.0).collect();
    assert!(settle(&mut eye, &[inode], &all_held_by(&[inode], &pids)) <= round());
    orphan.end();
    eye.look();
    let holders = all_held_by(&[inode], &pids[1..]);
    assert_eq!(
        (told(&eye, &[inode]), oracle(&[inode])),
        (holders.clone(), holders)
    );
    drop(orphan);
    settle(&mut eye, &[inode], &[Pids::new()]);
}

#[test]
fn a_socket_that_is_passed_and_one_that_an_exec_closes_are_told_in_turn() {
    let mut eye = begun();
    let mut puppet = Puppet::new();
    let (listener, _, inode) = listener();
    settle(&mut eye, &[inode], &all_held_by(&[inode], &[own().0]));
    puppet.take(&listener);
    let both = all_held_by(&[inode], &[own().0, puppet.pid()]);
    assert!(settle(&mut eye, &[inode], &both) <= round());
    puppet.exec();
    let one = all_held_by(&[inode], &[own().0]);
    assert!(settle(&mut eye, &[inode], &one) <= round());
}

#[test]
fn a_process_that_ends_takes_all_its_sockets_with_it() {
    let mut eye = begun();
    let mut puppet = Puppet::new();
    let sockets = puppet.open(50);
    settle(&mut eye, &sockets, &all_held_by(&sockets, &[puppet.pid()]));
    drop(puppet);
    eye.look();
    let rows = eye.tracker.each();
    let left = rows.filter(|(_, socket, _)| sockets.contains(&socket.mark));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_close_look_tells_no_holder_that_has_let_go() {
    let mut eye = begun();
    let mut puppets = [Puppet::new(), Puppet::new()];
    let (kept, _, inode) = listener();
    let pids = puppets.each_ref().map(Puppet::pid);
    for puppet in &mut puppets {
        puppet.take(&kept);
    }
    drop(kept);
    settle(&mut eye, &[inode], &all_held_by(&[inode], &pids));
    let [first, second] = &mut puppets;
    let moved = second.open(1);
    eye.look();
    // No number of descriptors changes.
    first.close(&[inode]);
    first.open(1);
    second.dup(moved[0]);
    second.close(&moved);
    eye.look_closely();
    let sockets = [inode, moved[0]];
    let holders = all_held_by(&sockets, &[pids[1]]);
    assert_eq!(
        (told(&eye, &sockets), oracle(&sockets)),
        (holders.clone(), holders)
    );
}

#[test]
fn a_close_look_finds_whom_the_only_holder_passed_it_to() {
    let mut eye = begun();
    let mut puppet = Puppet::new();
    let (listener, _, inode) = listener();
    settle(&mut eye, &[inode], &all_held_by(&[inode], &[own().0]));
    puppet.take(&listener);
    drop(listener);
    eye.look_closely();
    // A child of another test may have it too until its exec.
    let told = &told(&eye, &[inode])[0];
    assert!(
        told.contains(&puppet.pid()) && !told.contains(&own().0),
        "{told:?}"
    );
}

#[test]
fn owners_are_those_of_a_full_scan_as_another_user_too() {
    become_nobody("os::eye::tests::owners::as_nobody");
}

#[test]
#[ignore = "only as another process, for the other tests"]
fn as_nobody() {
    if !is_confined() {
        return;
    }
    the_ends_of_connections_that_come_and_go_are_told_with_their_holders_at_the_next_look();
    a_socket_that_is_passed_and_one_that_an_exec_closes_are_told_in_turn();
    a_close_look_tells_no_holder_that_has_let_go();
}

#[test]
fn a_pid_that_was_given_away_again_is_told_as_another_process() {
    enter_namespace("os::eye::tests::owners::in_a_namespace");
}

#[test]
#[ignore = "only as another process, for the other tests"]
fn in_a_namespace() {
    if !is_confined() {
        return;
    }
    let mut eye = begun();
    let (listener, local, _) = listener();
    let mut victim = sleep_on(listener.try_clone().expect("a copy"));
    let before = identity(&victim);
    eye.held(local, &[own(), before.pid]);
    end(&mut victim);
    let mut successor = sleep_in_the_place_of(before, &listener);
    drop(listener);
    eye.look();
    let socket = eye.held(local, &[before.pid]);
    let told: Vec<_> = socket.owners.known().iter().map(|owner| owner.id).collect();
    assert_eq!(told, [identity(&successor)]);
    end(&mut successor);
}
