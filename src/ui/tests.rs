use super::*;
use crate::app::testing::{Stage, setup};
use crate::app::{Effect, Event, Setup};
use crate::model::checking::testing::{V4, port};
use crate::model::checking::{Answer, Evidence};
use crate::model::testing::{SocketBuilder, instant, process, socket};
use crossterm::event::{Event as TerminalEvent, KeyCode};
use ratatui::style::Modifier;
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

fn stage(size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(setup(), size);
    stage.look(machine());
    stage
}

fn drawn(stage: &Stage) -> Buffer {
    let (width, height) = stage.app.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    draw(&stage.app, &mut buffer);
    buffer
}

/// The lines of the screen without the blanks at their ends.
pub fn screen(stage: &Stage) -> Vec<String> {
    let buffer = drawn(stage);
    let line = |y: u16| {
        (0..buffer.area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect::<String>()
    };
    (0..buffer.area.height)
        .map(|y| line(y).trim_end().to_owned())
        .collect()
}

fn shows(stage: &Stage, words: &str) -> bool {
    screen(stage).iter().any(|line| line.contains(words))
}

#[test]
fn the_screen_of_80_by_24_is_as_it_was_designed() {
    let screen = screen(&stage((80, 24)));
    let top: Vec<&str> = screen[..11].iter().map(String::as_str).collect();
    assert_eq!(
        top,
        [
            "portmon build-07   LISTEN 3  UDP 0  CONN 2  ! exposed 1                 1s live",
            " l listening  c connected  d dynamic 32768+  e exposed  m mine  a all       5/5",
            "  PORT^ LOCAL       STATE    PID PROCESS       AGE WHAT",
            "   3000 0.0.0.0   ! LISTEN  4242 node          ≤1h next dev · ~/code/shop",
            "   5432 127.0.0.1 2 LISTEN  3977 node          ≤1h vite · ~/code/pay",
            "   5432 ::1       2 LISTEN     - - (root)      >0s",
            " ── connected 2 ──────────────────────────────────────────────────────────────",
            "   3000 127.0.0.1   ESTAB   4242 node          ≤1h ← chrome 942",
            "  51324 127.0.0.1   ESTAB    942 chrome        ≤1h → :3000 node 4242",
            "",
            "",
        ]
    );
    assert_eq!(screen[22].trim(), "1 owner hidden · 1 remote: a");
    assert!(
        screen[23].starts_with(" / filter   x free port   Enter details   s sort"),
        "{}",
        screen[23]
    );
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
        let mut stage = stage((width, height));
        drawn(&stage);
        for keys in ["i", "x", "?"] {
            stage.keys(keys);
            drawn(&stage);
            stage.key(KeyCode::Esc);
        }
    }
}

#[test]
fn a_terminal_that_is_too_small_says_what_it_needs() {
    assert_eq!(
        screen(&stage((40, 7)))[0],
        "terminal too small: 40x7, needs 40x8"
    );
}

#[test]
fn on_a_low_screen_header_and_chips_share_a_line_and_the_filter_takes_the_footer() {
    let mut stage = stage((80, 12));
    let first = &screen(&stage)[0];
    assert!(
        first.starts_with("portmon  l  c  d  e  m  a   L3 U0 C2 !1"),
        "{first}"
    );
    assert!(screen(&stage)[11].contains("/ filter"));
    stage.keys("/node");
    assert!(screen(&stage)[11].starts_with(" / node "));
}

#[test]
fn marks_are_glyphs_beside_the_port() {
    let mut stage = stage((80, 24));
    stage.seconds = 1.0;
    let mut later = machine();
    later.remove(1);
    later.push(socket("127.0.0.1:62893").owner(&process(9, "python3").build()));
    stage.look(later);
    assert!(shows(&stage, " - 5432 ::1"));
    assert!(shows(&stage, " +62893 127.0.0.1"));
    assert!(shows(&stage, "+ 1 new"));
    stage.wait(3.0);
    assert!(!shows(&stage, " - 5432") && !shows(&stage, " +62893"));
}

#[test]
fn an_active_chip_stands_in_brackets_and_the_status_says_what_is_typed() {
    let mut stage = stage((80, 24));
    stage.keys("d/post");
    assert!(shows(&stage, "[d dynamic]"));
    assert!(screen(&stage)[22].starts_with(" / post"));
}

#[test]
fn an_empty_table_says_why_and_the_way_out() {
    let mut stage = stage((100, 24));
    stage.keys("d/postgres");
    stage.key(KeyCode::Enter);
    let words = "nothing matches [d dynamic] + postgres (5 hidden: 4 by d) · Esc clears the text, d the chip";
    assert!(shows(&stage, words), "{:#?}", screen(&stage));
    stage.key(KeyCode::Esc);
    stage.key(KeyCode::Esc);
    stage.keys("4242");
    stage.key(KeyCode::Enter);
    assert!(
        shows(&stage, "no port 4242 · process 4242 (node) holds 3000"),
        "{:#?}",
        screen(&stage)
    );
    stage.keys("7");
    stage.key(KeyCode::Enter);
    assert!(shows(&stage, "nothing on 7 now · Esc clears the text"));
}

#[test]
fn without_colour_no_cell_has_one_and_the_cursor_is_still_seen() {
    let mut stage = Stage::new(
        Setup {
            has_colour: false,
            ..setup()
        },
        (80, 24),
    );
    stage.look(machine());
    let buffer = drawn(&stage);
    let is_plain = |cell: &ratatui::buffer::Cell| {
        cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset
    };
    assert!(buffer.content.iter().all(is_plain));
    assert!(buffer[(4, 3)].modifier.contains(Modifier::REVERSED));
}

#[test]
fn ascii_draws_nothing_else() {
    let mut stage = Stage::new(
        Setup {
            is_ascii: true,
            ..setup()
        },
        (120, 40),
    );
    stage.look(machine());
    for keys in ["", "i", "?", "x"] {
        stage.keys(keys);
        assert!(
            screen(&stage).iter().all(|line| line.is_ascii()),
            "{keys} {:#?}",
            screen(&stage)
        );
    }
    stage.key(KeyCode::Esc);
    assert!(shows(&stage, "-> :3000 node 4242") && shows(&stage, "<- chrome 942"));
}

#[test]
fn the_dialog_names_what_ends_and_its_buttons_are_dim_until_they_count() {
    let mut stage = stage((80, 24));
    stage.keys("x");
    assert!(
        shows(&stage, "Free tcp :3000 on build-07?"),
        "{:#?}",
        screen(&stage)
    );
    assert!(
        shows(&stage, "node 4242   next dev · ~/code/shop   dev   up 1h"),
        "{:#?}",
        screen(&stage)
    );
    let dim_of = |stage: &Stage| {
        let (y, line) = screen(stage)
            .into_iter()
            .enumerate()
            .find(|(_, line)| line.contains("y end it"))
            .expect("the button");
        let x = line
            .split("y end it")
            .next()
            .map_or(0, |left| left.chars().count());
        let buffer = drawn(stage);
        let cell = &buffer[(
            u16::try_from(x).expect("a column"),
            u16::try_from(y).expect("a line"),
        )];
        cell.modifier.contains(Modifier::DIM)
    };
    assert!(dim_of(&stage));
    stage.wait(1.0);
    assert!(!dim_of(&stage));
}

#[test]
fn a_dialog_on_a_low_screen_is_at_most_nine_lines_with_its_buttons() {
    let mut stage = stage((80, 12));
    stage.keys("x");
    let lines = screen(&stage);
    let top = lines
        .iter()
        .position(|line| line.contains('┌'))
        .expect("a dialog");
    let bottom = lines
        .iter()
        .position(|line| line.contains('└'))
        .expect("a dialog");
    assert!(
        bottom - top < 9 && lines[bottom - 1].contains("[ Cancel ]"),
        "{lines:#?}"
    );
}

#[test]
fn details_stand_below_or_beside_or_instead() {
    for (size, words) in [
        ((80, 24), "── tcp 0.0.0.0:3000"),
        ((200, 50), "── tcp 0.0.0.0:3000"),
        ((80, 12), "── tcp 0.0.0.0:3000"),
    ] {
        let mut stage = stage(size);
        stage.keys("i");
        assert!(shows(&stage, words), "{size:?} {:#?}", screen(&stage));
        assert!(
            shows(&stage, "clients     1 from chrome 942"),
            "{size:?} {:#?}",
            screen(&stage)
        );
        assert_eq!(shows(&stage, "  51324 "), size != (80, 12), "{size:?}");
    }
}

#[test]
fn names_from_the_system_never_reach_the_screen_raw() {
    let evil = process(66, "\x1b[31mEVIL\x07")
        .command("\x1b]0;t\x07 x")
        .build();
    let mut stage = Stage::with(vec![socket("127.0.0.1:1").owner(&evil)]);
    for keys in ["", "i", "x"] {
        stage.keys(keys);
        assert!(
            screen(&stage)
                .iter()
                .all(|line| !line.contains(|letter: char| letter.is_control()))
        );
    }
    stage.key(KeyCode::Esc);
    assert!(shows(&stage, "\\x1b[31mEVIL"));
}

#[test]
fn new_rows_out_of_view_are_counted_in_the_header() {
    let mut stage = Stage::new(setup(), (80, 24));
    let port = |port: u16| socket(&format!("127.0.0.1:{port}"));
    stage.look((2000..2060).map(port).collect());
    stage.seconds = 1.0;
    stage.look((2000..2062).map(port).collect());
    assert!(shows(&stage, "+ 2 new ▼2"), "{:#?}", screen(&stage));
}

#[test]
fn resizing_keeps_the_cursor_in_view() {
    let mut stage = Stage::new(setup(), (80, 50));
    stage.look(
        (2000..2040)
            .map(|port| socket(&format!("127.0.0.1:{port}")))
            .collect(),
    );
    stage.keys("G");
    stage.event(Event::Input(TerminalEvent::Resize(80, 12)));
    assert!(shows(&stage, " 2039 127.0.0.1"));
}

#[test]
fn a_dialog_that_does_not_fit_says_so_and_keeps_its_demand() {
    let master = process(100, "gunicorn").user(0, "root").build();
    let workers: Vec<_> = (101..120)
        .map(|pid| process(pid, "gunicorn").user(0, "root").parent(100).build())
        .collect();
    let holders: Vec<_> = std::iter::once(&master).chain(&workers).collect();
    let mut stage = Stage::new(setup(), (80, 12));
    stage.look(vec![socket("127.0.0.1:8000").owners(&holders)]);
    stage.keys("x");
    stage.wait(1.0);
    stage.keys("a");
    assert!(
        shows(&stage, "… more: needs a taller screen"),
        "{:#?}",
        screen(&stage)
    );
    assert!(
        shows(&stage, "Type 8000 and Enter to end it"),
        "{:#?}",
        screen(&stage)
    );
}

#[test]
fn a_port_that_is_only_hidden_is_never_said_to_be_empty() {
    let mut stage = stage((120, 24));
    stage.keys("e3000");
    stage.key(KeyCode::Enter);
    assert!(!shows(&stage, "in use"), "it is exposed and so shown");
    for (typed, words) in [
        (
            "5432",
            "5432 is in use (tcp 127.0.0.1:5432, node 3977 and 1 more), but not shown by [e exposed] + 5432",
        ),
        ("/3000/udp", "3000 is in use"),
    ] {
        stage.keys(typed);
        stage.key(KeyCode::Enter);
        let text = screen(&stage)
            .join(" ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(text.contains(words), "{typed}: {:#?}", screen(&stage));
    }
}

#[test]
fn on_a_low_screen_a_filter_that_stands_is_seen_in_the_header() {
    for size in [(80, 12), (40, 8)] {
        let mut stage = stage(size);
        stage.keys("3000");
        stage.key(KeyCode::Enter);
        assert!(
            screen(&stage)[0].contains(" /3000"),
            "{:#?}",
            screen(&stage)
        );
        assert!(
            screen(&stage)[0].contains("1s live"),
            "{:#?}",
            screen(&stage)
        );
    }
}

#[test]
fn a_notice_longer_than_its_line_goes_on_below() {
    let mut stage = stage((80, 24));
    let words = format!(
        ":8000 is STILL HELD: gunicorn 7001 ended, {}.",
        "a worker keeps it ".repeat(5).trim()
    );
    stage.app.notice = Some(crate::app::notice::Notice::lasting(words.clone()));
    let text = screen(&stage)
        .join(" ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(text.contains(&words), "{:#?}", screen(&stage));
}

#[test]
fn many_processes_are_named_on_few_lines_and_a_holder_of_one_address_says_which() {
    let one = process(11, "vite").build();
    let two = process(12, "node").build();
    let mut stage = Stage::with(vec![
        socket("127.0.0.1:5173").owner(&one),
        socket("[::1]:5173").owner(&two),
    ]);
    stage.keys("x");
    assert!(
        shows(&stage, "vite 11   on 127.0.0.1") && shows(&stage, "node 12   on ::1"),
        "{:#?}",
        screen(&stage)
    );
    let twins: Vec<_> = (1..9)
        .map(|pid| process(pid + 100, "worker").build())
        .collect();
    let mut stage = Stage::with(vec![
        socket("127.0.0.1:80").owners(&twins.iter().collect::<Vec<_>>()),
    ]);
    stage.keys("x");
    assert!(
        shows(&stage, "8 processes: worker 101, worker 102"),
        "{:#?}",
        screen(&stage)
    );
}

#[test]
fn the_dialog_says_what_it_cannot_see_and_whom_it_may_not_signal() {
    use crate::model::inspection::{Kin, Restriction};
    use crate::model::provenance::Provenance;
    let node = process(4242, "node").build();
    let shells: Vec<_> = (0..2)
        .map(|place| process(4300 + place, "sh").user(0, "root").build())
        .collect();
    let restriction = |process: &std::sync::Arc<crate::model::process::Process>| Restriction {
        process: process.id,
        no_fds: true,
        no_signal: true,
    };
    let mut stage = Stage::with(vec![socket("127.0.0.1:5173").owner(&node)]);
    let effects = stage.keys("x");
    let kin = Kin {
        process: node.id,
        ancestors: shells[..1].to_vec(),
        descendants: Vec::new(),
        condition: None,
        group: [std::slice::from_ref(&node), &shells[..]].concat(),
        restrictions: shells.iter().map(restriction).collect(),
        provenance: Provenance::default(),
    };
    stage.answer(&effects, vec![kin]);
    stage.wait(0.3);
    let text = |stage: &Stage| {
        let frame = |letter: char| "│╭╮╰╯─".contains(letter);
        let screen = screen(stage).join(" ").replace(frame, " ");
        screen.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(
        text(&stage).contains("Also closes nothing else"),
        "{}",
        text(&stage)
    );
    let cases = [
        (
            "g",
            "Also closes 2 of these 3 belong to other users; what else they hold is unknown",
            "you are not permitted to end 2 of these 3 processes, as sh 4300 of root.",
        ),
        (
            "p",
            "Also closes sh 4300 belongs to root; what else it holds is unknown",
            "you are not permitted to end sh 4300 of root.",
        ),
    ];
    for (key, unknown, denied) in cases {
        stage.keys(key);
        stage.wait(0.3);
        let text = text(&stage);
        assert!(text.contains(unknown) && text.contains(denied), "{text}");
        assert!(text.contains("Nothing would be sent for :5173:"), "{text}");
    }
}

#[test]
fn the_dialog_counts_the_connections_that_end_too() {
    let mut stage = stage((80, 24));
    stage.keys("x");
    assert!(shows(&stage, "1 connection"), "{:#?}", screen(&stage));
}

#[test]
fn a_look_that_does_not_come_makes_the_screen_stale() {
    let mut stage = stage((80, 24));
    stage.wait(7.0);
    assert!(shows(&stage, "1s live"));
    stage.wait(2.0);
    assert!(
        shows(&stage, "STALE") && shows(&stage, "stale: the last look was 9s ago"),
        "{:#?}",
        screen(&stage)
    );
}

#[test]
fn nothing_sent_does_not_read_as_if_the_port_were_free() {
    use crate::app::Effect;
    use crate::model::freeing::{Dispatch, Happening, Hindrance, Sending, Step};
    use crate::model::testing::instant;
    let node = process(4242, "node").build();
    let mut stage = Stage::with(vec![socket("127.0.0.1:5001").owner(&node)]);
    stage.keys("x");
    stage.wait(1.0);
    let effects = stage.keys("y");
    let [Effect::Free(Step::Send(orders))] = effects.as_slice() else {
        panic!("one order: {effects:?}")
    };
    let sending = Sending::NotSent(Hindrance::EndedMeanwhile(node));
    stage.event(Event::Freeing(Happening::Sent(Dispatch {
        order: orders[0].id(),
        at: instant(0.5),
        sending,
    })));
    let text = |stage: &Stage| {
        screen(stage)
            .join(" ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert!(
        !text(&stage).contains(" now."),
        "the last look still shows the one that ended"
    );
    stage.seconds = 1.0;
    let python = process(20688, "python3").build();
    stage.look(vec![socket("127.0.0.1:5001").mark(2).owner(&python)]);
    assert!(
        text(&stage).contains(":5001 is held by python3 20688"),
        "{:#?}",
        screen(&stage)
    );
}

#[test]
fn the_smallest_screen_names_everyone_who_would_end_within_its_frame() {
    let workers: Vec<_> = (10690..10693)
        .map(|pid| process(pid, "python3.11").build())
        .collect();
    let mut stage = Stage::new(setup(), (40, 8));
    stage.look(vec![
        socket("127.0.0.1:3300").owners(&workers.iter().collect::<Vec<_>>()),
    ]);
    stage.keys("x");
    let text = screen(&stage).join(" ");
    assert!(
        ["10690", "10691", "10692"]
            .iter()
            .all(|pid| text.contains(pid)),
        "{:#?}",
        screen(&stage)
    );
    let is_framed = |line: &String| line.ends_with(['│', '┐', '┘']) || !line.contains('│');
    assert!(
        screen(&stage).iter().all(is_framed),
        "{:#?}",
        screen(&stage)
    );
}

#[test]
fn an_ending_is_offered_only_where_everyone_who_would_end_is_named() {
    let master = process(1000, "gunicorn").build();
    let workers = (1001..1121).map(|pid| process(pid, "gunicorn").parent(1000).build());
    let family: Vec<_> = std::iter::once(master).chain(workers).collect();
    let mut stage = Stage::new(setup(), (80, 24));
    stage.look(vec![
        socket("127.0.0.1:3300").owners(&family.iter().collect::<Vec<_>>()),
    ]);
    stage.keys("x");
    assert!(names_everyone(&stage.app), "the master alone");
    stage.wait(1.0);
    stage.keys("a");
    assert!(!names_everyone(&stage.app));
    stage.app.drawn(instant(stage.seconds), false);
    stage.wait(1.0);
    assert!(
        shows(&stage, "Not all who would end fit here") && !shows(&stage, "end 121"),
        "{:#?}",
        screen(&stage)
    );
    assert!(
        stage
            .keys("y")
            .iter()
            .all(|effect| !matches!(effect, Effect::Free(_)))
    );
    stage.keys("x");
    stage.wait(1.0);
    stage.keys("a");
    stage.event(Event::Input(crossterm::event::Event::Resize(80, 60)));
    assert!(names_everyone(&stage.app), "{:#?}", screen(&stage));
}

#[test]
fn looks_that_take_long_are_said_to_and_the_header_shows_how_often_they_come() {
    let mut stage = stage((80, 24));
    stage.look_with(machine(), |changes| {
        changes.took = Duration::from_millis(420);
        changes.interval = Duration::from_millis(1_260);
    });
    assert!(shows(&stage, "1.3s live"), "{:#?}", screen(&stage));
    assert_eq!(
        screen(&stage)[22].trim(),
        "looking takes 420ms: every 1.3s · 1 owner hidden · 1 remote: a"
    );
    stage.keys("/a filter that leaves no room for it");
    assert!(!shows(&stage, "looking takes"), "{:#?}", screen(&stage));
}

#[test]
fn a_listener_of_both_families_is_a_star_at_every_width_with_a_place_for_addresses() {
    for width in [60, 80, 110, 120, 160, 200] {
        let mut stage = Stage::new(setup(), (width, 30));
        let node = process(4242, "node").build();
        stage.look(vec![socket("[::]:3000").only_v6(false).owner(&node)]);
        let row = screen(&stage)
            .into_iter()
            .find(|line| line.contains("3000"));
        let row = row.expect("the row");
        let words: Vec<&str> = row.split_whitespace().take(3).collect();
        assert_eq!(words, ["3000", "*", "!"], "{width}: {row}");
        stage.keys("i");
        assert!(shows(&stage, "── tcp *:3000"), "{:#?}", screen(&stage));
        assert!(!shows(&stage, "cannot tell"), "{:#?}", screen(&stage));
    }
    let mut unknown = Stage::with(vec![socket("[::]:3000")]);
    unknown.keys("i");
    assert!(shows(&unknown, "whether it takes IPv4 too"));
}

/// A listener whose owner is not found yet, beside one that is hidden.
fn sought() -> Vec<SocketBuilder> {
    vec![
        socket("127.0.0.1:3000").sought(),
        socket("127.0.0.1:4000").user(0, "root"),
    ]
}

#[test]
fn an_owner_that_is_still_looked_for_is_awaited_and_not_counted_as_hidden() {
    let mut stage = Stage::with(sought());
    assert!(shows(&stage, "   - …"), "{:#?}", screen(&stage));
    assert_eq!(screen(&stage)[22].trim(), "1 owner hidden");
    stage.keys("i");
    assert!(
        shows(&stage, "holder      still being looked for"),
        "{:#?}",
        screen(&stage)
    );
    stage.keys("ix");
    let text = screen(&stage).join(" ");
    let words = "who holds 127.0.0.1:3000 is still being looked for; the question";
    assert!(text.contains(words), "{:#?}", screen(&stage));
    assert!(!shows(&stage, "y end it"), "{:#?}", screen(&stage));
    stage.key(KeyCode::Esc);
    stage.keys("i");
    stage.seconds = 1.0;
    stage.look(vec![socket("127.0.0.1:4000").user(0, "root")]);
    assert!(
        shows(&stage, "holder      closed before it was found"),
        "{:#?}",
        screen(&stage)
    );
}

/// The dialog about a port with this answer, on a screen of this height, without its last line.
fn why(height: u16, change: impl FnOnce(Evidence) -> Evidence) -> Vec<String> {
    let mut stage = stage((80, height));
    stage.keys("w");
    let evidence = change(port(3000));
    stage.event(Event::Checked(Box::new(Answer::of(evidence))));
    let lines = screen(&stage).into_iter();
    lines
        .skip_while(|line| !line.contains("Why "))
        .take_while(|line| !line.contains('┘'))
        .map(|line| line.trim_matches(['│', ' ']).to_owned())
        .collect()
}

#[test]
fn why_says_the_verdict_the_reasons_and_how_many_binds_were_tried() {
    let node = process(4242, "node").build();
    let listener = socket("127.0.0.1:3000").owner(&node);
    let lines = why(24, |evidence| evidence.refused(&V4).sees(listener));
    assert_eq!(
        lines[1..],
        [
            "HELD :3000 by node 4242 of dev on 127.0.0.1:3000",
            "",
            "· node 4242 of dev listens on 127.0.0.1:3000",
            "· only IPv4 is taken: ::1 and :: can be bound",
            "",
            "8 binds tried, each closed at once",
            "c connect (may use up a one-shot server)   Esc close",
        ]
    );
}

#[test]
fn why_says_what_it_tries_until_there_is_an_answer() {
    let mut stage = stage((80, 24));
    stage.keys("w");
    assert!(shows(&stage, "Why :3000") && shows(&stage, "trying 8 binds"));
    assert!(!shows(&stage, "one-shot"));
}

#[test]
fn why_on_a_low_screen_is_at_most_nine_lines_and_says_how_many_are_below() {
    let lines = why(12, |evidence| {
        evidence.with(|evidence| {
            evidence.published = (1..=9).map(|number| format!("reason {number}")).collect();
        })
    });
    assert_eq!(lines.len(), 8, "{lines:#?}");
    assert_eq!(
        lines[7],
        "j k 5 more   c connect (may use up a one-shot server)   Esc close"
    );
}

#[test]
fn foreign_pids_are_told_with_and_without_a_filter() {
    let problem = "/proc belongs to another PID namespace".to_owned();
    let setup = Setup {
        pids_problem: Some(problem.clone()),
        ..setup()
    };
    let mut stage = Stage::new(setup, (120, 24));
    stage.look(machine());
    assert!(shows(&stage, &problem), "{:#?}", screen(&stage));
    stage.keys("/3000\n");
    let words = "pids of another namespace";
    assert!(shows(&stage, words), "{:#?}", screen(&stage));
}
