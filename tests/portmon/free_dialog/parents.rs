//! Owners that their parent starts again, and the parent that is stopped with them.

use super::{ask, wait_for_owner, wait_for_words};
use crate::harness::helper_process::OwnerProcess;
use crate::harness::respawner::Respawner;
use crate::harness::terminal::Terminal;

/// The dialog for the port of a listener that its parent starts again.
fn dialog_for_respawned(respawner: &Respawner) -> Terminal {
    let terminal = Terminal::portmon(&[&format!("port:{}", respawner.port)]);
    wait_for_owner(&terminal, respawner.port, respawner.listener());
    ask(&terminal, &format!("Free port {} on ", respawner.port));
    terminal
}

#[test]
fn a_parent_is_shown_as_an_owner_is() {
    let respawner = Respawner::start();
    let terminal = dialog_for_respawned(&respawner);
    // Its script is no file, so WHAT is its program.
    terminal.wait_for("the parent", |display| {
        let says = |words: &str| display.says(words);
        says(&format!("Started by {respawner} ")) && says("up ") && says("may restart it")
    });
}

#[test]
fn p_stops_the_parent_together_with_the_owner() {
    let mut bystander = OwnerProcess::listening();
    let mut respawner = Respawner::start();
    let terminal = dialog_for_respawned(&respawner);
    terminal.press_when_armed(&format!("p and {respawner}"), "p");
    terminal.press_when_armed("y stop 2 (SIGTERM)", "y");
    wait_for_words(&terminal, &format!(":{} is free. ", respawner.port));
    wait_for_words(&terminal, &format!(" and {respawner} ended "));
    respawner.wait_until_ended();
    assert!(bystander.is_alive());
}
