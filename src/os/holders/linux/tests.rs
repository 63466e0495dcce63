//! Against the real kernel. The word of the kernel is a plain walk over `/proc`, written anew for the tests.

use super::*;
use crate::model::process::ProcessId;
use crate::os::testing::puppet::Puppet;
use crate::os::testing::{Held, Pids, inode, oracle, shell, sleeper, until};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

mod confined;

/// So many sockets that all processes have their turn within few updates.
const MANY: usize = 500_000;

/// How many updates those are at most, while other tests keep processes changing.
const ROUND: usize = 300;

/// Follows sockets as the sampler would.
struct Follower {
    holders: Holders,
    /// How many sockets it believes there are; few, where nothing is to be noticed in turn.
    rows: usize,
    known: BTreeMap<u32, BTreeSet<ProcessId>>,
}

impl Follower {
    fn new() -> Self {
        Self {
            holders: Holders::new(),
            rows: MANY,
            known: BTreeMap::new(),
        }
    }

    /// One that has read everything there is.
    fn begun() -> Self {
        let mut follower = Self::new();
        follower.update(&[], &[]);
        follower
    }

    fn update(&mut self, closed: &[u32], sought: &[u32]) {
        for inode in closed {
            self.known.remove(inode);
        }
        let sought: Vec<Sought> = sought.iter().map(|inode| wish(*inode)).collect();
        let findings = self.holders.update(closed, &sought, self.rows);
        self.apply(findings);
    }

    fn check(&mut self, inodes: &[u32]) {
        let findings = self.holders.check(inodes);
        self.apply(findings);
    }

    fn apply(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            let known = self.known.entry(finding.inode).or_default();
            let is_news = if finding.holds {
                known.insert(finding.process)
            } else {
                known.remove(&finding.process)
            };
            assert!(is_news, "told twice: {finding:?}");
        }
    }

    fn of(&self, inode: u32) -> Pids {
        let known = self.known.get(&inode).into_iter().flatten();
        known.map(|process| process.pid.0).collect()
    }

    /// Updates until the holders are these, and the kernel says so too; how many updates that took.
    fn settle(&mut self, inode: u32, expected: &[u32]) -> usize {
        let expected: Pids = expected.iter().copied().collect();
        let mut updates = 0;
        until(&format!("{expected:?} hold {inode}"), || {
            updates += 1;
            self.update(&[], &[]);
            let is_so = self.of(inode) == expected && oracle(&[inode])[0] == expected;
            is_so.then_some(updates)
        })
    }

    /// The system calls of the search alone in one update: what the processes of other tests cost is another matter.
    fn search(&mut self, closed: &[u32], sought: &[u32]) -> usize {
        let holders = &mut self.holders;
        holders.now += 1;
        for inode in closed {
            holders.forget(*inode);
        }
        let sought: Vec<Sought> = sought.iter().map(|inode| wish(*inode)).collect();
        holders.want(&sought);
        let before = holders.proc.calls();
        holders.search(false);
        let calls = holders.proc.calls() - before;
        holders.freed.clear();
        let findings = std::mem::take(&mut holders.findings);
        self.apply(findings);
        calls
    }

    /// The system calls of one update.
    fn calls(&mut self, closed: &[u32], sought: &[u32]) -> usize {
        let before = self.holders.proc.calls();
        self.update(closed, sought);
        self.holders.proc.calls() - before
    }
}

fn wish(inode: u32) -> Sought {
    Sought {
        inode,
        uid: rustix::process::geteuid().as_raw(),
        is_standing: inode.is_multiple_of(2),
        neighbour: None,
    }
}

fn own() -> u32 {
    std::process::id()
}

fn listener() -> (TcpListener, u32) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let inode = inode(&listener);
    (listener, inode)
}

fn pids(held: &Held) -> Vec<u32> {
    held.all().iter().map(|pid| pid.0).collect()
}

#[test]
fn the_first_update_finds_every_holder() {
    let (listener, inode) = listener();
    let script = "sleep 60 <&3 & echo $!; sleep 60 <&3 & echo $!; wait";
    let family = shell(listener, script, 2);
    // Until the shell has let go of its own standard input, or not: the kernel knows.
    let mut follower = Follower::new();
    follower.update(&[], &[inode]);
    assert!(
        follower
            .of(inode)
            .is_superset(&pids(&family).into_iter().collect())
    );
    follower.settle(inode, &pids(&family));
}

#[test]
fn a_new_socket_of_this_process_is_found_and_a_closed_one_forgotten() {
    let mut follower = Follower::begun();
    let (listener, inode) = listener();
    follower.update(&[], &[inode]);
    follower.settle(inode, &[own()]);
    drop(listener);
    follower.update(&[inode], &[]);
    assert!(!follower.holders.is_followed(inode));
}

#[test]
fn a_socket_sought_twice_at_once_is_told_once() {
    let mut follower = Follower::begun();
    let (_listener, inode) = listener();
    follower.update(&[], &[inode, inode]);
    // `apply` would not stand to be told again.
    follower.settle(inode, &[own()]);
}

#[test]
fn a_socket_that_leaves_the_tables_and_comes_back_has_all_its_holders() {
    let (listener, inode) = listener();
    let worker = sleeper(listener.try_clone().expect("a copy"));
    let mut follower = Follower::begun();
    follower.update(&[], &[inode]);
    follower.settle(inode, &[own(), worker.pid().0]);
    // As when it listens no more and then again.
    follower.update(&[inode], &[inode]);
    assert!(
        follower
            .of(inode)
            .is_superset(&[own(), worker.pid().0].into())
    );
}

#[test]
fn churned_sockets_are_found_where_the_kernel_puts_them() {
    let mut puppet = Puppet::new();
    let mut follower = Follower::begun();
    let mut sockets = puppet.open(300);
    follower.update(&[], &sockets);
    for _ in 0..5 {
        let closed: Vec<u32> = sockets.iter().step_by(3).copied().collect();
        puppet.close(&closed);
        sockets.retain(|inode| !closed.contains(inode));
        let opened = puppet.open(120);
        // One for each, and little else: no listing, no second try.
        let calls = follower.search(&closed, &opened);
        assert!((120..120 + 30).contains(&calls), "{calls}");
        sockets.extend(opened);
        let known: Vec<Pids> = sockets.iter().map(|inode| follower.of(*inode)).collect();
        assert_eq!(known, oracle(&sockets));
    }
}

#[test]
fn a_socket_seen_before_it_was_in_a_table_is_found_at_once() {
    let mut puppet = Puppet::new();
    let sockets = puppet.open(3);
    let mut follower = Follower::begun();
    for inode in sockets {
        follower.update(&[], &[inode]);
        assert_eq!(follower.of(inode), [puppet.pid()].into());
    }
}

#[test]
fn workers_are_found_when_they_are_forked() {
    let mut follower = Follower::begun();
    let (listener, inode) = listener();
    follower.update(&[], &[inode]);
    follower.settle(inode, &[own()]);
    follower.rows = 0;
    let worker = sleeper(listener.try_clone().expect("a copy"));
    follower.update(&[], &[]);
    // Another test's child may hold it too for a moment, between its fork and its exec.
    assert!(
        follower
            .of(inode)
            .is_superset(&[own(), worker.pid().0].into())
    );
}

#[test]
fn a_socket_outlives_the_owner_in_its_child_and_a_process_takes_all_with_it() {
    let (listener, inode) = listener();
    let mut family = shell(listener, "sleep 60 <&3 & echo $!; exec 3<&-", 1);
    family.wait();
    let orphan = family.others()[0].0;
    let mut follower = Follower::begun();
    follower.update(&[], &[inode]);
    follower.settle(inode, &[orphan]);
    drop(family);
    follower.settle(inode, &[]);
}

#[test]
fn a_holder_that_ended_is_missed_at_the_next_update() {
    let (listener, inode) = listener();
    let workers: Vec<Held> = (0..5)
        .map(|_| sleeper(listener.try_clone().expect("a copy")))
        .collect();
    let mut follower = Follower::begun();
    follower.update(&[], &[inode]);
    let ended: Pids = workers.iter().flat_map(pids).collect();
    assert!(follower.of(inode).is_superset(&ended));
    drop(workers);
    follower.rows = 0;
    follower.update(&[], &[]);
    assert!(follower.of(inode).is_disjoint(&ended));
}

#[test]
fn a_socket_in_the_place_of_another_is_found_soon_although_no_number_changed() {
    let mut puppet = Puppet::new();
    let old = puppet.open(1);
    let mut follower = Follower::begun();
    puppet.close(&old);
    let inode = puppet.open(1)[0];
    follower.update(&[], &[inode]);
    let updates = follower.settle(inode, &[puppet.pid()]);
    assert!(updates <= 10, "{updates}");
}

#[test]
fn an_exec_keeps_what_is_not_to_be_closed() {
    let (listener, inode) = listener();
    let mut follower = Follower::begun();
    let child = shell(listener, "exec sleep 60", 0);
    follower.update(&[], &[inode]);
    follower.settle(inode, &[child.pid().0]);
}

#[test]
fn an_exec_that_closes_soon_after_the_fork_is_found_at_the_next_update() {
    let mut follower = Follower::begun();
    let mut puppet = Puppet::new();
    let sockets = puppet.open(20);
    follower.update(&[], &sockets);
    puppet.exec();
    follower.rows = 0;
    until("it closed them", || {
        oracle(&sockets).iter().all(Pids::is_empty).then_some(())
    });
    follower.update(&[], &[]);
    assert!(sockets.iter().all(|inode| follower.of(*inode).is_empty()));
}

/// Each of these leaves no trace but another number of descriptors, or none: `check` finds it at once, and an update
/// once it was the turn of the process.
fn lost_in_turn(change: impl Fn(&mut Puppet, u32)) {
    let mut puppet = Puppet::new();
    let sockets = puppet.open(4);
    let inode = sockets[1];
    let mut follower = Follower::begun();
    follower.update(&[], &sockets);
    change(&mut puppet, inode);
    let updates = follower.settle(inode, &[]);
    assert!(updates <= ROUND, "{updates}");
}

#[test]
fn an_exec_that_closes_is_found_in_turn() {
    lost_in_turn(|puppet, _| puppet.exec());
}

#[test]
fn a_close_behind_the_back_of_the_tables_is_found_in_turn() {
    lost_in_turn(|puppet, inode| puppet.close(&[inode]));
}

#[test]
fn a_descriptor_that_moved_keeps_its_socket() {
    let mut puppet = Puppet::new();
    let sockets = puppet.open(4);
    let mut follower = Follower::begun();
    follower.update(&[], &sockets);
    puppet.dup(sockets[1]);
    puppet.close(&sockets[1..2]);
    // By then it was its turn for certain, and by descriptor it would be gone.
    for _ in 0..ROUND {
        follower.update(&[], &[]);
        assert!(follower.of(sockets[1]).contains(&puppet.pid()));
    }
    follower.settle(sockets[1], &[puppet.pid()]);
}

#[test]
fn a_check_finds_at_once_what_changed_without_a_trace() {
    let mut puppet = Puppet::new();
    let sockets = puppet.open(2);
    let (listener, passed) = listener();
    let mut follower = Follower::begun();
    follower.update(&[], &[sockets[0], sockets[1], passed]);
    follower.settle(passed, &[own()]);
    puppet.close(&sockets[..1]);
    assert_eq!(puppet.take(&listener), passed);
    drop(listener);
    follower.check(&[sockets[0], passed]);
    let known = [sockets[0], passed].map(|inode| follower.of(inode));
    // A child of another test may hold it between its fork and its exec.
    assert!(
        known[0].is_empty() && known[1].contains(&puppet.pid()),
        "{known:?}"
    );
    follower.settle(passed, &[puppet.pid()]);
}

#[test]
fn a_socket_that_was_passed_is_found_in_turn() {
    let mut puppet = Puppet::new();
    let (listener, inode) = listener();
    let mut follower = Follower::begun();
    follower.update(&[], &[inode]);
    follower.settle(inode, &[own()]);
    assert_eq!(puppet.take(&listener), inode);
    let updates = follower.settle(inode, &[own(), puppet.pid()]);
    assert!(updates <= ROUND, "{updates}");
}

#[test]
fn many_processes_are_each_found() {
    let (listener, inode) = listener();
    let mut follower = Follower::begun();
    follower.update(&[], &[inode]);
    let copy = || OwnedFd::from(listener.try_clone().expect("a copy"));
    let children: Vec<Held> = (0..30).map(|_| sleeper(copy())).collect();
    let mut expected: Vec<u32> = children.iter().map(|child| child.pid().0).collect();
    expected.push(own());
    follower.settle(inode, &expected);
    drop(children);
    follower.settle(inode, &[own()]);
}

#[test]
fn without_kept_doors_the_holders_are_the_same() {
    let mut follower = Follower::new();
    follower.holders.roster.allow(0);
    let (listener, inode) = listener();
    let child = sleeper(listener);
    follower.update(&[], &[inode]);
    follower.settle(inode, &[child.pid().0]);
    assert_eq!(follower.holders.roster.doors(), 0);
    drop(child);
    follower.settle(inode, &[]);
}

#[test]
fn a_socket_that_nobody_holds_costs_no_search_at_every_update() {
    let mut follower = Follower::begun();
    let processes = follower.holders.census.all().count();
    // No socket has this inode: the kernel gives it to /proc itself.
    let calls: Vec<usize> = (0..64)
        .map(|update| follower.search(&[], if update == 0 { &[1] } else { &[] }))
        .collect();
    let searches = calls.iter().filter(|calls| **calls > processes).count();
    assert!(searches <= 8, "{calls:?}");
    assert_eq!(follower.of(1), Pids::new());
}

#[test]
fn a_steady_update_costs_a_handful_of_system_calls() {
    let mut puppet = Puppet::new();
    let sockets = puppet.open(50);
    let mut follower = Follower::begun();
    follower.update(&[], &sockets);
    follower.rows = 100;
    let mut calls: Vec<usize> = (0..99).map(|_| follower.calls(&[], &[])).collect();
    // Other tests start processes and open sockets meanwhile, which costs more now and then.
    calls.sort_unstable();
    assert!(calls[25] <= 6, "{calls:?}");
}

#[test]
fn new_sockets_of_a_known_process_cost_one_call_each() {
    let mut puppet = Puppet::new();
    let mut follower = Follower::begun();
    let first = puppet.open(100);
    follower.update(&[], &first);
    let ten = puppet.open(10);
    assert_eq!(follower.search(&[], &ten), 10);
    let known: Vec<Pids> = ten.iter().map(|inode| follower.of(*inode)).collect();
    assert_eq!(known, oracle(&ten));
}

#[test]
fn inode_0_is_nobody() {
    let mut follower = Follower::begun();
    follower.update(&[], &[0]);
    assert!(!follower.holders.is_followed(0));
}

#[test]
fn two_sockets_under_one_number_in_turn_are_told_apart() {
    let mut follower = Follower::begun();
    let first = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let (second, _other) = listener();
    let inodes = [inode(&first), inode(&second)];
    follower.update(&[], &inodes);
    follower.settle(inodes[0], &[own()]);
    // The second socket takes the place of the first, and no number of descriptors changes.
    let mut place = OwnedFd::from(first);
    // Closed on exec, so that the children of other tests do not keep it.
    rustix::io::dup3(&second, &mut place, rustix::io::DupFlags::CLOEXEC).expect("its place");
    follower.check(&inodes);
    follower.settle(inodes[0], &[]);
    follower.settle(inodes[1], &[own()]);
}
