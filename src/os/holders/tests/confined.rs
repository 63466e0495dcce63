//! What needs another user or another pid namespace: this very test binary, started again in there.

use super::*;
use crate::os::identity;
use std::process::{Child, Command, Stdio};

const ROLE: &str = "PORTMON_TEST_CONFINED";

/// Runs one of the ignored tests below; says so where this machine does not let it.
fn run(wrapper: &[&str], test: &str) {
    let works = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .args(["test", "-x"])
        .arg(std::env::current_exe().expect("this binary"))
        .stderr(Stdio::null())
        .status();
    if !works.is_ok_and(|status| status.success()) {
        eprintln!("skipped: {} does not work here", wrapper[0]);
        return;
    }
    let output = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg(std::env::current_exe().expect("this binary"))
        .args(["--ignored", "--exact", "--nocapture"])
        .arg(format!("os::holders::tests::confined::{test}"))
        .env(ROLE, "1")
        .output()
        .expect("it runs");
    let (out, errors) = (output.stdout, output.stderr);
    let said = String::from_utf8_lossy(&out).into_owned() + &String::from_utf8_lossy(&errors);
    assert!(output.status.success(), "{said}");
}

fn is_confined() -> bool {
    std::env::var_os(ROLE).is_some()
}

#[test]
fn processes_that_may_not_be_read_are_not_tried_again_and_again() {
    let nobody = [
        "setpriv",
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
    ];
    if rustix::process::geteuid().is_root() {
        run(&nobody, "as_nobody");
    } else {
        eprintln!("skipped: only root can become nobody");
    }
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
    let namespace = [
        "unshare",
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--mount-proc",
    ];
    run(&namespace, "in_a_namespace");
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
    let pid = victim.id();
    let start = identity::start_time(Pid(pid)).expect("a start");
    let mut follower = Follower::new();
    follower.holders.roster.allow(doors);
    follower.update(&[], &[first_inode]);
    follower.settle(first_inode, &[pid]);
    victim.kill().expect("it may be killed");
    victim.wait().expect("it ends");
    let (second, second_inode) = listener();
    let mut successor = until("the pid given away again", || {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).expect("our namespace");
        let mut child = sleep_on(second.try_clone().expect("a copy"));
        if child.id() == pid && identity::start_time(Pid(pid)) != Some(start) {
            return Some(child);
        }
        child.kill().expect("it may be killed");
        child.wait().expect("it ends");
        None
    });
    drop(second);
    follower.update(&[], &[second_inode]);
    follower.settle(second_inode, &[pid]);
    follower.settle(first_inode, &[]);
    let starts: Vec<_> = follower.known[&second_inode].iter().collect();
    assert!(starts.iter().all(|process| process.start != start));
    successor.kill().expect("it may be killed");
    successor.wait().expect("it ends");
}

fn sleep_on(listener: TcpListener) -> Child {
    Command::new("sleep")
        .arg("60")
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .spawn()
        .expect("sleep runs")
}
