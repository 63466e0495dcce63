use super::*;
use crate::app::overlay::free_dialog::DialogPhase;
use crate::app::testing::{AppHarness, environment};
use crate::config::Settings;
use crate::free::{ExecCommand, ExecEvent, SendOutcome, SendReport, SignalError};
use crate::model::testing::{SocketBuilder, instant, process, socket};
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use std::sync::Arc;

fn ports(ports: &[u16]) -> Vec<SocketBuilder> {
    ports
        .iter()
        .map(|port| socket(&format!("127.0.0.1:{port}")))
        .collect()
}

fn node() -> Arc<crate::model::process::Process> {
    process(4242, "node").command("node server.js").build()
}

fn is_confirming(harness: &AppHarness) -> bool {
    matches!(&harness.app.overlay, Overlay::Freeing(dialog) if matches!(dialog.phase, DialogPhase::Confirming(_)))
}

/// Asks about the row under the cursor, waits and answers with y.
fn ordered(harness: &mut AppHarness) -> crate::free::KillRequest {
    harness.keys("x");
    harness.wait(1.0);
    let effects = harness.keys("y");
    match orders_of(&effects).as_slice() {
        [request] => request.clone(),
        _ => panic!("one order: {effects:?}"),
    }
}

/// What is to be sent.
fn orders_of(effects: &[Effect]) -> Vec<crate::free::KillRequest> {
    let sends = effects.iter().filter_map(|effect| match effect {
        Effect::Free(ExecCommand::Send(requests)) => Some(requests.clone()),
        _ => None,
    });
    sends.flatten().collect()
}

fn is_free_of_orders(effects: &[Effect]) -> bool {
    !effects
        .iter()
        .any(|effect| matches!(effect, Effect::Free(_)))
}

#[test]
fn digits_show_what_begins_so_until_one_port_is_exactly_that() {
    let mut harness = AppHarness::with(ports(&[80, 3000, 3001, 30000]));
    harness.keys("30");
    assert_eq!(
        harness.rows(),
        ["127.0.0.1:3000", "127.0.0.1:3001", "127.0.0.1:30000"]
    );
    harness.keys("00");
    assert_eq!(harness.rows(), ["127.0.0.1:3000"]);
    harness.keys("0");
    assert_eq!(harness.rows(), ["127.0.0.1:30000"]);
}

#[test]
fn enter_never_hides_a_row_that_was_on_the_screen() {
    for (typed, kept) in [("300", "300*"), ("3000", "3000"), ("62893", "62893")] {
        let mut harness = AppHarness::with(ports(&[3000, 3001]));
        harness.keys(typed);
        let before = harness.rows();
        harness.key(KeyCode::Enter);
        assert_eq!(
            (harness.app.filter_box.text.as_str(), harness.rows()),
            (kept, before),
            "{typed}"
        );
    }
}

#[test]
fn escape_restores_the_filter_that_stood_before() {
    let mut harness = AppHarness::with(ports(&[3000, 4000]));
    harness.keys("3000");
    harness.key(KeyCode::Enter);
    harness.keys("/4000");
    assert_eq!(harness.rows(), ["127.0.0.1:4000"]);
    harness.key(KeyCode::Esc);
    assert_eq!(
        (harness.app.filter_box.text.as_str(), harness.rows()),
        ("3000", vec!["127.0.0.1:3000".to_owned()])
    );
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
    let FilterBox { text, chips, .. } = &harness.app.filter_box;
    assert_eq!((text.as_str(), chips.is_on(Chip::Dynamic)), ("50000", true));
}

#[test]
fn a_wrong_filter_leaves_the_table_as_it_was_and_says_where() {
    let mut harness = AppHarness::with(ports(&[3000, 4000]));
    harness.keys("/3000 port:99999 ");
    assert_eq!(harness.rows(), ["127.0.0.1:3000"]);
    harness.key(KeyCode::Enter);
    let typing = harness
        .app
        .filter_box
        .typed
        .as_ref()
        .expect("the line stays open");
    let error = typing.parsed.error.as_ref().expect("it is wrong");
    assert_eq!(&typing.input.value()[error.at.clone()], "99999");
}

#[test]
fn the_cursor_goes_to_what_holds_the_port_not_to_a_client_of_it() {
    let client = socket("127.0.0.1:1500").to("127.0.0.1:3000");
    let mut harness = AppHarness::with(vec![
        socket("127.0.0.1:3000"),
        socket("127.0.0.1:22"),
        client,
    ]);
    harness.keys("3000");
    assert_eq!(harness.cursor(), "127.0.0.1:3000");
}

#[test]
fn the_cursor_stays_on_its_row_whatever_opens_above_it() {
    let mut harness = AppHarness::with(ports(&[3000, 4000]));
    harness.keys("j");
    harness.seconds = 1.0;
    harness.poll(ports(&[1000, 2000, 3000, 4000]));
    assert_eq!(
        (harness.cursor(), harness.app.selection.top),
        ("127.0.0.1:4000".to_owned(), 0)
    );
}

#[test]
fn away_from_the_top_the_cursors_line_of_the_screen_stays_too() {
    let many: Vec<u16> = (1000..1100).collect();
    let mut harness = AppHarness::with(ports(&many));
    harness.keys("G");
    let before = harness.app.selection.line - harness.app.selection.top;
    harness.seconds = 1.0;
    harness.poll(ports(&[&[10, 11, 12], many.as_slice()].concat()));
    let after = harness.app.selection.line - harness.app.selection.top;
    assert_eq!(
        (harness.cursor(), before),
        ("127.0.0.1:1099".to_owned(), after)
    );
}

#[test]
fn when_its_row_is_gone_for_good_the_row_in_its_place_is_taken() {
    let mut harness = AppHarness::with(ports(&[1000, 2000, 3000]));
    harness.keys("j");
    harness.seconds = 1.0;
    harness.poll(ports(&[1000, 3000]));
    assert_eq!(harness.cursor(), "127.0.0.1:2000");
    harness.wait(3.0);
    assert_eq!(harness.cursor(), "127.0.0.1:3000");
}

#[test]
fn a_paste_opens_the_filter_and_runs_nothing() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let effects = harness.paste("x\ny\nq\n");
    assert!(effects.is_empty() && harness.app.filter_box.is_typing());
    assert!(matches!(harness.app.overlay, Overlay::None));
    harness.key(KeyCode::Esc);
    harness.paste("Error: listen EADDRINUSE: address already in use :::3000");
    assert_eq!(
        (harness.app.filter_box.shown(), harness.rows().len()),
        (":3000".to_owned(), 1)
    );
}

#[test]
fn x_asks_first_and_sends_nothing_before_the_answer() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let effects = harness.keys("x");
    assert!(is_confirming(&harness) && is_free_of_orders(&effects));
    assert!(effects.contains(&Effect::OpenHandles(vec![node().id])));
    harness.wait(1.0);
    let effects = harness.keys("y");
    let [request] = &orders_of(&effects)[..] else {
        panic!("one order: {effects:?}")
    };
    let targets: Vec<u32> = request
        .targets()
        .iter()
        .map(|target| target.process.pid().0)
        .collect();
    assert_eq!((request.port().number, targets), (3000, vec![4242]));
}

#[test]
fn keys_typed_ahead_answer_nothing() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    for key in "proxy".chars() {
        let effects = harness.keys(&key.to_string());
        assert!(is_free_of_orders(&effects), "{key}");
        harness.wait(0.03);
    }
    assert!(is_confirming(&harness));
}

#[test]
fn whatever_is_no_answer_cancels_and_so_does_a_paste() {
    for key in ['n', 'q', 'z', ' ', 'Y'] {
        let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
        harness.keys("x");
        harness.wait(1.0);
        let effects = harness.keys(&key.to_string());
        assert!(
            is_free_of_orders(&effects) && matches!(harness.app.overlay, Overlay::None),
            "{key}"
        );
        let said = harness
            .app
            .notice
            .as_ref()
            .map(|notice| notice.text.as_str());
        assert_eq!(said, Some("cancelled; nothing was sent"), "{key}");
    }
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    harness.keys("x");
    harness.wait(1.0);
    assert!(is_free_of_orders(&harness.paste("y")) && matches!(harness.app.overlay, Overlay::None));
}

#[test]
fn enter_presses_cancel_at_first() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    harness.keys("x");
    harness.wait(1.0);
    assert!(is_free_of_orders(&harness.key(KeyCode::Enter)));
    harness.keys("x");
    harness.wait(1.0);
    harness.key(KeyCode::Tab);
    assert!(!is_free_of_orders(&harness.key(KeyCode::Enter)));
}

#[test]
fn the_target_stays_what_was_shown_while_rows_come_and_go() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    harness.keys("x");
    harness.wait(1.0);
    let other = process(5000, "other").build();
    harness.poll(vec![
        socket("127.0.0.1:1000").owner(&other),
        socket("127.0.0.1:3000").owner_hint(7).owner(&other),
    ]);
    assert_eq!(harness.rows(), ["127.0.0.1:3000"], "the order is frozen");
    let effects = harness.keys("y");
    let [request] = &orders_of(&effects)[..] else {
        panic!("one order: {effects:?}")
    };
    assert_eq!(
        request
            .targets()
            .iter()
            .map(crate::free::Target::id)
            .collect::<Vec<_>>(),
        [node().id]
    );
}

#[test]
fn a_verdict_after_the_dialog_closed_is_a_notice() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let request = ordered(&mut harness);
    harness.key(KeyCode::Esc);
    let sending = SendOutcome::NotSent(SignalError::AlreadyExited(node()));
    harness.event(Event::Freeing(ExecEvent::SignalsSent(SendReport {
        request: request.id(),
        at: instant(0.5),
        sending,
    })));
    let notice = harness.app.notice.as_ref().expect("a notice");
    assert!(
        notice.text.starts_with("Nothing sent:") && notice.until.is_none(),
        "{notice:?}"
    );
    harness.keys("j");
    assert!(harness.app.notice.is_some(), "moving about leaves it");
    harness.keys("s");
    assert!(harness.app.notice.is_none());
}

#[test]
fn a_too_small_terminal_opens_no_dialog_and_cancels_an_open_one() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    harness.keys("x");
    harness.event(Event::Input(TerminalEvent::Resize(32, 6)));
    assert!(matches!(harness.app.overlay, Overlay::None));
    harness.keys("x");
    assert!(matches!(harness.app.overlay, Overlay::None));
}

#[test]
fn read_only_ends_nothing() {
    let mut harness = AppHarness::start(
        environment(),
        Settings {
            is_read_only: true,
            ..Settings::default()
        },
        (80, 24),
    );
    harness.poll(vec![socket("127.0.0.1:3000").owner(&node())]);
    assert!(harness.keys("x").is_empty() && matches!(harness.app.overlay, Overlay::None));
}

#[test]
fn a_pause_holds_back_what_is_shown_and_its_end_shows_all() {
    let mut harness = AppHarness::with(ports(&[1000]));
    harness.keys("p");
    harness.seconds = 1.0;
    harness.poll(ports(&[1000, 2000]));
    harness.seconds = 2.0;
    harness.poll(ports(&[1000, 2000, 3000]));
    assert_eq!(harness.rows(), ["127.0.0.1:1000"]);
    harness.keys("Z");
    assert_eq!(
        harness.rows(),
        ["127.0.0.1:1000", "127.0.0.1:2000", "127.0.0.1:3000"]
    );
}

#[test]
fn f_goes_to_the_other_end_and_n_to_what_changed() {
    let pair = || {
        vec![
            socket("127.0.0.1:3000"),
            socket("127.0.0.1:3000").to("127.0.0.1:50000"),
            socket("127.0.0.1:50000").to("127.0.0.1:3000"),
        ]
    };
    let mut harness = AppHarness::with(pair());
    harness.keys("jf");
    assert_eq!(harness.cursor(), "127.0.0.1:50000");
    harness.seconds = 10.0;
    let mut more = pair();
    more.push(socket("127.0.0.1:80"));
    harness.poll(more);
    harness.keys("n");
    assert_eq!(harness.cursor(), "127.0.0.1:80");
}

#[test]
fn details_ask_once_for_each_row() {
    let mut harness = AppHarness::with(vec![
        socket("127.0.0.1:1").owner(&node()),
        socket("127.0.0.1:2"),
    ]);
    let asked = |effects: &[Effect]| {
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Inspect(_)))
            .count()
    };
    assert_eq!(asked(&harness.key(KeyCode::Enter)), 1);
    assert_eq!(asked(&harness.wait(1.0)), 0);
    assert_eq!(asked(&harness.keys("j")), 1);
}

#[test]
fn copying_offers_what_the_row_has() {
    let mut harness = AppHarness::with(vec![socket("[::1]:5173").owner(&node())]);
    for (letter, text) in [
        ('a', "[::1]:5173"),
        ('u', "http://[::1]:5173/"),
        ('p', "4242"),
        ('c', "portmon free 5173"),
    ] {
        let effects = harness.keys(&format!("y{letter}"));
        assert_eq!(effects, [Effect::Copy(text.to_owned())]);
    }
}

#[test]
fn an_unbound_key_shows_how_to_filter() {
    let mut harness = AppHarness::with(ports(&[1]));
    harness.keys("k");
    assert_eq!(harness.app.notice, None);
    harness.keys("r");
    assert_eq!(
        harness
            .app
            .notice
            .as_ref()
            .map(|notice| notice.text.as_str()),
        Some("\"r\" is not bound · ? help")
    );
    harness.wait(3.0);
    assert_eq!(harness.app.notice, None);
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
fn faster_and_slower_ask_the_sampler_within_bounds() {
    let mut harness = AppHarness::with(ports(&[1]));
    let effects = harness.keys("++++++");
    let intervals: Vec<u128> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Sample(request) => Some(request.interval.as_millis()),
            _ => None,
        })
        .collect();
    assert_eq!(intervals, [500, 250, 100]);
}

#[test]
fn a_failed_poll_is_reported_until_one_succeeds() {
    use crate::model::snapshot::Problem;
    use crate::model::socket::{Family, Protocol};
    let mut harness = AppHarness::with(ports(&[1]));
    let problem = Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv6,
        reason: "refused".to_owned(),
    };
    let mut changes = crate::tracker::Tracker::new(environment().ephemeral, instant(0.0))
        .apply_snapshot(crate::model::testing::snapshot(1.0, Vec::new()));
    changes.problems = vec![problem];
    harness.seconds = 1.0;
    harness.event(Event::Sampled(changes));
    assert_eq!(harness.app.sampling.stale_since, Some(instant(1.0)));
    harness.seconds = 2.0;
    harness.poll(ports(&[1]));
    assert_eq!(harness.app.sampling.stale_since, None);
}

#[test]
fn escape_and_a_letter_read_in_one_go_end_nothing() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    harness.keys("x");
    harness.wait(1.0);
    let key = KeyEvent::new(KeyCode::Char('y'), KeyModifiers::ALT);
    let effects = harness.event(Event::Input(TerminalEvent::Key(key)));
    // Esc closed the dialog, and y is a key of the table.
    assert!(is_free_of_orders(&effects) && matches!(harness.app.overlay, Overlay::Menu(_)));
}

#[test]
fn an_answer_counts_only_after_armed_buttons_were_shown() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let key = |app: &mut App, letter, seconds| {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
        app.update(Event::Input(TerminalEvent::Key(key)), instant(seconds))
    };
    let effects = key(&mut harness.app, 'x', 1.0);
    let answer = harness.inspection_for(&effects, Vec::new());
    harness.app.update(answer, instant(1.1));
    // The terminal was stuck for a while.
    assert!(is_free_of_orders(&key(&mut harness.app, 'y', 3.0)));
    harness.app.on_drawn(instant(3.0), true);
    assert!(is_free_of_orders(&key(&mut harness.app, 'y', 3.2)));
    // The machine was too busy to read what was typed, and to show that time has passed.
    assert!(is_free_of_orders(&key(&mut harness.app, 'y', 3.4)));
    harness.app.on_drawn(instant(3.5), true);
    assert!(!is_free_of_orders(&key(&mut harness.app, 'y', 3.5)));
}

#[test]
fn buttons_are_armed_only_after_the_owners_are_inspected() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    harness.answers_inspections = false;
    let effects = harness.keys("x");
    harness.wait(9.0);
    assert!(is_free_of_orders(&harness.keys("y")) && is_confirming(&harness));
    harness.answer_inspection(&effects, Vec::new());
    assert!(
        !is_free_of_orders(&harness.keys("y")),
        "it has been there for long"
    );
}

#[test]
fn other_targets_must_be_seen_before_they_can_be_ended() {
    let master = process(20, "gunicorn").build();
    let worker = process(21, "gunicorn").parent(20).build();
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:8000").owners(&[&master, &worker])]);
    harness.keys("x");
    harness.wait(1.0);
    assert!(is_free_of_orders(&harness.keys("ay")));
    harness.wait(1.0);
    assert!(!is_free_of_orders(&harness.keys("y")));
}

#[test]
fn enter_keeps_the_cursor_on_the_row_chosen_while_typing() {
    let mut harness = AppHarness::with(ports(&[3000, 3001, 3002]));
    harness.keys("30");
    harness.key(KeyCode::Down);
    harness.key(KeyCode::Down);
    harness.key(KeyCode::Enter);
    assert_eq!(harness.cursor(), "127.0.0.1:3002");
}

#[test]
fn ctrl_c_in_a_menu_picks_nothing() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    harness.keys("y");
    assert_eq!(harness.ctrl('c'), []);
    assert!(matches!(harness.app.overlay, Overlay::None));
}

#[test]
fn the_table_is_live_again_after_the_dialog_is_confirmed() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    harness.keys("x");
    harness.wait(1.0);
    harness.keys("y");
    harness.seconds = 1.0;
    harness.poll(vec![socket("127.0.0.1:4000")]);
    assert_eq!(harness.rows(), ["127.0.0.1:3000", "127.0.0.1:4000"]);
}

#[test]
fn a_background_free_reports_its_verdict_once() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let request = ordered(&mut harness);
    harness.key(KeyCode::Esc);
    assert_eq!(harness.keys("x"), [], "one at a time");
    let sending = SendOutcome::NotSent(SignalError::AlreadyExited(node()));
    let event = ExecEvent::SignalsSent(SendReport {
        request: request.id(),
        at: instant(0.5),
        sending,
    });
    let effects = harness.event(Event::Freeing(event.clone()));
    assert!(effects.contains(&Effect::CloseHandles), "{effects:?}");
    harness.keys("p");
    harness.event(Event::Freeing(event));
    assert_eq!(harness.app.notice, None, "it was said and taken note of");
}

#[test]
fn x_in_vain_says_what_is_still_freed_or_watched() {
    let freed = ":3000 is free. node 4242 ended 0.5 s after SIGTERM.";
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    harness.free_unsettled();
    for notice in [
        freed,
        "still watching :3000 after freeing it; try again in 2 s",
    ] {
        harness.wait(0.4);
        harness.keys("x");
        assert_eq!(harness.notice(), notice);
    }
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    ordered(&mut harness);
    for notice in ["", "still freeing :3000; the result will be shown here"] {
        harness.wait(0.4);
        harness.keys("x");
        assert_eq!(harness.notice(), notice);
    }
}

#[test]
fn a_report_on_another_question_is_ignored() {
    use crate::model::process::{InspectRequest, Inspection, Requester, Supervisor};
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    harness.answers_inspections = false;
    harness.keys("x");
    let endpoint = harness.app.current_row().expect("a row").endpoint.id();
    let subject = InspectRequest {
        requester: Requester::Details,
        endpoint,
        processes: Vec::new(),
        port: None,
        ports: Vec::new(),
        unused_near: None,
    };
    harness.event(Event::Inspected(Inspection {
        request: subject,
        trees: Vec::new(),
        exit_statuses: Vec::new(),
        supervisor: Supervisor::default(),
        addresses: Vec::new(),
        unused: None,
    }));
    let Overlay::Freeing(dialog) = &harness.app.overlay else {
        panic!("a dialog")
    };
    assert_eq!(dialog.inspection, None);
}

#[test]
fn while_paused_nothing_ages_fades_or_goes() {
    let mut harness = AppHarness::with(ports(&[1000, 2000]));
    harness.seconds = 1.0;
    harness.poll(ports(&[1000]));
    harness.keys("p");
    harness.wait(60.0);
    assert_eq!(
        (harness.rows().len(), harness.app.moment()),
        (2, crate::model::testing::moment(1.0))
    );
    assert_eq!(
        harness
            .app
            .next_change()
            .filter(|due| *due <= instant(61.0)),
        None,
        "no timer spins"
    );
    harness.keys("p");
    harness.wait(0.0);
    assert_eq!(harness.rows(), ["127.0.0.1:1000"]);
}

#[test]
fn a_verdict_triggers_a_refresh() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let request = ordered(&mut harness);
    let sending = SendOutcome::NotSent(SignalError::AlreadyExited(node()));
    let at = instant(0.5);
    let effects = harness.event(Event::Freeing(ExecEvent::SignalsSent(SendReport {
        request: request.id(),
        at,
        sending,
    })));
    let looks = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Sample(request) if request.poll_now));
    assert_eq!(looks.count(), 1);
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
        let mut harness = AppHarness::with(vec![
            found(1000, "zsh"),
            socket("127.0.0.1:2000").pending(),
            socket("127.0.0.1:3000").pending(),
        ]);
        harness.keys(sort);
        harness.keys("gj");
        let before = harness.cursor();
        harness.seconds = 1.0;
        harness.poll(vec![
            found(1000, "zsh"),
            found(2000, "cat"),
            found(3000, "node"),
        ]);
        assert_eq!(harness.cursor(), before, "{sort}");
        assert_eq!(harness.rows(), rows, "{sort}");
        let is_marked = |row: &Row| row.change_mark != crate::table::row::ChangeMark::None;
        assert!(!harness.app.listing.rows().any(is_marked), "{sort}");
    }
}

#[test]
fn what_is_not_known_yet_sorts_last_either_way() {
    let mut harness = AppHarness::with(vec![
        socket("127.0.0.1:1000").pending(),
        socket("127.0.0.1:2000").owner(&node()),
        socket("127.0.0.1:3000").owner(&process(5, "zsh").build()),
    ]);
    harness.keys("sn");
    assert_eq!(
        harness.rows().last().map(String::as_str),
        Some("127.0.0.1:1000")
    );
    harness.keys("I");
    assert_eq!(
        harness.rows(),
        ["127.0.0.1:3000", "127.0.0.1:2000", "127.0.0.1:1000"]
    );
}

#[test]
fn rows_can_be_sorted_by_what_waits() {
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
