use super::*;
use crate::app::testing::Stage;
use crate::model::endpoint::{Protocol, State};
use crate::model::inspection::Kin;
use crate::model::process::{Pid, Process};
use crate::model::provenance::{Manager, Provenance, Unit};
use crate::model::testing::{SocketBuilder, process, socket};
use crossterm::event::KeyCode;
use std::sync::Arc;

fn node(pid: u32) -> Arc<Process> {
    process(pid, "node").build()
}

fn listener(pid: u32) -> SocketBuilder {
    socket("127.0.0.1:3000").owner(&node(pid)).mark(pid.into())
}

/// Port 3000 was freed at second 0 and its dialog closed; the clock stands at 4 minutes after.
fn freed() -> Stage {
    let mut stage = Stage::with(vec![listener(4242)]);
    stage.free();
    stage.look(vec![]);
    stage.key(KeyCode::Esc);
    stage.seconds += 238.0;
    stage.look(vec![]);
    assert_eq!(stage.notice(), "");
    stage
}

const TAKEN: &str = ":3000 was free for 4 min and is TAKEN AGAIN by node 4300";

#[test]
fn a_freed_port_that_is_taken_again_is_said_until_a_key_that_is_not_movement() {
    let mut stage = freed();
    stage.look(vec![listener(4300)]);
    assert_eq!(stage.notice(), TAKEN);
    stage.wait(60.0);
    stage.keys("j");
    assert_eq!(stage.notice(), TAKEN);
    stage.keys("l");
    assert_eq!(stage.notice(), "");
    stage.look(vec![]);
    stage.seconds += 1.0;
    stage.look(vec![listener(4301)]);
    assert_eq!(stage.notice(), "", "it is said once");
}

/// What is said once it is known who is above the one that took the port, and what stands behind it.
fn completed(ancestors: Vec<Arc<Process>>, provenance: Provenance) -> String {
    let mut stage = freed();
    let effects = stage.look(vec![listener(4300)]);
    let subject = effects.iter().find_map(|effect| match effect {
        Effect::Inspect(subject) if subject.asker == Asker::Aftermath => Some(subject.clone()),
        _ => None,
    });
    let subject = subject.expect("a question");
    assert_eq!(subject.processes, [node(4300).id]);
    let kin = Kin {
        process: node(4300).id,
        ancestors,
        descendants: Vec::new(),
        condition: None,
        group: Vec::new(),
        restrictions: Vec::new(),
        provenance,
    };
    stage.event(crate::app::Event::Inspected(Inspection {
        subject,
        kin: vec![kin],
        fates: Vec::new(),
        provenance: Provenance::default(),
        addresses: Vec::new(),
        unused: None,
    }));
    stage.notice().to_owned()
}

#[test]
fn who_started_it_follows_once_that_is_known() {
    let ancestors =
        [(4100, "nodemon"), (4090, "npm")].map(|(pid, name)| process(pid, name).build());
    let said = completed(ancestors.to_vec(), Provenance::default());
    assert_eq!(said, format!("{TAKEN}, started by nodemon 4100"));
}

#[test]
fn only_the_main_process_of_a_service_is_said_to_be_brought_back_by_systemd() {
    let of_service = |main: u32| {
        let mut unit = Unit::new("shop.service".into(), Manager::System);
        unit.main = Some(Pid(main));
        Provenance {
            unit: Some(unit),
            container: None,
        }
    };
    assert_eq!(
        [4300, 700].map(|main| completed(vec![process(900, "systemd").build()], of_service(main))),
        [
            format!("{TAKEN}, brought back by systemd: shop.service"),
            TAKEN.to_owned()
        ]
    );
}

#[test]
fn a_pause_hides_nothing_of_it_and_an_open_dialog_makes_it_wait() {
    let mut stage = freed();
    stage.keys("p");
    stage.look(vec![listener(4300)]);
    assert_eq!(stage.notice(), TAKEN);

    let mut stage = freed();
    let other = || socket("127.0.0.1:80").owner(&node(9));
    stage.look(vec![other()]);
    stage.keys("x");
    stage.look(vec![other(), listener(4300)]);
    assert_eq!(stage.notice(), "");
    stage.key(KeyCode::Esc);
    assert_eq!(stage.notice(), TAKEN);
}

#[test]
fn what_came_and_went_while_it_had_to_wait_is_not_said_to_hold_the_port() {
    let mut stage = freed();
    let other = || socket("127.0.0.1:80").owner(&node(9));
    stage.look(vec![other()]);
    stage.keys("x");
    stage.look(vec![other(), listener(4300)]);
    stage.seconds += 10.0;
    stage.look(vec![other()]);
    stage.key(KeyCode::Esc);
    assert_eq!(stage.notice(), "cancelled; nothing was sent");
    stage.seconds += 70.0;
    stage.look(vec![other(), listener(4301)]);
    let words = ":3000 was free for 70 s and is TAKEN AGAIN by node 4301";
    assert_eq!(stage.notice(), words);
}

#[test]
fn the_taker_is_named_as_soon_as_it_is_found_and_without_a_name_after_two_seconds() {
    let sought = || socket("127.0.0.1:3000").sought().mark(4300);
    let mut stage = freed();
    stage.look(vec![sought()]);
    assert_eq!(stage.notice(), "");
    stage.seconds += 1.0;
    stage.look(vec![listener(4300)]);
    assert_eq!(stage.notice(), TAKEN);

    let mut stage = freed();
    stage.look(vec![sought()]);
    stage.seconds += 2.0;
    stage.look(vec![sought()]);
    let words =
        ":3000 was free for 4 min and is TAKEN AGAIN by a process that is still being looked for";
    assert_eq!(stage.notice(), words);
}

#[test]
fn only_what_stands_on_that_port_and_protocol_within_ten_minutes_has_taken_it() {
    let mut stage = freed();
    stage.look(vec![
        socket("127.0.0.1:3000").udp().owner(&node(1)),
        socket("127.0.0.1:3001").owner(&node(2)),
        socket("127.0.0.1:3000")
            .to("127.0.0.1:9")
            .state(State::TimeWait),
    ]);
    assert_eq!(stage.notice(), "");
    stage.seconds += 600.0;
    stage.look(vec![listener(4300)]);
    assert_eq!(stage.notice(), "");
}

#[test]
fn a_port_that_is_freed_again_is_watched_anew() {
    let mut stage = freed();
    stage.look(vec![listener(4300)]);
    stage.keys("l");
    stage.free();
    assert_eq!(stage.app.aftermath.watched.len(), 1);
    stage.look(vec![]);
    stage.key(KeyCode::Esc);
    stage.seconds += 498.0;
    stage.look(vec![listener(4301)]);
    let words = ":3000 was free for 8 min and is TAKEN AGAIN by node 4301";
    assert_eq!(stage.notice(), words);
}

#[test]
fn what_the_table_saw_before_the_verdict_came_is_said_too() {
    let mut stage = freed();
    let freed = Freed {
        order: stage.app.aftermath.watched[0].freed.order,
        port: stage.app.aftermath.watched[0].freed.port,
        since: crate::model::testing::instant(stage.seconds - 1.0),
    };
    stage.app.aftermath.watched.clear();
    stage.look(vec![listener(4300)]);
    stage.app.watch_on(freed);
    stage.wait(0.0);
    let words = ":3000 was free for 1.0 s and is TAKEN AGAIN by node 4300";
    assert_eq!(stage.notice(), words);
}

#[test]
fn how_long_it_was_free_is_not_said_where_no_table_was_read() {
    let mut stage = freed();
    stage.look_with(vec![], |changes| changes.problems = vec![unread()]);
    stage.look(vec![listener(4300)]);
    assert_eq!(stage.notice(), ":3000 is TAKEN AGAIN by node 4300");

    let mut stage = freed();
    stage.look_with(vec![], |changes| changes.problems = vec![unread()]);
    stage.look(vec![]);
    stage.look(vec![listener(4300)]);
    assert_eq!(stage.notice(), TAKEN);
}

fn unread() -> Problem {
    Problem {
        protocol: Protocol::Tcp,
        family: crate::model::address::Family::Ipv4,
        reason: "out of memory".to_owned(),
    }
}
