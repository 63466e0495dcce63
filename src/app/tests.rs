use super::*;
use crate::app::free_dialog::Phase;
use crate::app::testing::{Stage, setup};
use crate::model::freeing::{Dispatch, Happening, Hindrance, Sending, Step};
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

fn is_asking(stage: &Stage) -> bool {
    matches!(&stage.app.overlay, Overlay::Freeing(dialog) if matches!(dialog.phase, Phase::Asking(_)))
}

/// Asks about the row under the cursor, waits and answers with y.
fn ordered(stage: &mut Stage) -> crate::model::freeing::Order {
    stage.keys("x");
    stage.wait(1.0);
    let effects = stage.keys("y");
    match orders_of(&effects).as_slice() {
        [order] => order.clone(),
        _ => panic!("one order: {effects:?}"),
    }
}

/// What is to be sent.
fn orders_of(effects: &[Effect]) -> Vec<crate::model::freeing::Order> {
    let sends = effects.iter().filter_map(|effect| match effect {
        Effect::Free(Step::Send(orders)) => Some(orders.clone()),
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
    let mut stage = Stage::with(ports(&[80, 3000, 3001, 30000]));
    stage.keys("30");
    assert_eq!(
        stage.rows(),
        ["127.0.0.1:3000", "127.0.0.1:3001", "127.0.0.1:30000"]
    );
    stage.keys("00");
    assert_eq!(stage.rows(), ["127.0.0.1:3000"]);
    stage.keys("0");
    assert_eq!(stage.rows(), ["127.0.0.1:30000"]);
}

#[test]
fn enter_never_hides_a_row_that_was_on_the_screen() {
    for (typed, kept) in [("300", "300*"), ("3000", "3000"), ("62893", "62893")] {
        let mut stage = Stage::with(ports(&[3000, 3001]));
        stage.keys(typed);
        let before = stage.rows();
        stage.key(KeyCode::Enter);
        assert_eq!(
            (stage.app.filter_box.text.as_str(), stage.rows()),
            (kept, before),
            "{typed}"
        );
    }
}

#[test]
fn escape_restores_the_filter_that_stood_before() {
    let mut stage = Stage::with(ports(&[3000, 4000]));
    stage.keys("3000");
    stage.key(KeyCode::Enter);
    stage.keys("/4000");
    assert_eq!(stage.rows(), ["127.0.0.1:4000"]);
    stage.key(KeyCode::Esc);
    assert_eq!(
        (stage.app.filter_box.text.as_str(), stage.rows()),
        ("3000", vec!["127.0.0.1:3000".to_owned()])
    );
}

#[test]
fn escape_in_the_table_clears_the_text_then_the_chips_and_u_brings_them_back() {
    let mut stage = Stage::with(ports(&[3000, 50000]));
    stage.keys("d50000");
    stage.key(KeyCode::Enter);
    stage.key(KeyCode::Esc);
    assert_eq!(stage.rows(), ["127.0.0.1:50000"]);
    stage.key(KeyCode::Esc);
    assert_eq!(stage.rows(), ["127.0.0.1:3000", "127.0.0.1:50000"]);
    assert_eq!(stage.key(KeyCode::Esc), []);
    stage.keys("u");
    let FilterBox { text, chips, .. } = &stage.app.filter_box;
    assert_eq!((text.as_str(), chips.dynamic), ("50000", true));
}

#[test]
fn a_wrong_filter_leaves_the_table_as_it_was_and_says_where() {
    let mut stage = Stage::with(ports(&[3000, 4000]));
    stage.keys("/3000 port:99999 ");
    assert_eq!(stage.rows(), ["127.0.0.1:3000"]);
    stage.key(KeyCode::Enter);
    let typing = stage
        .app
        .filter_box
        .typed
        .as_ref()
        .expect("the line stays open");
    let trouble = typing.parsed.trouble.as_ref().expect("it is wrong");
    assert_eq!(&typing.input.value()[trouble.at.clone()], "99999");
}

#[test]
fn the_cursor_goes_to_what_holds_the_port_not_to_a_client_of_it() {
    let client = socket("127.0.0.1:1500").to("127.0.0.1:3000");
    let mut stage = Stage::with(vec![
        socket("127.0.0.1:3000"),
        socket("127.0.0.1:22"),
        client,
    ]);
    stage.keys("3000");
    assert_eq!(stage.cursor(), "127.0.0.1:3000");
}

#[test]
fn the_cursor_stays_on_its_row_whatever_opens_above_it() {
    let mut stage = Stage::with(ports(&[3000, 4000]));
    stage.keys("j");
    stage.seconds = 1.0;
    stage.look(ports(&[1000, 2000, 3000, 4000]));
    assert_eq!(
        (stage.cursor(), stage.app.selection.top),
        ("127.0.0.1:4000".to_owned(), 0)
    );
}

#[test]
fn away_from_the_top_the_cursors_line_of_the_screen_stays_too() {
    let many: Vec<u16> = (1000..1100).collect();
    let mut stage = Stage::with(ports(&many));
    stage.keys("G");
    let before = stage.app.selection.line - stage.app.selection.top;
    stage.seconds = 1.0;
    stage.look(ports(&[&[10, 11, 12], many.as_slice()].concat()));
    let after = stage.app.selection.line - stage.app.selection.top;
    assert_eq!(
        (stage.cursor(), before),
        ("127.0.0.1:1099".to_owned(), after)
    );
}

#[test]
fn when_its_row_is_gone_for_good_the_row_in_its_place_is_taken() {
    let mut stage = Stage::with(ports(&[1000, 2000, 3000]));
    stage.keys("j");
    stage.seconds = 1.0;
    stage.look(ports(&[1000, 3000]));
    assert_eq!(stage.cursor(), "127.0.0.1:2000");
    stage.wait(3.0);
    assert_eq!(stage.cursor(), "127.0.0.1:3000");
}

#[test]
fn a_paste_opens_the_filter_and_runs_nothing() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let effects = stage.paste("x\ny\nq\n");
    assert!(effects.is_empty() && stage.app.filter_box.is_typing());
    assert!(matches!(stage.app.overlay, Overlay::None));
    stage.key(KeyCode::Esc);
    stage.paste("Error: listen EADDRINUSE: address already in use :::3000");
    assert_eq!(
        (stage.app.filter_box.shown(), stage.rows().len()),
        (":3000".to_owned(), 1)
    );
}

#[test]
fn x_asks_about_the_holder_and_nothing_is_sent_before_the_answer() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let effects = stage.keys("x");
    assert!(is_asking(&stage) && is_free_of_orders(&effects));
    assert!(effects.contains(&Effect::Hold(vec![node().id])));
    stage.wait(1.0);
    let effects = stage.keys("y");
    let [order] = &orders_of(&effects)[..] else {
        panic!("one order: {effects:?}")
    };
    let targets: Vec<u32> = order
        .targets()
        .iter()
        .map(|target| target.process.pid().0)
        .collect();
    assert_eq!((order.port(), targets), (3000, vec![4242]));
}

#[test]
fn keys_typed_ahead_answer_nothing() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    for key in "proxy".chars() {
        let effects = stage.keys(&key.to_string());
        assert!(is_free_of_orders(&effects), "{key}");
        stage.wait(0.03);
    }
    assert!(is_asking(&stage));
}

#[test]
fn whatever_is_no_answer_cancels_and_so_does_a_paste() {
    for key in ['n', 'q', 'z', ' ', 'Y'] {
        let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
        stage.keys("x");
        stage.wait(1.0);
        let effects = stage.keys(&key.to_string());
        assert!(
            is_free_of_orders(&effects) && matches!(stage.app.overlay, Overlay::None),
            "{key}"
        );
        let said = stage
            .app
            .notice
            .as_ref()
            .map(|notice| notice.words.as_str());
        assert_eq!(said, Some("cancelled; nothing was sent"), "{key}");
    }
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    stage.keys("x");
    stage.wait(1.0);
    assert!(is_free_of_orders(&stage.paste("y")) && matches!(stage.app.overlay, Overlay::None));
}

#[test]
fn enter_presses_cancel_at_first() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    stage.keys("x");
    stage.wait(1.0);
    assert!(is_free_of_orders(&stage.key(KeyCode::Enter)));
    stage.keys("x");
    stage.wait(1.0);
    stage.key(KeyCode::Tab);
    assert!(!is_free_of_orders(&stage.key(KeyCode::Enter)));
}

#[test]
fn the_target_stays_what_was_shown_while_rows_come_and_go() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    stage.keys("x");
    stage.wait(1.0);
    let other = process(5000, "other").build();
    stage.look(vec![
        socket("127.0.0.1:1000").owner(&other),
        socket("127.0.0.1:3000").mark(7).owner(&other),
    ]);
    assert_eq!(stage.rows(), ["127.0.0.1:3000"], "the order is frozen");
    let effects = stage.keys("y");
    let [order] = &orders_of(&effects)[..] else {
        panic!("one order: {effects:?}")
    };
    assert_eq!(
        order
            .targets()
            .iter()
            .map(crate::model::freeing::Target::id)
            .collect::<Vec<_>>(),
        [node().id]
    );
}

#[test]
fn what_comes_after_the_dialog_is_closed_is_told_as_a_notice() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let order = ordered(&mut stage);
    stage.key(KeyCode::Esc);
    let sending = Sending::NotSent(Hindrance::EndedMeanwhile(node()));
    stage.event(Event::Freeing(Happening::Sent(Dispatch {
        order: order.id(),
        at: instant(0.5),
        sending,
    })));
    let notice = stage.app.notice.as_ref().expect("a notice");
    assert!(
        notice.words.starts_with("Nothing sent:") && notice.until.is_none(),
        "{notice:?}"
    );
    stage.keys("j");
    assert!(stage.app.notice.is_some(), "moving about leaves it");
    stage.keys("s");
    assert!(stage.app.notice.is_none());
}

#[test]
fn no_dialog_opens_on_a_terminal_that_cannot_show_it_and_an_open_one_is_cancelled() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    stage.keys("x");
    stage.event(Event::Input(TerminalEvent::Resize(32, 6)));
    assert!(matches!(stage.app.overlay, Overlay::None));
    stage.keys("x");
    assert!(matches!(stage.app.overlay, Overlay::None));
}

#[test]
fn read_only_ends_nothing() {
    let mut stage = Stage::new(
        Setup {
            is_read_only: true,
            ..setup()
        },
        (80, 24),
    );
    stage.look(vec![socket("127.0.0.1:3000").owner(&node())]);
    assert!(stage.keys("x").is_empty() && matches!(stage.app.overlay, Overlay::None));
}

#[test]
fn a_pause_holds_back_what_is_shown_and_its_end_shows_all() {
    let mut stage = Stage::with(ports(&[1000]));
    stage.keys("p");
    stage.seconds = 1.0;
    stage.look(ports(&[1000, 2000]));
    stage.seconds = 2.0;
    stage.look(ports(&[1000, 2000, 3000]));
    assert_eq!(stage.rows(), ["127.0.0.1:1000"]);
    stage.keys("Z");
    assert_eq!(
        stage.rows(),
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
    let mut stage = Stage::with(pair());
    stage.keys("jf");
    assert_eq!(stage.cursor(), "127.0.0.1:50000");
    stage.seconds = 10.0;
    let mut more = pair();
    more.push(socket("127.0.0.1:80"));
    stage.look(more);
    stage.keys("n");
    assert_eq!(stage.cursor(), "127.0.0.1:80");
}

#[test]
fn details_ask_once_for_each_row() {
    let mut stage = Stage::with(vec![
        socket("127.0.0.1:1").owner(&node()),
        socket("127.0.0.1:2"),
    ]);
    let asked = |effects: &[Effect]| {
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Inspect(_)))
            .count()
    };
    assert_eq!(asked(&stage.key(KeyCode::Enter)), 1);
    assert_eq!(asked(&stage.wait(1.0)), 0);
    assert_eq!(asked(&stage.keys("j")), 1);
}

#[test]
fn copying_offers_what_the_row_has() {
    let mut stage = Stage::with(vec![socket("[::1]:5173").owner(&node())]);
    for (letter, text) in [
        ('a', "[::1]:5173"),
        ('u', "http://[::1]:5173/"),
        ('p', "4242"),
        ('c', "portmon free 5173"),
    ] {
        let effects = stage.keys(&format!("y{letter}"));
        assert_eq!(effects, [Effect::Copy(text.to_owned())]);
    }
}

#[test]
fn an_unbound_key_says_how_to_filter() {
    let mut stage = Stage::with(ports(&[1]));
    stage.keys("k");
    assert_eq!(stage.app.notice, None);
    stage.keys("r");
    assert_eq!(
        stage
            .app
            .notice
            .as_ref()
            .map(|notice| notice.words.as_str()),
        Some("/ to filter")
    );
    stage.wait(3.0);
    assert_eq!(stage.app.notice, None);
}

#[test]
fn q_closes_what_is_on_top_before_it_quits() {
    let mut stage = Stage::with(ports(&[1]));
    stage.keys("?");
    assert_eq!(stage.keys("q"), []);
    assert_eq!(stage.keys("q"), [Effect::Quit(0)]);
    stage.keys("/");
    assert_eq!(stage.ctrl('c'), []);
    assert_eq!(stage.ctrl('c'), [Effect::Quit(0)]);
}

#[test]
fn faster_and_slower_ask_the_sampler_within_bounds() {
    let mut stage = Stage::with(ports(&[1]));
    let effects = stage.keys("++++++");
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
fn a_look_that_failed_is_said_and_forgotten_when_it_works_again() {
    use crate::model::address::Family;
    use crate::model::endpoint::Protocol;
    use crate::model::snapshot::Problem;
    let mut stage = Stage::with(ports(&[1]));
    let problem = Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv6,
        reason: "refused".to_owned(),
    };
    let mut changes = crate::model::tracker::Tracker::new(setup().ephemeral, instant(0.0))
        .absorb(crate::model::testing::snapshot(1.0, Vec::new()));
    changes.problems = vec![problem];
    stage.seconds = 1.0;
    stage.event(Event::Sampled(changes));
    assert_eq!(stage.app.sampling.stale_since, Some(instant(1.0)));
    stage.seconds = 2.0;
    stage.look(ports(&[1]));
    assert_eq!(stage.app.sampling.stale_since, None);
}

#[test]
fn escape_and_a_letter_read_in_one_go_end_nothing() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    stage.keys("x");
    stage.wait(1.0);
    let key = KeyEvent::new(KeyCode::Char('y'), KeyModifiers::ALT);
    let effects = stage.event(Event::Input(TerminalEvent::Key(key)));
    // Esc closed the dialog, and y is a key of the table.
    assert!(is_free_of_orders(&effects) && matches!(stage.app.overlay, Overlay::Menu(_)));
}

#[test]
fn an_answer_counts_only_once_the_screen_has_shown_live_buttons() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let key = |app: &mut App, letter, seconds| {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
        app.update(Event::Input(TerminalEvent::Key(key)), instant(seconds))
    };
    let effects = key(&mut stage.app, 'x', 1.0);
    let answer = stage.answer_to(&effects, Vec::new());
    stage.app.update(answer, instant(1.1));
    // The terminal was stuck for a while.
    assert!(is_free_of_orders(&key(&mut stage.app, 'y', 3.0)));
    stage.app.drawn(instant(3.0), true);
    assert!(is_free_of_orders(&key(&mut stage.app, 'y', 3.2)));
    // The machine was too busy to read what was typed, and to show that time has passed.
    assert!(is_free_of_orders(&key(&mut stage.app, 'y', 3.4)));
    stage.app.drawn(instant(3.5), true);
    assert!(!is_free_of_orders(&key(&mut stage.app, 'y', 3.5)));
}

#[test]
fn a_question_waits_until_it_is_known_where_its_holders_come_from() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    stage.answers = false;
    let effects = stage.keys("x");
    stage.wait(9.0);
    assert!(is_free_of_orders(&stage.keys("y")) && is_asking(&stage));
    stage.answer(&effects, Vec::new());
    assert!(
        !is_free_of_orders(&stage.keys("y")),
        "it has been there for long"
    );
}

#[test]
fn other_targets_must_be_seen_before_they_can_be_ended() {
    let master = process(20, "gunicorn").build();
    let worker = process(21, "gunicorn").parent(20).build();
    let mut stage = Stage::with(vec![socket("127.0.0.1:8000").owners(&[&master, &worker])]);
    stage.keys("x");
    stage.wait(1.0);
    assert!(is_free_of_orders(&stage.keys("ay")));
    stage.wait(1.0);
    assert!(!is_free_of_orders(&stage.keys("y")));
}

#[test]
fn enter_leaves_the_cursor_on_the_row_that_was_chosen_while_typing() {
    let mut stage = Stage::with(ports(&[3000, 3001, 3002]));
    stage.keys("30");
    stage.key(KeyCode::Down);
    stage.key(KeyCode::Down);
    stage.key(KeyCode::Enter);
    assert_eq!(stage.cursor(), "127.0.0.1:3002");
}

#[test]
fn ctrl_c_in_a_menu_picks_nothing() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    stage.keys("y");
    assert_eq!(stage.ctrl('c'), []);
    assert!(matches!(stage.app.overlay, Overlay::None));
}

#[test]
fn once_it_is_answered_the_table_behind_the_dialog_tells_what_happens() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    stage.keys("x");
    stage.wait(1.0);
    stage.keys("y");
    stage.seconds = 1.0;
    stage.look(vec![socket("127.0.0.1:4000")]);
    assert_eq!(stage.rows(), ["127.0.0.1:3000", "127.0.0.1:4000"]);
}

#[test]
fn a_freeing_in_the_background_ends_with_its_verdict_and_says_it_once() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let order = ordered(&mut stage);
    stage.key(KeyCode::Esc);
    assert_eq!(stage.keys("x"), [], "one at a time");
    let sending = Sending::NotSent(Hindrance::EndedMeanwhile(node()));
    let happening = Happening::Sent(Dispatch {
        order: order.id(),
        at: instant(0.5),
        sending,
    });
    let effects = stage.event(Event::Freeing(happening.clone()));
    assert!(effects.contains(&Effect::LetGo), "{effects:?}");
    stage.keys("p");
    stage.event(Event::Freeing(happening));
    assert_eq!(stage.app.notice, None, "it was said and taken note of");
}

#[test]
fn the_answer_to_another_question_is_not_taken_for_this_ones() {
    use crate::model::inspection::{Asker, Inspection, Subject};
    use crate::model::provenance::Provenance;
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    stage.answers = false;
    stage.keys("x");
    let endpoint = stage.app.current().expect("a row").endpoint.id();
    let subject = Subject {
        asker: Asker::Details,
        endpoint,
        processes: Vec::new(),
        port: None,
        ports: Vec::new(),
        unused_near: None,
    };
    stage.event(Event::Inspected(Inspection {
        subject,
        kin: Vec::new(),
        fates: Vec::new(),
        provenance: Provenance::default(),
        addresses: Vec::new(),
        unused: None,
    }));
    let Overlay::Freeing(dialog) = &stage.app.overlay else {
        panic!("a dialog")
    };
    assert_eq!(dialog.inspection, None);
}

#[test]
fn while_paused_nothing_ages_fades_or_goes() {
    let mut stage = Stage::with(ports(&[1000, 2000]));
    stage.seconds = 1.0;
    stage.look(ports(&[1000]));
    stage.keys("p");
    stage.wait(60.0);
    assert_eq!(
        (stage.rows().len(), stage.app.moment()),
        (2, crate::model::testing::moment(1.0))
    );
    assert_eq!(
        stage.app.next_change().filter(|due| *due <= instant(61.0)),
        None,
        "no timer spins"
    );
    stage.keys("p");
    stage.wait(0.0);
    assert_eq!(stage.rows(), ["127.0.0.1:1000"]);
}

#[test]
fn a_verdict_brings_a_fresh_look_beside_it() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000").owner(&node())]);
    let order = ordered(&mut stage);
    let sending = Sending::NotSent(Hindrance::EndedMeanwhile(node()));
    let at = instant(0.5);
    let effects = stage.event(Event::Freeing(Happening::Sent(Dispatch {
        order: order.id(),
        at,
        sending,
    })));
    let looks = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Sample(request) if request.look_now));
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
        let mut stage = Stage::with(vec![
            found(1000, "zsh"),
            socket("127.0.0.1:2000").sought(),
            socket("127.0.0.1:3000").sought(),
        ]);
        stage.keys(sort);
        stage.keys("gj");
        let before = stage.cursor();
        stage.seconds = 1.0;
        stage.look(vec![
            found(1000, "zsh"),
            found(2000, "cat"),
            found(3000, "node"),
        ]);
        assert_eq!(stage.cursor(), before, "{sort}");
        assert_eq!(stage.rows(), rows, "{sort}");
        let is_marked = |row: &Row| row.mark != crate::table::row::Mark::None;
        assert!(!stage.app.listing.rows().any(is_marked), "{sort}");
    }
}

#[test]
fn what_is_not_known_yet_sorts_last_either_way() {
    let mut stage = Stage::with(vec![
        socket("127.0.0.1:1000").sought(),
        socket("127.0.0.1:2000").owner(&node()),
        socket("127.0.0.1:3000").owner(&process(5, "zsh").build()),
    ]);
    stage.keys("sn");
    assert_eq!(
        stage.rows().last().map(String::as_str),
        Some("127.0.0.1:1000")
    );
    stage.keys("I");
    assert_eq!(
        stage.rows(),
        ["127.0.0.1:3000", "127.0.0.1:2000", "127.0.0.1:1000"]
    );
}

#[test]
fn rows_can_be_sorted_by_what_waits() {
    let mut stage = Stage::with(vec![
        socket("127.0.0.1:1000").queue(10, 5),
        socket("127.0.0.1:2000"),
        socket("127.0.0.1:3000").queue(3, 128),
    ]);
    stage.keys("sb");
    assert_eq!(
        stage.rows(),
        ["127.0.0.1:3000", "127.0.0.1:1000", "127.0.0.1:2000"]
    );
}
