//! Finding a port by typing, and by pasting an error message.

use crate::harness::display::Display;
use crate::harness::helper_process::OwnerProcess;
use crate::harness::terminal::Terminal;

const ESCAPE: &str = "\x1b";
const ENTER: &str = "\r";
const CLEAR_LINE: &str = "\x15";

/// Accepts a display with `wanted`, on which every other row is about it too.
fn shows_only(wanted: u16) -> impl Fn(&Display) -> bool {
    move |display| {
        let wanted_text = wanted.to_string();
        display.shows(wanted)
            && display
                .rows()
                .iter()
                .all(|row| row.text.contains(&wanted_text))
    }
}

fn wait_for_table(terminal: &Terminal) {
    terminal.wait_for("a table", |display| !display.rows().is_empty());
}

#[test]
fn a_port_is_found_by_slash_and_its_digits_and_enter_keeps_it() {
    let (wanted, _other) = (OwnerProcess::listening(), OwnerProcess::listening());
    let terminal = Terminal::portmon(&[]);
    wait_for_table(&terminal);
    terminal.keys("/");
    let mut typed = String::new();
    for digit in wanted.port.to_string().chars() {
        typed.push(digit);
        terminal.keys(&digit.to_string());
        terminal.wait_for("what was typed", |display| display.contains(&typed));
    }
    terminal.wait_for("the port alone", shows_only(wanted.port));
    terminal.keys(ENTER);
    // A letter is a command again: Enter has closed the filter line.
    terminal.keys("x");
    let title = format!("Free port {} on ", wanted.port);
    terminal.wait_for("a dialog", |display| display.says(&title));
    terminal.keys(ESCAPE);
    terminal.wait_for("the port still alone", |display| {
        !display.says(&title) && shows_only(wanted.port)(display)
    });
}

#[test]
fn a_digit_opens_the_filter_with_itself() {
    let (wanted, _other) = (OwnerProcess::listening(), OwnerProcess::listening());
    let terminal = Terminal::portmon(&[]);
    wait_for_table(&terminal);
    terminal.keys(&wanted.port.to_string());
    terminal.wait_for("the port alone", shows_only(wanted.port));
}

#[test]
fn escape_restores_the_filter_before() {
    let (first, second) = (OwnerProcess::listening(), OwnerProcess::listening());
    let terminal = Terminal::portmon(&[&first.filter()]);
    terminal.wait_for("the first", shows_only(first.port));
    terminal.keys("/");
    terminal.keys(CLEAR_LINE);
    terminal.keys(&second.port.to_string());
    terminal.wait_for("the second", shows_only(second.port));
    terminal.keys(ESCAPE);
    terminal.wait_for("the first again", shows_only(first.port));
}

#[test]
fn a_pasted_error_finds_its_port_and_runs_nothing() {
    let (mut wanted, _other) = (OwnerProcess::listening(), OwnerProcess::listening());
    let terminal = Terminal::portmon(&[]);
    wait_for_table(&terminal);
    let error = "Error: listen EADDRINUSE: address already in use";
    terminal.paste(&format!(" {error} :::{}", wanted.port));
    let display = terminal.wait_for("the port alone", shows_only(wanted.port));
    assert!(!display.says("Free port"), "{display}");
    assert!(wanted.is_alive());
}

#[test]
fn pasted_keys_stop_nothing() {
    let mut holder = OwnerProcess::listening();
    let terminal = Terminal::portmon(&[&holder.filter()]);
    let before = terminal.wait_for("the listener", shows_only(holder.port));
    terminal.paste("x\ny\n");
    let after = terminal.wait_for("an answer to the paste", |display| {
        display.lines() != before.lines() && display.contains("x")
    });
    assert!(!after.says("Free port"), "{after}");
    terminal.keys(ESCAPE);
    terminal.wait_for("the listener again", shows_only(holder.port));
    assert!(holder.is_alive());
}

#[test]
fn a_pid_in_place_of_a_port_is_offered_as_a_pid() {
    let holder = OwnerProcess::listening();
    let terminal = Terminal::portmon(&[]);
    wait_for_table(&terminal);
    let (pid, port) = (holder.pid(), holder.port);
    terminal.keys(&format!("/{pid}"));
    let offer = format!(
        "no port {pid} · process {pid} ({}) holds {port} · Enter: pid:{pid}",
        holder.name
    );
    terminal.wait_for("an offer", |display| display.says(&offer));
    terminal.keys(ENTER);
    terminal.wait_for("the port of that process", |display| display.shows(port));
}
