//! Processes that exit late, not at all, or come back.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::{FreeOutput, command, free};
use crate::harness::helper_process::{OwnerProcess, again};

/// Takes two seconds to shut down after a SIGTERM.
const SLOW: &str = "trap 'sleep 2 </dev/null >/dev/null; exit' TERM; echo; read -r line <&1; exit";

#[test]
fn a_process_that_ignores_the_signal_still_holds_its_port() {
    let (mut holder, mut bystander) = (OwnerProcess::ignoring_sigterm(), OwnerProcess::listening());
    let port = holder.port.to_string();
    let freed = free(&[&port, "--wait", "1"]);
    freed.assert(
        3,
        "still_held",
        &[(holder.pid(), "SIGTERM")],
        &[holder.pid()],
    );
    freed.assert_says(&format!(":{port} is STILL HELD: {holder} ignores SIGTERM"));
    freed.assert_says(&format!("portmon free {port} --signal KILL"));
    assert!(holder.is_alive() && bystander.is_alive());
}

#[test]
fn force_after_sends_sigkill_to_what_is_left() {
    let (mut holder, mut bystander) = (OwnerProcess::ignoring_sigterm(), OwnerProcess::listening());
    let freed = free(&[&holder.port.to_string(), "--force-after", "0.3"]);
    let pid = holder.pid();
    freed.assert(0, "free", &[(pid, "SIGTERM"), (pid, "SIGKILL")], &[]);
    freed.assert_says("after SIGKILL");
    holder.wait_until_ended();
    assert!(bystander.is_alive());
}

#[test]
fn a_signal_may_be_chosen() {
    let mut holder = OwnerProcess::ignoring_sigterm();
    let freed = free(&[&holder.port.to_string(), "--signal", "kill"]);
    freed.assert(0, "free", &[(holder.pid(), "SIGKILL")], &[]);
    holder.wait_until_ended();
}

#[test]
fn a_slow_process_is_awaited_or_reported_shutting_down() {
    let holder = OwnerProcess::running(SLOW);
    let port = holder.port.to_string();
    let early = free(&[&port, "--wait", "0.3"]);
    early.assert(
        3,
        "still_held",
        &[(holder.pid(), "SIGTERM")],
        &[holder.pid()],
    );
    early.assert_says("handles SIGTERM and is still shutting down");

    let mut holder = OwnerProcess::running(SLOW);
    let freed = free(&[&holder.port.to_string(), "--wait", "20"]);
    freed.assert(0, "free", &[(holder.pid(), "SIGTERM")], &[]);
    let is_slow = |after| (1.9..15.0).contains(&after);
    assert!(freed.after_seconds.is_some_and(is_slow), "{freed:?}");
    holder.wait_until_ended();
}

#[test]
fn a_suspended_process_is_continued_so_that_it_can_exit() {
    let mut holder = OwnerProcess::listening();
    holder.stop();
    let freed = free(&[&holder.port.to_string()]);
    let sent = [(holder.pid(), "SIGTERM"), (holder.pid(), "SIGCONT")];
    freed.assert(0, "free", &sent, &[]);
    freed.assert_says("was suspended, so SIGCONT was sent too");
    holder.wait_until_ended();
}

#[test]
fn a_dry_run_lists_the_sigcont_of_a_suspended_process() {
    let holder = OwnerProcess::listening();
    holder.stop();
    let port = holder.port.to_string();
    for (flags, signals) in [
        (&["--dry-run"][..], &["SIGTERM", "SIGCONT"][..]),
        (&["--dry-run", "--signal", "KILL"], &["SIGKILL"]),
    ] {
        let words = [&[port.as_str()], flags].concat();
        let dry = FreeOutput::from(command(&words).output().expect("an output"));
        assert_eq!(dry.would_signals(), signals, "{dry:#?}");
        let is_said = dry
            .message
            .contains("is suspended: SIGCONT is sent after SIGTERM");
        assert_eq!(is_said, signals.len() == 2, "{dry:#?}");
    }
}

fn respawned_after(pause: Duration) {
    let mut holder = OwnerProcess::listening();
    let port = holder.port;
    let portmon = command(&[&port.to_string(), "--settle", "60", "--yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("portmon");
    holder.wait_until_ended();
    // The supervisor pauses before it starts the next one.
    thread::sleep(pause);
    let mut next = again(port);
    let freed = FreeOutput::from(portmon.wait_with_output().expect("an end"));
    let ended = [(u64::from(holder.pid()), "SIGTERM".to_owned())];
    assert_eq!(
        (freed.code, freed.verdict.as_deref(), &freed.signalled[..]),
        (Some(5), Some("taken_again"), &ended[..])
    );
    freed.assert_says("is TAKEN AGAIN by ");
    // This process binds the port and passes it on, so it may be an owner for a moment.
    let takers = [next.pid(), std::process::id()].map(u64::from);
    assert!(
        freed.holders.iter().any(|holder| takers.contains(holder)),
        "{freed:#?}"
    );
    freed.assert_says(", started by ");
    assert!(next.is_alive());
}

#[test]
fn a_port_that_is_taken_again_at_once_is_not_free() {
    respawned_after(Duration::ZERO);
}

#[test]
fn a_port_that_is_taken_again_after_a_second_is_not_free() {
    respawned_after(Duration::from_secs(1));
}
