//! The harness, tested with programs other than portmon: a failing test of portmon must not be the harness's fault.

use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::Launch;
use crate::harness::svg;
use crate::harness::terminal::Terminal;
use std::net::TcpListener;

fn shell(script: &str) -> Terminal {
    Terminal::start(Launch::program("sh", &["-c", script]))
}

#[test]
fn keys_reach_the_program_and_its_output_the_screen() {
    let terminal = Terminal::start(Launch::program("cat", &[]));
    terminal.keys("hello\n");
    let is_echoed = |display: &crate::harness::display::Display| {
        display
            .lines()
            .iter()
            .filter(|line| line.trim_end() == "hello")
            .count()
            == 2
    };
    terminal.wait_for("the line twice", is_echoed);
    terminal.keys("\x04");
    assert_eq!(terminal.wait_for_exit(), 0);
    terminal.assert_restored();
}

#[test]
fn an_exit_code_and_the_last_output_are_seen() {
    let terminal = shell("printf end; exit 143");
    assert_eq!(terminal.wait_for_exit(), 143);
    assert!(terminal.display().contains("end"));
}

#[test]
#[should_panic(expected = "alternate screen")]
fn a_screen_left_behind_is_noticed() {
    let terminal = shell("printf '\\033[?1049h'");
    terminal.wait_for_exit();
    terminal.assert_restored();
}

#[test]
#[should_panic(expected = "focus reports")]
fn focus_reports_left_behind_are_noticed() {
    let terminal = shell("printf '\\033[?1004h'");
    terminal.wait_for_exit();
    terminal.assert_restored();
}

#[test]
#[should_panic(expected = "modes of the tty")]
fn a_raw_tty_left_behind_is_noticed() {
    let terminal = shell("stty raw -echo");
    terminal.wait_for_exit();
    terminal.assert_restored();
}

#[test]
fn a_terminal_answers_where_its_cursor_is() {
    let terminal = shell("stty raw -echo; printf '\\033[6n'; head -c 6 | od -c");
    terminal.wait_for("the answer", |display| display.contains("1   ;   1   R"));
}

#[test]
fn copied_text_is_seen() {
    let terminal = shell("printf '\\033]52;c;aGk=\\007'");
    terminal.wait_for_exit();
    assert_eq!(terminal.display().clipboard(), Some(&b"aGk="[..]));
}

#[test]
fn a_size_reaches_the_program() {
    let terminal = shell("trap 'stty size' WINCH; echo ready; sleep 600 & while :; do wait; done");
    terminal.wait_for("the start", |display| display.contains("ready"));
    terminal.resize(50, 10);
    terminal.wait_for("the new size", |display| display.contains("10 50"));
}

#[test]
fn a_closed_terminal_ends_a_program() {
    let terminal = shell("trap 'stty size' WINCH; echo ready; sleep 600 & while :; do wait; done");
    terminal.wait_for("the start", |display| display.contains("ready"));
    terminal.hang_up();
}

#[test]
fn a_frame_that_changes_nothing_is_counted() {
    let frame = "\\033[?2026h\\033[1;1Hsame\\033[?2026l";
    let terminal = shell(&format!("printf '{frame}{frame}'"));
    terminal.wait_for_exit();
    let frames = terminal.frames();
    assert_eq!((frames.drawn, frames.without_change), (2, 1));
}

#[test]
fn rows_of_the_table_are_told_from_other_lines() {
    let terminal = shell(concat!(
        "printf '     PORT LOCAL     STATE\\r\\n';",
        "printf '     3000 *:     !  LISTEN  4242 node\\r\\n';",
        "printf '\\033[7m +  80 ::1      LISTEN  9120 node\\033[m\\r\\n';",
        "printf ' -51340 127.0.0.1   closed  942 chrome\\r\\n';",
        "printf ' 2 owners hidden'",
    ));
    terminal.wait_for_exit();
    let rows = terminal.display().rows();
    let facts: Vec<_> = rows
        .iter()
        .map(|row| (row.mark, row.port, row.is_selected))
        .collect();
    assert_eq!(
        facts,
        [
            (None, 3000, false),
            (Some('+'), 80, true),
            (Some('-'), 51340, false)
        ]
    );
}

#[test]
fn an_owner_holds_its_port_until_it_exits() {
    let mut holder = OwnerProcess::listening();
    assert!(holder.is_alive());
    assert!(TcpListener::bind(("127.0.0.1", holder.port)).is_err());
    holder.end();
    holder.wait_until_ended();
    assert!(!holder.is_alive());
    assert!(TcpListener::bind(("127.0.0.1", holder.port)).is_ok());
}

#[test]
fn a_picture_has_text_colors_and_reverse_video() {
    let terminal = shell("printf '\\033[1;32m+<3\\033[m plain \\033[7mcursor'");
    terminal.wait_for_exit();
    let picture = svg::picture_of(&terminal.display());
    for part in [
        "fill=\"#8cc570\" font-weight=\"bold\">+&lt;3</text>",
        "fill=\"#d4d7dd\"> plain </text>",
        "fill=\"#16181d\">cursor</text>",
    ] {
        assert!(picture.contains(part), "{part} is missing in {picture}");
    }
}
