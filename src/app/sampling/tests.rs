use super::*;
use crate::app::testing::{AppHarness, node};
use crate::app::{Effect, Event};
use crate::model::process::ProcessId;
use crate::model::socket::SocketStats;
use crate::model::testing::{SocketBuilder, instant, process, socket};
use crossterm::event::{Event as TerminalEvent, KeyCode};

const SECOND: Duration = Duration::from_secs(1);

fn two() -> Vec<SocketBuilder> {
    vec![
        socket("127.0.0.1:1000").owner(&node()),
        socket("127.0.0.1:2000"),
    ]
}

/// The requests, without the rows in view.
fn requests(effects: &[Effect]) -> Vec<PollRequest> {
    let request = |effect: &Effect| match effect {
        Effect::Sample(request) => Some(PollRequest {
            in_view: Vec::new(),
            ..request.clone()
        }),
        _ => None,
    };
    effects.iter().filter_map(request).collect()
}

/// The ports that are asked to be in view, by the last request.
fn ports_in_view(effects: &[Effect], harness: &AppHarness) -> Option<Vec<u16>> {
    let last = effects.iter().rev().find_map(|effect| match effect {
        Effect::Sample(request) => Some(&request.in_view),
        _ => None,
    })?;
    let rows = last.iter().filter_map(|id| harness.app.listing.row_of(*id));
    let mut ports: Vec<u16> = rows.map(|row| row.endpoint.socket.port()).collect();
    ports.sort_unstable();
    Some(ports)
}

#[test]
fn the_sockets_on_the_screen_are_requested_as_in_view() {
    let many = || (1000..1100).map(|port| socket(&format!("127.0.0.1:{port}")).owner(&node()));
    let mut harness = AppHarness::new((80, 24));
    let effects = harness.poll(many().collect());
    let shown = ports_in_view(&effects, &harness).expect("a request");
    assert!(
        shown.len() < 30 && shown.starts_with(&[1000, 1001]),
        "{shown:?}"
    );
    harness.seconds = 1.0;
    let effects = harness.poll(many().collect());
    assert_eq!(ports_in_view(&effects, &harness), None, "nothing moved");
    let effects = harness.keys("G");
    let shown = ports_in_view(&effects, &harness).expect("a request");
    assert!(
        shown.len() < 30 && shown.ends_with(&[1098, 1099]),
        "{shown:?}"
    );
    let effects = harness.keys("1000");
    assert_eq!(ports_in_view(&effects, &harness), Some(vec![1000]));
}

#[test]
fn the_sockets_of_a_question_are_in_view_behind_it() {
    let mut harness = AppHarness::with(vec![
        socket("127.0.0.1:1000").owner(&node()),
        socket("[::1]:1000").owner(&node()),
    ]);
    harness.keys("addr:127.0.0.1");
    let effects = harness.key(KeyCode::Enter);
    assert_eq!(ports_in_view(&effects, &harness).map(|all| all.len()), None);
    let effects = harness.keys("x");
    assert_eq!(ports_in_view(&effects, &harness), Some(vec![1000, 1000]));
}

/// The port of the row and the owners whose stats are requested, request by request.
fn foci(effects: &[Effect], harness: &AppHarness) -> Vec<Option<(u16, Vec<ProcessId>)>> {
    let port = |focus: Focus| {
        let row = harness.app.listing.row_of(focus.endpoint).expect("its row");
        (row.endpoint.socket.port(), focus.processes)
    };
    let requests = requests(effects).into_iter();
    requests.map(|request| request.focus.map(port)).collect()
}

fn set_focus(harness: &mut AppHarness, is_focused: bool) -> Vec<Effect> {
    harness.event(Event::Input(if is_focused {
        TerminalEvent::FocusGained
    } else {
        TerminalEvent::FocusLost
    }))
}

fn plain() -> PollRequest {
    PollRequest::every(SECOND)
}

fn now(request: PollRequest) -> PollRequest {
    PollRequest {
        poll_now: true,
        ..request
    }
}

fn slowed(rate: PollRate) -> PollRequest {
    PollRequest { rate, ..plain() }
}

#[test]
fn open_details_request_stats_of_the_current_row_once() {
    let mut harness = AppHarness::with(two());
    let node_focus = Some((1000, vec![node().id]));
    let effects = harness.key(KeyCode::Enter);
    assert_eq!(foci(&effects, &harness), std::slice::from_ref(&node_focus));
    for seconds in [1.0, 2.0] {
        harness.seconds = seconds;
        let effects = harness.poll(two());
        assert_eq!(foci(&effects, &harness), []);
        assert_eq!(harness.wait(0.5), []);
    }
    let effects = harness.keys("j");
    assert_eq!(foci(&effects, &harness), [Some((2000, vec![]))]);
    let effects = harness.keys("k");
    assert_eq!(foci(&effects, &harness), [node_focus]);
    let effects = harness.key(KeyCode::Enter);
    assert_eq!(foci(&effects, &harness), [None]);
}

#[test]
fn new_owners_and_closed_rows_change_the_stats_request() {
    let mut harness = AppHarness::with(two());
    harness.key(KeyCode::Enter);
    harness.seconds = 1.0;
    let worker = process(4243, "node").parent(4242).build();
    let effects = harness.poll(vec![
        socket("127.0.0.1:1000").owners(&[&node(), &worker]),
        socket("127.0.0.1:2000"),
    ]);
    let both = vec![node().id, worker.id];
    assert_eq!(foci(&effects, &harness), [Some((1000, both))]);
    harness.seconds = 2.0;
    let effects = harness.poll(vec![socket("127.0.0.1:2000")]);
    assert_eq!(foci(&effects, &harness), [None]);
}

#[test]
fn no_request_forgets_what_another_asked_for() {
    let mut harness = AppHarness::with(two());
    harness.key(KeyCode::Enter);
    let focus = harness.app.details.focus(harness.app.current_row());
    assert!(focus.is_some());
    let with_focus = |request: PollRequest| PollRequest {
        focus: focus.clone(),
        ..request
    };
    let asked = requests(&[harness.keys("R"), harness.keys("p"), harness.keys("Rp-")].concat());
    let slower = PollRequest::every(Duration::from_secs(2));
    assert_eq!(
        asked,
        [
            now(plain()),
            slowed(PollRate::Paused),
            now(slowed(PollRate::Paused)),
            now(plain()),
            slower,
        ]
        .map(with_focus)
    );
}

#[test]
fn an_unfocused_terminal_polls_slower_until_focus_returns() {
    let mut harness = AppHarness::with(two());
    let mut asked = set_focus(&mut harness, false);
    asked.extend(set_focus(&mut harness, false));
    assert_eq!(harness.app.sampling.shown_interval(), SECOND * 2);
    asked.extend(set_focus(&mut harness, true));
    asked.extend(set_focus(&mut harness, true));
    assert_eq!(
        requests(&asked),
        [slowed(PollRate::Unfocused), now(plain())]
    );
}

#[test]
fn a_pause_overrides_the_terminal_focus() {
    let mut harness = AppHarness::with(two());
    harness.keys("p");
    assert_eq!(set_focus(&mut harness, false), []);
    assert_eq!(
        requests(&set_focus(&mut harness, true)),
        [now(slowed(PollRate::Paused))]
    );
}

/// A terminal may lose track of it, as while the program is stopped.
#[test]
fn a_key_or_a_continue_means_the_terminal_has_focus() {
    for event in [
        Event::Input(TerminalEvent::Key(KeyCode::Char('j').into())),
        Event::Input(TerminalEvent::Paste("x".to_owned())),
        Event::Continued,
    ] {
        let mut harness = AppHarness::with(two());
        set_focus(&mut harness, false);
        assert_eq!(requests(&harness.event(event)), [now(plain())]);
    }
}

fn every(harness: &mut AppHarness, took: u64, interval: u64) {
    harness.poll_with(two(), |changes| {
        changes.took = Duration::from_millis(took);
        changes.interval = Duration::from_millis(interval);
    });
}

#[test]
fn a_slower_interval_does_not_make_the_table_stale() {
    let stale_after = |prepare: fn(&mut AppHarness)| {
        let mut harness = AppHarness::with(two());
        prepare(&mut harness);
        let due = harness
            .app
            .sampling
            .next_stale(instant(0.0))
            .expect("a poll");
        let is_stale = |at| harness.app.sampling.staleness(at).is_some();
        let all = due.duration_since(instant(0.0));
        let before = instant(all.as_secs_f64() - 0.002);
        assert!(is_stale(due) && !is_stale(before));
        all.as_secs()
    };
    assert_eq!(stale_after(|_| {}), 8);
    assert_eq!(stale_after(|harness| every(harness, 3_000, 9_000)), 32);
    let unfocused = |harness: &mut AppHarness| {
        set_focus(harness, false);
    };
    assert_eq!(stale_after(unfocused), 11);
    let paused = |harness: &mut AppHarness| {
        harness.keys("p");
    };
    assert_eq!(stale_after(paused), 20);
    // The last poll was made at the slower rate, and the next one may still be under way.
    let back = |harness: &mut AppHarness| {
        set_focus(harness, false);
        every(harness, 1, 2_000);
        set_focus(harness, true);
    };
    assert_eq!(stale_after(back), 11);
}

#[test]
fn a_backoff_interval_lasts_until_another_is_requested() {
    let mut harness = AppHarness::with(two());
    let backoff = |took, interval| {
        Some(Backoff {
            took: Duration::from_millis(took),
            interval: Duration::from_millis(interval),
        })
    };
    let cases = [
        ((1, 0), None),
        ((1, 1_000), None),
        ((340, 1_020), None),
        ((420, 1_260), backoff(420, 1_260)),
        // A poll that began while the interval was two seconds.
        ((1, 2_000), None),
    ];
    for ((took, interval), expected) in cases {
        every(&mut harness, took, interval);
        assert_eq!(harness.app.sampling.backoff, expected, "{took} {interval}");
    }
    every(&mut harness, 420, 1_260);
    assert_eq!(harness.keys("R").len(), 1);
    assert_eq!(
        harness.app.sampling.shown_interval(),
        Duration::from_millis(1_260)
    );
    harness.keys("-");
    assert_eq!(harness.app.sampling.shown_interval(), SECOND * 2);
}

fn stats(harness: &AppHarness, port: u16, memory: u64) -> SocketStats {
    let mut rows = harness.app.listing.rows();
    let row = rows.find(|row| row.endpoint.socket.port() == port);
    SocketStats {
        endpoint: row.expect("its row").endpoint.id(),
        traffic: None,
        usage: vec![crate::model::socket::ProcessUsage {
            process: node().id,
            at: instant(harness.seconds),
            processor: Duration::ZERO,
            memory,
        }],
    }
}

/// The memory shown for the owner of the row under the cursor.
fn shown(harness: &AppHarness) -> Option<u64> {
    let row = harness.app.current_row().expect("a row").endpoint.id();
    let (usage, _) = harness.app.details.stats_history.usage(row, node().id)?;
    Some(usage.memory)
}

#[test]
fn while_paused_only_the_first_stats_of_a_new_row_are_shown() {
    let mut harness = AppHarness::with(two());
    let poll = |harness: &mut AppHarness, memory, port| {
        harness.seconds += 1.0;
        let stats = stats(harness, port, memory);
        harness.poll_with(two(), |changes| changes.stats = Some(stats));
        shown(harness)
    };
    harness.key(KeyCode::Enter);
    assert_eq!(poll(&mut harness, 1, 1000), Some(1));
    harness.keys("p");
    assert_eq!(poll(&mut harness, 2, 1000), Some(1));
    harness.keys("j");
    assert_eq!(poll(&mut harness, 3, 2000), Some(3));
    assert_eq!(poll(&mut harness, 4, 2000), Some(3));
    harness.keys("p");
    assert_eq!(poll(&mut harness, 5, 2000), Some(5));
}

#[test]
fn only_polls_with_a_stats_request_count_as_missed() {
    let mut harness = AppHarness::with(two());
    for _ in 0..5 {
        harness.poll(two());
    }
    let row = harness.app.current_row().expect("a row").endpoint.id();
    assert!(harness.app.details.stats_history.is_pending(row));
    harness.key(KeyCode::Enter);
    harness.poll(two());
    assert!(harness.app.details.stats_history.is_pending(row));
    harness.poll(two());
    assert!(!harness.app.details.stats_history.is_pending(row));
}
