use super::*;
use crate::app::overlay::menu::Menu;
use crate::app::testing::{AppHarness, environment, inspection, listener, node, not_sent, sent};
use crate::config::Settings;
use crate::model::process::{InspectRequest, Requester, Signal};
use crate::model::snapshot::Problem;
use crate::model::socket::{Family, Protocol};
use crate::model::testing::{SocketBuilder, instant, moment, process, socket};
use crate::table::row::ChangeMark;
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};

fn ports(ports: &[u16]) -> Vec<SocketBuilder> {
    let socket = |port| socket(&format!("127.0.0.1:{port}"));
    ports.iter().map(socket).collect()
}

fn is_confirming(harness: &AppHarness) -> bool {
    let dialog = harness.app.overlay.free_dialog();
    dialog.is_some_and(|dialog| dialog.phase.prompt().is_some())
}

fn filter_text(harness: &AppHarness) -> &str {
    &harness.app.filter_box.text
}

#[test]
fn digits_match_prefixes_until_one_port_is_exactly_that() {
    let mut harness = AppHarness::with(ports(&[80, 3000, 3001, 30000]));
    for (digits, rows) in [
        (
            "30",
            &["127.0.0.1:3000", "127.0.0.1:3001", "127.0.0.1:30000"][..],
        ),
        ("00", &["127.0.0.1:3000"]),
        ("0", &["127.0.0.1:30000"]),
    ] {
        harness.keys(digits);
        assert_eq!(harness.rows(), rows, "{digits}");
    }
}

#[test]
fn enter_never_hides_a_row_that_was_on_the_screen() {
    for (typed, kept) in [("300", "300*"), ("3000", "3000"), ("62893", "62893")] {
        let mut harness = AppHarness::with(ports(&[3000, 3001]));
        harness.keys(typed);
        let before = harness.rows();
        harness.key(KeyCode::Enter);
        assert_eq!((filter_text(&harness), harness.rows()), (kept, before));
    }
}

#[test]
fn esc_restores_the_previous_filter() {
    let mut harness = AppHarness::with(ports(&[3000, 4000]));
    harness.keys("3000");
    harness.key(KeyCode::Enter);
    harness.keys("/4000");
    assert_eq!(harness.rows(), ["127.0.0.1:4000"]);
    harness.key(KeyCode::Esc);
    assert_eq!(filter_text(&harness), "3000");
    assert_eq!(harness.rows(), ["127.0.0.1:3000"]);
}

#[test]
fn esc_clears_text_then_chips_and_u_restores_them() {
    let mut harness = AppHarness::with(ports(&[3000, 50000]));
    harness.keys("d50000");
    harness.key(KeyCode::Enter);
    harness.key(KeyCode::Esc);
    assert_eq!(harness.rows(), ["127.0.0.1:50000"]);
    harness.key(KeyCode::Esc);
    assert_eq!(harness.rows(), ["127.0.0.1:3000", "127.0.0.1:50000"]);
    assert_eq!(harness.key(KeyCode::Esc), []);
    harness.keys("u");
    assert_eq!(filter_text(&harness), "50000");
    assert!(harness.app.filter_box.chips.is_on(Chip::Dynamic));
}

#[test]
fn an_invalid_filter_keeps_the_table_and_marks_the_error() {
    let mut harness = AppHarness::with(ports(&[3000, 4000]));
    harness.keys("/3000 port:99999 ");
    assert_eq!(harness.rows(), ["127.0.0.1:3000"]);
    harness.key(KeyCode::Enter);
    let editor = harness.app.filter_box.typed.as_ref();
    let editor = editor.expect("the line stays open");
    let error = editor.parsed.error.as_ref().expect("an error");
    assert_eq!(&editor.input.value()[error.at.clone()], "99999");
}

#[test]
fn the_cursor_goes_to_the_listener_not_to_a_client() {
    let client = socket("127.0.0.1:1500").to("127.0.0.1:3000");
    let mut table = ports(&[3000, 22]);
    table.push(client);
    let mut harness = AppHarness::with(table);
    harness.keys("3000");
    assert_eq!(harness.cursor(), "127.0.0.1:3000");
}

#[test]
fn the_cursor_stays_on_its_row_whatever_opens_above_it() {
    let mut harness = AppHarness::with(ports(&[3000, 4000]));
    harness.keys("j");
    harness.seconds = 1.0;
    harness.poll(ports(&[1000, 2000, 3000, 4000]));
    assert_eq!(harness.cursor(), "127.0.0.1:4000");
    assert_eq!(harness.app.selection.top, 0);
}

#[test]
fn below_the_top_the_cursor_stays_on_its_line_of_the_screen() {
    let many: Vec<u16> = (1000..1100).collect();
    let line = |harness: &AppHarness| harness.app.selection.line - harness.app.selection.top;
    let mut harness = AppHarness::with(ports(&many));
    harness.keys("G");
    let before = line(&harness);
    harness.seconds = 1.0;
    harness.poll(ports(&[&[10, 11, 12], many.as_slice()].concat()));
    assert_eq!(
        (harness.cursor().as_str(), line(&harness)),
        ("127.0.0.1:1099", before)
    );
}

#[test]
fn when_its_row_is_gone_the_cursor_takes_the_row_in_its_place() {
    let mut harness = AppHarness::with(ports(&[1000, 2000, 3000]));
    harness.keys("j");
    harness.seconds = 1.0;
    harness.poll(ports(&[1000, 3000]));
    assert_eq!(harness.cursor(), "127.0.0.1:2000");
    harness.wait(3.0);
    assert_eq!(harness.cursor(), "127.0.0.1:3000");
}

#[test]
fn enter_keeps_the_cursor_on_the_row_chosen_while_typing() {
    let mut harness = AppHarness::with(ports(&[3000, 3001, 3002]));
    harness.keys("30");
    for key in [KeyCode::Down, KeyCode::Down, KeyCode::Enter] {
        harness.key(key);
    }
    assert_eq!(harness.cursor(), "127.0.0.1:3002");
}

/// Among so many rows a filter is applied in slices, between which a key may come.
#[test]
fn a_key_acts_on_the_row_of_the_new_filter() {
    let many: Vec<u16> = (1..=10_000).collect();
    let mut harness = AppHarness::with(ports(&many));
    let send = |harness: &mut AppHarness, code| {
        let key = Event::Input(TerminalEvent::Key(KeyEvent::from(code)));
        harness.app.update(key, instant(harness.seconds));
    };
    for code in "9876".chars().map(KeyCode::Char) {
        send(&mut harness, code);
    }
    send(&mut harness, KeyCode::Enter);
    assert!(harness.app.listing.is_filtering());
    send(&mut harness, KeyCode::Char(' '));
    let (rows, selection) = (harness.app.listing.rows(), &harness.app.selection);
    let marked = rows.filter(|row| selection.is_marked(row));
    let ports: Vec<u16> = marked.map(|row| row.endpoint.socket.port()).collect();
    assert_eq!(ports, [9876]);
}

#[test]
fn a_paste_opens_the_filter_and_runs_nothing() {
    let mut harness = AppHarness::with(vec![listener()]);
    let mut effects = harness.paste("x\ny\nq\n");
    // Other rows are in view.
    effects.retain(|effect| !matches!(effect, Effect::Sample(_)));
    assert_eq!(effects, []);
    assert!(harness.app.filter_box.is_typing());
    assert!(matches!(harness.app.overlay, Overlay::None));
    harness.key(KeyCode::Esc);
    harness.paste("Error: listen EADDRINUSE: address already in use :::3000");
    assert_eq!(harness.app.filter_box.shown(), ":3000");
    assert_eq!(harness.rows(), ["127.0.0.1:3000"]);
}

#[test]
fn x_asks_first_and_sends_nothing_before_the_answer() {
    let mut harness = AppHarness::with(vec![listener()]);
    let effects = harness.keys("x");
    assert!(is_confirming(&harness));
    assert_eq!(sent(&effects), []);
    assert!(effects.contains(&Effect::OpenHandles(vec![node().id])));
    harness.wait(1.0);
    assert_eq!(
        sent(&harness.keys("y")),
        [(3000, Signal::Terminate, vec![node().id])]
    );
}

#[test]
fn keys_typed_ahead_answer_nothing() {
    let mut harness = AppHarness::with(vec![listener()]);
    for key in "proxy".chars() {
        assert_eq!(sent(&harness.keys(&key.to_string())), [], "{key}");
        harness.wait(0.03);
    }
    assert!(is_confirming(&harness));
}

#[test]
fn an_unlisted_key_or_a_paste_cancels() {
    for key in ["n", "q", "z", " ", "Y", "paste"] {
        let mut harness = AppHarness::asking();
        let effects = match key {
            "paste" => harness.paste("y"),
            key => harness.keys(key),
        };
        assert_eq!(sent(&effects), [], "{key}");
        assert!(matches!(harness.app.overlay, Overlay::None), "{key}");
        assert_eq!(harness.notice(), "canceled; nothing was sent", "{key}");
    }
}

#[test]
fn enter_presses_cancel_at_first() {
    let mut harness = AppHarness::asking();
    assert_eq!(sent(&harness.key(KeyCode::Enter)), []);
    harness.keys("x");
    harness.wait(1.0);
    harness.key(KeyCode::Tab);
    assert_ne!(sent(&harness.key(KeyCode::Enter)), []);
}

#[test]
fn the_target_stays_as_shown_while_rows_open_and_close() {
    let mut harness = AppHarness::asking();
    let other = process(5000, "other").build();
    harness.poll(vec![
        socket("127.0.0.1:1000").owner(&other),
        socket("127.0.0.1:3000").owner_hint(7).owner(&other),
    ]);
    assert_eq!(harness.rows(), ["127.0.0.1:3000"], "the order is frozen");
    assert_eq!(
        sent(&harness.keys("y")),
        [(3000, Signal::Terminate, vec![node().id])]
    );
}

#[test]
fn a_verdict_after_the_dialog_closed_is_a_notice() {
    let mut harness = AppHarness::asking();
    let request = harness.confirm();
    harness.key(KeyCode::Esc);
    harness.event(not_sent(&request));
    let notice = |harness: &AppHarness| {
        let notice = harness.app.notice.as_ref();
        notice.map(|notice| (notice.text.clone(), notice.until))
    };
    let said = notice(&harness).expect("a notice");
    assert!(said.0.starts_with("Nothing sent:") && said.1.is_none());
    harness.keys("j");
    assert_eq!(notice(&harness), Some(said), "movement leaves it");
    harness.keys("s");
    assert_eq!(notice(&harness), None);
}

#[test]
fn a_too_small_terminal_opens_no_dialog_and_cancels_an_open_one() {
    let mut harness = AppHarness::with(vec![listener()]);
    harness.keys("x");
    harness.event(Event::Input(TerminalEvent::Resize(32, 6)));
    assert!(matches!(harness.app.overlay, Overlay::None));
    harness.keys("x");
    assert!(matches!(harness.app.overlay, Overlay::None));
}

#[test]
fn read_only_stops_nothing() {
    let settings = Settings {
        is_read_only: true,
        ..Settings::default()
    };
    let mut harness = AppHarness::start(environment(), settings, (80, 24));
    harness.poll(vec![listener()]);
    assert_eq!(harness.keys("x"), []);
    assert!(matches!(harness.app.overlay, Overlay::None));
}

#[test]
fn a_pause_defers_changes_until_it_ends() {
    let mut harness = AppHarness::with(ports(&[1000]));
    harness.keys("p");
    for (seconds, table) in [(1.0, &[1000, 2000][..]), (2.0, &[1000, 2000, 3000])] {
        harness.seconds = seconds;
        harness.poll(ports(table));
        assert_eq!(harness.rows(), ["127.0.0.1:1000"]);
    }
    harness.keys("Z");
    assert_eq!(
        harness.rows(),
        ["127.0.0.1:1000", "127.0.0.1:2000", "127.0.0.1:3000"]
    );
}

#[test]
fn while_paused_no_row_ages_or_disappears() {
    let mut harness = AppHarness::with(ports(&[1000, 2000]));
    harness.seconds = 1.0;
    harness.poll(ports(&[1000]));
    harness.keys("p");
    harness.wait(60.0);
    assert_eq!(
        (harness.rows().len(), harness.app.moment()),
        (2, moment(1.0))
    );
    let due = harness.app.next_change();
    assert_eq!(
        due.filter(|due| *due <= instant(61.0)),
        None,
        "no timer spins"
    );
    harness.keys("p");
    harness.wait(0.0);
    assert_eq!(harness.rows(), ["127.0.0.1:1000"]);
}

#[test]
fn f_goes_to_the_other_end_and_n_to_what_changed() {
    let table = |listeners: &[u16]| {
        let mut table = ports(listeners);
        table.push(socket("127.0.0.1:3000").to("127.0.0.1:50000"));
        table.push(socket("127.0.0.1:50000").to("127.0.0.1:3000"));
        table
    };
    let mut harness = AppHarness::with(table(&[3000]));
    harness.keys("jf");
    assert_eq!(harness.cursor(), "127.0.0.1:50000");
    harness.seconds = 10.0;
    harness.poll(table(&[3000, 80]));
    harness.keys("n");
    assert_eq!(harness.cursor(), "127.0.0.1:80");
}

#[test]
fn details_request_one_inspection_for_each_row() {
    let mut harness = AppHarness::with(vec![listener(), socket("127.0.0.1:4000")]);
    let is_inspection = |effect: &&Effect| matches!(effect, Effect::Inspect(_));
    let count = |effects: Vec<Effect>| effects.iter().filter(is_inspection).count();
    assert_eq!(count(harness.key(KeyCode::Enter)), 1);
    assert_eq!(count(harness.wait(1.0)), 0);
    assert_eq!(count(harness.keys("j")), 1);
}

#[test]
fn the_copy_menu_offers_what_the_row_has() {
    let mut harness = AppHarness::with(vec![socket("[::1]:5173").owner(&node())]);
    for (keys, text) in [
        ("ya", "[::1]:5173"),
        ("yu", "http://[::1]:5173/"),
        ("yp", "4242"),
        ("yc", "portmon free 5173"),
    ] {
        assert_eq!(harness.keys(keys), [Effect::Copy(text.to_owned())]);
    }
}

#[test]
fn an_unbound_key_names_the_help_for_three_seconds() {
    let mut harness = AppHarness::with(ports(&[1]));
    harness.keys("k");
    assert_eq!(harness.notice(), "");
    harness.keys("r");
    assert_eq!(harness.notice(), "\"r\" is not bound · ? help");
    harness.wait(3.0);
    assert_eq!(harness.notice(), "");
}

#[test]
fn q_closes_what_is_on_top_before_it_quits() {
    let mut harness = AppHarness::with(ports(&[1]));
    harness.keys("?");
    assert_eq!(harness.keys("q"), []);
    assert_eq!(harness.keys("q"), [Effect::Quit(0)]);
    harness.keys("/");
    assert_eq!(harness.ctrl('c'), []);
    assert_eq!(harness.ctrl('c'), [Effect::Quit(0)]);
}

#[test]
fn ctrl_c_in_a_menu_picks_nothing() {
    let mut harness = AppHarness::with(vec![listener()]);
    harness.keys("y");
    assert_eq!(harness.ctrl('c'), []);
    assert!(matches!(harness.app.overlay, Overlay::None));
}

#[test]
fn the_poll_interval_stops_at_its_bounds() {
    let mut harness = AppHarness::with(ports(&[1]));
    let effects = harness.keys("++++++");
    let intervals = effects.iter().filter_map(|effect| match effect {
        Effect::Sample(request) => Some(request.interval.as_millis()),
        _ => None,
    });
    assert_eq!(intervals.collect::<Vec<_>>(), [500, 250, 100]);
}

#[test]
fn a_failed_poll_is_reported_until_one_succeeds() {
    let mut harness = AppHarness::with(ports(&[1]));
    let problem = Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv6,
        reason: "refused".to_owned(),
    };
    harness.seconds = 1.0;
    harness.poll_with(ports(&[1]), |changes| changes.problems = vec![problem]);
    assert_eq!(harness.app.sampling.stale_since, Some(instant(1.0)));
    harness.seconds = 2.0;
    harness.poll(ports(&[1]));
    assert_eq!(harness.app.sampling.stale_since, None);
}

#[test]
fn esc_and_a_letter_read_as_alt_stop_nothing() {
    let mut harness = AppHarness::asking();
    let key = KeyEvent::new(KeyCode::Char('y'), KeyModifiers::ALT);
    let effects = harness.event(Event::Input(TerminalEvent::Key(key)));
    assert_eq!(sent(&effects), []);
    // Esc closed the dialog, and y is a key of the table.
    assert!(matches!(harness.app.overlay, Overlay::Menu(Menu::Copy(_))));
}

#[test]
fn an_answer_counts_only_after_armed_buttons_were_shown() {
    let mut harness = AppHarness::with(vec![listener()]);
    let key = |app: &mut App, letter, seconds| {
        let key = KeyEvent::from(KeyCode::Char(letter));
        app.update(Event::Input(TerminalEvent::Key(key)), instant(seconds))
    };
    let effects = key(&mut harness.app, 'x', 1.0);
    let answer = harness.inspection_for(&effects, Vec::new());
    harness.app.update(answer, instant(1.1));
    // The terminal was stuck for a while.
    assert_eq!(sent(&key(&mut harness.app, 'y', 3.0)), []);
    harness.app.on_drawn(instant(3.0), true);
    assert_eq!(sent(&key(&mut harness.app, 'y', 3.2)), []);
    // The machine was too busy to read what was typed, and to show that time has passed.
    assert_eq!(sent(&key(&mut harness.app, 'y', 3.4)), []);
    harness.app.on_drawn(instant(3.5), true);
    assert_ne!(sent(&key(&mut harness.app, 'y', 3.5)), []);
}

#[test]
fn buttons_are_armed_only_after_the_owners_are_inspected() {
    let mut harness = AppHarness::with(vec![listener()]);
    harness.answers_inspections = false;
    let effects = harness.keys("x");
    harness.wait(9.0);
    assert_eq!(sent(&harness.keys("y")), []);
    assert!(is_confirming(&harness));
    harness.answer_inspection(&effects, Vec::new());
    assert_ne!(sent(&harness.keys("y")), [], "it has been shown for long");
}

#[test]
fn other_targets_must_be_seen_before_they_can_be_stopped() {
    let master = process(20, "gunicorn").build();
    let worker = process(21, "gunicorn").parent(20).build();
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:8000").owners(&[&master, &worker])]);
    harness.keys("x");
    harness.wait(1.0);
    assert_eq!(sent(&harness.keys("ay")), []);
    harness.wait(1.0);
    let both = vec![master.id, worker.id];
    assert_eq!(sent(&harness.keys("y")), [(8000, Signal::Terminate, both)]);
}

#[test]
fn the_table_is_live_again_after_the_dialog_is_confirmed() {
    let mut harness = AppHarness::asking();
    harness.keys("y");
    harness.seconds += 1.0;
    harness.poll(ports(&[4000]));
    assert_eq!(harness.rows(), ["127.0.0.1:3000", "127.0.0.1:4000"]);
}

#[test]
fn a_background_free_reports_its_verdict_once() {
    let mut harness = AppHarness::asking();
    let request = harness.confirm();
    harness.key(KeyCode::Esc);
    assert_eq!(harness.keys("x"), [], "one at a time");
    let effects = harness.event(not_sent(&request));
    assert!(effects.contains(&Effect::CloseHandles), "{effects:?}");
    harness.keys("p");
    harness.event(not_sent(&request));
    assert_eq!(harness.notice(), "");
}

#[test]
fn x_says_why_no_other_port_can_be_freed_yet() {
    let freed = ":3000 is free. node 4242 ended 0.5 s after SIGTERM.";
    let mut harness = AppHarness::with(vec![listener()]);
    harness.free_unsettled();
    for notice in [freed, "still watching :3000; try again in 2 s"] {
        harness.wait(0.4);
        harness.keys("x");
        assert_eq!(harness.notice(), notice);
    }
    let mut harness = AppHarness::asking();
    harness.confirm();
    for notice in ["", "still freeing :3000; the result will be shown here"] {
        harness.wait(0.4);
        harness.keys("x");
        assert_eq!(harness.notice(), notice);
    }
}

#[test]
fn an_inspection_for_the_details_is_none_of_the_dialog() {
    let mut harness = AppHarness::with(vec![listener()]);
    harness.answers_inspections = false;
    harness.keys("x");
    let endpoint = harness.app.current_row().expect("a row").endpoint.id();
    let request = InspectRequest::new(Requester::Details, endpoint, Vec::new());
    harness.event(Event::Inspected(inspection(request)));
    let dialog = harness.app.overlay.free_dialog().expect("a dialog");
    assert_eq!(dialog.inspection, None);
}

#[test]
fn a_verdict_triggers_a_refresh() {
    let mut harness = AppHarness::asking();
    let request = harness.confirm();
    let effects = harness.event(not_sent(&request));
    let is_refresh =
        |effect: &&Effect| matches!(effect, Effect::Sample(request) if request.poll_now);
    assert_eq!(effects.iter().filter(is_refresh).count(), 1);
}

#[test]
fn the_cursor_stays_on_its_row_when_owners_are_found() {
    let found = |port: u16, name: &str| {
        socket(&format!("127.0.0.1:{port}")).owner(&process(port.into(), name).build())
    };
    for (sort, rows) in [
        ("", ["127.0.0.1:1000", "127.0.0.1:2000", "127.0.0.1:3000"]),
        ("sn", ["127.0.0.1:2000", "127.0.0.1:3000", "127.0.0.1:1000"]),
    ] {
        let mut table = vec![found(1000, "zsh")];
        table.extend(ports(&[2000, 3000]).into_iter().map(SocketBuilder::pending));
        let mut harness = AppHarness::with(table);
        harness.keys(sort);
        harness.keys("gj");
        let before = harness.cursor();
        harness.seconds = 1.0;
        harness.poll(vec![
            found(1000, "zsh"),
            found(2000, "cat"),
            found(3000, "node"),
        ]);
        assert_eq!(
            (harness.cursor(), harness.rows()),
            (before, rows.map(str::to_owned).to_vec())
        );
        let is_marked = |row: &Row| row.change_mark != ChangeMark::None;
        assert!(!harness.app.listing.rows().any(is_marked), "{sort}");
    }
}

#[test]
fn rows_with_a_pending_owner_sort_last_either_way() {
    let mut harness = AppHarness::with(vec![
        socket("127.0.0.1:1000").pending(),
        socket("127.0.0.1:2000").owner(&node()),
        socket("127.0.0.1:3000").owner(&process(5, "zsh").build()),
    ]);
    for (keys, rows) in [
        ("sn", ["127.0.0.1:2000", "127.0.0.1:3000", "127.0.0.1:1000"]),
        ("I", ["127.0.0.1:3000", "127.0.0.1:2000", "127.0.0.1:1000"]),
    ] {
        harness.keys(keys);
        assert_eq!(harness.rows(), rows, "{keys}");
    }
}

#[test]
fn rows_can_be_sorted_by_queue() {
    let mut harness = AppHarness::with(vec![
        socket("127.0.0.1:1000").queue(10, 5),
        socket("127.0.0.1:2000"),
        socket("127.0.0.1:3000").queue(3, 128),
    ]);
    harness.keys("sb");
    assert_eq!(
        harness.rows(),
        ["127.0.0.1:3000", "127.0.0.1:1000", "127.0.0.1:2000"]
    );
}
