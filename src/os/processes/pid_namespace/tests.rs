use super::*;
use rustix::process::{Pid as RawPid, PidfdFlags, pidfd_open};
use std::process::{Command, Stdio};

const INSIDE: SelfPid = SelfPid {
    shown: Pid(5000),
    nesting: 1,
};

const ALIKE: SelfPid = SelfPid {
    shown: Pid(12),
    nesting: 0,
};

#[test]
fn portmon_is_itself_where_the_last_number_is_its_pid() {
    let cases = [
        ("12", "NSpid:\t12\n", Some(ALIKE)),
        ("5000", "Name:\tx\nNSpid:\t5000\t12\n", Some(INSIDE)),
        // The same number in both namespaces.
        (
            "12",
            "NSpid:\t12\t12\n",
            Some(SelfPid {
                shown: Pid(12),
                nesting: 1,
            }),
        ),
        ("12", "Name:\tx\n", Some(ALIKE)),
        ("13", "Name:\tx\n", None),
        ("13", "NSpid:\t13\n", None),
        ("13", "NSpid:\t14\t12\n", None),
        ("12", "NSpid:\t\n", Some(ALIKE)),
        ("self", "NSpid:\t12\n", None),
    ];
    for (link, status, expected) in cases {
        assert_eq!(
            SelfPid::parse(link, status, Pid(12)),
            expected,
            "{link} {status}"
        );
    }
}

#[test]
fn a_pidfd_must_be_of_the_process_with_its_pid_in_proc() {
    let cases = [
        (ALIKE, "pos:\t0\nPid:\t7\nNSpid:\t7\n", None),
        (ALIKE, "Pid:\t7\nNSpid:\t7\t1\n", None),
        (ALIKE, "Pid:\t7\n", None),
        (ALIKE, "Pid:\t-1\nNSpid:\t-1\n", Some("No such process")),
        (INSIDE, "Pid:\t7\nNSpid:\t7\t7\n", None),
        (INSIDE, "Pid:\t9000\nNSpid:\t9000\t7\n", Some("another PID")),
        (INSIDE, "Pid:\t0\nNSpid:\t0\n", Some("another PID")),
        (INSIDE, "Pid:\t-1\nNSpid:\t-1\n", Some("another PID")),
        // Another descriptor's.
        (INSIDE, "Pid:\t7\nNSpid:\t7\t8\n", Some("does not show")),
        (INSIDE, "Pid:\t7\nNSpid:\t7\n", Some("does not show")),
        (ALIKE, "pos:\t0\n", Some("does not show")),
        (ALIKE, "Pid:\tx\n", Some("does not show")),
    ];
    for (itself, fdinfo, expected) in cases {
        let error = verify_fdinfo(itself, fdinfo, Pid(7)).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        let is_expected = expected.map_or(error.is_empty(), |words| error.contains(words));
        assert!(is_expected, "{itself:?} {fdinfo}: {error:?}");
    }
}

#[test]
fn pids_are_verified_only_where_proc_is_of_this_namespace() {
    let are_verified = [Some(&ALIKE), Some(&INSIDE), None].map(|one| verify(one, Pid(7)).is_ok());
    assert_eq!(are_verified, [true, false, false]);
}

#[test]
fn the_pidfd_of_a_child_is_its_own_and_nobody_elses() {
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .spawn()
        .expect("cat runs");
    let raw = RawPid::from_child(&child);
    let pidfd = pidfd_open(raw, PidfdFlags::empty()).expect("a pidfd");
    let are_verified =
        [child.id(), child.id() + 1].map(|pid| verify_pidfd(&pidfd, Pid(pid)).is_ok());
    assert_eq!((are_verified, problem()), ([true, false], None));
    child.kill().expect("it may be killed");
    child.wait().expect("it ends");
    let error = verify_pidfd(&pidfd, Pid(child.id())).expect_err("it has ended");
    assert_eq!(Errno::from_io_error(&error), Some(Errno::SRCH));
}
