//! What may not be ended: another user's process, and what this very portmon runs in.

use std::process::{Command, Stdio};

use super::{FreeOutput, free};
use crate::harness::helper_process::{OwnerProcess, WAITS, listen};
use crate::harness::launch::{Launch, PORTMON};
use crate::harness::process_tree::wait_for_forks;
use crate::harness::requirements::{NOBODY, can_be_nobody};
use crate::harness::terminal::Terminal;

/// Returns whether portmon can be run as another user.
#[track_caller]
pub fn may_be_nobody() -> bool {
    can_be_nobody(PORTMON.as_ref())
}

/// A listener held by a process of another user.
pub fn of_nobody() -> OwnerProcess {
    OwnerProcess::running(&format!("exec {} sh -c '{WAITS}'", NOBODY.join(" ")))
}

#[test]
fn an_owner_of_another_user_is_not_permitted() {
    if !may_be_nobody() {
        return;
    }
    let mut holder = OwnerProcess::listening();
    let [program, words @ ..] = NOBODY;
    let output = Command::new(program)
        .args(words)
        .args([PORTMON, "free", "--json", "--yes", &holder.port.to_string()])
        .stdin(Stdio::null())
        .output()
        .expect("an output");
    let freed = FreeOutput::from(&output);
    freed.assert(4, "not_permitted", &[], &[]);
    freed.assert_says(&format!(":{} belongs to root.", holder.port));
    freed.assert_says(&format!("Try: sudo {PORTMON} free {}", holder.port));
    assert!(holder.is_alive());
}

#[test]
fn root_is_told_whose_process_it_is_before_it_ends() {
    if !may_be_nobody() {
        return;
    }
    let mut holder = of_nobody();
    let freed = free(&[&holder.port.to_string()]);
    assert!(freed.found.contains("belongs to nobody."), "{freed:#?}");
    assert_eq!((freed.code, freed.signalled.len()), (Some(0), 1));
    holder.wait_until_ended();
}

#[test]
fn another_users_port_must_be_typed_at_a_terminal() {
    if !may_be_nobody() {
        return;
    }
    let mut holder = of_nobody();
    let port = holder.port.to_string();
    for (answer, code) in [("y\n".to_owned(), 6), (format!("{port}\n"), 0)] {
        let words = ["free", &port, "--settle", "0.2"];
        let terminal = Terminal::start(Launch::program(PORTMON, &words));
        let question = format!("type {port} to do it:");
        terminal.wait_for("the question", |display| display.says(&question));
        terminal.keys(&answer);
        assert_eq!(terminal.wait_for_exit(), code);
    }
    holder.wait_until_ended();
}

#[test]
fn portmons_own_ancestors_are_refused_even_when_confirmed() {
    // The test's own process holds the port, and is portmon's parent.
    let listener = listen("127.0.0.1:0");
    let port = listener.local_addr().expect("an address").port();
    let freed = free(&[&port.to_string()]);
    freed.assert(6, "refused", &[], &[std::process::id()]);
    freed.assert_says("it runs this portmon, which would end with it");
    drop(listener);
    // Where a holder of its own shares the socket, only that one is a target.
    let listener = listen("127.0.0.1:0");
    let port = listener.local_addr().expect("an address").port();
    let copy = listener.try_clone().expect("a copy");
    let mut holder = OwnerProcess::holding(copy, port, WAITS);
    let freed = free(&[&port.to_string(), "--all-holders", "--wait", "0.5"]);
    assert_eq!(
        (freed.code, freed.verdict.as_deref()),
        (Some(6), Some("refused")),
        "{freed:#?}"
    );
    assert!(holder.is_alive(), "{holder} lives on");
}

/// A shell of root starts a process of another user in its group, which holds the socket alone.
fn in_a_group_with_root() -> OwnerProcess {
    let nobody = NOBODY.join(" ");
    OwnerProcess::running(&format!(
        "exec 3<&0 </dev/null; {nobody} sh -c '{WAITS}' <&3 3<&- & exec 3<&-; wait"
    ))
}

/// A dry run as this user, without rights beyond these.
fn dry_run_as(user: &[&str], words: &[&str]) -> FreeOutput {
    wait_for_forks();
    let (program, rights) = user.split_first().expect("a program");
    let output = Command::new(program)
        .args(rights)
        .args([PORTMON, "free", "--json", "--dry-run"])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .expect("an output");
    FreeOutput::from(&output)
}

fn would_signal(freed: &FreeOutput) -> usize {
    let would = freed.json.get("would_signal");
    let would = would.and_then(serde_json::Value::as_array);
    would.expect("a list").len()
}

#[test]
fn a_dry_run_tells_who_of_a_group_may_not_be_signalled() {
    if !may_be_nobody() {
        return;
    }
    let mut holder = in_a_group_with_root();
    let port = holder.port.to_string();
    let dry = dry_run_as(&NOBODY, &[&port, "--group"]);
    assert_eq!(
        (dry.code, dry.verdict.as_deref(), would_signal(&dry)),
        (Some(4), Some("not_permitted"), 0),
        "{dry:#?}"
    );
    assert_eq!(dry.holders.len(), 1, "{dry:#?}");
    let denied = format!("you are not permitted to end {holder} of root.");
    let unknown = format!("{holder} belongs to root; what else it holds is unknown");
    dry.assert_says(&format!("Nothing would be sent for :{port}: {denied}"));
    dry.assert_says(&unknown);
    assert!(
        dry.found.contains(&format!("also closes   {unknown}")) && dry.found.contains(&denied),
        "{dry:#?}"
    );
    // The holder itself may be signalled, and root sees everything and may signal everybody.
    let own = dry_run_as(&NOBODY, &[&port]);
    let root = dry_run_as(&["env"], &[&port, "--group"]);
    for (dry, count) in [(own, 1), (root, 2)] {
        assert_eq!(
            (dry.code, dry.verdict.as_deref(), would_signal(&dry)),
            (Some(0), None, count),
            "{dry:#?}"
        );
        let said = format!("{} {}", dry.message, dry.found);
        assert!(
            !said.contains("unknown") && !said.contains("permitted"),
            "{dry:#?}"
        );
    }
    assert!(holder.runs());
}

/// What lets another user see who holds which socket, and signal nobody.
const SEES: [&str; 4] = [
    "--inh-caps",
    "+sys_ptrace,+dac_read_search",
    "--ambient-caps",
    "+sys_ptrace,+dac_read_search",
];

#[test]
fn a_dry_run_tells_that_a_holder_may_be_seen_and_not_signalled() {
    if !may_be_nobody() {
        return;
    }
    let (mut single, mut family) = (OwnerProcess::listening(), OwnerProcess::with_workers(2));
    let seeing = [&NOBODY[..], &SEES[..]].concat();
    let cases = [
        (
            &single,
            "",
            format!("you are not permitted to end {single} of root."),
        ),
        (
            &family,
            "--all-holders",
            format!("you are not permitted to end any of these 3 processes, as {family} of root."),
        ),
    ];
    for (holder, flag, denied) in cases {
        let port = holder.port.to_string();
        let words: Vec<&str> = [port.as_str(), flag]
            .into_iter()
            .filter(|one| !one.is_empty())
            .collect();
        let dry = dry_run_as(&seeing, &words);
        assert_eq!(
            (dry.code, dry.verdict.as_deref(), would_signal(&dry)),
            (Some(4), Some("not_permitted"), 0),
            "{dry:#?}"
        );
        dry.assert_says(&denied);
        assert!(!dry.message.contains("unknown"), "{dry:#?}");
    }
    assert!(single.is_alive() && family.is_alive());
}
