//! `localhost` as an argument: what the name resolves to, and sockets on all addresses.

use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::run;

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
