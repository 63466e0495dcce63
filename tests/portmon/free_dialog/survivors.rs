//! Processes that exit late or not at all, and the signals for them.

use super::{STOP_BUTTON, dialog_for, wait_for_words, wait_until_freed};
use crate::harness::helper_process::{OwnerProcess, WAITS};
use crate::harness::requirements::skipped;

#[test]
fn shift_k_ends_a_process_that_ignores_sigterm() {
    let (mut holder, mut bystander) = (OwnerProcess::ignoring_sigterm(), OwnerProcess::listening());
    let port = holder.port;
    let terminal = dialog_for(&holder);
    terminal.press_when_armed(STOP_BUTTON, "y");
    let held = format!(":{port} is STILL HELD: {holder} ignores SIGTERM. K sends SIGKILL");
    wait_for_words(&terminal, &held);
    assert!(holder.is_alive());

    terminal.press_when_armed("K SIGKILL", "K");
    wait_until_freed(&terminal, &mut holder);
    wait_for_words(&terminal, "after SIGKILL.");
    assert!(bystander.is_alive());
}

/// Returns whether children of this test ignore SIGINT, as background jobs of a shell without job control do.
fn is_sigint_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.expect("a mask") & 0b10 != 0
}

#[test]
fn a_signal_from_the_menu_is_sent_instead_of_sigterm() {
    if is_sigint_ignored() {
        skipped("SIGINT was ignored when the test started");
        return;
    }
    // SIGTERM would not end it.
    let mut holder = OwnerProcess::running(&format!("trap '' TERM; {WAITS}"));
    let terminal = dialog_for(&holder);
    terminal.press_when_armed("s signal", "s");
    terminal.press_when_armed("i INT", "i");
    terminal.press_when_armed("y stop it (SIGINT)", "y");
    wait_until_freed(&terminal, &mut holder);
    wait_for_words(&terminal, "after SIGINT.");
}

#[test]
fn an_unknown_letter_leaves_the_signal_menu_and_sends_nothing() {
    let mut holder = OwnerProcess::listening();
    let terminal = dialog_for(&holder);
    terminal.press_when_armed("s signal", "s");
    terminal.press_when_armed("t TERM", "y");
    terminal.wait_for("the table", |display| {
        !display.says("Free port") && display.shows(holder.port)
    });
    assert!(holder.is_alive());
}

#[test]
fn a_suspended_process_is_continued_so_that_it_can_exit() {
    let mut holder = OwnerProcess::listening();
    holder.stop();
    let terminal = dialog_for(&holder);
    terminal.press_when_armed(STOP_BUTTON, "y");
    wait_until_freed(&terminal, &mut holder);
    let resumed = format!("{holder} was suspended, so SIGCONT was sent too.");
    wait_for_words(&terminal, &resumed);
}
