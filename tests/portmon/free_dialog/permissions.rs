//! What must not be stopped, ports that must be typed, and `--read-only`.

use super::{ask, dialog_for, table_of, wait_for_owner, wait_for_words};
use crate::free_command::permissions::{may_be_nobody, of_nobody};
use crate::harness::helper_process::{OwnerProcess, listen};
use crate::harness::launch::{Launch, PORTMON};
use crate::harness::requirements::NOBODY;
use crate::harness::terminal::Terminal;

#[test]
fn a_hidden_owner_is_shown_by_user_with_a_command_to_copy() {
    if !may_be_nobody() {
        return;
    }
    let mut holder = OwnerProcess::listening();
    let filter = holder.filter();
    let [program, words @ ..] = NOBODY;
    let words = [&words[..], &[PORTMON, "-n", "0.2", &filter]].concat();
    let terminal = Terminal::start(Launch::program(program, &words));
    terminal.wait_for("the socket of root", |display| {
        let row = display.row(holder.port);
        row.is_some_and(|row| row.text.contains("(root)"))
    });
    ask(&terminal, &format!(":{} belongs to root", holder.port));
    wait_for_words(
        &terminal,
        "It was opened by user root. Use sudo, or take another port.",
    );
    let display = terminal.display();
    assert!(!display.says("stop it"), "{display}");
    terminal.press_when_armed("c copy: sudo", "c");
    terminal.wait_for("what was copied", |display| display.clipboard().is_some());
    let command = format!("sudo {PORTMON} free {}", holder.port);
    assert_eq!(terminal.display().clipboard_text(), command);
    assert!(holder.is_alive());
}

#[test]
fn the_port_of_another_users_process_must_be_typed() {
    if !may_be_nobody() {
        return;
    }
    let mut holder = of_nobody();
    let port = holder.port;
    let end_it = "stop it (SIGTERM)";
    let terminal = table_of(&[&holder]);
    let title = format!("Free port {port} on ");
    // Not the key that is enough elsewhere, not Enter alone, not another port.
    for answer in ["y", "\r", "1\r"] {
        ask(&terminal, &title);
        wait_for_words(&terminal, "belongs to nobody");
        terminal.press_when_armed(end_it, answer);
        // None of these is an answer; Esc cancels.
        terminal.keys("\x1b");
        terminal.wait_for("the table", |display| !display.says(&title));
        assert!(holder.is_alive());
    }
    ask(&terminal, &title);
    wait_for_words(
        &terminal,
        &format!("Type {port}, then Enter, to confirm: _"),
    );
    terminal.press_when_armed(end_it, &port.to_string());
    wait_for_words(&terminal, &format!("to confirm: {port}_"));
    terminal.keys("\r");
    wait_for_words(&terminal, &format!(":{port} is free. "));
    holder.wait_until_ended();
}

#[test]
fn a_read_only_portmon_neither_ends_nor_marks_nor_offers_it() {
    let mut holder = OwnerProcess::listening();
    let filter = holder.filter();
    let terminal = Terminal::portmon(&["--read-only", &filter]);
    wait_for_owner(&terminal, holder.port, holder.pid());
    for (key, words) in [
        ("x", "read-only: nothing can be stopped"),
        (" ", "read-only: rows cannot be marked"),
        ("K", "\"K\" is not bound · ? help"),
    ] {
        terminal.keys(key);
        wait_for_words(&terminal, words);
        let display = terminal.display();
        let is_offered = display.says("Free port") || display.says("free port");
        assert!(!is_offered, "{display}");
    }
    assert!(holder.is_alive());
}

#[test]
fn a_dialog_whose_cancel_is_pressed_sends_nothing() {
    let mut holder = OwnerProcess::ignoring_sigterm();
    let terminal = dialog_for(&holder);
    // Tab goes round the buttons and comes back to Cancel.
    terminal.press_when_armed("[ Cancel ]", "\t");
    terminal.wait_for("another button", |display| !display.says("[ Cancel ]"));
    terminal.keys("\x1b[Z");
    terminal.press_when_armed("[ Cancel ]", "\r");
    terminal.wait_for("the table", |display| !display.says("Free port"));
    assert!(holder.is_alive());
}

#[test]
fn the_port_of_a_mosh_server_must_be_typed() {
    let holder = OwnerProcess::named("mosh-server", listen("127.0.0.1:0"));
    let port = holder.port;
    let terminal = dialog_for(&holder);
    wait_for_words(&terminal, &format!("{holder} carries a login of "));
    wait_for_words(
        &terminal,
        &format!("Type {port}, then Enter, to confirm: _"),
    );
}
