use super::*;
use crate::app::Event;
use crate::app::testing::Stage;
use crate::model::endpoint::{Protocol, Since};
use crate::model::freeing::Signal;
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
fn last(stage: &Stage) -> Option<(String, f64)> {
    let past = stage.app.memory.last(3000, None)?;
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

fn inspected(subject: &Subject, fates: Vec<(ProcessId, Fate)>) -> Event {
    Event::Inspected(Inspection {
        subject: subject.clone(),
        kin: Vec::new(),
        fates,
        provenance: crate::model::provenance::Provenance::default(),
        addresses: Vec::new(),
        unused: None,
    })
}

fn asked(effects: &[Effect]) -> Vec<Subject> {
    let subjects = effects.iter().filter_map(|effect| match effect {
        Effect::Inspect(subject) if subject.asker == Asker::Memory => Some(subject.clone()),
        _ => None,
    });
    subjects.collect()
}

#[test]
fn who_closed_or_was_replaced_is_remembered_and_who_still_stands_is_not() {
    let (node, python) = (node(), process(5, "python3").build());
    let mut stage = Stage::with(vec![listener(&node)]);
    assert_eq!(last(&stage), None);
    stage.seconds = 1.0;
    stage.look(vec![listener(&python).mark(2)]);
    assert_eq!(last(&stage), Some(("node 4242".to_owned(), 1.0)));
    stage.seconds = 4.0;
    stage.look(vec![]);
    assert_eq!(last(&stage), Some(("python3 5".to_owned(), 4.0)));
    let past = stage.app.memory.last(3000, None).expect("a past");
    assert_eq!(past.since, Since::Opened(instant(1.0)));
}

#[test]
fn what_comes_and_goes_behind_a_pause_or_a_dialog_is_remembered_with_its_own_time() {
    for (keys, is_sought) in [("p", false), ("x", false), ("p", true), ("x", true)] {
        let mut stage = Stage::with(vec![socket("127.0.0.1:80").owner(&node())]);
        stage.keys(keys);
        stage.seconds = 1.0;
        if is_sought {
            stage.look(vec![
                socket("127.0.0.1:80").owner(&node()),
                socket("127.0.0.1:3000").sought(),
            ]);
            stage.seconds = 2.0;
        }
        stage.look(vec![
            socket("127.0.0.1:80").owner(&node()),
            listener(&node()),
        ]);
        stage.seconds = 60.0;
        stage.look(vec![socket("127.0.0.1:80").owner(&node())]);
        stage.seconds = 600.0;
        stage.key(KeyCode::Esc);
        stage.keys("p");
        stage.look(vec![socket("127.0.0.1:80").owner(&node())]);
        assert_eq!(
            last(&stage),
            Some(("node 4242".to_owned(), 60.0)),
            "{keys} {is_sought}"
        );
    }
}

#[test]
fn what_only_passed_is_the_last_owner_too_even_if_nobody_saw_who_it_was() {
    let mut stage = Stage::with(vec![]);
    stage.look_with(vec![], |changes| {
        let passed = socket("127.0.0.1:3000").sought().endpoint();
        changes.list.push(Change::Passed(passed));
    });
    assert_eq!(last(&stage), Some((String::new(), 0.0)));
    stage.keys("3000");
    assert_eq!(copied(stage.key(KeyCode::Enter)), None);
    assert_eq!(copied(stage.keys("Y")), None);
    assert_eq!(
        stage.notice(),
        "who held :3000 last was not found yet, so nothing was copied"
    );
}

#[test]
fn the_command_that_starts_it_again_is_copied_of_a_row_a_gone_one_and_an_empty_port() {
    let expected = Some("cd /home/dev/shop && node server.js --token hunter2".to_owned());
    let mut stage = Stage::with(vec![listener(&node())]);
    assert_eq!(copied(stage.keys("Y")), expected);
    let shown =
        "copied through the terminal (OSC 52): cd /home/dev/shop && node server.js --token '•••'";
    assert_eq!(stage.notice(), shown);
    assert_eq!(copied(stage.keys("ys")), expected);
    assert_eq!(stage.notice(), shown);
    stage.seconds = 1.0;
    stage.look(vec![]);
    assert_eq!(copied(stage.keys("Y")), expected, "its row is still there");
    stage.wait(5.0);
    assert_eq!(copied(stage.keys("Y")), None);
    assert_eq!(stage.notice(), "no row whose command could be copied");
    stage.keys("3000");
    stage.key(KeyCode::Enter);
    assert_eq!(copied(stage.keys("Y")), expected, "the table is empty");
    stage.keys("/");
    stage.ctrl('u');
    stage.keys("3000/udp");
    stage.key(KeyCode::Enter);
    assert_eq!(copied(stage.keys("Y")), None);
    assert_eq!(stage.notice(), "nobody was seen to hold :3000");
}

#[test]
fn what_the_kernel_alone_keeps_is_started_again_as_who_had_the_port() {
    use crate::model::endpoint::State;
    let mut stage = Stage::with(vec![listener(&node())]);
    let left = || {
        socket("127.0.0.1:3000")
            .to("127.0.0.1:9")
            .state(State::TimeWait)
    };
    stage.seconds = 1.0;
    stage.look(vec![left().without_owner()]);
    stage.wait(5.0);
    let copied = copied(stage.keys("Y"));
    assert_eq!(
        copied.as_deref(),
        Some("cd /home/dev/shop && node server.js --token hunter2")
    );
}

#[test]
fn nothing_is_copied_where_the_owner_or_its_command_is_not_known() {
    let nowhere = process(7, "app").build();
    for (socket, why) in [
        (
            listener(&nowhere),
            "the directory of app 7 is not known, so nothing was copied",
        ),
        (
            socket("127.0.0.1:3000"),
            "who holds :3000 may not be seen, so nothing was copied",
        ),
        (
            socket("127.0.0.1:3000").sought(),
            "who holds :3000 was not found yet, so nothing was copied",
        ),
    ] {
        let mut stage = Stage::with(vec![socket]);
        assert_eq!((copied(stage.keys("Y")), stage.notice()), (None, why));
    }
}

#[test]
fn what_became_of_a_shown_past_owner_is_asked_with_each_look_until_it_has_ended() {
    let mut stage = Stage::with(vec![listener(&node())]);
    stage.seconds = 1.0;
    stage.look(vec![]);
    stage.wait(5.0);
    let effects = stage.keys("3000");
    let subjects = asked(&effects);
    let [subject] = subjects.as_slice() else {
        panic!("one question: {effects:?}");
    };
    assert_eq!(subject.processes, [node().id]);
    assert_eq!(asked(&stage.wait(0.1)), [], "not twice after one look");
    stage.event(inspected(subject, vec![(node().id, Fate::RunsOn)]));
    assert_eq!(stage.app.fate(&node()), Fate::RunsOn);
    stage.seconds = 7.0;
    assert_eq!(asked(&stage.look(vec![])).len(), 1, "it may end later");
    stage.event(inspected(subject, vec![(node().id, Fate::Ended)]));
    stage.seconds = 8.0;
    assert_eq!(asked(&stage.look(vec![])), []);
    assert_eq!(stage.app.fate(&node()), Fate::Ended);
}

#[test]
fn who_ended_by_a_signal_of_portmons_own_is_remembered_as_such() {
    let mut stage = Stage::with(vec![listener(&node())]);
    stage.free();
    assert_eq!(stage.app.fate(&node()), Fate::EndedBy(Signal::Terminate));
    assert_eq!(last(&stage), None, "the table has not looked yet");
    stage.look(vec![]);
    assert_eq!(
        last(&stage).map(|(owner, _)| owner),
        Some("node 4242".to_owned())
    );
    assert_eq!(stage.app.memory.last(3000, Some(Protocol::Udp)), None);
}
