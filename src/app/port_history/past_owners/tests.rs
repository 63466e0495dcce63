use super::*;
use crate::model::process::{Process, Signal};
use crate::model::testing::{SocketBuilder, instant, process, socket};
use std::sync::Arc;
use std::time::Duration;

fn opened(socket: SocketBuilder, at: f64) -> Endpoint {
    let mut endpoint = socket.endpoint();
    endpoint.since = Since::Opened(instant(at));
    endpoint
}

fn held_by(holder: &Arc<Process>, from: f64) -> Endpoint {
    opened(socket("127.0.0.1:3000").owner(holder), from)
}

fn named(past: Option<&PastOwner>) -> Option<(String, Instant)> {
    past.map(|past| {
        (
            past.owners.first().expect("an owner").to_string(),
            past.closed,
        )
    })
}

#[test]
fn the_last_owner_of_a_port_is_the_one_that_closed_it_last() {
    let mut memory = PortHistory::default();
    let (node, python) = (process(1, "node").build(), process(2, "python3").build());
    memory.record_close(&held_by(&node, 1.0), instant(5.0));
    memory.record_close(
        &opened(socket("127.0.0.1:3000").udp().owner(&python), 2.0),
        instant(9.0),
    );
    memory.record_close(
        &opened(
            socket("127.0.0.1:3000").to("127.0.0.1:9").owner(&python),
            2.0,
        ),
        instant(10.0),
    );
    let last = [None, Some(Protocol::Tcp), Some(Protocol::Udp)]
        .map(|meant| named(memory.last_owner(3000, meant)));
    let (node, python) = (
        ("node 1".to_owned(), instant(5.0)),
        ("python3 2".to_owned(), instant(9.0)),
    );
    assert_eq!(last, [Some(python.clone()), Some(node), Some(python)]);
    assert_eq!(memory.last_owner(3001, None), None);
}

#[test]
fn sockets_of_one_owner_merge_and_a_return_is_a_new_entry() {
    let mut memory = PortHistory::default();
    let node = process(1, "node").build();
    memory.record_close(&held_by(&node, 3.0), instant(5.0));
    memory.record_close(
        &opened(socket("[::1]:3000").owner(&node), 2.0),
        instant(5.0),
    );
    let past = memory.last_owner(3000, None).expect("a past");
    assert_eq!(
        (past.since, past.closed),
        (Since::Opened(instant(2.0)), instant(5.0))
    );
    memory.record_close(&held_by(&node, 7.0), instant(8.0));
    let past = memory.last_owner(3000, None).expect("a past");
    assert_eq!(
        (past.since, past.closed),
        (Since::Opened(instant(7.0)), instant(8.0))
    );
}

#[test]
fn the_previous_owner_is_the_last_one_gone_before_it_opened() {
    let mut memory = PortHistory::default();
    let [old, twin, now] =
        [(1, "old"), (2, "twin"), (3, "now")].map(|(pid, name)| process(pid, name).build());
    memory.record_close(&held_by(&old, 1.0), instant(4.0));
    memory.record_close(&held_by(&now, 4.5), instant(5.0));
    let again = held_by(&now, 6.0);
    memory.record_close(&held_by(&twin, 1.0), instant(7.0));
    assert_eq!(
        named(memory.previous_owner(&again)),
        Some(("old 1".to_owned(), instant(4.0)))
    );
    assert_eq!(memory.previous_owner(&held_by(&now, 2.0)), None);
    let unwatched = socket("127.0.0.1:3000").owner(&now).endpoint();
    assert_eq!(
        memory.previous_owner(&unwatched),
        None,
        "nobody watched before it"
    );
}

#[test]
fn history_keeps_few_owners_a_port_and_the_latest_ports() {
    let mut memory = PortHistory::default();
    for pid in 1..=6 {
        memory.record_close(
            &held_by(&process(pid, "node").build(), 1.0),
            instant(f64::from(pid)),
        );
    }
    let kept = &memory.ports[&Port::of(&held_by(&process(1, "node").build(), 1.0).socket)];
    assert_eq!((kept.len(), kept[0].closed), (4, instant(3.0)));
    let udp = |port: u16| socket(&format!("127.0.0.1:{port}")).udp().endpoint();
    for port in 1..=9_999 {
        memory.record_close(&udp(port), instant(9.0));
    }
    memory.record_close(&held_by(&process(7, "node").build(), 1.0), instant(10.0));
    memory.record_close(&udp(10_000), instant(11.0));
    let is_kept = [
        memory.last_owner(1, None),
        memory.last_owner(2, None),
        memory.last_owner(3000, Some(Protocol::Tcp)),
    ]
    .map(|past| past.is_some());
    assert_eq!(is_kept, [false, true, true]);
    assert_eq!(
        (memory.ports.len(), memory.by_age.len()),
        (MAX_PORTS, MAX_PORTS)
    );
}

#[test]
fn a_known_exit_is_not_overwritten_by_a_vaguer_one() {
    let mut memory = PortHistory::default();
    let id = |pid| process(pid, "node").build().id;
    memory.record_exit(
        id(1),
        ExitStatus::EndedAfter(Duration::from_secs(1), Signal::Terminate),
    );
    memory.record_exit(id(1), ExitStatus::Ended);
    memory.record_exit(id(2), ExitStatus::StillRunning);
    memory.record_exit(id(2), ExitStatus::Ended);
    memory.record_exit(id(2), ExitStatus::StillRunning);
    let exit_statuses = [1, 2, 3].map(|pid| memory.exit_status(id(pid)));
    assert_eq!(
        exit_statuses,
        [
            ExitStatus::EndedAfter(Duration::from_secs(1), Signal::Terminate),
            ExitStatus::Ended,
            ExitStatus::Unknown
        ]
    );
    for pid in 10..1_011 {
        memory.record_exit(id(pid), ExitStatus::Ended);
    }
    assert_eq!(
        (memory.exit_status(id(2)), memory.exit_statuses.len()),
        (ExitStatus::Unknown, MAX_EXIT_STATUSES)
    );
}
