//! Who probably holds a port: the dialog asks for the pid.

use super::{ask, wait_for_words};
use crate::free_command::candidates::closed_listener;
use crate::harness::launch::{Launch, PORTMON};
use crate::harness::terminal::Terminal;

#[test]
fn a_candidate_is_stopped_once_its_pid_is_typed() {
    let Some((user, mut holder)) = closed_listener() else {
        return;
    };
    let filter = holder.filter();
    let user = user.words();
    let (program, rest) = user.split_first().expect("a program");
    let words = [rest, &[PORTMON, "-n", "0.2", &filter]].concat();
    let terminal = Terminal::start(Launch::program(program, &words).size(100, 30));
    terminal.wait_for("the row", |display| display.row(holder.port).is_some());
    ask(&terminal, &format!("Free port {} on ", holder.port));
    let pid = holder.pid();
    wait_for_words(&terminal, &format!("Type the pid {pid}, then Enter"));
    wait_for_words(
        &terminal,
        &format!("portmon cannot prove that {holder} holds"),
    );
    let end_it = "stop it (SIGTERM)";
    terminal.press_when_armed(end_it, "y");
    terminal.keys(&holder.port.to_string());
    terminal.keys("\r");
    wait_for_words(&terminal, &format!("to confirm: {}_", holder.port));
    assert!(holder.is_alive());
    terminal.keys("\x7f\x7f\x7f\x7f\x7f");
    terminal.keys(&pid.to_string());
    wait_for_words(&terminal, &format!("to confirm: {pid}_"));
    terminal.keys("\r");
    wait_for_words(
        &terminal,
        &format!(":{} is free. {holder} ended ", holder.port),
    );
    holder.wait_until_ended();
}

#[test]
fn the_details_name_who_probably_holds_a_port() {
    let Some((user, holder)) = closed_listener() else {
        return;
    };
    let filter = holder.filter();
    let user = user.words();
    let (program, rest) = user.split_first().expect("a program");
    let words = [rest, &[PORTMON, "-n", "0.2", &filter]].concat();
    let terminal = Terminal::start(Launch::program(program, &words).size(100, 30));
    terminal.wait_for("the row", |display| display.row(holder.port).is_some());
    terminal.keys("i");
    wait_for_words(&terminal, &format!("{holder} · its descriptors are not"));
}
