//! The table, while sockets open, change and close.

use std::net::TcpStream;

use crate::harness::display::{Display, ScreenRow};
use crate::harness::helper_process::{OwnerProcess, listen};
use crate::harness::launch::Launch;
use crate::harness::requirements::skipped;
use crate::harness::terminal::Terminal;

fn wait_for_row(terminal: &Terminal, port: u16) -> ScreenRow {
    let display = terminal.wait_for(&format!("a row of {port}"), |display| display.shows(port));
    display.row(port).expect("waited for")
}

#[test]
fn a_listener_row_shows_its_address_state_and_pid() {
    let holder = OwnerProcess::listening();
    let terminal = Terminal::portmon(&[&holder.filter()]);
    let what = "the listener and its owner";
    let row = terminal.wait_for(what, |display| {
        let row = display.row(holder.port);
        row.is_some_and(|row| row.text.contains(&holder.pid().to_string()))
    });
    let row = row.row(holder.port).expect("waited for");
    let words: Vec<&str> = row.text.split_whitespace().take(4).collect();
    let (port, pid) = (holder.port.to_string(), holder.pid().to_string());
    assert_eq!(words, [&port, "127.0.0.1", "LISTEN", &pid]);
}

#[test]
fn opened_and_closed_listeners_are_marked() {
    let first = OwnerProcess::listening();
    let filter = format!("proc:{}", first.name);
    let terminal = Terminal::portmon(&[&filter]);
    let is_marked =
        |port, mark| move |display: &Display| display.row(port).is_some_and(|row| row.mark == mark);
    terminal.wait_for("the first listener, unmarked", is_marked(first.port, None));

    let mut second = OwnerProcess::named(&first.name, listen("127.0.0.1:0"));
    terminal.wait_for(
        "the new listener with a +",
        is_marked(second.port, Some('+')),
    );
    terminal.wait_for("the mark to fade", is_marked(second.port, None));
    second.end();
    terminal.wait_for(
        "the closed listener with a -",
        is_marked(second.port, Some('-')),
    );
    let gone = terminal.wait_for("the closed one to go", |display| {
        !display.shows(second.port)
    });
    assert_eq!(gone.ports(), [first.port]);
}

#[test]
fn connections_are_below_the_rule_and_listeners_above() {
    let listener = listen("127.0.0.1:0");
    let port = listener.local_addr().expect("an address").port();
    let client = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let _server = listener.accept().expect("the server side");
    let local = client.local_addr().expect("an address").port();

    let terminal = Terminal::portmon(&[&port.to_string()]);
    let display = terminal.wait_for("the connection", |display| display.shows(local));
    let line_of = |text: &str| display.lines().iter().position(|line| line.contains(text));
    let rule = line_of("── connections").expect("a rule");
    let (above, below): (Vec<ScreenRow>, Vec<ScreenRow>) = display
        .rows()
        .into_iter()
        .partition(|row| usize::from(row.line) < rule);
    let listening = |row: &ScreenRow| row.port == port && row.text.contains("LISTEN");
    let connected =
        |row: &ScreenRow| [port, local].contains(&row.port) && row.text.contains("ESTAB");
    assert!(above.len() == 1 && above.iter().all(listening), "{display}");
    assert!(below.len() == 2 && below.iter().all(connected), "{display}");
}

#[test]
fn only_a_bind_beyond_localhost_is_marked_exposed() {
    let exposed = OwnerProcess::listening_on("0.0.0.0:0");
    let local = OwnerProcess::named(&exposed.name, listen("127.0.0.1:0"));
    let terminal = Terminal::portmon(&[&format!("proc:{}", exposed.name)]);
    let display = terminal.wait_for("both", |display| {
        display.shows(exposed.port) && display.shows(local.port)
    });
    let is_exposed = |port| {
        let row = display.row(port).expect("waited for");
        row.text.split_whitespace().any(|word| word == "!")
    };
    assert!(is_exposed(exposed.port), "{display}");
    assert!(!is_exposed(local.port), "{display}");
}

#[test]
fn a_listener_on_the_other_localhost_is_shown() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        skipped("no ::1");
        return;
    }
    let holder = OwnerProcess::listening_on("[::1]:0");
    let terminal = Terminal::portmon(&[&holder.filter()]);
    let row = wait_for_row(&terminal, holder.port);
    assert!(row.text.contains(" ::1 "), "{row:?}");
}

#[test]
fn a_bound_udp_socket_is_shown() {
    let holder = OwnerProcess::bound_to_udp();
    let terminal = Terminal::portmon(&[&holder.filter()]);
    let row = wait_for_row(&terminal, holder.port);
    assert!(row.text.to_lowercase().contains("udp"), "{row:?}");
}

#[test]
fn the_cursor_stays_on_its_row_while_lower_ports_open() {
    let first = OwnerProcess::listening();
    let mut holders = vec![OwnerProcess::named(&first.name, below(first.port))];
    let terminal = Terminal::portmon(&[&format!("proc:{}", first.name)]);
    terminal.wait_for("both", |display| display.ports().len() == 2);
    terminal.keys("G");
    terminal.wait_for("the cursor on the last row", |display| {
        display.selected() == Some(first.port)
    });
    for count in 3..6 {
        let lowest = holders.last().expect("one").port;
        holders.push(OwnerProcess::named(&first.name, below(lowest)));
        let display = terminal.wait_for("one more", |display| display.ports().len() == count);
        assert_eq!(display.selected(), Some(first.port), "{display}");
    }
    let mut expected: Vec<u16> = holders.iter().map(|holder| holder.port).rev().collect();
    expected.push(first.port);
    assert_eq!(terminal.display().ports(), expected);
}

/// A listener on a lower port.
fn below(port: u16) -> std::net::TcpListener {
    let try_port = |port| std::net::TcpListener::bind(("127.0.0.1", port)).ok();
    (1024..port).rev().find_map(try_port).expect("a lower port")
}

#[test]
fn the_listener_is_there_in_every_size_that_holds_a_table() {
    let holder = OwnerProcess::listening();
    for (columns, lines) in [(80, 24), (200, 50), (80, 12)] {
        let filter = holder.filter();
        let terminal = Terminal::start(Launch::portmon(&[&filter]).size(columns, lines));
        wait_for_row(&terminal, holder.port);
    }
    // The smallest one has no room for addresses, but names the owner.
    let filter = holder.filter();
    let terminal = Terminal::start(Launch::portmon(&[&filter]).size(40, 8));
    terminal.wait_for("the port and its holder", |display| {
        display.says(&format!("{} {}", holder.port, holder.name))
    });
}

#[test]
fn a_window_too_small_says_so_and_the_table_comes_back() {
    let holder = OwnerProcess::listening();
    let terminal = Terminal::portmon(&[&holder.filter()]);
    wait_for_row(&terminal, holder.port);
    terminal.resize(32, 6);
    terminal.wait_for("the reason", |display| {
        display.says("terminal too small: 32x6, needs 40x8")
    });
    terminal.resize(1, 1);
    terminal.resize(80, 12);
    wait_for_row(&terminal, holder.port);
    terminal.resize(80, 24);
    terminal.wait_for("the whole height", |display| {
        display.shows(holder.port) && !display.lines()[23].trim().is_empty()
    });
}

#[test]
fn an_unfocused_terminal_polls_less_often() {
    let terminal = Terminal::portmon(&[]);
    // The interval shown is longer than the one asked for where polls are slow.
    let is_slow = |display: &Display| display.says("every 2 s");
    let is_quick = |display: &Display| display.says("live") && !is_slow(display);
    terminal.wait_for("the first look", is_quick);
    terminal.focus(false);
    terminal.wait_for("the slower pace", is_slow);
    terminal.focus(true);
    terminal.wait_for("the pace before", is_quick);
}

#[test]
fn a_frame_without_a_change_is_not_drawn() {
    let holder = OwnerProcess::listening();
    let terminal = Terminal::portmon(&[&holder.filter()]);
    wait_for_row(&terminal, holder.port);

    // The rows of a second portmon show when both have polled several times more.
    let second = OwnerProcess::listening();
    let clock = Terminal::portmon(&[&format!("proc:{}", second.name)]);
    for _ in 0..2 {
        let tick = OwnerProcess::named(&second.name, listen("127.0.0.1:0"));
        wait_for_row(&clock, tick.port);
    }
    let frames = terminal.frames();
    assert!(frames.drawn > 0, "no synchronized update was seen");
    assert_eq!(frames.without_change, 0, "of {} frames", frames.drawn);
}

#[test]
fn no_color_writes_no_color_and_still_shows_the_cursor() {
    let holder = OwnerProcess::listening();
    let filter = holder.filter();
    let arguments = [filter.as_str()];
    let start = Launch::portmon(&arguments).environment(&[("NO_COLOR", "1")]);
    let terminal = Terminal::start(start);
    terminal.wait_for("the cursor in reverse", |display| {
        display.selected() == Some(holder.port)
    });
    let written = String::from_utf8_lossy(&terminal.written()).into_owned();
    assert_eq!(colors_in(&written), Vec::<&str>::new());
}

/// The parameters of SGR sequences that choose a color other than the default.
fn colors_in(written: &str) -> Vec<&str> {
    let parameters = written.split("\x1b[").filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
        let (parameters, command) = rest.split_at(end);
        command.starts_with('m').then_some(parameters)
    });
    let is_color = |parameter: &&str| {
        let number = parameter
            .split(':')
            .next()
            .and_then(|first| first.parse().ok());
        matches!(number, Some(30..=38 | 40..=48 | 90..=97 | 100..=107))
    };
    parameters
        .flat_map(|list| list.split(';'))
        .filter(is_color)
        .collect()
}

#[test]
fn ascii_keeps_to_ascii_in_the_table_and_in_the_dialog() {
    let holder = OwnerProcess::listening();
    let terminal = Terminal::portmon(&["--ascii", &holder.filter()]);
    let row = wait_for_row(&terminal, holder.port);
    assert!(row.text.is_ascii(), "{row:?}");
    assert_ascii(&terminal.display());
    terminal.keys("x");
    let title = format!("Free port {} on ", holder.port);
    assert_ascii(&terminal.wait_for("the dialog", |display| display.says(&title)));
}

fn assert_ascii(display: &Display) {
    let strange: Vec<String> = display
        .lines()
        .into_iter()
        .filter(|line| !line.is_ascii())
        .collect();
    assert_eq!(strange, Vec::<String>::new());
}

#[test]
fn a_hostile_process_name_never_reaches_the_terminal_raw() {
    let holder = OwnerProcess::named("\x1b[31mEVIL", listen("127.0.0.1:0"));
    let filter = holder.filter();
    let terminal = Terminal::start(Launch::portmon(&[&filter]).size(160, 24));
    terminal.wait_for("the name, made safe", |display| display.contains("EVIL"));
    let written = String::from_utf8_lossy(&terminal.written()).into_owned();
    assert!(!written.contains("\x1b[31mEVIL"), "{written:?}");
}
