//! The terminal is restored however the program ends.

use std::process::Command;

use rustix::process::{Signal, kill_process};

use crate::commands::list::assert_usage_error;
use crate::harness::display::Display;
use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::{Launch, PORTMON, run};
use crate::harness::terminal::Terminal;

/// portmon with its table drawn.
fn running() -> Terminal {
    let terminal = Terminal::portmon(&[]);
    terminal.wait_for("a table", |display| display.contains("LOCAL"));
    terminal.assert_raw();
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

/// Signals that end a program by default, without those that its own instructions cause.
const ENDING: &[Signal] = &[
    Signal::TERM,
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::ABORT,
    Signal::VTALARM,
    Signal::PROF,
    Signal::XCPU,
    Signal::XFSZ,
    #[cfg(target_os = "linux")]
    Signal::IO,
    #[cfg(target_os = "linux")]
    Signal::POWER,
    #[cfg(target_os = "linux")]
    Signal::STKFLT,
];

/// Signals with which people and systems end programs.
const USUAL: [Signal; 4] = [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT];

/// The exit code that a shell reports.
fn exit_code(signal: Signal) -> u32 {
    128 + u32::try_from(signal.as_raw()).expect("a signal number")
}

#[test]
fn a_signal_exits_with_its_code_and_restores_the_terminal() {
    for &signal in ENDING {
        let terminal = running();
        terminal.signal(signal);
        assert_eq!(terminal.wait_for_exit(), exit_code(signal), "{signal:?}");
        terminal.assert_restored();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_real_time_signal_ends_it_and_restores_the_terminal() {
    for number in [35, 64] {
        let terminal = running();
        let script = format!("kill -{number} {}", terminal.pid());
        let sent = Command::new("sh").args(["-c", &script]).status();
        assert!(sent.expect("a shell").success(), "{script}");
        assert_eq!(terminal.wait_for_exit(), 128 + number);
        terminal.assert_restored();
    }
}

#[test]
fn a_signal_ignored_at_the_start_stays_ignored() {
    let shell = interactive_shell();
    shell.keys(&format!("(trap '' USR1 TSTP; exec {PORTMON})\n"));
    shell.wait_for("a table", |display| display.contains("LOCAL"));
    for signal in [Signal::USR1, Signal::TSTP] {
        kill_process(shell.foreground(), signal).expect("the program runs");
    }
    shell.keys("\x1a/zzz");
    shell.wait_for("what was typed", shows_filter);
}

/// No shell could continue the program.
#[test]
fn ctrl_z_and_sigtstp_without_a_shell_do_not_stop_it() {
    let terminal = running();
    terminal.signal(Signal::TSTP);
    terminal.keys("\x1a/zzz");
    terminal.wait_for("what was typed", shows_filter);
    terminal.keys("\x03q");
    assert_eq!(terminal.wait_for_exit(), 0);
}

fn shows_filter(display: &Display) -> bool {
    display.is_alternate() && display.says("zzz")
}

#[test]
fn a_signal_ends_it_while_output_is_stopped() {
    let terminals = USUAL.map(|signal| (signal, running()));
    for (signal, terminal) in &terminals {
        terminal.stop_output();
        terminal.signal(*signal);
    }
    for (signal, terminal) in &terminals {
        assert_eq!(terminal.wait_for_exit(), exit_code(*signal), "{signal:?}");
        terminal.assert_modes_restored();
    }
}

/// Unread output is discarded to make room for what restores the screen.
#[test]
fn a_signal_ends_it_while_nobody_reads_its_output() {
    let terminals = USUAL.map(|signal| (signal, running()));
    for (signal, terminal) in &terminals {
        terminal.stop_reading();
        terminal.signal(*signal);
    }
    for (signal, terminal) in &terminals {
        terminal.wait_for_end();
        terminal.resume_reading();
        assert_eq!(terminal.wait_for_exit(), exit_code(*signal), "{signal:?}");
        terminal.assert_restored();
    }
}

#[test]
fn a_signal_during_a_dialog_restores_the_terminal() {
    let mut holder = OwnerProcess::listening();
    let terminal = Terminal::portmon(&[&holder.filter()]);
    terminal.wait_for("the listener", |display| display.shows(holder.port));
    terminal.keys("x");
    terminal.wait_for("the dialog", |display| display.says("Free port"));
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.wait_for_exit(), 143);
    terminal.assert_restored();
    assert!(holder.is_alive());
}

/// This test starts itself as the program that panics, since portmon cannot be made to.
#[test]
fn a_panic_restores_the_terminal_before_its_message() {
    if std::env::var_os("PORTMON_TEST_PANICS").is_some() {
        let _guard =
            portmon::terminal::TerminalGuard::enter().expect("the terminal can be taken over");
        panic!("on purpose");
    }
    let program = std::env::current_exe().expect("the test's own path");
    // libtest names the thread after the test.
    let thread = std::thread::current();
    let name = thread.name().expect("the name of the test");
    let arguments = ["--exact", "--nocapture", name];
    let environment = [("PORTMON_TEST_PANICS", "yes"), ("RUST_BACKTRACE", "0")];
    let program = program.to_string_lossy();
    let terminal = Terminal::start(Launch::program(&program, &arguments).environment(&environment));
    assert_eq!(terminal.wait_for_exit(), 101);
    terminal.assert_restored();
    terminal.wait_for(
        "the message on the screen that was there before",
        |display| !display.is_alternate() && display.says("on purpose"),
    );
}

#[test]
fn a_closed_terminal_ends_it() {
    running().hang_up();
}

#[test]
fn ctrl_z_gives_the_shell_back_and_fg_the_table() {
    gives_the_shell_back_and_fg_the_table(|shell| shell.keys("\x1a"));
}

#[test]
fn sigtstp_gives_the_shell_back_and_fg_the_table() {
    gives_the_shell_back_and_fg_the_table(|shell| {
        kill_process(shell.foreground(), Signal::TSTP).expect("the program runs");
    });
}

fn is_prompting(display: &Display) -> bool {
    !display.is_alternate() && display.cursor_line().ends_with("ready>")
}

fn interactive_shell() -> Terminal {
    let prompt = [("PS1", "ready>")];
    let shell = Terminal::start(Launch::program("sh", &["-i"]).environment(&prompt));
    shell.wait_for("the prompt", is_prompting);
    shell
}

fn gives_the_shell_back_and_fg_the_table(suspend: impl Fn(&Terminal)) {
    let holder = OwnerProcess::listening();
    let shell = interactive_shell();
    shell.keys(&format!("{PORTMON} -n 0.2 port:{}\n", holder.port));
    let has_table = |display: &Display| display.is_alternate() && display.shows(holder.port);
    shell.wait_for("the table", has_table);

    suspend(&shell);
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
fn a_signal_ends_it_when_continued_in_the_background() {
    let shell = interactive_shell();
    shell.keys(&format!("{PORTMON}\n"));
    shell.wait_for("a table", |display| display.contains("LOCAL"));
    shell.keys("\x1a");
    shell.wait_for("the prompt again", is_prompting);
    shell.keys("kill -TERM %1; bg; wait %1; echo code $?\n");
    let ended = shell.wait_for("the exit code", |display| {
        display.says("code 143") && is_prompting(display)
    });
    assert_eq!(ended.leftovers(), Vec::<&str>::new(), "{ended}");
}

#[test]
fn continued_in_the_background_it_stops_again() {
    let shell = interactive_shell();
    shell.keys(&format!("{PORTMON}\n"));
    shell.wait_for("a table", |display| display.contains("LOCAL"));
    shell.keys("\x1a");
    shell.wait_for("the prompt again", is_prompting);
    shell.keys("bg; wait %1; echo code $?\n");
    let code = format!("code {}", exit_code(Signal::TSTP));
    shell.wait_for("the stop", |display| {
        display.says(&code) && is_prompting(display)
    });
    shell.keys("fg\n");
    shell.wait_for("the table again", |display| {
        display.is_alternate() && display.contains("LOCAL")
    });
    shell.keys("q");
    shell.wait_for("the prompt at the end", is_prompting);
}

#[test]
fn without_a_terminal_it_names_the_commands_for_scripts() {
    let words = "no terminal here; for scripts: portmon list, watch";
    assert_usage_error(&run(&[]), words);
}
