//! Tests that need another user or a PID namespace: this test binary, started again in there for one ignored test.

use crate::model::process::ProcessId;
use crate::os::testing::requirements::{NOBODY, can_be_nobody, can_unshare, skipped};
use crate::os::testing::{SocketHolder, sleeper, test_name, until};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

/// Set in the process that [`run`] starts.
const ROLE: &str = "PORTMON_TEST_CONFINED";

/// A PID namespace of the test's own, with its own `/proc`.
const NAMESPACE: [&str; 5] = [
    "--user",
    "--map-root-user",
    "--pid",
    "--fork",
    "--mount-proc",
];

/// Runs an ignored test as another user.
#[track_caller]
pub fn become_nobody(test: impl Fn()) {
    if can_be_nobody(&current_exe()) {
        run(&NOBODY, test_name(test));
    }
}

/// Runs an ignored test in a PID namespace of its own.
#[track_caller]
pub fn enter_namespace(test: impl Fn()) {
    if can_unshare(&NAMESPACE) {
        run(&[&["unshare"], &NAMESPACE[..]].concat(), test_name(test));
    }
}

/// Returns whether this process was started by [`become_nobody`] or [`enter_namespace`].
#[track_caller]
pub fn is_confined() -> bool {
    let is_confined = std::env::var_os(ROLE).is_some();
    if !is_confined {
        skipped("runs only in a process that another test starts");
    }
    is_confined
}

fn current_exe() -> PathBuf {
    std::env::current_exe().expect("this binary")
}

fn run(wrapper: &[&str], test: &str) {
    let output = Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg(current_exe())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(ROLE, "1")
        .output()
        .expect("it runs");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("1 passed"), "no such test: {test}");
}

/// A `sleep` that holds a listener under the pid of a process that has exited. Only for a PID namespace of the test's own.
pub fn sleep_in_the_place_of(ended: ProcessId, listener: &TcpListener) -> SocketHolder {
    until("the pid given away again", || {
        let last = ended.pid.0 - 1;
        fs::write("/proc/sys/kernel/ns_last_pid", last.to_string()).expect("our namespace");
        let child = sleeper(listener.try_clone().expect("a copy"));
        (child.pid() == ended.pid && child.process_id() != ended).then_some(child)
    })
}
