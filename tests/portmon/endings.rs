//! However the program ends, the terminal is as it was.

use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::children::Holder;
use crate::display::Display;
use crate::start::{PORTMON, Start};
use crate::terminal::Terminal;

/// portmon with its table drawn, so that there is something to restore.
fn running() -> Terminal {
    let terminal = Terminal::portmon(&[]);
    terminal.wait_for("a table", |display| display.contains("LOCAL"));
    terminal.assert_taken();
    terminal
}

#[test]
fn q_quits_and_restores_the_terminal() {
    let terminal = running();
    terminal.keys("q");
    assert_eq!(terminal.wait_for_exit(), 0);
    terminal.assert_restored();
}

#[test]
fn ctrl_c_quits_and_restores_the_terminal() {
    let terminal = running();
    terminal.keys("\x03");
    let code = terminal.wait_for_exit();
    assert!([0, 130].contains(&code), "exit code {code}");
    terminal.assert_restored();
}

#[test]
fn a_signal_ends_it_with_its_exit_code_and_restores_the_terminal() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let terminal = running();
        terminal.signal(signal);
        assert_eq!(terminal.wait_for_exit(), code, "{signal:?}");
        terminal.assert_restored();
    }
}

#[test]
fn a_signal_during_a_dialog_restores_the_terminal() {
    let mut holder = Holder::listening();
    let terminal = Terminal::portmon(&[&format!("port:{}", holder.port)]);
    terminal.wait_for("the listener", |display| display.shows(holder.port));
    terminal.keys("x");
    terminal.wait_for("the dialog", |display| display.says("Free tcp"));
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.wait_for_exit(), 143);
    terminal.assert_restored();
    assert!(holder.is_alive());
}

/// This test starts itself as the program that panics: portmon has no way to be made to.
#[test]
fn a_panic_restores_the_terminal_before_its_message() {
    if std::env::var_os("PORTMON_TEST_PANICS").is_some() {
        let _guard = portmon::terminal::Guard::enter().expect("the terminal can be taken over");
        panic!("on purpose");
    }
    let program = std::env::current_exe().expect("the test's own path");
    let arguments = [
        "--exact",
        "--nocapture",
        "endings::a_panic_restores_the_terminal_before_its_message",
    ];
    let environment = [("PORTMON_TEST_PANICS", "yes"), ("RUST_BACKTRACE", "0")];
    let program = program.to_string_lossy();
    let terminal = Terminal::start(Start::program(&program, &arguments).environment(&environment));
    assert_eq!(terminal.wait_for_exit(), 101);
    terminal.assert_restored();
    terminal.wait_for(
        "the message on the screen that was there before",
        |display| !display.is_alternate() && display.says("on purpose"),
    );
}

#[test]
fn a_vanished_terminal_ends_it() {
    running().vanish();
}

#[test]
fn ctrl_z_gives_the_shell_back_and_fg_the_table() {
    let holder = Holder::listening();
    let prompt = [("PS1", "ready>")];
    let shell = Terminal::start(Start::program("sh", &["-i"]).environment(&prompt));
    let is_prompting =
        |display: &Display| !display.is_alternate() && display.cursor_line().ends_with("ready>");
    shell.wait_for("the prompt", is_prompting);
    shell.keys(&format!("{PORTMON} -n 0.2 port:{}\n", holder.port));
    let has_table = |display: &Display| display.is_alternate() && display.shows(holder.port);
    shell.wait_for("the table", has_table);

    shell.keys("\x1a");
    let suspended = shell.wait_for("the prompt again", is_prompting);
    assert_eq!(suspended.leftovers(), Vec::<&str>::new(), "{suspended}");
    shell.keys("echo $((6 * 7))\n");
    shell.wait_for("the shell to answer", |display| {
        display.lines().iter().any(|line| line.trim() == "42") && is_prompting(display)
    });
    shell.keys("fg\n");
    shell.wait_for("the table again", has_table);
    shell.keys("q");
    shell.wait_for("the prompt at the end", is_prompting);
    shell.keys("exit\n");
    assert_eq!(shell.wait_for_exit(), 0);
    assert_eq!(shell.display().leftovers(), Vec::<&str>::new());
}

#[test]
fn without_a_terminal_it_names_the_commands_for_scripts() {
    let output = Command::new(PORTMON)
        .stdin(Stdio::null())
        .output()
        .expect("an output");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.contains("no terminal here; for scripts: portmon list, watch"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
    assert_eq!(output.stdout, b"");
}
