//! A socket with many owners: which of them is stopped, and what the others mean for the port.

use std::net::{TcpListener, TcpStream};

use super::{ask, dialog_for, table_of, wait_for_owner, wait_for_words};
use crate::free_command::shared_sockets::twin;
use crate::harness::helper_process::{OwnerProcess, WAITS};
use crate::harness::process_tree::children_of;
use crate::harness::terminal::Terminal;

/// Owns its socket, with a child that does not.
const WITH_AN_IDLE_CHILD: &str = "(read -r line <&1) & echo; read -r line <&1";

/// Leaves the socket to a child and waits for it.
const STARTS_THE_HOLDER: &str = "exec 3<&0 </dev/null
    (exec 3<&-; read -r line <&1) <&3 &
    exec 3<&-; echo; wait";

#[test]
fn workers_that_outlive_their_master_are_counted() {
    let (mut holder, mut bystander) = (OwnerProcess::with_workers(3), OwnerProcess::listening());
    let terminal = dialog_for(&holder);
    terminal.press_when_armed("y stop it (SIGTERM)", "y");
    let words = format!(
        ":{} is STILL HELD: {holder} ended, 3 workers keep the socket (",
        holder.port
    );
    wait_for_words(&terminal, &words);
    holder.wait_until_left();
    TcpStream::connect(("127.0.0.1", holder.port)).expect("the workers listen");
    assert!(bystander.is_alive());
}

#[test]
fn all_owners_are_named_as_a_tree_and_stopped_together() {
    let (mut holder, mut bystander) = (OwnerProcess::with_workers(3), OwnerProcess::listening());
    let mut workers = children_of(holder.pid());
    workers.sort_unstable();
    let terminal = dialog_for(&holder);
    terminal.press_when_armed("a all 4", "a");
    terminal.wait_for("four that would end", |display| {
        display.is_armed("y stop 4 (SIGTERM)")
    });
    for (worker, branch) in workers.iter().zip(["├", "├", "└"]) {
        wait_for_words(&terminal, &format!("{branch} {} {worker}", holder.name));
    }
    terminal.keys("y");
    wait_for_words(&terminal, &format!(":{} is free. ", holder.port));
    holder.wait_until_ended();
    TcpListener::bind(("127.0.0.1", holder.port)).expect("the port really is free");
    assert!(bystander.is_alive());
}

#[test]
fn a_group_ends_with_members_that_hold_nothing() {
    let (mut holder, mut bystander) = (
        OwnerProcess::running(WITH_AN_IDLE_CHILD),
        OwnerProcess::listening(),
    );
    let child = children_of(holder.pid());
    let terminal = dialog_for(&holder);
    terminal.press_when_armed("g group (2)", "g");
    terminal.wait_for("two that would end", |display| {
        display.is_armed("y stop 2 (SIGTERM)")
    });
    for child in &child {
        let words = format!(
            "└ {} {child} not an owner (same process group)",
            holder.name
        );
        wait_for_words(&terminal, &words);
    }
    terminal.keys("y");
    wait_for_words(&terminal, &format!(":{} is free. ", holder.port));
    // The child keeps the socket of the test open as well.
    holder.wait_until_ended();
    assert!(bystander.is_alive());
}

/// The dialog for the port of a child of `parent`, and the pid of the child.
fn dialog_for_child(parent: &OwnerProcess) -> (Terminal, u32) {
    let child = *children_of(parent.pid()).first().expect("a child");
    let terminal = Terminal::portmon(&[&parent.filter()]);
    wait_for_owner(&terminal, parent.port, child);
    ask(&terminal, &format!("Free port {} on ", parent.port));
    (terminal, child)
}

#[test]
fn the_owner_can_be_chosen_again_after_its_parent() {
    let mut parent = OwnerProcess::running(STARTS_THE_HOLDER);
    let (terminal, child) = dialog_for_child(&parent);
    terminal.press_when_armed(&format!("p and {parent}"), "p");
    terminal.wait_for("two that would end", |display| {
        display.is_armed("y stop 2 (SIGTERM)")
    });
    wait_for_words(
        &terminal,
        &format!("{parent} not an owner (parent process)"),
    );
    terminal.press_when_armed("p owner only", "p");
    terminal.press_when_armed("y stop it (SIGTERM)", "y");
    let free = format!(":{} is free. {} {child} ended ", parent.port, parent.name);
    wait_for_words(&terminal, &free);
    // It exits once its child has.
    parent.wait_until_ended();
}

#[test]
fn twins_that_share_a_port_are_both_named_and_stopped() {
    let (one, port) = twin("127.0.0.1:0");
    let (other, _) = twin(&format!("127.0.0.1:{port}"));
    let mut one = OwnerProcess::holding(one, port, WAITS);
    let mut other = OwnerProcess::holding(other, port, WAITS);
    let terminal = table_of(&[&one, &other]);
    ask(&terminal, &format!("Free port {port} on "));
    for twin in [&one, &other] {
        wait_for_words(&terminal, &twin.to_string());
    }
    terminal.press_when_armed("y stop 2 (SIGTERM)", "y");
    wait_for_words(&terminal, &format!(":{port} is free. "));
    one.wait_until_ended();
    other.wait_until_ended();
}
