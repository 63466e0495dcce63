use super::*;
use crate::model::port::EphemeralRange;
use crate::os::poller::SocketPoller;
use crate::os::sockets::DumpScope;
use crate::os::testing::confined::{become_nobody, is_confined};
use crate::os::testing::helper_process::{HelperProcess, HiddenListener};
use crate::os::testing::requirements::skipped;
use crate::os::testing::until;
use std::net::TcpListener;

fn query(of: &HiddenListener) -> CandidateQuery {
    let request = DumpScope::Local(vec![of.port]).with_bound();
    let mut poller = SocketPoller::new(EphemeralRange::IANA, None, request);
    poller.poll_uncached();
    let endpoints = poller.endpoints();
    CandidateQuery::of(&endpoints[0]).expect("nobody sees its owner")
}

fn found(query: CandidateQuery) -> Option<SocketCandidates> {
    find(&[query], &mut Processes::default()).pop()
}

/// True if the helper is a candidate. Other processes of the user may be, too.
fn is_candidate(helper: &HelperProcess, query: CandidateQuery) -> bool {
    let found = found(query).into_iter();
    let mut processes = found.flat_map(|found| found.processes);
    processes.any(|process| process.pid() == Pid(helper.pid()))
}

#[test]
fn processes_of_the_user_that_hide_descriptors_are_candidates() {
    become_nobody(as_nobody);
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn as_nobody() {
    if !is_confined() {
        return;
    }
    let mut hidden = HiddenListener::new();
    let query = query(&hidden);
    let mut readable = started_after(query);
    assert!(is_candidate(&hidden.holder, query));
    assert!(!is_candidate(&readable, query), "its descriptors are known");
    readable.hide();
    let seen_later = self::query(&hidden);
    assert!(is_candidate(&readable, seen_later), "one of two");
    assert!(is_candidate(&hidden.holder, seen_later));
    // It started after the socket was first seen.
    assert!(!is_candidate(&readable, query));
    let of_root = CandidateQuery { uid: 0, ..query };
    assert!(!is_candidate(&hidden.holder, of_root));
    changes_are_noticed(&mut hidden, query);
}

/// A process that started later than the socket was seen, by the coarse clocks of the kernel.
fn started_after(query: CandidateQuery) -> HelperProcess {
    until("a process that started later", || {
        let helper = HelperProcess::new();
        let start = living(Pid(helper.pid()))?.start;
        // Each reading of the clock is rounded anew.
        (start.0 > started_before(&query)?.0 + 2).then_some(helper)
    })
}

fn changes_are_noticed(hidden: &mut HiddenListener, query: CandidateQuery) {
    let found = found(query).expect("candidates");
    let pid = Pid(hidden.holder.pid());
    assert_eq!(verify(pid, found.origin), Ok(()));
    let origin = SocketOrigin {
        uid: 0,
        ..found.origin
    };
    assert_eq!(verify(pid, origin), Err(CandidateChange::User));
    let origin = SocketOrigin {
        cgroup: Some(u64::MAX),
        ..found.origin
    };
    if CgroupMounts::read().unified_inode_of(pid).is_some() {
        assert_eq!(verify(pid, origin), Err(CandidateChange::Cgroup));
    } else {
        skipped("no unified hierarchy is mounted");
    }
    hidden.holder.exec();
    until("the other program", || {
        (verify(pid, found.origin) == Err(CandidateChange::Readable)).then_some(())
    });
    assert!(!is_candidate(&hidden.holder, query));
}

#[test]
fn the_cgroup_of_a_socket_is_that_of_its_process() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let Some(own) = CgroupMounts::read().unified_inode_of(Pid(std::process::id())) else {
        return skipped("no unified hierarchy is mounted");
    };
    let mut diag = Diag::open().expect("netlink");
    let cgroups: Vec<u64> = diag.cgroups(Protocol::Tcp, port).into_values().collect();
    if cgroups.is_empty() {
        return skipped("the kernel does not report control groups of sockets");
    }
    assert_eq!(cgroups, [own]);
}
