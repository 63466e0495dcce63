//! What needs another user or another pid namespace: this very test binary, started again in there for one ignored test.

use crate::model::process::{Pid, ProcessId};
use crate::os::processes::start_time;
use crate::os::testing::until;
use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

const ROLE: &str = "PORTMON_TEST_CONFINED";

/// What makes root another user.
pub const NOBODY: [&str; 6] = [
    "setpriv",
    "--reuid",
    "65534",
    "--regid",
    "65534",
    "--clear-groups",
];

/// A pid namespace of the test's own, with its own `/proc`.
const NAMESPACE: [&str; 6] = [
    "unshare",
    "--user",
    "--map-root-user",
    "--pid",
    "--fork",
    "--mount-proc",
];

/// Runs an ignored test as another user; says so where this machine does not let it.
pub fn become_nobody(test: &str) {
    if rustix::process::geteuid().is_root() {
        run(&NOBODY, test);
    } else {
        eprintln!("skipped: only root can become nobody");
    }
}

/// Runs an ignored test in a pid namespace of its own; says so where this machine does not let it.
pub fn enter_namespace(test: &str) {
    run(&NAMESPACE, test);
}

/// Whether this process was started to be somewhere else.
pub fn is_confined() -> bool {
    std::env::var_os(ROLE).is_some()
}

fn run(wrapper: &[&str], test: &str) {
    let binary = std::env::current_exe().expect("this binary");
    let inside = || {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]);
        command
    };
    let works = inside()
        .args(["test", "-x"])
        .arg(&binary)
        .stderr(Stdio::null())
        .status();
    if !works.is_ok_and(|status| status.success()) {
        eprintln!("skipped: {} does not work here", wrapper[0]);
        return;
    }
    let output = inside()
        .arg(binary)
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(ROLE, "1")
        .output()
        .expect("it runs");
    let (out, errors) = (output.stdout, output.stderr);
    let said = String::from_utf8_lossy(&out).into_owned() + &String::from_utf8_lossy(&errors);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "no such test: {test}");
}

/// A `sleep` that holds a listener, under the pid of one that ended: for a pid namespace of one's own.
pub fn sleep_in_the_place_of(ended: ProcessId, listener: &TcpListener) -> Child {
    until("the pid given away again", || {
        let last = ended.pid.0 - 1;
        fs::write("/proc/sys/kernel/ns_last_pid", last.to_string()).expect("our namespace");
        let mut child = sleep_on(listener.try_clone().expect("a copy"));
        if child.id() == ended.pid.0 && process_id(&child) != ended {
            return Some(child);
        }
        end(&mut child);
        None
    })
}

pub fn sleep_on(listener: TcpListener) -> Child {
    Command::new("sleep")
        .arg("60")
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .spawn()
        .expect("sleep runs")
}

/// Which process a child is.
pub fn process_id(child: &Child) -> ProcessId {
    let pid = Pid(child.id());
    let start = start_time::of_pid(pid).expect("it runs");
    ProcessId { pid, start }
}

pub fn end(child: &mut Child) {
    child.kill().expect("it may be killed");
    child.wait().expect("it ends");
}
