//! Where sockets are bound and what reaches them: interfaces, `localhost`, sockets connected to themselves, redirects.

mod cgroup_hook;
mod interfaces;
mod link_local;
mod localhost;
mod redirects;
mod self_connection;

use std::env;
use std::process::Command;
use std::thread;

use crate::harness::requirements::{can_unshare, skipped};

/// Set in the process that runs in a network namespace of its own.
const INSIDE: &str = "PORTMON_TEST_NETWORK";

/// An address of the interface `v0`, which [`in_a_network`] makes.
const V0: &str = "10.77.0.1";

/// Runs a test, which calls this first, once more in a network namespace with `lo` and `v0`; true in there.
#[track_caller]
fn is_in_a_network() -> bool {
    if env::var_os(INSIDE).is_some() {
        return has_interfaces();
    }
    let all = ["--user", "--map-root-user", "--net"];
    let is_root = rustix::process::geteuid().is_root();
    let options = if is_root { &all[2..] } else { &all[..] };
    if !can_unshare(options) {
        return false;
    }
    // libtest names the thread after the test, so a rename is followed.
    let thread = thread::current();
    let name = thread.name().expect("the name of the test");
    let output = Command::new("unshare")
        .args(options)
        .arg(env::current_exe().expect("this binary"))
        .args(["--exact", "--nocapture", name])
        .env(INSIDE, "1")
        .output()
        .expect("unshare runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    false
}

#[track_caller]
fn has_interfaces() -> bool {
    let commands = [
        "link set lo up",
        "link add v0 type veth peer name v1",
        "addr add 10.77.0.1/24 dev v0",
        "addr add fe80::77/64 dev v0 nodad",
        "link set v0 up",
        "link set v1 up",
    ];
    for command in commands {
        let status = Command::new("ip").args(command.split(' ')).status();
        match status {
            Ok(status) if status.success() => {}
            Ok(_) => {
                skipped(format_args!("ip {command} does not work"));
                return false;
            }
            Err(error) => {
                skipped(format_args!("ip(8): {error}"));
                return false;
            }
        }
    }
    true
}
