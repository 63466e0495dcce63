//! Ports that are taken again.

use std::thread;
use std::time::Duration;

use super::{STOP_BUTTON, dialog_for, wait_for_words};
use crate::harness::display::Display;
use crate::harness::helper_process::{OwnerProcess, again};

fn respawned_after(pause: Duration) {
    let mut holder = OwnerProcess::listening();
    let terminal = dialog_for(&holder);
    terminal.press_when_armed(STOP_BUTTON, "y");
    holder.wait_until_ended();
    // The supervisor pauses before it starts the next one.
    thread::sleep(pause);
    let mut next = again(holder.port);
    wait_for_words(&terminal, "is TAKEN AGAIN by ");
    wait_for_words(&terminal, ", started by ");
    assert!(next.is_alive(), "{next}");
}

#[test]
fn a_port_that_is_taken_again_at_once_is_not_free() {
    respawned_after(Duration::ZERO);
}

#[test]
fn a_port_that_is_taken_again_after_a_second_is_not_free() {
    respawned_after(Duration::from_secs(1));
}

#[test]
fn reuse_after_the_dialog_closed_is_shown_over_the_table() {
    let mut holder = OwnerProcess::listening();
    let terminal = dialog_for(&holder);
    terminal.press_when_armed(STOP_BUTTON, "y");
    let free = format!(":{} is free. ", holder.port);
    let counts = |display: &Display| display.says(&free) && !display.says("Watching");
    terminal.wait_for("a verdict that counts", counts);
    holder.wait_until_ended();
    terminal.keys("\x1b");
    terminal.wait_for("the table", |display| !display.says("is free"));

    let mut next = again(holder.port);
    wait_for_words(&terminal, " is TAKEN AGAIN by ");
    wait_for_words(&terminal, ", started by ");
    assert!(next.is_alive(), "{next}");
}
