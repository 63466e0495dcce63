//! What must not be stopped: processes of other users, and what portmon itself runs in.

use super::{FreeOutput, free};
use crate::harness::helper_process::{OwnerProcess, WAITS, listen};
use crate::harness::launch::{Launch, PORTMON, run_by};
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
    let port = holder.port.to_string();
    let freed = FreeOutput::from(run_by(&NOBODY, &["free", "--json", "--yes", &port]));
    freed.assert(4, "not_permitted", &[], &[]);
    freed.assert_says(&format!(":{} belongs to root.", holder.port));
    freed.assert_says(&format!("Try: sudo {PORTMON} free {}", holder.port));
    assert!(holder.is_alive());
}

#[test]
fn root_is_told_the_user_before_a_process_is_stopped() {
    if !may_be_nobody() {
        return;
    }
    let mut holder = of_nobody();
    let freed = free(&[&holder.port.to_string()]);
    assert!(freed.found.contains("belongs to nobody"), "{freed:#?}");
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
        let question = format!("To free :{port}, type {port}:");
        terminal.wait_for("the question", |display| display.says(&question));
        terminal.keys(&answer);
        assert_eq!(terminal.wait_for_exit(), code);
    }
    holder.wait_until_ended();
}

#[test]
fn portmons_own_ancestors_are_refused_even_when_confirmed() {
    // The test itself owns the socket, and is the parent of portmon.
    let listener = listen("127.0.0.1:0");
    let port = listener.local_addr().expect("an address").port();
    let freed = free(&[&port.to_string()]);
    freed.assert(6, "refused", &[], &[std::process::id()]);
    freed.assert_says("it is an ancestor of portmon, and stopping it could end portmon");
    drop(listener);
    // Where a child shares the socket, only the child is a target.
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

/// A shell of root and, in its group, a process of another user, which alone holds the socket.
fn in_a_group_with_root() -> OwnerProcess {
    let nobody = NOBODY.join(" ");
    OwnerProcess::running(&format!(
        "exec 3<&0 </dev/null; {nobody} sh -c '{WAITS}' <&3 3<&- & exec 3<&-; wait"
    ))
}

/// A dry run as this user.
fn dry_run_as(user: &[&str], words: &[&str]) -> FreeOutput {
    wait_for_forks();
    let words = [&["free", "--json", "--dry-run"], words].concat();
    FreeOutput::from(run_by(user, &words))
}

#[test]
fn a_dry_run_names_the_group_members_it_may_not_signal() {
    if !may_be_nobody() {
        return;
    }
    let mut holder = in_a_group_with_root();
    let port = holder.port.to_string();
    let dry = dry_run_as(&NOBODY, &[&port, "--group"]);
    assert_eq!(
        (dry.code, dry.verdict.as_deref(), dry.would_signal()),
        (Some(4), Some("not_permitted"), 0),
        "{dry:#?}"
    );
    assert_eq!(dry.holders.len(), 1, "{dry:#?}");
    let denied = format!("you are not permitted to signal {holder} of root");
    let unknown = format!("{holder} belongs to root; what else it holds is unknown");
    dry.assert_says(&format!("Nothing would be sent for :{port}: {denied}"));
    dry.assert_says(&unknown);
    assert!(
        dry.found.contains(&format!("Also closes   {unknown}")) && dry.found.contains(&denied),
        "{dry:#?}"
    );
    // The owner itself may be signaled, and root may see and signal all of them.
    let own = dry_run_as(&NOBODY, &[&port]);
    let root = dry_run_as(&["env"], &[&port, "--group"]);
    for (dry, count) in [(own, 1), (root, 2)] {
        assert_eq!(
            (dry.code, dry.verdict.as_deref(), dry.would_signal()),
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

/// Options that let another user see all owners and signal none.
const SEES: [&str; 4] = [
    "--inh-caps",
    "+sys_ptrace,+dac_read_search",
    "--ambient-caps",
    "+sys_ptrace,+dac_read_search",
];

#[test]
fn a_dry_run_names_owners_it_may_see_but_not_signal() {
    if !may_be_nobody() {
        return;
    }
    let (mut single, mut family) = (OwnerProcess::listening(), OwnerProcess::with_workers(2));
    let seeing = [&NOBODY[..], &SEES[..]].concat();
    let cases = [
        (
            &single,
            "",
            format!("you are not permitted to signal {single} of root"),
        ),
        (
            &family,
            "--all-holders",
            format!(
                "you are not permitted to signal any of these 3 processes, including {family} of root"
            ),
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
            (dry.code, dry.verdict.as_deref(), dry.would_signal()),
            (Some(4), Some("not_permitted"), 0),
            "{dry:#?}"
        );
        dry.assert_says(&denied);
        assert!(!dry.message.contains("unknown"), "{dry:#?}");
    }
    assert!(single.is_alive() && family.is_alive());
}
