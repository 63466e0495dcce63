use super::*;
use crate::app::Event;
use crate::app::notice::Notice;
use crate::app::testing::{AppHarness, environment};
use crate::config::Settings;
use crate::model::environment::{Environment, PidNamespaceProblem};
use crate::model::socket::{KernelServices, Protocol};
use crate::model::testing::{SocketBuilder, process, socket};
use crossterm::event::{Event as TerminalEvent, KeyCode};
use ratatui::style::{Color, Modifier};
use std::time::Duration;

/// A small machine: a dev server with a client, a database whose owner is hidden, a name that two hold.
fn machine() -> Vec<SocketBuilder> {
    let node = process(4242, "node")
        .command("node /x/node_modules/.bin/next dev")
        .directory("/home/dev/code/shop")
        .build();
    let chrome = process(942, "chrome").build();
    let vite = process(3977, "node")
        .command("node /x/node_modules/.bin/vite")
        .directory("/home/dev/code/pay")
        .build();
    vec![
        socket("0.0.0.0:3000").owner(&node),
        socket("[::1]:5432").user(0, "root"),
        socket("127.0.0.1:5432").owner(&vite),
        socket("127.0.0.1:3000").to("127.0.0.1:51324").owner(&node),
        socket("127.0.0.1:51324")
            .to("127.0.0.1:3000")
            .owner(&chrome),
        socket("10.0.0.1:50000").to("10.9.9.9:443").owner(&chrome),
    ]
}

/// That machine in a terminal of this size.
pub fn harness(size: (u16, u16)) -> AppHarness {
    with_settings(Settings::default(), size)
}

fn with_settings(settings: Settings, size: (u16, u16)) -> AppHarness {
    let mut harness = AppHarness::start(environment(), settings, size);
    harness.poll(machine());
    harness
}

pub fn drawn(harness: &AppHarness) -> Buffer {
    let (width, height) = harness.app.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    draw(&harness.app, &mut buffer);
    buffer
}

/// The lines of the screen without the blanks at their ends.
pub fn screen(harness: &AppHarness) -> Vec<String> {
    let buffer = drawn(harness);
    let line = |y: u16| {
        (0..buffer.area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect::<String>()
    };
    (0..buffer.area.height)
        .map(|y| line(y).trim_end().to_owned())
        .collect()
}

/// The screen without empty lines at its end.
pub fn text(harness: &AppHarness) -> String {
    screen(harness).join("\n").trim_end().to_owned()
}

/// These lines of the screen with their numbers.
fn lines<const COUNT: usize>(harness: &AppHarness, numbers: [usize; COUNT]) -> String {
    let screen = screen(harness);
    let lines = numbers.map(|number| format!("{number}|{}", screen[number]));
    lines.join("\n")
}

/// The screen above its first empty line.
fn top(harness: &AppHarness) -> String {
    let screen = screen(harness).into_iter();
    let lines: Vec<String> = screen.take_while(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// What an empty table says, as one line.
pub fn message(harness: &AppHarness) -> String {
    let screen = screen(harness).into_iter().skip(3);
    let lines = screen.take_while(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    lines.join(" ")
}

/// The dialog on the screen with its frame.
pub fn dialog(harness: &AppHarness) -> String {
    let screen = screen(harness).into_iter();
    let lines = screen.filter(|line| line.contains(['┌', '│', '└']));
    let lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}

/// The lines of the details with these labels.
pub fn details(harness: &AppHarness, labels: &[&str]) -> String {
    let row = harness.app.current_row().expect("a row");
    let lines = details::detail_lines(&harness.app, row).into_iter();
    let lines = lines.filter(|line| labels.contains(&&*line.label));
    let lines: Vec<String> = lines
        .map(|line| format!("{}: {}", line.label, line.text))
        .collect();
    lines.join("\n")
}

pub fn shows(harness: &AppHarness, words: &str) -> bool {
    screen(harness).iter().any(|line| line.contains(words))
}

#[test]
fn the_screen_of_80_by_24_is_as_it_was_designed() {
    insta::assert_snapshot!(text(&harness((80, 24))), @"
    portmon build-07   LISTEN 3  UDP 0  CONN 2  ! exposed 1        live · every 1 s
     l listening  c connected  d dynamic 32768+  e exposed  m mine  a all       5/5
      PORT^ LOCAL       STATE    PID PROCESS       AGE WHAT
       3000 0.0.0.0   ! LISTEN  4242 node          ≤1h next dev · ~/code/shop
       5432 127.0.0.1 2 LISTEN  3977 node          ≤1h vite · ~/code/pay
       5432 ::1       2 LISTEN     - - (root)      >0s
     ── connections 2 ────────────────────────────────────────────────────────────
       3000 127.0.0.1   ESTAB   4242 node          ≤1h ← chrome 942
      51324 127.0.0.1   ESTAB    942 chrome        ≤1h → :3000 node 4242













                                       1 owner hidden (sudo shows it) · 1 remote: a
     / filter   x free port   Enter details   s sort   y copy   ? help   q quit
    ");
}

#[test]
fn a_socket_of_the_kernel_is_named_in_its_row() {
    let services = KernelServices::of_port(Protocol::Udp, [51820, 0], |_| true);
    let sockets = vec![
        socket("0.0.0.0:51820")
            .udp()
            .user(0, "root")
            .of_kernel(services),
    ];
    let mut harness = AppHarness::start(environment(), Settings::default(), (80, 24));
    harness.poll(sockets);
    insta::assert_snapshot!(lines(&harness, [2, 3]), @"
    2|  PORT^ LOCAL       STATE    PID PROCESS        AGE WHAT
    3|  51820 0.0.0.0   ! udp        - - (WireGuard)  >0s
    ");
}

#[test]
fn a_wide_screen_has_more_columns_and_details_below() {
    let mut harness = harness((120, 26));
    harness.keys("i");
    insta::assert_snapshot!(text(&harness), @"
    portmon build-07   LISTEN 3  UDP 0  CONN 2  ! exposed 1                                                live · every 1 s
     l listening  c connected  d dynamic 32768+  e exposed  m mine  a all                                        PORT ^ 5/5
      PORT^ LOCAL       STATE         PID PROCESS      USER   PROTO  AGE WHAT
       3000 0.0.0.0   ! LISTEN       4242 node         dev    tcp    ≤1h next dev · ~/code/shop
       5432 127.0.0.1 2 LISTEN       3977 node         dev    tcp    ≤1h vite · ~/code/pay
       5432 ::1       2 LISTEN          - - (root)     root   tcp    >0s
     ── connections 2 ────────────────────────────────────────────────────────────────────────────────────────────────────
       3000 127.0.0.1   ESTABLISHED  4242 node         dev    tcp    ≤1h ← chrome 942
      51324 127.0.0.1   ESTABLISHED   942 chrome       dev    tcp    ≤1h → :3000 node 4242





    ── tcp 0.0.0.0:3000 ────────────────────────────────────────────────────────────────────────── [ ] scroll · Esc close ──
     socket      LISTEN · user dev · age at most 1 h
     reachable   …
     clients     1 from chrome 942
     owner       node 4242 · user dev
     command     node /x/node_modules/.bin/next dev
     uses        …
     directory   /home/dev/code/shop
     started     2026-01-31T09:00:00Z · up 1 h
     started by  …
                                                                               1 owner hidden (sudo shows it) · 1 remote: a
     / filter   x free port   Enter details   s sort   y copy   ? help   q quit
    ");
}

#[test]
fn every_size_down_to_one_cell_is_drawn() {
    for (width, height) in [
        (1, 1),
        (0, 0),
        (39, 8),
        (40, 7),
        (40, 8),
        (80, 12),
        (80, 15),
        (80, 16),
        (159, 30),
        (160, 50),
        (300, 100),
    ] {
        let mut harness = harness((width, height));
        drawn(&harness);
        for keys in ["i", "x", "?"] {
            harness.keys(keys);
            drawn(&harness);
            harness.key(KeyCode::Esc);
        }
    }
}

#[test]
fn a_terminal_that_is_too_small_says_what_it_needs() {
    insta::assert_snapshot!(text(&harness((40, 7))), @"terminal too small: 40x7, needs 40x8");
}

#[test]
fn a_low_screen_merges_header_and_chips_and_filter_and_footer() {
    let mut harness = harness((80, 12));
    insta::assert_snapshot!(text(&harness), @"
    portmon  l  c  d  e  m  a   L3 U0 C2 !1                           5/5  live 1 s
      PORT^ LOCAL       STATE    PID PROCESS       AGE WHAT
       3000 0.0.0.0   ! LISTEN  4242 node          ≤1h next dev · ~/code/shop
       5432 127.0.0.1 2 LISTEN  3977 node          ≤1h vite · ~/code/pay
       5432 ::1       2 LISTEN     - - (root)      >0s
     ── connections 2 ────────────────────────────────────────────────────────────
       3000 127.0.0.1   ESTAB   4242 node          ≤1h ← chrome 942
      51324 127.0.0.1   ESTAB    942 chrome        ≤1h → :3000 node 4242



     / filter   x free port   Enter details   s sort   y copy   ? help   q quit
    ");
    harness.keys("/node");
    insta::assert_snapshot!(screen(&harness)[11], @" / node                            1 owner hidden (sudo shows it) · 1 remote: a");
}

#[test]
fn the_footer_shows_the_keys_of_what_is_on_top() {
    let mut harness = harness((80, 24));
    let mut footer = |keys: &str| {
        harness.keys(keys);
        let footer = screen(&harness)[23].clone();
        harness.key(KeyCode::Esc);
        footer
    };
    let footers = ["", "/", "x", "w"].map(|keys| format!("{keys:1} {}", footer(keys)));
    insta::assert_snapshot!(footers.join("\n"), @"
       / filter   x free port   Enter details   s sort   y copy   ? help   q quit
    /  Enter keep   Esc restore   ↓ next row   Ctrl-P earlier filter
    x  Tab next button   Enter press   Esc cancel
    w  c connect   ↓ scroll   Esc close
    ");
    harness.free_unsettled();
    insta::assert_snapshot!(screen(&harness)[23], @" Tab next button   Enter press   Esc close");
}

#[test]
fn marks_are_glyphs_beside_the_port() {
    let mut harness = harness((80, 24));
    harness.seconds = 1.0;
    let mut later = machine();
    later.remove(1);
    later.push(socket("127.0.0.1:62893").owner(&process(9, "python3").build()));
    harness.poll(later);
    insta::assert_snapshot!(top(&harness), @"
    portmon build-07   LISTEN 3  UDP 0  CONN 2  !1         1 new   live · every 1 s
     l listening  c connected  d dynamic 32768+  e exposed  m mine  a all       5/5
      PORT^ LOCAL       STATE    PID PROCESS       AGE WHAT
       3000 0.0.0.0   ! LISTEN  4242 node          ≤2h next dev · ~/code/shop
       5432 127.0.0.1   LISTEN  3977 node          ≤2h vite · ~/code/pay
     - 5432 ::1       2 closed     - - (root)      >1s
     +62893 127.0.0.1   LISTEN     9 python3        0s python3
     ── connections 2 ────────────────────────────────────────────────────────────
       3000 127.0.0.1   ESTAB   4242 node          ≤2h ← chrome 942
      51324 127.0.0.1   ESTAB    942 chrome        ≤2h → :3000 node 4242
    ");
    harness.wait(3.0);
    insta::assert_snapshot!(top(&harness), @"
    portmon build-07   LISTEN 3  UDP 0  CONN 2  ! exposed 1        live · every 1 s
     l listening  c connected  d dynamic 32768+  e exposed  m mine  a all       5/5
      PORT^ LOCAL       STATE    PID PROCESS       AGE WHAT
       3000 0.0.0.0   ! LISTEN  4242 node          ≤2h next dev · ~/code/shop
       5432 127.0.0.1   LISTEN  3977 node          ≤2h vite · ~/code/pay
      62893 127.0.0.1   LISTEN     9 python3        3s python3
     ── connections 2 ────────────────────────────────────────────────────────────
       3000 127.0.0.1   ESTAB   4242 node          ≤2h ← chrome 942
      51324 127.0.0.1   ESTAB    942 chrome        ≤2h → :3000 node 4242
    ");
}

#[test]
fn an_active_chip_is_bracketed_and_typed_text_is_shown() {
    let mut harness = harness((80, 24));
    harness.keys("d/post");
    insta::assert_snapshot!(lines(&harness, [1, 22]), @"
    1| l listening  c connected [d dynamic] 32768+  e exposed  m mine  a all      0/5
    22| / post                            1 owner hidden (sudo shows it) · 1 remote: a
    ");
}

#[test]
fn an_empty_table_says_why_and_the_way_out() {
    let mut harness = harness((100, 24));
    let mut message = |keys: &str| {
        harness.keys(keys);
        harness.key(KeyCode::Enter);
        screen(&harness)[3].clone()
    };
    let messages = ["d/postgres", "d7"].map(&mut message);
    insta::assert_snapshot!(messages.join("\n"), @"
    nothing matches [d dynamic] + postgres (5 hidden: 4 by d) · Esc clears the text, d the chip
    nothing on 7 now · Esc clears the text
    ");
}

#[test]
fn without_color_no_cell_has_one_but_the_cursor_is_visible() {
    let settings = Settings {
        theme: "mono",
        ..Settings::default()
    };
    let buffer = drawn(&with_settings(settings, (80, 24)));
    let colors = |cell: &ratatui::buffer::Cell| [cell.fg, cell.bg];
    let mut colors = buffer.content.iter().flat_map(colors);
    assert!(colors.all(|color| color == Color::Reset));
    assert!(buffer[(4, 3)].modifier.contains(Modifier::REVERSED));
}

#[test]
fn ascii_draws_nothing_else() {
    let settings = Settings {
        is_ascii: true,
        ..Settings::default()
    };
    let mut harness = with_settings(settings, (120, 40));
    for keys in ["", "i", "?", "x"] {
        harness.keys(keys);
        let screen = text(&harness);
        assert!(screen.is_ascii(), "{keys} {screen}");
    }
    harness.key(KeyCode::Esc);
    assert!(shows(&harness, "-> :3000 node 4242") && shows(&harness, "<- chrome 942"));
}

#[test]
fn details_are_below_beside_or_instead() {
    for (size, has_table) in [((80, 24), true), ((200, 50), true), ((80, 12), false)] {
        let mut harness = harness(size);
        harness.keys("i");
        let words = [
            "── tcp 0.0.0.0:3000",
            "clients     1 from chrome 942",
            "  51324 ",
        ];
        let shown = words.map(|words| shows(&harness, words));
        assert_eq!(
            shown,
            [true, true, has_table],
            "{size:?} {}",
            text(&harness)
        );
    }
}

#[test]
fn names_from_the_system_never_reach_the_screen_raw() {
    let evil = process(66, "\x1b[31mEVIL\x07")
        .command("\x1b]0;t\x07 x")
        .build();
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:1").owner(&evil)]);
    for keys in ["", "i", "x"] {
        harness.keys(keys);
        let screen = screen(&harness).concat();
        assert!(!screen.contains(char::is_control), "{screen:?}");
    }
    harness.key(KeyCode::Esc);
    assert!(shows(&harness, "\\x1b[31mEVIL"));
}

fn listeners(ports: std::ops::Range<u16>) -> Vec<SocketBuilder> {
    let listener = |port| socket(&format!("127.0.0.1:{port}"));
    ports.map(listener).collect()
}

#[test]
fn new_rows_out_of_view_are_counted_in_the_header() {
    let mut harness = AppHarness::with(listeners(2000..2060));
    harness.seconds = 1.0;
    harness.poll(listeners(2000..2062));
    insta::assert_snapshot!(lines(&harness, [0]), @"0|portmon build-07   LISTEN 62  UDP 0  CONN 0   2 new, 2 below   live · every 1 s");
}

#[test]
fn resizing_keeps_the_cursor_in_view() {
    let mut harness = AppHarness::new((80, 50));
    harness.poll(listeners(2000..2040));
    harness.keys("G");
    harness.event(Event::Input(TerminalEvent::Resize(80, 12)));
    assert!(shows(&harness, " 2039 127.0.0.1"));
}

#[test]
fn a_port_that_is_only_hidden_is_never_said_to_be_empty() {
    let mut harness = harness((120, 24));
    let mut message = |keys: &str| {
        harness.keys(keys);
        harness.key(KeyCode::Enter);
        message(&harness)
    };
    let messages = ["e3000", "5432", "/3000/udp"].map(&mut message);
    insta::assert_snapshot!(messages.join("\n"), @"
    3000 0.0.0.0   ! LISTEN  4242 node         dev    tcp    ≤1h next dev · ~/code/shop
    5432 is in use (tcp 127.0.0.1:5432, node 3977 and 1 more) but hidden by [e exposed] + 5432 · Esc clears the text, e the chip
    3000 is in use (tcp 0.0.0.0:3000, node 4242 and 1 more) but hidden by [e exposed] + 3000/udp · Esc clears the text, e the chip
    ");
}

#[test]
fn a_low_screen_shows_the_filter_in_the_header() {
    let headers = [(80, 12), (40, 8)].map(|size| {
        let mut harness = harness(size);
        harness.keys("3000");
        harness.key(KeyCode::Enter);
        lines(&harness, [0])
    });
    insta::assert_snapshot!(headers.join("\n"), @"
    0|portmon  l  c  d  e  m  a  /3000 !1                               3/5  live 1 s
    0| l  c  d  e  m  a  /3000  3/5  live 1 s
    ");
}

#[test]
fn a_notice_longer_than_its_line_goes_on_below() {
    let mut harness = harness((80, 24));
    let words = format!(
        ":8000 is STILL HELD: gunicorn 7001 ended, {}.",
        "a worker keeps it ".repeat(5).trim()
    );
    harness.app.notice = Some(Notice::persistent(words));
    insta::assert_snapshot!(lines(&harness, [22, 23]), @"
    22| :8000 is STILL HELD: gunicorn 7001 ended, a worker keeps it a worker keeps it
    23| a worker keeps it a worker keeps it a worker keeps it.
    ");
}

#[test]
fn a_missing_poll_makes_the_screen_stale() {
    let mut harness = harness((80, 24));
    harness.wait(7.0);
    insta::assert_snapshot!(lines(&harness, [0, 22]), @"
    0|portmon build-07   LISTEN 3  UDP 0  CONN 2  ! exposed 1        live · every 1 s
    22|                                   1 owner hidden (sudo shows it) · 1 remote: a
    ");
    harness.wait(2.0);
    insta::assert_snapshot!(lines(&harness, [0, 22]), @"
    0|portmon build-07   LISTEN 3  UDP 0  CONN 2  ! exposed 1       STALE · every 1 s
    22| stale: the last poll was 9 s ago  1 owner hidden (sudo shows it) · 1 remote: a
    ");
}

#[test]
fn slow_polls_are_reported_with_their_real_interval() {
    let mut harness = harness((80, 24));
    harness.poll_with(machine(), |changes| {
        changes.took = Duration::from_millis(420);
        changes.interval = Duration::from_millis(1_260);
    });
    insta::assert_snapshot!(lines(&harness, [0, 22]), @"
    0|portmon build-07   LISTEN 3  UDP 0  CONN 2  ! exposed 1      live · every 1.3 s
    22|       slow: a poll takes 420 ms · 1 owner hidden (sudo shows it) · 1 remote: a
    ");
    harness.keys("/a filter that leaves no room for it");
    insta::assert_snapshot!(lines(&harness, [22]), @"22| / a filter that leaves no room for it");
}

#[test]
fn a_dual_stack_listener_is_a_star_at_every_width() {
    for width in [60, 80, 110, 120, 160, 200] {
        let mut harness = AppHarness::new((width, 30));
        let node = process(4242, "node").build();
        harness.poll(vec![socket("[::]:3000").v6only(false).owner(&node)]);
        let mut rows = screen(&harness).into_iter();
        let row = rows.find(|line| line.contains("3000")).expect("the row");
        let words: Vec<&str> = row.split_whitespace().take(3).collect();
        assert_eq!(words, ["3000", "*", "!"], "{width}: {row}");
        harness.keys("i");
        assert!(shows(&harness, "── tcp *:3000"), "{}", text(&harness));
        assert_eq!(details(&harness, &["note"]), "");
    }
    let mut unknown = AppHarness::with(vec![socket("[::]:3000")]);
    unknown.keys("i");
    assert_eq!(
        details(&unknown, &["note"]),
        "note: unknown whether it also accepts IPv4"
    );
}

/// A listener whose owner is not found yet, beside one that is hidden.
fn pending() -> Vec<SocketBuilder> {
    vec![
        socket("127.0.0.1:3000").pending(),
        socket("127.0.0.1:4000").user(0, "root"),
    ]
}

#[test]
fn a_pending_owner_is_not_counted_as_hidden() {
    let mut harness = AppHarness::with(pending());
    insta::assert_snapshot!(lines(&harness, [3, 4, 22]), @"
    3|   3000 127.0.0.1   LISTEN     - …             >0s
    4|   4000 127.0.0.1   LISTEN     - - (root)      >0s
    22|                                                 1 owner hidden (sudo shows it)
    ");
    harness.keys("i");
    insta::assert_snapshot!(details(&harness, &["owner"]), @"owner: still being looked up");
    harness.keys("ix");
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ :3000 is held ─────────────────────────────────────────────────────────────┐
    │ the owner of 127.0.0.1:3000 is still being looked up; portmon asks as soon │
    │ as it is found.                                                            │
    │                                                                            │
    │ [ Cancel ]                                                                 │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
    harness.key(KeyCode::Esc);
    harness.seconds = 1.0;
    harness.poll(vec![socket("127.0.0.1:4000").user(0, "root")]);
    insta::assert_snapshot!(details(&harness, &["owner"]), @"owner: closed before it was looked up");
}

#[test]
fn foreign_pids_are_reported_with_and_without_a_filter() {
    let foreign = Environment {
        pids_problem: Some(PidNamespaceProblem::NotShown),
        ..environment()
    };
    let mut harness = AppHarness::start(foreign, Settings::default(), (120, 24));
    harness.poll(machine());
    insta::assert_snapshot!(lines(&harness, [22]), @"22| /proc/self is not portmon (/proc is not mounted, or belongs to another PID namespace): owners may be missing, and noth…");
    harness.keys("3000");
    harness.key(KeyCode::Enter);
    insta::assert_snapshot!(lines(&harness, [22]), @"22| / 3000  Esc clear                       pids are from another namespace · 1 owner hidden (sudo shows it) · 1 remote: a");
}
