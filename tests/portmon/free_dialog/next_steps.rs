//! What a verdict offers when the port is not free: each step opens a question of its own.

use std::net::TcpListener;

use super::{STOP_BUTTON, ask, dialog_for, wait_for_owner, wait_for_words};
use crate::harness::helper_process::OwnerProcess;
use crate::harness::respawner::Respawner;
use crate::harness::terminal::Terminal;

/// Stops a master whose workers keep the socket, and waits for the verdict.
fn left_with_workers(holder: &mut OwnerProcess) -> Terminal {
    let terminal = dialog_for(holder);
    terminal.press_when_armed(STOP_BUTTON, "y");
    wait_for_words(&terminal, &format!(":{} is STILL HELD: ", holder.port));
    holder.wait_until_left();
    terminal
}

#[test]
fn x_asks_about_the_workers_that_are_left() {
    let (mut holder, mut bystander) = (OwnerProcess::with_workers(3), OwnerProcess::listening());
    let terminal = left_with_workers(&mut holder);
    terminal.press_when_armed("x stop the 3 workers", "x");
    wait_for_words(&terminal, &format!("Free port {} on ", holder.port));
    terminal.press_when_armed("y stop 3 (SIGTERM)", "y");
    wait_for_words(&terminal, &format!(":{} is free. ", holder.port));
    TcpListener::bind(("127.0.0.1", holder.port)).expect("the port really is free");
    assert!(bystander.is_alive());
}

#[test]
fn g_asks_about_the_group_of_the_workers_that_are_left() {
    let mut holder = OwnerProcess::with_workers(2);
    let terminal = left_with_workers(&mut holder);
    terminal.press_when_armed("g its group", "g");
    terminal.press_when_armed("y stop 2 (SIGTERM)", "y");
    wait_for_words(&terminal, &format!(":{} is free. ", holder.port));
}

#[test]
fn w_tells_after_a_verdict_why_the_port_is_held() {
    let mut holder = OwnerProcess::with_workers(2);
    let terminal = left_with_workers(&mut holder);
    terminal.press_when_armed("w why", "w");
    wait_for_words(&terminal, "HELD");
    terminal.wait_for("the check", |display| !display.says("STILL HELD"));
}

#[test]
fn no_step_sends_anything_before_its_question_is_answered() {
    let mut holder = OwnerProcess::with_workers(2);
    let terminal = left_with_workers(&mut holder);
    terminal.press_when_armed("x stop the 2 workers", "x");
    terminal.wait_for("the question", |display| {
        display.is_armed("y stop 2 (SIGTERM)")
    });
    terminal.keys("\x1b");
    wait_for_words(&terminal, "canceled");
    let port = holder.port;
    TcpListener::bind(("127.0.0.1", port)).expect_err("the workers live on");
}

#[test]
fn p_asks_about_what_took_the_port_again_and_its_parent() {
    let mut respawner = Respawner::start();
    let terminal = Terminal::portmon(&[&format!("port:{}", respawner.port)]);
    wait_for_owner(&terminal, respawner.port, respawner.listener());
    ask(&terminal, &format!("Free port {} on ", respawner.port));
    terminal.press_when_armed("y stop it (SIGTERM)", "y");
    wait_for_words(&terminal, &format!(", started by {respawner}"));
    let next = respawner.listener();
    terminal.press_when_armed(&format!(" {next} and {respawner}"), "p");
    wait_for_words(&terminal, &format!("Free port {} on ", respawner.port));
    terminal.press_when_armed("y stop 2 (SIGTERM)", "y");
    wait_for_words(&terminal, &format!(":{} is free. ", respawner.port));
    respawner.wait_until_ended();
}
