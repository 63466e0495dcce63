//! `localhost` as an argument: what the name resolves to, and sockets on all addresses.

use std::fs;

use crate::harness::helper_process::{OwnerProcess, scratch, unique_name};
use crate::harness::launch::{run, run_by};
use crate::harness::requirements::can_unshare;

/// Exit codes of `wait`, `check` and `list` for this place of the holder's port, and whether `free` would end the holder.
fn answers(holder: &OwnerProcess, host: &str) -> ([Option<i32>; 3], bool) {
    let place = format!("{host}:{}", holder.port);
    let codes = [
        &["wait", &place, "--timeout", "0"][..],
        &["check", &place],
        &["list", &place],
    ]
    .map(|words| run(words).code);
    let freed = run(&["free", &place, "--dry-run"]);
    (codes, freed.stdout.contains(&holder.to_string()))
}

const HOLDS: ([Option<i32>; 3], bool) = ([Some(0), Some(1), Some(0)], true);
const HOLDS_NOT: ([Option<i32>; 3], bool) = ([Some(124), Some(0), Some(1)], false);

#[test]
fn localhost_is_what_the_name_resolves_to() {
    let holder = OwnerProcess::listening_on("127.0.0.2:0");
    assert_eq!(answers(&holder, "localhost"), HOLDS_NOT);
    assert_eq!(answers(&holder, "127.0.0.2"), HOLDS);
    let holder = OwnerProcess::listening();
    assert_eq!(answers(&holder, "localhost"), HOLDS);
}

#[test]
fn a_listener_on_all_addresses_is_on_localhost() {
    let holder = OwnerProcess::listening_on("0.0.0.0:0");
    assert_eq!(answers(&holder, "localhost"), HOLDS);
    let waited = run(&[
        "wait",
        &holder.port.to_string(),
        "--address",
        "localhost",
        "--timeout",
        "0",
    ]);
    assert_eq!(waited.code, Some(0), "{waited:?}");
}

/// Answers with this file in the place of `/etc/hosts`, in a mount namespace.
fn answers_by(hosts: &str, holder: &OwnerProcess) -> [Option<i32>; 3] {
    let place = format!("localhost:{}", holder.port);
    let script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
    [
        &["wait", &place, "--timeout", "0"][..],
        &["check", &place],
        &["list", &place],
    ]
    .map(|words| {
        let unshare = [&["unshare"], mounts(), &["sh", "-c", script, hosts]].concat();
        run_by(&unshare, words).code
    })
}

/// Options of unshare(1) for a mount namespace of its own.
fn mounts() -> &'static [&'static str] {
    let all = &["--user", "--map-root-user", "--mount"];
    let is_root = rustix::process::geteuid().is_root();
    if is_root { &all[2..] } else { all }
}

#[test]
fn another_hosts_file_gives_localhost_another_meaning() {
    if !can_unshare(mounts()) {
        return;
    }
    let hosts = scratch("hosts").join(unique_name());
    fs::write(&hosts, "127.0.0.5 localhost\n").expect("a file");
    let hosts = hosts.to_str().expect("a path");
    let there = OwnerProcess::listening_on("127.0.0.5:0");
    assert_eq!(answers_by(hosts, &there), HOLDS.0);
    assert_eq!(answers_by(hosts, &OwnerProcess::listening()), HOLDS_NOT.0);
}
