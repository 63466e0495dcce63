//! Marked rows are freed together, each with its own verdict.

use super::{ask, table_of, wait_for_words, wait_until_freed};
use crate::harness::display::Display;
use crate::harness::helper_process::OwnerProcess;

#[test]
fn two_ports_are_freed_together_each_with_its_verdict() {
    let (mut plain, mut stubborn) = (OwnerProcess::listening(), OwnerProcess::ignoring_sigterm());
    let mut bystander = OwnerProcess::listening();
    let terminal = table_of(&[&plain, &stubborn]);
    // Marking moves the cursor to the next row.
    terminal.keys("  ");
    ask(&terminal, "Free 2 ports on ");
    for holder in [&plain, &stubborn] {
        wait_for_words(&terminal, &format!("Stops :{} {holder}", holder.port));
    }
    terminal.press_when_armed("y stop 2 (SIGTERM)", "y");
    wait_until_freed(&terminal, &mut plain);
    let port = stubborn.port;
    let held = format!(":{port} is STILL HELD: {stubborn} ignores SIGTERM");
    wait_for_words(&terminal, &held);
    assert!(stubborn.is_alive());

    terminal.press_when_armed("K SIGKILL", "K");
    wait_until_freed(&terminal, &mut stubborn);
    wait_for_words(&terminal, "after SIGKILL.");
    // The verdict about the other one is beside it.
    wait_until_freed(&terminal, &mut plain);
    assert!(bystander.is_alive());
}

#[test]
fn an_unmarked_row_is_not_freed() {
    let (mut one, mut other) = (OwnerProcess::listening(), OwnerProcess::listening());
    let terminal = table_of(&[&one, &other]);
    let has_marks = |display: &Display| display.rows().iter().all(|row| row.mark == Some('*'));
    terminal.keys("  ");
    terminal.wait_for("two marks", has_marks);
    terminal.keys("U");
    terminal.wait_for("no mark", |display| !has_marks(display));
    // Marking has moved the cursor to the last row, and without marks only that one is meant.
    let selected = one.port.max(other.port);
    let (meant, spared) = if selected == one.port {
        (&mut one, &mut other)
    } else {
        (&mut other, &mut one)
    };
    ask(&terminal, &format!("Free port {selected} on "));
    terminal.press_when_armed("y stop it (SIGTERM)", "y");
    wait_until_freed(&terminal, meant);
    assert!(spared.is_alive());
}
