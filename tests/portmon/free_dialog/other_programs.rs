//! An owner that executes another program in place keeps its pid, its start time and its socket.

use super::{STOP_BUTTON, ask, table_of, wait_for_words};
use crate::harness::helper_process::OwnerProcess;

/// Becomes `sleep` when it is told to.
const EXECS: &str = "echo; read -r line <&1; exec sleep 60";

#[test]
fn the_question_names_the_program_after_an_exec() {
    let mut owner = OwnerProcess::running(EXECS);
    let terminal = table_of(&[&owner]);
    owner.proceed();
    owner.wait_until_named("sleep");
    ask(&terminal, &format!("Free port {} on ", owner.port));
    let now = format!("sleep {}", owner.pid());
    // The preview, and not the row behind it.
    wait_for_words(&terminal, &format!("Stops {now}"));
    terminal.press_when_armed(STOP_BUTTON, "y");
    wait_for_words(&terminal, &format!(":{} is free. {now} ended ", owner.port));
    owner.wait_until_left();
}

#[test]
fn a_program_that_was_not_shown_gets_no_signal() {
    let mut owner = OwnerProcess::running(EXECS);
    let terminal = table_of(&[&owner]);
    ask(&terminal, &format!("Free port {} on ", owner.port));
    wait_for_words(&terminal, &format!("Stops {owner}"));
    terminal.wait_for("a dialog that can be answered", |display| {
        display.is_armed(STOP_BUTTON)
    });
    owner.proceed();
    owner.wait_until_named("sleep");
    terminal.press_when_armed(STOP_BUTTON, "y");
    wait_for_words(&terminal, &format!("Nothing sent: {owner} is now sleep"));
    assert!(owner.is_alive());
}

#[test]
fn the_restart_command_is_that_of_the_program_after_an_exec() {
    let mut owner = OwnerProcess::running(EXECS);
    let terminal = table_of(&[&owner]);
    owner.proceed();
    owner.wait_until_named("sleep");
    terminal.keys("Y");
    wait_for_words(&terminal, "&& sleep 60");
}
