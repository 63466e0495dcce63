//! The question, and what happens without a yes.

use serde_json::json;

use super::{FreeOutput, command, free};
use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::{Launch, PORTMON, Printed, run};
use crate::harness::process_tree::wait_for_forks;
use crate::harness::requirements::skipped;
use crate::harness::terminal::Terminal;

#[test]
fn a_port_is_freed_and_nothing_else_ends() {
    let (mut holder, mut bystander) = (OwnerProcess::listening(), OwnerProcess::listening());
    let freed = free(&[&holder.port.to_string()]);
    freed.assert(0, "free", &[(holder.pid(), "SIGTERM")], &[]);
    freed.assert_says(&format!(":{} is free. {} ended ", holder.port, holder));
    assert!(freed.found.contains(&format!("Stops         {holder}")));
    let after = freed.after_seconds;
    assert!(after.is_some_and(|after| after < 5.0), "{freed:?}");
    holder.wait_until_ended();
    assert!(bystander.is_alive());

    let freed = free(&[&holder.port.to_string()]);
    freed.assert(0, "free", &[], &[]);
    assert_eq!(
        freed.message,
        format!(":{} is free: nothing holds it", holder.port)
    );
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_sent() {
    let mut holder = OwnerProcess::listening();
    let port = holder.port.to_string();
    let refused = FreeOutput::from(command(&[&port]).output().expect("an output"));
    refused.assert(6, "refused", &[], &[holder.pid()]);
    refused.assert_says("no terminal to ask on; use --yes to skip the question");
    assert!(holder.is_alive());
}

#[test]
fn a_dry_run_names_exactly_what_would_be_signaled() {
    let mut holder = OwnerProcess::listening();
    let port = holder.port.to_string();
    let dry = FreeOutput::from(command(&[&port, "--dry-run"]).output().expect("an output"));
    assert_eq!(
        (dry.code, dry.verdict.as_deref(), dry.signalled.len()),
        (Some(0), None, 0)
    );
    let expected = json!([{ "pid": holder.pid(), "name": holder.name, "signal": "SIGTERM" }]);
    assert_eq!(
        (dry.json.get("would_signal"), dry.json.get("dry_run")),
        (Some(&expected), Some(&json!(true)))
    );
    assert!(holder.is_alive());
}

#[test]
fn a_range_is_confirmed_by_the_number_of_its_ports() {
    let mut holder = OwnerProcess::listening();
    // Others may hold the next port on 127.0.0.1, so ask first how many there are.
    let (first, last) = (holder.port, holder.port.saturating_add(1));
    let range = format!("127.0.0.1:{first}-{last}");
    let said = |flag: &str| {
        let output = command(&[&range, flag]).output().expect("an output");
        let printed = Printed::from(output);
        (printed.code, printed.stdout)
    };
    let count = said("--dry-run").1.lines().count();
    let (code, text) = said("--yes");
    assert_eq!(code, Some(6), "{text}");
    assert!(
        text.contains("a range needs a port count: --yes="),
        "{text}"
    );
    let (code, text) = said(&format!("--yes={}", count + 1));
    assert_eq!(code, Some(6), "{text}");
    assert!(holder.is_alive());
    if count == 1 {
        let (code, text) = said("--yes=1");
        assert_eq!(code, Some(0), "{text}");
        holder.wait_until_ended();
    } else {
        skipped("another process holds the next port");
    }
}

#[test]
fn a_list_of_ports_gets_verdicts_in_its_order() {
    let (mut one, mut other) = (OwnerProcess::listening(), OwnerProcess::ignoring_sigterm());
    let list = format!("{},{}", other.port, one.port);
    let words = ["free", &list, "--yes", "--wait", "60", "--settle", "0.2"];
    let printed = run(&words);
    let lines: Vec<&str> = printed.stdout.lines().collect();
    let expected = [
        format!(":{} is STILL HELD: ", other.port),
        format!(":{} is free. ", one.port),
    ];
    let begins = |(line, begin): (&&str, &String)| line.starts_with(begin);
    let is_as_expected = lines.len() == 2 && lines.iter().zip(&expected).all(begins);
    assert!(is_as_expected && printed.code == Some(3), "{printed:?}");
    assert!(other.is_alive());
    one.wait_until_ended();
}

/// `portmon free` at a terminal, with its question on the screen.
fn asked(holder: &OwnerProcess) -> Terminal {
    wait_for_forks();
    let port = holder.port.to_string();
    let words = ["free", &port, "--settle", "0.2"];
    // Wide enough that no line is wrapped.
    let terminal = Terminal::start(Launch::program(PORTMON, &words).size(200, 24));
    terminal.wait_for("the question", |display| display.says("[y/N]"));
    terminal
}

#[test]
fn at_a_terminal_it_asks_and_only_yes_ends_anything() {
    let mut holder = OwnerProcess::listening();
    for answer in ["n\n", "\n", "yep\n"] {
        let terminal = asked(&holder);
        terminal.keys(answer);
        assert_eq!(terminal.wait_for_exit(), 6);
        assert!(terminal.display().says("not confirmed"));
        assert!(holder.is_alive());
    }
    let terminal = asked(&holder);
    terminal.keys("y\n");
    assert_eq!(terminal.wait_for_exit(), 0);
    assert!(
        terminal
            .display()
            .says(&format!(":{} is free. ", holder.port))
    );
    holder.wait_until_ended();
}

#[test]
fn ctrl_c_at_the_question_says_that_nothing_was_sent() {
    let mut holder = OwnerProcess::listening();
    let terminal = asked(&holder);
    terminal.keys("\u{3}");
    assert_eq!(terminal.wait_for_exit(), 130);
    let display = terminal.display();
    assert!(display.says("Nothing sent."), "{display}");
    assert!(holder.is_alive());
}

#[test]
fn a_process_that_ends_during_the_question_is_reported() {
    let mut holder = OwnerProcess::listening();
    let terminal = asked(&holder);
    holder.end();
    terminal.keys("y\n");
    assert_eq!(terminal.wait_for_exit(), 0);
    let display = terminal.display();
    assert!(display.says("has already exited"), "{display}");
    assert!(display.says("nothing holds it"), "{display}");
}
