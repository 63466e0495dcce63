use super::*;
use crate::app::testing::{AppHarness, inspection};
use crate::model::process::{Manager, Pid, Process, ProcessTree, Supervisor, Unit};
use crate::model::snapshot::Problem;
use crate::model::socket::{Protocol, State};
use crate::model::testing::{SocketBuilder, process, process_tree, socket};
use crossterm::event::KeyCode;
use std::sync::Arc;

fn node(pid: u32) -> Arc<Process> {
    process(pid, "node").build()
}

fn listener(pid: u32) -> SocketBuilder {
    socket("127.0.0.1:3000")
        .owner(&node(pid))
        .owner_hint(pid.into())
}

/// Port 3000 was freed at second 0 and its dialog closed; the clock stands at 4 minutes after.
fn freed() -> AppHarness {
    let mut harness = AppHarness::with(vec![listener(4242)]);
    harness.free();
    harness.poll(vec![]);
    harness.key(KeyCode::Esc);
    harness.seconds += 238.0;
    harness.poll(vec![]);
    assert_eq!(harness.notice(), "");
    harness
}

const TAKEN: &str = ":3000 was free for 4 min and is TAKEN AGAIN by node 4300";

#[test]
fn reuse_is_shown_until_a_key_other_than_movement() {
    let mut harness = freed();
    harness.poll(vec![listener(4300)]);
    assert_eq!(harness.notice(), TAKEN);
    harness.wait(60.0);
    harness.keys("j");
    assert_eq!(harness.notice(), TAKEN);
    harness.keys("l");
    assert_eq!(harness.notice(), "");
    harness.poll(vec![]);
    harness.seconds += 1.0;
    harness.poll(vec![listener(4301)]);
    assert_eq!(harness.notice(), "", "it is said once");
}

/// The notice once the ancestors and the supervisor of the new owner are known.
fn completed(ancestors: Vec<Arc<Process>>, supervisor: Supervisor) -> String {
    let mut harness = freed();
    let parent = ancestors[0].pid().0;
    let taker = process(4300, "node").parent(parent).build();
    let new = listener(4300).owner(&taker);
    let effects = harness.poll(vec![new]);
    let request = effects.iter().find_map(|effect| match effect {
        Effect::Inspect(request) if request.requester == Requester::ReuseWatch => {
            Some(request.clone())
        }
        _ => None,
    });
    let request = request.expect("a question");
    assert_eq!(request.processes, [node(4300).id]);
    let tree = ProcessTree {
        ancestors,
        supervisor,
        ..process_tree(node(4300).id)
    };
    harness.event(crate::app::Event::Inspected(Inspection {
        trees: vec![tree],
        ..inspection(request)
    }));
    harness.notice().to_owned()
}

#[test]
fn the_parent_is_added_once_it_is_known() {
    let ancestors =
        [(4100, "nodemon"), (4090, "npm")].map(|(pid, name)| process(pid, name).build());
    let said = completed(ancestors.to_vec(), Supervisor::default());
    assert_eq!(said, format!("{TAKEN}, started by nodemon 4100"));
}

#[test]
fn a_main_process_of_another_service_is_started_by_systemd() {
    let of_service = |main: u32| {
        let mut unit = Unit::new("shop.service".into(), Manager::System);
        unit.main = Some(Pid(main));
        Supervisor {
            unit: Some(unit),
            ..Supervisor::default()
        }
    };
    assert_eq!(
        [4300, 700].map(|main| completed(vec![process(900, "systemd").build()], of_service(main))),
        [
            format!("{TAKEN}, started by systemd: shop.service"),
            TAKEN.to_owned()
        ]
    );
}

#[test]
fn a_pause_hides_nothing_of_it_and_an_open_dialog_makes_it_wait() {
    let mut harness = freed();
    harness.keys("p");
    harness.poll(vec![listener(4300)]);
    assert_eq!(harness.notice(), TAKEN);

    let mut harness = freed();
    let other = || socket("127.0.0.1:80").owner(&node(9));
    harness.poll(vec![other()]);
    harness.keys("x");
    harness.poll(vec![other(), listener(4300)]);
    assert_eq!(harness.notice(), "");
    harness.key(KeyCode::Esc);
    assert_eq!(harness.notice(), TAKEN);
}

#[test]
fn a_socket_that_closed_while_waiting_is_not_reported_as_owner() {
    let mut harness = freed();
    let other = || socket("127.0.0.1:80").owner(&node(9));
    harness.poll(vec![other()]);
    harness.keys("x");
    harness.poll(vec![other(), listener(4300)]);
    harness.seconds += 10.0;
    harness.poll(vec![other()]);
    harness.key(KeyCode::Esc);
    assert_eq!(harness.notice(), "canceled; nothing was sent");
    harness.seconds += 70.0;
    harness.poll(vec![other(), listener(4301)]);
    let words = ":3000 was free for 70 s and is TAKEN AGAIN by node 4301";
    assert_eq!(harness.notice(), words);
}

#[test]
fn reuse_is_reported_without_an_owner_after_two_seconds() {
    let pending = || socket("127.0.0.1:3000").pending().owner_hint(4300);
    let mut harness = freed();
    harness.poll(vec![pending()]);
    assert_eq!(harness.notice(), "");
    harness.seconds += 1.0;
    harness.poll(vec![listener(4300)]);
    assert_eq!(harness.notice(), TAKEN);

    let mut harness = freed();
    harness.poll(vec![pending()]);
    harness.seconds += 2.0;
    harness.poll(vec![pending()]);
    let words =
        ":3000 was free for 4 min and is TAKEN AGAIN by a process that is still being looked up";
    assert_eq!(harness.notice(), words);
}

#[test]
fn only_a_bind_on_that_port_within_ten_minutes_is_reuse() {
    let mut harness = freed();
    harness.poll(vec![
        socket("127.0.0.1:3000").udp().owner(&node(1)),
        socket("127.0.0.1:3001").owner(&node(2)),
        socket("127.0.0.1:3000")
            .to("127.0.0.1:9")
            .state(State::TimeWait),
    ]);
    assert_eq!(harness.notice(), "");
    harness.seconds += 600.0;
    harness.poll(vec![listener(4300)]);
    assert_eq!(harness.notice(), "");
}

#[test]
fn a_port_that_is_freed_again_is_watched_anew() {
    let mut harness = freed();
    harness.poll(vec![listener(4300)]);
    harness.keys("l");
    harness.free();
    assert_eq!(harness.app.freed_ports.len(), 1);
    harness.poll(vec![]);
    harness.key(KeyCode::Esc);
    harness.seconds += 498.0;
    harness.poll(vec![listener(4301)]);
    let words = ":3000 was free for 8 min 20 s and is TAKEN AGAIN by node 4301";
    assert_eq!(harness.notice(), words);
}

#[test]
fn what_the_table_saw_before_the_verdict_came_is_said_too() {
    let mut harness = freed();
    let freed = harness.app.freed_ports.remove(0);
    harness.poll(vec![listener(4300)]);
    harness.app.watch_freed_port(freed);
    harness.wait(0.0);
    assert_eq!(harness.notice(), TAKEN);
}

#[test]
fn how_long_it_was_free_is_not_said_where_no_table_was_read() {
    let mut harness = freed();
    harness.poll_with(vec![], |changes| changes.problems = vec![unread()]);
    harness.poll(vec![listener(4300)]);
    assert_eq!(harness.notice(), ":3000 is TAKEN AGAIN by node 4300");

    let mut harness = freed();
    harness.poll_with(vec![], |changes| changes.problems = vec![unread()]);
    harness.poll(vec![]);
    harness.poll(vec![listener(4300)]);
    assert_eq!(harness.notice(), TAKEN);
}

fn unread() -> Problem {
    Problem {
        protocol: Protocol::Tcp,
        family: crate::model::socket::Family::Ipv4,
        reason: "out of memory".to_owned(),
    }
}
