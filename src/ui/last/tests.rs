use crate::app::testing::{Stage, setup};
use crate::app::{Event, Setup};
use crate::model::inspection::{Asker, Inspection, Subject};
use crate::model::memory::Fate;
use crate::model::process::Process;
use crate::model::testing::{process, socket};
use crate::ui::tests::screen;
use crossterm::event::KeyCode;
use std::sync::Arc;

fn prose(stage: &Stage) -> String {
    let lines = screen(stage).join(" ");
    lines.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn debugpy() -> Arc<Process> {
    process(9130, "python3")
        .command("python3 -m debugpy")
        .directory("/home/dev/code/api")
        .build()
}

#[test]
fn an_empty_port_says_who_had_it_last_and_the_age_goes_on_counting() {
    let mut stage = Stage::with(vec![]);
    stage.seconds = 1.0;
    stage.look(vec![socket("127.0.0.1:62893").owner(&debugpy())]);
    stage.seconds = 73.0;
    stage.look(vec![]);
    stage.wait(3.0);
    stage.keys("62893");
    let words = "nothing on 62893 now · last: python3 9130 (debugpy · ~/code/api), closed 3 s ago after 1m12s \
                 · Esc clears the text";
    assert!(prose(&stage).contains(words), "{:#?}", screen(&stage));
    stage.key(KeyCode::Enter);
    stage.wait(59.0);
    let words = "nothing on 62893 now · last: python3 9130 (debugpy · ~/code/api), closed 62 s ago after 1m12s \
                 · Y copies the command that starts it again · Esc clears the text";
    assert!(prose(&stage).contains(words), "{:#?}", screen(&stage));
    stage.wait(120.0);
    let words = "closed 3 min ago after 1m12s";
    assert!(prose(&stage).contains(words), "{:#?}", screen(&stage));
}

#[test]
fn how_it_ended_is_said_as_far_as_somebody_found_out() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:62893").owner(&debugpy())]);
    let id = debugpy().id;
    let learn = |stage: &mut Stage, fate| {
        let subject = Subject {
            asker: Asker::Memory,
            endpoint: socket("127.0.0.1:1").build().id,
            processes: vec![id],
            port: None,
            ports: Vec::new(),
            unused_near: None,
        };
        stage.event(Event::Inspected(Inspection {
            subject,
            kin: Vec::new(),
            fates: vec![(id, fate)],
            provenance: crate::model::provenance::Provenance::default(),
            addresses: Vec::new(),
            unused: None,
        }));
    };
    stage.keys("i");
    stage.seconds = 1.0;
    stage.look(vec![]);
    learn(&mut stage, Fate::RunsOn);
    stage.wait(2.0);
    assert!(
        prose(&stage).contains("closed 2 s ago · it runs on"),
        "{:#?}",
        screen(&stage)
    );
    stage.wait(10.0);
    stage.keys("62893");
    stage.key(KeyCode::Enter);
    assert!(
        prose(&stage).contains("closed 12 s ago after ≤2h · it runs on · Y"),
        "{:#?}",
        screen(&stage)
    );
    learn(&mut stage, Fate::Ended);
    assert!(
        prose(&stage).contains("after ≤2h · it has ended · Y"),
        "{:#?}",
        screen(&stage)
    );

    let mut stage = Stage::with(vec![socket("127.0.0.1:62893").owner(&debugpy())]);
    stage.free();
    stage.look(vec![]);
    stage.key(KeyCode::Esc);
    stage.wait(5.0);
    stage.keys("62893");
    assert!(
        prose(&stage).contains("after ≤2h · ended by portmon with SIGTERM"),
        "{:#?}",
        screen(&stage)
    );
}

#[test]
fn an_owner_that_was_not_seen_is_called_what_is_known_of_it() {
    let twins = [
        process(1, "gunicorn").build(),
        process(2, "gunicorn").build(),
    ];
    let cases = [
        (
            socket("127.0.0.1:80").user(0, "root"),
            "last: a process of root that may not be seen, closed",
        ),
        (
            socket("127.0.0.1:80").sought(),
            "last: a process of dev that was not found in time, closed",
        ),
        (
            socket("127.0.0.1:80").without_owner(),
            "last: no process but the kernel, closed",
        ),
        (
            socket("127.0.0.1:80").udp().owner(&twins[0]),
            "last: gunicorn 1 (gunicorn) (udp), closed",
        ),
        (
            socket("127.0.0.1:80").owners(&[&twins[0], &twins[1]]),
            "last: gunicorn 1 ×2 (gunicorn), closed",
        ),
    ];
    for (socket, words) in cases {
        let mut stage = Stage::with(vec![socket]);
        stage.look(vec![]);
        stage.wait(5.0);
        stage.keys("80");
        stage.key(KeyCode::Enter);
        assert!(
            prose(&stage).contains(words),
            "{words}: {:#?}",
            screen(&stage)
        );
        assert!(
            !prose(&stage).contains("Y copies"),
            "no command is known: {words}"
        );
    }
}

#[test]
fn the_details_of_a_listener_name_who_had_the_port_before_if_that_was_another() {
    let setup = Setup { ..setup() };
    let mut stage = Stage::new(setup, (160, 40));
    stage.look(vec![socket("127.0.0.1:3000").owner(&debugpy())]);
    stage.keys("i");
    stage.seconds = 1.0;
    stage.look(vec![]);
    stage.seconds = 61.0;
    stage.look(vec![socket("127.0.0.1:3000").mark(2).owner(&debugpy())]);
    assert!(
        !prose(&stage).contains("before it"),
        "{:#?}",
        screen(&stage)
    );
    stage.seconds = 62.0;
    stage.look(vec![]);
    stage.seconds = 182.0;
    let node = process(7, "node").build();
    stage.look(vec![socket("127.0.0.1:3000").mark(3).owner(&node)]);
    stage.wait(60.0);
    let lines = screen(&stage);
    let line = lines.iter().find(|line| line.contains("before it"));
    assert!(
        line.is_some_and(|line| line.contains("python3 9130 (debugpy")),
        "{lines:#?}"
    );
    assert!(lines.join(" ").contains("closed 3 min"), "{lines:#?}");
}
