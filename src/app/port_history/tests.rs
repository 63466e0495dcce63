use super::*;
use crate::app::Event;
use crate::app::testing::{AppHarness, inspection, last_request};
use crate::model::process::{ExitStatus, Inspection, Signal};
use crate::model::socket::{Protocol, Since};
use crate::model::testing::{SocketBuilder, instant, process, socket};
use crossterm::event::KeyCode;

fn node() -> Arc<Process> {
    process(4242, "node")
        .command("node server.js --token hunter2")
        .directory("/home/dev/shop")
        .build()
}

fn listener(of: &Arc<Process>) -> SocketBuilder {
    socket("127.0.0.1:3000").owner(of)
}

/// Who held port 3000 last, and when it was closed.
fn last(harness: &AppHarness) -> Option<(String, f64)> {
    let past = harness.app.port_history.last_owner(3000, None)?;
    let owner = past.owners.first().map(ToString::to_string);
    let closed = past.closed.duration_since(instant(0.0));
    Some((owner.unwrap_or_default(), closed.as_secs_f64()))
}

fn copied(effects: Vec<Effect>) -> Option<String> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text),
        _ => None,
    })
}

fn inspected(request: &InspectRequest, exit_statuses: Vec<(ProcessId, ExitStatus)>) -> Event {
    Event::Inspected(Inspection {
        exit_statuses,
        ..inspection(request.clone())
    })
}

fn asked(effects: &[Effect]) -> Vec<InspectRequest> {
    let requests = effects.iter().filter_map(|effect| match effect {
        Effect::Inspect(request) if request.requester == Requester::History => {
            Some(request.clone())
        }
        _ => None,
    });
    requests.collect()
}

#[test]
fn closed_and_replaced_sockets_enter_the_history() {
    let (node, python) = (node(), process(5, "python3").build());
    let mut harness = AppHarness::with(vec![listener(&node)]);
    assert_eq!(last(&harness), None);
    harness.seconds = 1.0;
    harness.poll(vec![listener(&python).owner_hint(2)]);
    assert_eq!(last(&harness), Some(("node 4242".to_owned(), 1.0)));
    harness.seconds = 4.0;
    harness.poll(vec![]);
    assert_eq!(last(&harness), Some(("python3 5".to_owned(), 4.0)));
    let past = harness
        .app
        .port_history
        .last_owner(3000, None)
        .expect("a past");
    assert_eq!(past.since, Since::Opened(instant(1.0)));
}

#[test]
fn sockets_that_close_during_a_pause_keep_their_own_time() {
    for (keys, is_sought) in [("p", false), ("x", false), ("p", true), ("x", true)] {
        let mut harness = AppHarness::with(vec![socket("127.0.0.1:80").owner(&node())]);
        harness.keys(keys);
        harness.seconds = 1.0;
        if is_sought {
            harness.poll(vec![
                socket("127.0.0.1:80").owner(&node()),
                socket("127.0.0.1:3000").pending(),
            ]);
            harness.seconds = 2.0;
        }
        harness.poll(vec![
            socket("127.0.0.1:80").owner(&node()),
            listener(&node()),
        ]);
        harness.seconds = 60.0;
        harness.poll(vec![socket("127.0.0.1:80").owner(&node())]);
        harness.seconds = 600.0;
        harness.key(KeyCode::Esc);
        harness.keys("p");
        harness.poll(vec![socket("127.0.0.1:80").owner(&node())]);
        assert_eq!(
            last(&harness),
            Some(("node 4242".to_owned(), 60.0)),
            "{keys} {is_sought}"
        );
    }
}

#[test]
fn a_short_lived_socket_enters_the_history_without_an_owner() {
    let mut harness = AppHarness::with(vec![]);
    harness.poll_with(vec![], |changes| {
        let passed = socket("127.0.0.1:3000").pending().endpoint();
        changes.list.push(Change::ShortLived(passed));
    });
    assert_eq!(last(&harness), Some((String::new(), 0.0)));
    harness.keys("3000");
    assert_eq!(copied(harness.key(KeyCode::Enter)), None);
    assert_eq!(copied(harness.keys("Y")), None);
    assert_eq!(
        harness.notice(),
        "the last owner of :3000 is still being looked up, so nothing was copied"
    );
}

#[test]
fn the_restart_command_is_copied_from_any_row_or_a_free_port() {
    let expected = Some("cd /home/dev/shop && node server.js --token hunter2".to_owned());
    let mut harness = AppHarness::with(vec![listener(&node())]);
    assert_eq!(copied(harness.keys("Y")), expected);
    let shown = "sent to the clipboard (OSC 52): cd /home/dev/shop && node server.js --token '•••'";
    assert_eq!(harness.notice(), shown);
    assert_eq!(copied(harness.keys("ys")), expected);
    assert_eq!(harness.notice(), shown);
    harness.seconds = 1.0;
    harness.poll(vec![]);
    assert_eq!(
        copied(harness.keys("Y")),
        expected,
        "its row is still there"
    );
    harness.wait(5.0);
    assert_eq!(copied(harness.keys("Y")), None);
    assert_eq!(harness.notice(), "no row to copy a command from");
    harness.keys("3000");
    harness.key(KeyCode::Enter);
    assert_eq!(copied(harness.keys("Y")), expected, "the table is empty");
    harness.keys("/");
    harness.ctrl('u');
    harness.keys("3000/udp");
    harness.key(KeyCode::Enter);
    assert_eq!(copied(harness.keys("Y")), None);
    assert_eq!(harness.notice(), "no previous owner of :3000 is known");
}

#[test]
fn the_restart_command_is_that_of_the_program_that_runs_now() {
    let mut harness = AppHarness::with(vec![listener(&node())]);
    harness.answers_inspections = false;
    let effects = harness.keys("Y");
    assert_eq!((copied(effects.clone()), harness.notice()), (None, ""));
    let request = last_request(&effects, Requester::Restart).expect("a question");
    let now = process(4242, "sleep").command("sleep 60").directory("/");
    let answer = Event::Inspected(Inspection {
        described: vec![now.build()],
        ..inspection(request)
    });
    let expected = Some("cd / && sleep 60".to_owned());
    assert_eq!(copied(harness.event(answer)), expected);
}

#[test]
fn a_kernel_only_socket_restarts_the_last_owner_of_the_port() {
    use crate::model::socket::State;
    let mut harness = AppHarness::with(vec![listener(&node())]);
    let left = || {
        socket("127.0.0.1:3000")
            .to("127.0.0.1:9")
            .state(State::TimeWait)
    };
    harness.seconds = 1.0;
    harness.poll(vec![left().without_owner()]);
    harness.wait(5.0);
    let copied = copied(harness.keys("Y"));
    assert_eq!(
        copied.as_deref(),
        Some("cd /home/dev/shop && node server.js --token hunter2")
    );
}

#[test]
fn nothing_is_copied_without_a_known_owner_and_command() {
    let nowhere = process(7, "app").build();
    for (socket, why) in [
        (
            listener(&nowhere),
            "the directory of app 7 is unknown, so nothing was copied",
        ),
        (
            socket("127.0.0.1:3000"),
            "the owner of :3000 is hidden (sudo shows it), so nothing was copied",
        ),
        (
            socket("127.0.0.1:3000").pending(),
            "the owner of :3000 is still being looked up, so nothing was copied",
        ),
    ] {
        let mut harness = AppHarness::with(vec![socket]);
        assert_eq!((copied(harness.keys("Y")), harness.notice()), (None, why));
    }
}

#[test]
fn a_shown_past_owner_is_inspected_until_it_has_exited() {
    let mut harness = AppHarness::with(vec![listener(&node())]);
    harness.seconds = 1.0;
    harness.poll(vec![]);
    harness.wait(5.0);
    let effects = harness.keys("3000");
    let requests = asked(&effects);
    let [request] = requests.as_slice() else {
        panic!("one question: {effects:?}");
    };
    assert_eq!(request.processes, [node().id]);
    assert_eq!(asked(&harness.wait(0.1)), [], "not twice after one poll");
    harness.event(inspected(
        request,
        vec![(node().id, ExitStatus::StillRunning)],
    ));
    assert_eq!(
        harness.app.port_history.exit_status(node().id),
        ExitStatus::StillRunning
    );
    harness.seconds = 7.0;
    assert_eq!(asked(&harness.poll(vec![])).len(), 1, "it may end later");
    harness.event(inspected(request, vec![(node().id, ExitStatus::Ended)]));
    harness.seconds = 8.0;
    assert_eq!(asked(&harness.poll(vec![])), []);
    assert_eq!(
        harness.app.port_history.exit_status(node().id),
        ExitStatus::Ended
    );
}

#[test]
fn an_end_after_a_signal_of_portmon_is_recorded_as_such() {
    let mut harness = AppHarness::with(vec![listener(&node())]);
    harness.free();
    assert!(matches!(
        harness.app.port_history.exit_status(node().id),
        ExitStatus::EndedAfter(_, Signal::Terminate)
    ));
    assert_eq!(last(&harness), None, "the table has not looked yet");
    harness.poll(vec![]);
    assert_eq!(
        last(&harness).map(|(owner, _)| owner),
        Some("node 4242".to_owned())
    );
    assert_eq!(
        harness
            .app
            .port_history
            .last_owner(3000, Some(Protocol::Udp)),
        None
    );
}
