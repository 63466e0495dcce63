//! Tests with the real kernel, compared with an independent scan of `/proc`.

use super::inode as inode_of;
use super::proc_fs::ProcFs;
use super::*;
use crate::model::process::ProcessId;
use crate::os::testing::helper_process::HelperProcess;
use crate::os::testing::{Pids, SocketHolder, inode, owners_in_proc, shell, sleeper, until};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

mod confined;

/// Rows with which all processes are verified within few updates.
const ALL_VERIFIED_ROWS: usize = 500_000;

/// Limit of these updates, while other tests change processes.
const MAX_UPDATES_PER_ROUND: usize = 300;

/// Applies the owner changes as the poller does.
struct ResolverFixture {
    resolver: OwnerResolver,
    /// Rows of the tables; few if verification is to find nothing.
    rows: usize,
    in_view: InView,
    known: BTreeMap<u32, BTreeSet<ProcessId>>,
}

impl ResolverFixture {
    fn new() -> Self {
        Self {
            resolver: OwnerResolver::default(),
            rows: ALL_VERIFIED_ROWS,
            in_view: InView::default(),
            known: BTreeMap::new(),
        }
    }

    /// A fixture after the first update.
    fn initialized() -> Self {
        let mut fixture = Self::new();
        fixture.update(&[], &[]);
        fixture
    }

    fn update(&mut self, closed: &[u32], requests: &[u32]) {
        for inode in closed {
            self.known.remove(inode);
        }
        let requests = requests.iter().copied().map(request);
        let requests: Vec<LookupRequest> = requests.collect();
        let owner_changes =
            self.resolver
                .update(&hints(closed), &requests, self.rows, &self.in_view);
        self.apply(owner_changes);
    }

    fn check(&mut self, inodes: &[u32]) {
        let owner_changes = self.resolver.recheck(&hints(inodes));
        self.apply(owner_changes);
    }

    fn apply(&mut self, owner_changes: Vec<OwnerChange>) {
        for change in owner_changes {
            let inode = inode_of(change.owner_hint);
            let known = self.known.entry(inode).or_default();
            let is_new = if change.is_owner {
                known.insert(change.process)
            } else {
                known.remove(&change.process)
            };
            assert!(is_new, "reported twice: {change:?}");
        }
    }

    fn of(&self, inode: u32) -> Pids {
        let known = self.known.get(&inode).into_iter().flatten();
        known.map(|process| process.pid.0).collect()
    }

    fn of_each(&self, inodes: &[u32]) -> Vec<Pids> {
        inodes.iter().map(|inode| self.of(*inode)).collect()
    }

    /// True if these are owners, perhaps among others: a child of another test owns a socket until its exec.
    fn has_owners(&self, inode: u32, pids: &[u32]) -> bool {
        let owners = self.of(inode);
        pids.iter().all(|pid| owners.contains(pid))
    }

    /// Updates until resolver and `/proc` agree on these owners; returns the number of updates.
    fn updates_until_owned(&mut self, inode: u32, expected: &[u32]) -> usize {
        let expected: Pids = expected.iter().copied().collect();
        let mut updates = 0;
        until(&format!("{expected:?} own {inode}"), || {
            updates += 1;
            self.update(&[], &[]);
            let is_so = self.of(inode) == expected && owners_in_proc(&[inode])[0] == expected;
            is_so.then_some(updates)
        })
    }

    /// Requests a socket and updates until resolver and `/proc` agree on these owners.
    fn track(&mut self, inode: u32, owners: &[u32]) {
        self.update(&[], &[inode]);
        self.updates_until_owned(inode, owners);
    }

    /// System calls of the search alone: the rest depends on the processes of other tests.
    fn search(&mut self, closed: &[u32], requests: &[u32]) -> i64 {
        let resolver = &mut self.resolver;
        resolver.cache.now += 1;
        resolver.forget(&hints(closed));
        let requests = requests.iter().copied().map(request);
        resolver.track(&requests.collect::<Vec<_>>());
        let before = resolver.cache.proc.calls();
        resolver.search.run(&mut resolver.cache, false);
        let calls = resolver.cache.proc.calls() - before;
        let owner_changes = resolver.cache.end_update();
        self.apply(owner_changes);
        calls
    }

    /// System calls of one update.
    fn calls(&mut self, closed: &[u32], requests: &[u32]) -> i64 {
        let before = self.resolver.cache.proc.calls();
        self.update(closed, requests);
        self.resolver.cache.proc.calls() - before
    }
}

fn hints(inodes: &[u32]) -> Vec<OwnerHint> {
    let hints = inodes.iter().copied().map(OwnerHint::new);
    hints.flatten().collect()
}

fn request(inode: u32) -> LookupRequest {
    LookupRequest {
        owner_hint: OwnerHint::new(inode).expect("an inode"),
        uid: rustix::process::geteuid().as_raw(),
        holds_port: inode.is_multiple_of(2),
        likely_owner: None,
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

fn pids(held: &SocketHolder) -> Vec<u32> {
    held.all().iter().map(|pid| pid.0).collect()
}

#[test]
fn the_first_update_finds_every_owner() {
    let (listener, inode) = listener();
    let script = "sleep 60 <&3 & echo $!; sleep 60 <&3 & echo $!; wait";
    let family = shell(listener, script, 2);
    let mut fixture = ResolverFixture::new();
    fixture.update(&[], &[inode]);
    assert!(fixture.has_owners(inode, &pids(&family)));
    fixture.updates_until_owned(inode, &pids(&family));
}

#[test]
fn a_failed_open_of_proc_is_tried_again_by_the_next_update() {
    let (_listener, inode) = listener();
    // A child of another test may own it too until its exec.
    until("its only owner", || {
        let mut fixture = ResolverFixture::new();
        fixture.resolver.cache.proc = ProcFs::unopened();
        fixture.update(&[], &[inode]);
        fixture.has_owners(inode, &[own()]).then_some(())
    });
}

#[test]
fn a_new_socket_is_found_and_a_closed_one_forgotten() {
    let mut fixture = ResolverFixture::initialized();
    let (listener, inode) = listener();
    fixture.track(inode, &[own()]);
    drop(listener);
    fixture.update(&[inode], &[]);
    assert!(!fixture.resolver.cache.is_tracked(inode));
}

#[test]
fn a_socket_requested_twice_is_reported_once() {
    let mut fixture = ResolverFixture::initialized();
    let (_listener, inode) = listener();
    fixture.update(&[], &[inode, inode]);
    // `apply` fails if it is reported twice.
    fixture.updates_until_owned(inode, &[own()]);
}

#[test]
fn a_socket_that_returns_to_the_tables_has_all_its_owners() {
    let (listener, inode) = listener();
    let worker = sleeper(listener.try_clone().expect("a copy"));
    let mut fixture = ResolverFixture::initialized();
    fixture.track(inode, &[own(), worker.pid().0]);
    // As if it stopped listening and started again.
    fixture.update(&[inode], &[inode]);
    assert!(fixture.has_owners(inode, &[own(), worker.pid().0]));
}

#[test]
fn churned_sockets_are_found_at_the_lowest_free_fd() {
    let mut helper = HelperProcess::new();
    let mut fixture = ResolverFixture::initialized();
    let mut sockets = helper.open(300);
    fixture.update(&[], &sockets);
    for _ in 0..5 {
        let closed: Vec<u32> = sockets.iter().step_by(3).copied().collect();
        helper.close(&closed);
        sockets.retain(|inode| !closed.contains(inode));
        let opened = helper.open(120);
        // Little more than one call each: no listing, no second search.
        let calls = fixture.search(&closed, &opened);
        assert!((120..120 + 30).contains(&calls), "{calls}");
        sockets.extend(opened);
        assert_eq!(fixture.of_each(&sockets), owners_in_proc(&sockets));
    }
}

#[test]
fn a_socket_scanned_before_it_was_bound_is_found_at_once() {
    let mut helper = HelperProcess::new();
    let sockets = helper.open(3);
    let mut fixture = ResolverFixture::initialized();
    for inode in sockets {
        fixture.update(&[], &[inode]);
        assert_eq!(fixture.of(inode), [helper.pid()].into());
    }
}

#[test]
fn workers_are_found_when_they_are_forked() {
    let mut fixture = ResolverFixture::initialized();
    let (listener, inode) = listener();
    fixture.track(inode, &[own()]);
    fixture.rows = 0;
    let worker = sleeper(listener.try_clone().expect("a copy"));
    fixture.update(&[], &[]);
    assert!(fixture.has_owners(inode, &[own(), worker.pid().0]));
}

#[test]
fn a_child_keeps_the_socket_and_an_exit_closes_the_rest() {
    let (listener, inode) = listener();
    let mut family = shell(listener, "sleep 60 <&3 & echo $!; exec 3<&-", 1);
    family.wait();
    let orphan = family.others()[0].0;
    let mut fixture = ResolverFixture::initialized();
    fixture.track(inode, &[orphan]);
    drop(family);
    fixture.updates_until_owned(inode, &[]);
}

#[test]
fn an_exited_owner_is_removed_by_the_next_update() {
    let (listener, inode) = listener();
    let workers: Vec<SocketHolder> = (0..5)
        .map(|_| sleeper(listener.try_clone().expect("a copy")))
        .collect();
    let mut fixture = ResolverFixture::initialized();
    fixture.update(&[], &[inode]);
    let ended: Vec<u32> = workers.iter().flat_map(pids).collect();
    assert!(fixture.has_owners(inode, &ended));
    drop(workers);
    fixture.rows = 0;
    fixture.update(&[], &[]);
    assert!(fixture.of(inode).is_disjoint(&ended.into_iter().collect()));
}

/// Only owners have a pidfd. After a round all processes are listed, which finds the denied ones too.
#[test]
fn an_exited_process_without_sockets_leaves_the_table() {
    let child = sleeper(File::open("/dev/null").expect("a file"));
    let pid = child.pid().0;
    let mut cache = ResolverFixture::initialized().resolver.cache;
    assert!(cache.pid_table.known.get(pid).is_some());
    drop(child);
    for _ in 0..=cache.pid_table.known.len() {
        cache.pid_table.next_in_turn();
    }
    cache.poll_pids();
    assert!(cache.pid_table.known.get(pid).is_none());
}

#[test]
fn a_socket_that_reuses_an_fd_is_found_soon() {
    let mut helper = HelperProcess::new();
    let old = helper.open(1);
    let mut fixture = ResolverFixture::initialized();
    helper.close(&old);
    let inode = helper.open(1)[0];
    fixture.update(&[], &[inode]);
    let updates = fixture.updates_until_owned(inode, &[helper.pid()]);
    assert!(updates <= 10, "{updates}");
}

#[test]
fn an_exec_keeps_sockets_without_cloexec() {
    let (listener, inode) = listener();
    let mut fixture = ResolverFixture::initialized();
    let child = shell(listener, "exec sleep 60", 0);
    fixture.track(inode, &[child.pid().0]);
}

#[test]
fn an_exec_soon_after_a_fork_is_found_by_the_next_update() {
    let mut fixture = ResolverFixture::initialized();
    let mut helper = HelperProcess::new();
    let sockets = helper.open(20);
    fixture.update(&[], &sockets);
    helper.exec();
    fixture.rows = 0;
    until("it closed them", || {
        let owners = owners_in_proc(&sockets);
        owners.iter().all(Pids::is_empty).then_some(())
    });
    fixture.update(&[], &[]);
    assert!(sockets.iter().all(|inode| fixture.of(*inode).is_empty()));
}

/// Only visible in the number of descriptors, or not even there.
#[test]
fn a_close_without_a_table_change_is_found_within_a_round() {
    let changes: [fn(&mut HelperProcess, u32); 2] = [
        |helper, inode| helper.close(&[inode]),
        |helper, _| helper.exec(),
    ];
    for change in changes {
        let mut helper = HelperProcess::new();
        let sockets = helper.open(4);
        let mut fixture = ResolverFixture::initialized();
        fixture.update(&[], &sockets);
        change(&mut helper, sockets[1]);
        let updates = fixture.updates_until_owned(sockets[1], &[]);
        assert!(updates <= MAX_UPDATES_PER_ROUND, "{updates}");
    }
}

#[test]
fn a_descriptor_that_moved_keeps_its_socket() {
    let mut helper = HelperProcess::new();
    let sockets = helper.open(4);
    let mut fixture = ResolverFixture::initialized();
    fixture.update(&[], &sockets);
    helper.dup(sockets[1]);
    helper.close(&sockets[1..2]);
    // After a round the descriptor was verified.
    for _ in 0..MAX_UPDATES_PER_ROUND {
        fixture.update(&[], &[]);
        assert!(fixture.of(sockets[1]).contains(&helper.pid()));
    }
    fixture.updates_until_owned(sockets[1], &[helper.pid()]);
}

#[test]
fn a_recheck_finds_changes_without_a_count_change() {
    let mut helper = HelperProcess::new();
    let sockets = helper.open(2);
    let (listener, passed) = listener();
    let mut fixture = ResolverFixture::initialized();
    fixture.update(&[], &[sockets[0], sockets[1], passed]);
    fixture.updates_until_owned(passed, &[own()]);
    helper.close(&sockets[..1]);
    assert_eq!(helper.take(&listener), passed);
    drop(listener);
    fixture.check(&[sockets[0], passed]);
    let known = [sockets[0], passed].map(|inode| fixture.of(inode));
    // A child of another test may own it between its fork and its exec.
    assert!(
        known[0].is_empty() && known[1].contains(&helper.pid()),
        "{known:?}"
    );
    fixture.updates_until_owned(passed, &[helper.pid()]);
}

#[test]
fn a_passed_socket_is_found_within_a_round() {
    let mut helper = HelperProcess::new();
    let (listener, inode) = listener();
    let mut fixture = ResolverFixture::initialized();
    fixture.track(inode, &[own()]);
    assert_eq!(helper.take(&listener), inode);
    let updates = fixture.updates_until_owned(inode, &[own(), helper.pid()]);
    assert!(updates <= MAX_UPDATES_PER_ROUND, "{updates}");
}

#[test]
fn many_processes_are_each_found() {
    let (listener, inode) = listener();
    let mut fixture = ResolverFixture::initialized();
    fixture.update(&[], &[inode]);
    let copy = || OwnedFd::from(listener.try_clone().expect("a copy"));
    let children: Vec<SocketHolder> = (0..30).map(|_| sleeper(copy())).collect();
    let mut expected: Vec<u32> = children.iter().map(|child| child.pid().0).collect();
    expected.push(own());
    fixture.updates_until_owned(inode, &expected);
    drop(children);
    fixture.updates_until_owned(inode, &[own()]);
}

#[test]
fn without_kept_handles_the_owners_are_the_same() {
    let mut fixture = ResolverFixture::new();
    fixture.resolver.cache.handles.max = Some(0);
    let (listener, inode) = listener();
    let child = sleeper(listener);
    fixture.track(inode, &[child.pid().0]);
    assert_eq!(fixture.resolver.cache.handles.open, 0);
    drop(child);
    fixture.updates_until_owned(inode, &[]);
}

#[test]
fn a_socket_without_owner_is_not_searched_on_every_update() {
    let mut fixture = ResolverFixture::initialized();
    let processes = fixture.resolver.cache.pid_table.known.len();
    // No socket has this inode: the kernel gives it to /proc itself.
    let calls: Vec<i64> = (0..64)
        .map(|update| fixture.search(&[], if update == 0 { &[1] } else { &[] }))
        .collect();
    let is_search = |calls: &&i64| **calls > i64::try_from(processes).expect("few");
    let searches = calls.iter().filter(is_search).count();
    assert!(searches <= 8, "{calls:?}");
    assert_eq!(fixture.of(1), Pids::new());
}

#[test]
fn a_steady_update_costs_a_handful_of_system_calls() {
    let mut helper = HelperProcess::new();
    let sockets = helper.open(50);
    let mut fixture = ResolverFixture::initialized();
    fixture.update(&[], &sockets);
    fixture.rows = 100;
    let mut calls: Vec<i64> = (0..99).map(|_| fixture.calls(&[], &[])).collect();
    // Processes and sockets of other tests cost more now and then.
    calls.sort_unstable();
    assert!(calls[25] <= 6, "{calls:?}");
}

#[test]
fn new_sockets_of_a_known_process_cost_one_call_each() {
    let mut helper = HelperProcess::new();
    let mut fixture = ResolverFixture::initialized();
    let first = helper.open(100);
    fixture.update(&[], &first);
    let ten = helper.open(10);
    assert_eq!(fixture.search(&[], &ten), 10);
    assert_eq!(fixture.of_each(&ten), owners_in_proc(&ten));
}

#[test]
fn a_reused_inode_is_a_different_socket() {
    let mut fixture = ResolverFixture::initialized();
    let first = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let (second, _other) = listener();
    let inodes = [inode(&first), inode(&second)];
    fixture.update(&[], &inodes);
    fixture.updates_until_owned(inodes[0], &[own()]);
    // The second socket replaces the first, and the number of descriptors stays the same.
    let mut place = OwnedFd::from(first);
    // Closed on exec, so that the children of other tests do not keep it.
    rustix::io::dup3(&second, &mut place, rustix::io::DupFlags::CLOEXEC).expect("its place");
    fixture.check(&inodes);
    fixture.updates_until_owned(inodes[0], &[]);
    fixture.updates_until_owned(inodes[1], &[own()]);
}
