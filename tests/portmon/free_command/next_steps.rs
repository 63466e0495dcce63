//! The next step that `portmon free` offers: each command works as it stands.

use super::{FreeOutput, free};
use crate::harness::helper_process::OwnerProcess;
use crate::harness::respawner::Respawner;
use std::process::Command;

/// Runs the command that a message offers after these words.
fn run_offered(freed: &FreeOutput, to: &str) -> FreeOutput {
    let (_, rest) = freed.message.split_once(to).expect("an offer");
    let command = rest.split(';').next().expect("a command");
    let words = shell_words(command);
    let mut words = words.lines();
    assert_eq!(
        [words.next(), words.next()],
        [Some("portmon"), Some("free")]
    );
    free(&words.collect::<Vec<_>>())
}

/// Returns the words of a command as a shell splits them, one a line.
fn shell_words(command: &str) -> String {
    let script = format!("printf '%s\\n' {command}");
    let output = Command::new("sh").args(["-c", &script]).output();
    let output = output.expect("there is a shell");
    String::from_utf8(output.stdout).expect("words of text")
}

#[test]
fn the_workers_that_are_left_are_offered_with_a_command() {
    let holder = OwnerProcess::with_workers(3);
    let freed = free(&[&holder.port.to_string()]);
    assert_eq!(freed.code, Some(3), "{freed:#?}");
    let rest = run_offered(&freed, "to stop the 3 workers too: ");
    let ended: Vec<u64> = rest.signalled.iter().map(|(pid, _)| *pid).collect();
    assert_eq!((rest.code, ended), (Some(0), freed.holders));
}

#[test]
fn what_took_the_port_again_is_offered_with_its_parent() {
    let mut respawner = Respawner::start();
    let port = respawner.port.to_string();
    let freed = free(&[&port, "--settle", "20"]);
    assert_eq!(freed.code, Some(5), "{freed:#?}");
    let next = respawner.listener();
    freed.assert_says(&format!("and {respawner}: portmon free {port} --parent"));
    let both = run_offered(&freed, &format!("and {respawner}: "));
    let ended: Vec<u64> = both.signalled.iter().map(|(pid, _)| *pid).collect();
    // The parent first, so that it starts no other.
    assert_eq!(
        (both.code, ended),
        (Some(0), [respawner.pid(), next].map(u64::from).to_vec())
    );
    respawner.wait_until_ended();
}

#[test]
fn a_stronger_signal_is_offered_for_the_same_targets() {
    let holder = OwnerProcess::running(
        "trap '' TERM; exec 3<&0; (read -r line <&1) <&3 & echo; read -r line <&1",
    );
    let port = holder.port.to_string();
    let freed = free(&[&port, "--all-holders", "--wait", "1"]);
    assert_eq!(freed.code, Some(3), "{freed:#?}");
    let killed = run_offered(&freed, "to send SIGKILL: ");
    assert_eq!((killed.code, killed.signalled.len()), (Some(0), 2));
}
