use super::*;
use crate::app::testing::Stage;
use crate::app::{Effect, Event};
use crate::model::process::{Process, ProcessId};
use crate::model::testing::{SocketBuilder, instant, process, socket};
use crate::model::traffic::Closeup;
use crossterm::event::{Event as TerminalEvent, KeyCode};
use std::sync::Arc;

const SECOND: Duration = Duration::from_secs(1);

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn two() -> Vec<SocketBuilder> {
    vec![
        socket("127.0.0.1:1000").owner(&node()),
        socket("127.0.0.1:2000"),
    ]
}

fn requests(effects: &[Effect]) -> Vec<Request> {
    let request = |effect: &Effect| match effect {
        Effect::Sample(request) => Some(request.clone()),
        _ => None,
    };
    effects.iter().filter_map(request).collect()
}

/// The row on the port and the holders that are looked at closely, request by request.
fn foci(effects: &[Effect], stage: &Stage) -> Vec<Option<(u16, Vec<ProcessId>)>> {
    let port = |focus: Focus| {
        let row = stage.app.listing.row_of(focus.endpoint).expect("its row");
        (row.endpoint.socket.port(), focus.processes)
    };
    let requests = requests(effects).into_iter();
    requests.map(|request| request.focus.map(port)).collect()
}

fn turn(stage: &mut Stage, is_attended: bool) -> Vec<Effect> {
    stage.event(Event::Input(if is_attended {
        TerminalEvent::FocusGained
    } else {
        TerminalEvent::FocusLost
    }))
}

fn plain() -> Request {
    Request::every(SECOND)
}

fn now(request: Request) -> Request {
    Request {
        look_now: true,
        ..request
    }
}

fn slowed(pace: Pace) -> Request {
    Request { pace, ..plain() }
}

#[test]
fn open_details_look_closely_at_the_row_under_the_cursor_and_say_so_once() {
    let mut stage = Stage::with(two());
    let node_focus = Some((1000, vec![node().id]));
    let effects = stage.key(KeyCode::Enter);
    assert_eq!(foci(&effects, &stage), std::slice::from_ref(&node_focus));
    for seconds in [1.0, 2.0] {
        stage.seconds = seconds;
        let effects = stage.look(two());
        assert_eq!(foci(&effects, &stage), []);
        assert_eq!(stage.wait(0.5), []);
    }
    let effects = stage.keys("j");
    assert_eq!(foci(&effects, &stage), [Some((2000, vec![]))]);
    let effects = stage.keys("k");
    assert_eq!(foci(&effects, &stage), [node_focus]);
    let effects = stage.key(KeyCode::Enter);
    assert_eq!(foci(&effects, &stage), [None]);
}

#[test]
fn holders_that_come_and_a_row_that_goes_change_what_is_looked_at_closely() {
    let mut stage = Stage::with(two());
    stage.key(KeyCode::Enter);
    stage.seconds = 1.0;
    let worker = process(4243, "node").parent(4242).build();
    let effects = stage.look(vec![
        socket("127.0.0.1:1000").owners(&[&node(), &worker]),
        socket("127.0.0.1:2000"),
    ]);
    let both = vec![node().id, worker.id];
    assert_eq!(foci(&effects, &stage), [Some((1000, both))]);
    stage.seconds = 2.0;
    let effects = stage.look(vec![socket("127.0.0.1:2000")]);
    assert_eq!(foci(&effects, &stage), [None]);
}

#[test]
fn no_request_forgets_what_another_asked_for() {
    let mut stage = Stage::with(two());
    stage.key(KeyCode::Enter);
    let focus = stage.app.details.focus(stage.app.current());
    assert!(focus.is_some());
    let closely = |request: Request| Request {
        focus: focus.clone(),
        ..request
    };
    let asked = requests(&[stage.keys("R"), stage.keys("p"), stage.keys("Rp-")].concat());
    let slower = Request::every(Duration::from_secs(2));
    assert_eq!(
        asked,
        [
            now(plain()),
            slowed(Pace::Paused),
            now(slowed(Pace::Paused)),
            now(plain()),
            slower,
        ]
        .map(closely)
    );
}

#[test]
fn an_unfocused_terminal_is_looked_at_less_often_and_at_once_when_it_is_attended_again() {
    let mut stage = Stage::with(two());
    let mut asked = turn(&mut stage, false);
    asked.extend(turn(&mut stage, false));
    assert_eq!(stage.app.sampling.shown_interval(), SECOND * 2);
    asked.extend(turn(&mut stage, true));
    asked.extend(turn(&mut stage, true));
    assert_eq!(requests(&asked), [slowed(Pace::Unfocused), now(plain())]);
}

#[test]
fn a_pause_wins_over_where_the_keys_go() {
    let mut stage = Stage::with(two());
    stage.keys("p");
    assert_eq!(turn(&mut stage, false), []);
    assert_eq!(
        requests(&turn(&mut stage, true)),
        [now(slowed(Pace::Paused))]
    );
}

/// A terminal may lose track of it, as while the program is stopped.
#[test]
fn a_key_and_going_on_after_a_stop_show_that_someone_attends() {
    for event in [
        Event::Input(TerminalEvent::Key(KeyCode::Char('j').into())),
        Event::Input(TerminalEvent::Paste("x".to_owned())),
        Event::Continued,
    ] {
        let mut stage = Stage::with(two());
        turn(&mut stage, false);
        assert_eq!(requests(&stage.event(event)), [now(plain())]);
    }
}

fn every(stage: &mut Stage, took: u64, interval: u64) {
    stage.look_with(two(), |changes| {
        changes.took = Duration::from_millis(took);
        changes.interval = Duration::from_millis(interval);
    });
}

#[test]
fn what_is_looked_at_less_often_is_not_stale_for_it() {
    let stale_after = |prepare: fn(&mut Stage)| {
        let mut stage = Stage::with(two());
        prepare(&mut stage);
        let due = stage.app.sampling.next_stale(instant(0.0)).expect("a look");
        let is_stale = |at| stage.app.sampling.stale(at).is_some();
        let all = due.duration_since(instant(0.0));
        let before = instant(all.as_secs_f64() - 0.002);
        assert!(is_stale(due) && !is_stale(before));
        all.as_secs()
    };
    assert_eq!(stale_after(|_| {}), 8);
    assert_eq!(stale_after(|stage| every(stage, 3_000, 9_000)), 32);
    let unfocused = |stage: &mut Stage| {
        turn(stage, false);
    };
    assert_eq!(stale_after(unfocused), 11);
    let paused = |stage: &mut Stage| {
        stage.keys("p");
    };
    assert_eq!(stale_after(paused), 20);
    // The look that stands was taken at the slower pace; the next one may still be under way.
    let back = |stage: &mut Stage| {
        turn(stage, false);
        every(stage, 1, 2_000);
        turn(stage, true);
    };
    assert_eq!(stale_after(back), 11);
}

#[test]
fn a_stretched_interval_is_known_until_another_one_is_asked_for() {
    let mut stage = Stage::with(two());
    let stretch = |took, interval| {
        Some(Stretch {
            took: Duration::from_millis(took),
            interval: Duration::from_millis(interval),
        })
    };
    let cases = [
        ((1, 0), None),
        ((1, 1_000), None),
        ((340, 1_020), None),
        ((420, 1_260), stretch(420, 1_260)),
        // Of a look that was begun when every two seconds was asked for.
        ((1, 2_000), None),
    ];
    for ((took, interval), expected) in cases {
        every(&mut stage, took, interval);
        assert_eq!(stage.app.sampling.stretch, expected, "{took} {interval}");
    }
    every(&mut stage, 420, 1_260);
    assert_eq!(stage.keys("R").len(), 1);
    assert_eq!(
        stage.app.sampling.shown_interval(),
        Duration::from_millis(1_260)
    );
    stage.keys("-");
    assert_eq!(stage.app.sampling.shown_interval(), SECOND * 2);
}

fn closeup(stage: &Stage, port: u16, memory: u64) -> Closeup {
    let mut rows = stage.app.listing.rows();
    let row = rows.find(|row| row.endpoint.socket.port() == port);
    Closeup {
        endpoint: row.expect("its row").endpoint.id(),
        traffic: None,
        usage: vec![crate::model::traffic::Usage {
            process: node().id,
            at: instant(stage.seconds),
            processor: Duration::ZERO,
            memory,
        }],
    }
}

/// The memory of the holder that is shown for the row under the cursor.
fn shown(stage: &Stage) -> Option<u64> {
    let row = stage.app.current().expect("a row").endpoint.id();
    let (usage, _) = stage.app.details.closeups.usage(row, node().id)?;
    Some(usage.memory)
}

#[test]
fn in_a_pause_numbers_stand_still_but_for_the_first_ones_of_another_row() {
    let mut stage = Stage::with(two());
    let look = |stage: &mut Stage, memory, port| {
        stage.seconds += 1.0;
        let closeup = closeup(stage, port, memory);
        stage.look_with(two(), |changes| changes.closeup = Some(closeup));
        shown(stage)
    };
    stage.key(KeyCode::Enter);
    assert_eq!(look(&mut stage, 1, 1000), Some(1));
    stage.keys("p");
    assert_eq!(look(&mut stage, 2, 1000), Some(1));
    stage.keys("j");
    assert_eq!(look(&mut stage, 3, 2000), Some(3));
    assert_eq!(look(&mut stage, 4, 2000), Some(3));
    stage.keys("p");
    assert_eq!(look(&mut stage, 5, 2000), Some(5));
}

#[test]
fn only_looks_that_were_asked_for_a_closeup_are_missed() {
    let mut stage = Stage::with(two());
    for _ in 0..5 {
        stage.look(two());
    }
    let row = stage.app.current().expect("a row").endpoint.id();
    assert!(stage.app.details.closeups.are_awaited(row));
    stage.key(KeyCode::Enter);
    stage.look(two());
    assert!(stage.app.details.closeups.are_awaited(row));
    stage.look(two());
    assert!(!stage.app.details.closeups.are_awaited(row));
}
