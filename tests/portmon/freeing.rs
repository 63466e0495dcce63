//! Freeing a port: the right process ends, no other, and the port is told about.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::children::{Holder, listen};
use crate::start::Start;
use crate::terminal::Terminal;

const END_IT: &str = "y end it";

/// portmon on the port of `holder`, with the dialog open.
fn dialog_for(holder: &Holder) -> Terminal {
    let terminal = Terminal::portmon(&[&format!("port:{}", holder.port)]);
    // The owner may follow the socket by a moment.
    let pid = holder.pid().to_string();
    terminal.wait_for("the listener and its owner", |display| {
        let row = display.row(holder.port);
        row.is_some_and(|row| row.text.contains(&pid))
    });
    terminal.keys("x");
    let title = format!("Free tcp :{} on ", holder.port);
    terminal.wait_for("the dialog", |display| display.says(&title));
    terminal
}

fn wait_for_words(terminal: &Terminal, words: &str) {
    terminal.wait_for(&format!("{words:?}"), |display| display.says(words));
}

#[test]
fn a_port_is_freed_after_asking_and_nothing_else_ends() {
    let (mut holder, mut bystander) = (Holder::listening(), Holder::listening());
    let terminal = dialog_for(&holder);
    wait_for_words(&terminal, &format!("{} {}", holder.name, holder.pid()));
    assert!(holder.is_alive());

    terminal.press_when_armed(END_IT, "y");
    wait_for_words(&terminal, &format!(":{} is free", holder.port));
    holder.wait_until_ended();
    assert!(bystander.is_alive());
    TcpListener::bind(("127.0.0.1", holder.port)).expect("the port really is free");
}

#[test]
fn keys_typed_ahead_of_the_dialog_end_nothing() {
    let mut holder = Holder::listening();
    let filter = format!("port:{}", holder.port);
    // One of the keys opens a browser; without a PATH there is none to be found.
    let terminal =
        Terminal::start(Start::portmon(&[&filter]).environment(&[("PATH", "/nonexistent")]));
    terminal.wait_for("the listener", |display| display.shows(holder.port));
    terminal.type_slowly("proxy", Duration::from_millis(30));
    // y was the last key: a dialog that acts on it never becomes one that asks.
    terminal.wait_for("a dialog that still asks", |display| {
        display.is_armed(END_IT)
    });
    terminal.keys("\x1b");
    let display = terminal.wait_for("the table", |display| {
        !display.says("Free tcp") && display.shows(holder.port)
    });
    let row = display.row(holder.port).expect("waited for");
    assert!(row.text.contains("LISTEN"), "{display}");
    assert!(holder.is_alive());
}

#[test]
fn escape_cancel_and_a_paste_end_nothing() {
    let mut holder = Holder::listening();
    let terminal = dialog_for(&holder);
    let answers: [&dyn Fn(); 3] = [
        &|| terminal.keys("\x1b"),
        &|| terminal.press_when_armed(END_IT, "\r"),
        &|| terminal.paste("y\n"),
    ];
    for answer in answers {
        answer();
        terminal.wait_for("the dialog to close", |display| !display.says("Free tcp"));
        assert!(holder.is_alive());
        // A paste may have opened the filter.
        terminal.keys("\x1b");
        terminal.keys("x");
        wait_for_words(&terminal, "Free tcp");
    }
    assert!(holder.is_alive());
}

#[test]
fn a_process_that_ignores_sigterm_is_told_and_shift_k_ends_it() {
    let mut holder = Holder::ignoring_sigterm();
    let terminal = dialog_for(&holder);
    terminal.press_when_armed(END_IT, "y");
    wait_for_words(&terminal, &format!(":{} is STILL HELD", holder.port));
    wait_for_words(&terminal, "ignores SIGTERM");
    assert!(holder.is_alive());

    terminal.press_when_armed(" K ", "K");
    wait_for_words(&terminal, &format!(":{} is free", holder.port));
    holder.wait_until_ended();
}

#[test]
fn a_port_that_workers_keep_is_not_called_free() {
    let holder = Holder::with_two_workers();
    let terminal = dialog_for(&holder);
    terminal.press_when_armed(END_IT, "y");
    wait_for_words(&terminal, &format!(":{} is STILL HELD", holder.port));
    let display = terminal.display();
    assert!(!display.says("is free"), "{display}");
    TcpStream::connect(("127.0.0.1", holder.port)).expect("the workers listen");
}

#[test]
fn nothing_is_ended_in_place_of_a_target_that_is_gone() {
    let (mut holder, mut bystander) = (Holder::listening(), Holder::listening());
    let terminal = dialog_for(&holder);
    terminal.wait_for("a dialog that can be answered", |display| {
        display.is_armed(END_IT)
    });
    holder.end();
    terminal.keys("y");
    terminal.wait_for("the truth", |display| {
        display.says("Nothing sent") || display.says("already closed")
    });
    assert!(bystander.is_alive());
}

#[test]
fn whoever_took_the_port_over_while_the_dialog_asked_is_spared() {
    let mut holder = Holder::listening();
    let terminal = dialog_for(&holder);
    terminal.wait_for("a dialog that can be answered", |display| {
        display.is_armed(END_IT)
    });
    holder.end();
    let mut successor = Holder::named("successor", listen(&format!("127.0.0.1:{}", holder.port)));
    terminal.keys("y");
    terminal.wait_for("the truth", |display| {
        display.says("Nothing sent") || display.says("already closed")
    });
    assert!(successor.is_alive());
}
