use super::*;
use crate::model::process::Process;
use crate::model::testing::{SocketBuilder, instant, process, socket};
use std::sync::Arc;

fn opened(socket: SocketBuilder, at: f64) -> Endpoint {
    let mut endpoint = socket.endpoint();
    endpoint.since = Since::Opened(instant(at));
    endpoint
}

fn held_by(holder: &Arc<Process>, from: f64) -> Endpoint {
    opened(socket("127.0.0.1:3000").owner(holder), from)
}

fn named(past: Option<&Past>) -> Option<(String, Instant)> {
    past.map(|past| {
        (
            past.owners.first().expect("an owner").to_string(),
            past.closed,
        )
    })
}

#[test]
fn the_last_owner_of_a_port_is_who_let_go_of_it_last() {
    let mut memory = Memory::default();
    let (node, python) = (process(1, "node").build(), process(2, "python3").build());
    memory.close(&held_by(&node, 1.0), instant(5.0));
    memory.close(
        &opened(socket("127.0.0.1:3000").udp().owner(&python), 2.0),
        instant(9.0),
    );
    memory.close(
        &opened(
            socket("127.0.0.1:3000").to("127.0.0.1:9").owner(&python),
            2.0,
        ),
        instant(10.0),
    );
    let last = [None, Some(Protocol::Tcp), Some(Protocol::Udp)]
        .map(|meant| named(memory.last(3000, meant)));
    let (node, python) = (
        ("node 1".to_owned(), instant(5.0)),
        ("python3 2".to_owned(), instant(9.0)),
    );
    assert_eq!(last, [Some(python.clone()), Some(node), Some(python)]);
    assert_eq!(memory.last(3001, None), None);
}

#[test]
fn twins_of_one_owner_are_one_past_and_coming_back_later_is_another() {
    let mut memory = Memory::default();
    let node = process(1, "node").build();
    memory.close(&held_by(&node, 3.0), instant(5.0));
    memory.close(
        &opened(socket("[::1]:3000").owner(&node), 2.0),
        instant(5.0),
    );
    let past = memory.last(3000, None).expect("a past");
    assert_eq!(
        (past.since, past.closed),
        (Since::Opened(instant(2.0)), instant(5.0))
    );
    memory.close(&held_by(&node, 7.0), instant(8.0));
    let past = memory.last(3000, None).expect("a past");
    assert_eq!(
        (past.since, past.closed),
        (Since::Opened(instant(7.0)), instant(8.0))
    );
}

#[test]
fn before_a_listener_was_the_last_other_owner_that_had_let_go_when_it_came() {
    let mut memory = Memory::default();
    let [old, twin, now] =
        [(1, "old"), (2, "twin"), (3, "now")].map(|(pid, name)| process(pid, name).build());
    memory.close(&held_by(&old, 1.0), instant(4.0));
    memory.close(&held_by(&now, 4.5), instant(5.0));
    let again = held_by(&now, 6.0);
    memory.close(&held_by(&twin, 1.0), instant(7.0));
    assert_eq!(
        named(memory.before(&again)),
        Some(("old 1".to_owned(), instant(4.0)))
    );
    assert_eq!(memory.before(&held_by(&now, 2.0)), None);
    let stood = socket("127.0.0.1:3000").owner(&now).endpoint();
    assert_eq!(memory.before(&stood), None, "nobody watched before it");
}

#[test]
fn few_owners_of_a_port_are_kept_and_of_many_ports_the_latest() {
    let mut memory = Memory::default();
    for pid in 1..=6 {
        memory.close(
            &held_by(&process(pid, "node").build(), 1.0),
            instant(f64::from(pid)),
        );
    }
    let kept = &memory.ports[&(Protocol::Tcp, 3000)].owners;
    assert_eq!((kept.len(), kept[0].closed), (4, instant(3.0)));
    let udp = |port: u16| socket(&format!("127.0.0.1:{port}")).udp().endpoint();
    for port in 1..=9_999 {
        memory.close(&udp(port), instant(9.0));
    }
    memory.close(&held_by(&process(7, "node").build(), 1.0), instant(10.0));
    memory.close(&udp(10_000), instant(11.0));
    let is_kept = [
        memory.last(1, None),
        memory.last(2, None),
        memory.last(3000, Some(Protocol::Tcp)),
    ]
    .map(|past| past.is_some());
    assert_eq!(is_kept, [false, true, true]);
    assert_eq!(
        (memory.ports.len(), memory.turns.len()),
        (PORTS_KEPT, PORTS_KEPT)
    );
}

#[test]
fn an_ending_is_not_forgotten_for_a_later_answer_that_knows_less() {
    let mut memory = Memory::default();
    let id = |pid| process(pid, "node").build().id;
    memory.learn(id(1), Fate::EndedBy(Signal::Terminate));
    memory.learn(id(1), Fate::Ended);
    memory.learn(id(2), Fate::RunsOn);
    memory.learn(id(2), Fate::Ended);
    memory.learn(id(2), Fate::RunsOn);
    let fates = [1, 2, 3].map(|pid| memory.fate(id(pid)));
    assert_eq!(
        fates,
        [Fate::EndedBy(Signal::Terminate), Fate::Ended, Fate::Unknown]
    );
    for pid in 10..1_011 {
        memory.learn(id(pid), Fate::Ended);
    }
    assert_eq!(
        (memory.fate(id(2)), memory.fates.len()),
        (Fate::Unknown, FATES_KEPT)
    );
}
