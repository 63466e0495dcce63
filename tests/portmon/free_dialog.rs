//! The dialog that frees a port: only the right process is stopped, and the verdict is about the port.

#[cfg(target_os = "linux")]
mod candidates;
#[cfg(target_os = "linux")]
mod marked;
#[cfg(target_os = "linux")]
mod next_steps;
#[cfg(target_os = "linux")]
mod other_programs;
#[cfg(target_os = "linux")]
mod parents;
#[cfg(target_os = "linux")]
mod permissions;
#[cfg(target_os = "linux")]
mod rows;
#[cfg(target_os = "linux")]
mod shared_sockets;
#[cfg(target_os = "linux")]
mod survivors;
#[cfg(target_os = "linux")]
mod taken_again;

use std::net::TcpListener;
use std::time::Duration;

use crate::harness::helper_process::{OwnerProcess, listen};
use crate::harness::launch::Launch;
use crate::harness::terminal::Terminal;

const STOP_BUTTON: &str = "y stop it";

/// portmon with the dialog for the port of `holder`.
fn dialog_for(holder: &OwnerProcess) -> Terminal {
    let terminal = table_of(&[holder]);
    ask(&terminal, &format!("Free port {} on ", holder.port));
    terminal
}

/// portmon with the rows of these processes, once it knows them as owners.
fn table_of(owners: &[&OwnerProcess]) -> Terminal {
    let ports: Vec<String> = owners.iter().map(|owner| owner.port.to_string()).collect();
    let terminal = Terminal::portmon(&[&format!("port:{}", ports.join(","))]);
    for owner in owners {
        wait_for_owner(&terminal, owner.port, owner.pid());
    }
    terminal
}

/// Waits until the port of an owner is free, and the owner has ended.
fn wait_until_freed(terminal: &Terminal, owner: &mut OwnerProcess) {
    wait_for_words(
        terminal,
        &format!(":{} is free. {owner} ended ", owner.port),
    );
    owner.wait_until_ended();
}

/// Waits until a row of this port has this owner, which may follow the socket by a moment.
fn wait_for_owner(terminal: &Terminal, port: u16, pid: u32) {
    let pid = pid.to_string();
    terminal.wait_for("the socket and its owner", |display| {
        let rows = display.rows();
        let is_meant = |text: &str| text.split_whitespace().any(|word| word == pid);
        let mut own = rows.iter().filter(|row| row.port == port);
        own.any(|row| is_meant(&row.text))
    });
}

/// Opens the dialog, whose title starts with `title`.
fn ask(terminal: &Terminal, title: &str) {
    #[cfg(target_os = "linux")]
    crate::harness::process_tree::wait_for_forks();
    terminal.keys("x");
    terminal.wait_for("the dialog", |display| display.says(title));
}

fn wait_for_words(terminal: &Terminal, words: &str) {
    terminal.wait_for(&format!("{words:?}"), |display| display.says(words));
}

#[test]
fn a_port_is_freed_after_asking_and_nothing_else_ends() {
    let (mut holder, mut bystander) = (OwnerProcess::listening(), OwnerProcess::listening());
    let terminal = dialog_for(&holder);
    wait_for_words(&terminal, &format!("{} {}", holder.name, holder.pid()));
    assert!(holder.is_alive());

    terminal.press_when_armed(STOP_BUTTON, "y");
    wait_for_words(&terminal, &format!(":{} is free", holder.port));
    holder.wait_until_ended();
    assert!(bystander.is_alive());
    TcpListener::bind(("127.0.0.1", holder.port)).expect("the port really is free");
}

#[test]
fn keys_typed_ahead_of_the_dialog_stop_nothing() {
    let mut holder = OwnerProcess::listening();
    let filter = holder.filter();
    // One of the keys opens a browser, which is not found with this PATH.
    let terminal =
        Terminal::start(Launch::portmon(&[&filter]).environment(&[("PATH", "/nonexistent")]));
    terminal.wait_for("the listener", |display| display.shows(holder.port));
    terminal.type_slowly("proxy", Duration::from_millis(30));
    // y was the last key: a dialog that acted on it would not ask any more.
    terminal.wait_for("a dialog that still asks", |display| {
        display.is_armed(STOP_BUTTON)
    });
    terminal.keys("\x1b");
    let display = terminal.wait_for("the table", |display| {
        !display.says("Free port") && display.shows(holder.port)
    });
    let row = display.row(holder.port).expect("waited for");
    assert!(row.text.contains("LISTEN"), "{display}");
    assert!(holder.is_alive());
}

#[test]
fn escape_cancel_and_a_paste_stop_nothing() {
    let mut holder = OwnerProcess::listening();
    let terminal = dialog_for(&holder);
    let answers: [&dyn Fn(); 3] = [
        &|| terminal.keys("\x1b"),
        &|| terminal.press_when_armed(STOP_BUTTON, "\r"),
        &|| terminal.paste("y\n"),
    ];
    for answer in answers {
        answer();
        terminal.wait_for("the dialog to close", |display| !display.says("Free port"));
        assert!(holder.is_alive());
        // A paste may have opened the filter.
        terminal.keys("\x1b");
        terminal.keys("x");
        wait_for_words(&terminal, "Free port");
    }
    assert!(holder.is_alive());
}

#[test]
fn a_target_that_is_gone_is_not_replaced_by_another() {
    let (mut holder, mut bystander) = (OwnerProcess::listening(), OwnerProcess::listening());
    let terminal = dialog_for(&holder);
    terminal.wait_for("a dialog that can be answered", |display| {
        display.is_armed(STOP_BUTTON)
    });
    holder.end();
    terminal.keys("y");
    let words = format!(
        "Nothing sent: {holder} has already exited. Nothing holds :{} now.",
        holder.port
    );
    wait_for_words(&terminal, &words);
    assert!(bystander.is_alive());
}

#[test]
fn a_new_owner_during_the_dialog_is_not_signaled() {
    let mut holder = OwnerProcess::listening();
    let terminal = dialog_for(&holder);
    terminal.wait_for("a dialog that can be answered", |display| {
        display.is_armed(STOP_BUTTON)
    });
    holder.end();
    let mut successor =
        OwnerProcess::named("successor", listen(&format!("127.0.0.1:{}", holder.port)));
    terminal.keys("y");
    let words = format!(
        "Nothing sent: {holder} has already exited. :{} is held by {successor} now.",
        holder.port
    );
    wait_for_words(&terminal, &words);
    assert!(successor.is_alive());
}
