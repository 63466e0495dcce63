//! What may not be ended: another user's process, and what this very portmon runs in.

use std::process::{Command, Stdio};

use super::{Freed, free};
use crate::children::{Holder, WAITS, listen};
use crate::start::{PORTMON, Start};
use crate::terminal::Terminal;

/// What makes root another user.
pub const NOBODY: [&str; 6] = [
    "setpriv",
    "--reuid",
    "65534",
    "--regid",
    "65534",
    "--clear-groups",
];

/// Whether this test may become another user, who must be able to run portmon.
pub fn may_be_nobody() -> bool {
    let [program, words @ ..] = NOBODY;
    let mut test = Command::new(program);
    test.args(words).args(["test", "-x", PORTMON]);
    let may = rustix::process::geteuid().is_root() && test.status().is_ok_and(|it| it.success());
    if !may {
        eprintln!("skipped: only root becomes another user, who must be able to run portmon");
    }
    may
}

/// A listener held by a process of another user.
pub fn of_nobody() -> Holder {
    Holder::running(&format!("exec {} sh -c '{WAITS}'", NOBODY.join(" ")))
}

#[test]
fn a_holder_of_another_user_is_not_permitted_and_the_way_out_told() {
    if !may_be_nobody() {
        return;
    }
    let mut holder = Holder::listening();
    let [program, words @ ..] = NOBODY;
    let output = Command::new(program)
        .args(words)
        .args([PORTMON, "free", "--json", "--yes", &holder.port.to_string()])
        .stdin(Stdio::null())
        .output()
        .expect("an output");
    let freed = Freed::from(&output);
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
fn at_a_terminal_the_port_of_another_users_process_must_be_typed() {
    if !may_be_nobody() {
        return;
    }
    let mut holder = of_nobody();
    let port = holder.port.to_string();
    for (answer, code) in [("y\n".to_owned(), 6), (format!("{port}\n"), 0)] {
        let words = ["free", &port, "--settle", "0.2"];
        let terminal = Terminal::start(Start::program(PORTMON, &words));
        let question = format!("type {port} to do it:");
        terminal.wait_for("the question", |display| display.says(&question));
        terminal.keys(&answer);
        assert_eq!(terminal.wait_for_exit(), code);
    }
    holder.wait_until_ended();
}

#[test]
fn what_this_portmon_runs_in_is_refused_whoever_agrees() {
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
    let mut holder = Holder::holding(copy, port, WAITS);
    let freed = free(&[&port.to_string(), "--all-holders", "--wait", "0.5"]);
    assert_eq!(
        (freed.code, freed.verdict.as_deref()),
        (Some(6), Some("refused")),
        "{freed:#?}"
    );
    assert!(holder.is_alive(), "{holder} lives on");
}
