use super::*;
use crate::model::snapshot::Problem;
use crate::model::socket::{EndpointId, Family, Protocol, Relation, Since, SocketRole, State};
use crate::model::testing::{instant, process, snapshot, socket};

mod apply_snapshot;
mod polls;

const LINUX: EphemeralRange = EphemeralRange {
    first: 32768,
    last: 60999,
};

/// Each change as a word and the local address, sorted.
fn emitted(changes: &Changes) -> Vec<String> {
    let mut emitted: Vec<String> = changes
        .list
        .iter()
        .map(|change| match change {
            Change::Initial(endpoint) => format!("initial {}", endpoint.socket.local),
            Change::Opened(endpoint) => format!("opened {}", endpoint.socket.local),
            Change::Changed(endpoint) => format!("changed {}", endpoint.socket.local),
            Change::Replaced { endpoint, .. } => format!("replaced {}", endpoint.socket.local),
            Change::Refreshed(endpoint) => format!("refreshed {}", endpoint.socket.local),
            Change::Closed(id) => format!("closed {}", local_of(*id)),
            Change::ShortLived(endpoint) => format!("short-lived {}", endpoint.socket.local),
        })
        .collect();
    emitted.sort();
    emitted
}

fn local_of(id: EndpointId) -> String {
    match id {
        EndpointId::Cookie(cookie) => cookie.to_string(),
        EndpointId::Connection { local, .. } | EndpointId::Unconnected { local, .. } => {
            local.to_string()
        }
    }
}

fn relation(tracker: &Tracker, local: &str) -> Relation {
    let endpoint = tracker
        .all()
        .into_iter()
        .find(|endpoint| endpoint.socket.local.to_string() == local);
    endpoint.expect("the socket is known").relation.clone()
}

#[test]
fn sockets_of_the_first_poll_are_initial_later_ones_opened() {
    let node = process(7, "node").build();
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    let listener = || socket("127.0.0.1:3000").owner(&node);
    let client = |state| socket("127.0.0.1:50000").to("127.0.0.1:3000").state(state);
    assert_eq!(
        emitted(&tracker.apply_snapshot(snapshot(0.0, vec![listener()]))),
        ["initial 127.0.0.1:3000"]
    );
    assert_eq!(
        emitted(&tracker.apply_snapshot(snapshot(1.0, vec![listener()]))),
        Vec::<String>::new()
    );
    let opened =
        tracker.apply_snapshot(snapshot(2.0, vec![listener(), client(State::Established)]));
    assert_eq!(emitted(&opened), ["opened 127.0.0.1:50000"]);
    let changed = tracker.apply_snapshot(snapshot(3.0, vec![listener(), client(State::TimeWait)]));
    assert_eq!(emitted(&changed), ["changed 127.0.0.1:50000"]);
    let closed = tracker.apply_snapshot(snapshot(4.0, vec![listener()]));
    assert_eq!(emitted(&closed), ["closed 127.0.0.1:50000"]);
}

#[test]
fn an_endpoint_keeps_the_time_it_opened() {
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(0.0, vec![socket("127.0.0.1:1")]));
    tracker.apply_snapshot(snapshot(
        1.0,
        vec![socket("127.0.0.1:1"), socket("127.0.0.1:2")],
    ));
    let mut since: Vec<Since> = tracker
        .all()
        .into_iter()
        .map(|endpoint| endpoint.since)
        .collect();
    since.sort_by_key(|since| matches!(since, Since::Opened(_)));
    assert_eq!(
        since,
        [Since::Before(instant(0.0)), Since::Opened(instant(1.0))]
    );
}

#[test]
fn finding_an_owner_is_no_change_a_new_owner_is() {
    let (one, two) = (process(7, "one").build(), process(8, "two").build());
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(0.0, vec![socket("127.0.0.1:1")]));
    let learned = tracker.apply_snapshot(snapshot(1.0, vec![socket("127.0.0.1:1").owner(&one)]));
    assert_eq!(emitted(&learned), ["refreshed 127.0.0.1:1"]);
    let forked = tracker.apply_snapshot(snapshot(
        2.0,
        vec![socket("127.0.0.1:1").owners(&[&one, &two])],
    ));
    assert_eq!(emitted(&forked), ["changed 127.0.0.1:1"]);
}

#[test]
fn a_socket_that_reopens_at_the_same_address_is_a_replacement() {
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(0.0, vec![socket("127.0.0.1:1").owner_hint(1)]));
    let at_once = tracker.apply_snapshot(snapshot(1.0, vec![socket("127.0.0.1:1").owner_hint(2)]));
    assert_eq!(emitted(&at_once), ["replaced 127.0.0.1:1"]);
    assert_eq!(
        emitted(&tracker.apply_snapshot(snapshot(2.0, vec![]))),
        ["closed 127.0.0.1:1"]
    );
    let in_window =
        tracker.apply_snapshot(snapshot(4.9, vec![socket("127.0.0.1:1").owner_hint(3)]));
    assert_eq!(emitted(&in_window), ["replaced 127.0.0.1:1"]);
    tracker.apply_snapshot(snapshot(6.0, vec![]));
    let too_late = tracker.apply_snapshot(snapshot(9.0, vec![socket("127.0.0.1:1").owner_hint(4)]));
    assert_eq!(emitted(&too_late), ["opened 127.0.0.1:1"]);
}

#[test]
fn two_new_sockets_or_another_address_replace_nothing() {
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(
        0.0,
        vec![socket("127.0.0.1:1").owner_hint(1), socket("127.0.0.1:2")],
    ));
    let sockets = vec![
        socket("127.0.0.1:1").owner_hint(2),
        socket("127.0.0.1:1").owner_hint(3),
        socket("127.0.0.2:2"),
    ];
    assert_eq!(
        emitted(&tracker.apply_snapshot(snapshot(1.0, sockets))),
        [
            "closed 127.0.0.1:1",
            "closed 127.0.0.1:2",
            "opened 127.0.0.1:1",
            "opened 127.0.0.1:1",
            "opened 127.0.0.2:2"
        ]
    );
}

#[test]
fn connections_are_never_replaced() {
    let connection = |remote| socket("127.0.0.1:50000").to(remote);
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(0.0, vec![connection("127.0.0.1:1")]));
    let other = tracker.apply_snapshot(snapshot(1.0, vec![connection("127.0.0.1:2")]));
    assert_eq!(
        emitted(&other),
        ["closed 127.0.0.1:50000", "opened 127.0.0.1:50000"]
    );
}

#[test]
fn a_table_that_could_not_be_read_keeps_its_sockets() {
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(
        0.0,
        vec![
            socket("127.0.0.1:1"),
            socket("[::1]:2"),
            // v4-mapped: shown as IPv4 but read from the IPv6 table.
            socket("127.0.0.1:3").table(Family::Ipv6),
        ],
    ));
    let mut failed = snapshot(1.0, vec![]);
    failed.problems = vec![Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv6,
        reason: "netlink refused".to_owned(),
    }];
    assert_eq!(
        emitted(&tracker.apply_snapshot(failed)),
        ["closed 127.0.0.1:1"]
    );
    assert_eq!(
        emitted(&tracker.apply_snapshot(snapshot(2.0, vec![]))),
        ["closed 127.0.0.1:3", "closed [::1]:2"]
    );
}

#[test]
fn both_ends_of_a_connection_know_their_role_and_peer() {
    let (node, chrome) = (process(7, "node").build(), process(8, "chrome").build());
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(
        0.0,
        vec![
            socket("0.0.0.0:3000").owner(&node),
            socket("127.0.0.1:3000").to("127.0.0.1:50000").owner(&node),
            socket("127.0.0.1:50000")
                .to("127.0.0.1:3000")
                .owner(&chrome),
        ],
    ));
    let local = |role, peer| Relation {
        role,
        is_local: true,
        peer: Some(peer),
        shares_port: false,
    };
    assert_eq!(
        relation(&tracker, "127.0.0.1:3000"),
        local(SocketRole::Server, chrome)
    );
    assert_eq!(
        relation(&tracker, "127.0.0.1:50000"),
        local(SocketRole::Client, node)
    );
}

#[test]
fn a_peer_owner_found_later_is_emitted() {
    let (node, chrome) = (process(7, "node").build(), process(8, "chrome").build());
    let server = || socket("127.0.0.1:3000").to("127.0.0.1:50000").owner(&node);
    let client = || socket("127.0.0.1:50000").to("127.0.0.1:3000");
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(0.0, vec![server(), client()]));
    let learned = tracker.apply_snapshot(snapshot(1.0, vec![server(), client().owner(&chrome)]));
    assert_eq!(
        emitted(&learned),
        ["refreshed 127.0.0.1:3000", "refreshed 127.0.0.1:50000"]
    );
}

#[test]
fn remote_connections_are_local_only_if_accepted_here() {
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(
        0.0,
        vec![
            socket("0.0.0.0:8080"),
            socket("10.0.0.1:8080").to("10.0.0.9:40000"),
            socket("10.0.0.1:50001").to("10.0.0.9:443"),
            socket("10.0.0.1:50002").to("10.0.0.1:9"),
        ],
    ));
    let relations = ["10.0.0.1:8080", "10.0.0.1:50001", "10.0.0.1:50002"].map(|local| {
        let Relation { role, is_local, .. } = relation(&tracker, local);
        (role, is_local)
    });
    assert_eq!(
        relations,
        [
            (SocketRole::Server, true),
            (SocketRole::Client, false),
            (SocketRole::Unknown, true)
        ]
    );
}

#[test]
fn the_server_role_survives_the_end_of_the_listener() {
    let connection = || socket("127.0.0.1:3000").to("127.0.0.1:50000");
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(0.0, vec![socket("127.0.0.1:3000"), connection()]));
    tracker.apply_snapshot(snapshot(1.0, vec![connection()]));
    assert_eq!(
        relation(&tracker, "127.0.0.1:3000").role,
        SocketRole::Server
    );
}

#[test]
fn a_shared_port_is_reported_only_if_owners_surely_differ() {
    let (one, two) = (process(7, "vite").build(), process(8, "node").build());
    let shared = |left: crate::model::testing::SocketBuilder,
                  right: crate::model::testing::SocketBuilder| {
        let mut tracker = Tracker::new(LINUX, instant(0.0));
        tracker.apply_snapshot(snapshot(0.0, vec![left, right]));
        relation(&tracker, "127.0.0.1:5173").shares_port
    };
    assert!(shared(
        socket("127.0.0.1:5173").owner(&one),
        socket("[::1]:5173").owner(&two)
    ));
    assert!(!shared(
        socket("127.0.0.1:5173").owner(&one),
        socket("[::1]:5173").owner(&one)
    ));
    assert!(!shared(
        socket("127.0.0.1:5173").owner(&one),
        socket("[::1]:5173")
    ));
    assert!(shared(
        socket("127.0.0.1:5173").owner(&one),
        socket("[::1]:5173").user(0, "root")
    ));
    assert!(!shared(
        socket("127.0.0.1:5173").owner(&one),
        socket("[::1]:5173").udp().owner(&two)
    ));
}

/// Comparing every pair would take seconds.
#[test]
fn a_replacement_is_found_among_many_new_listeners() {
    let mut tracker = Tracker::new(LINUX, instant(0.0));
    tracker.apply_snapshot(snapshot(0.0, vec![socket("127.0.0.1:1").owner_hint(1)]));
    let flood = (1..=20_000).map(|port| socket(&format!("127.0.0.1:{port}")).owner_hint(2));
    let emitted = emitted(&tracker.apply_snapshot(snapshot(1.0, flood.collect())));
    let replaced: Vec<&String> = emitted
        .iter()
        .filter(|change| !change.starts_with("opened"))
        .collect();
    assert_eq!(
        (emitted.len(), replaced),
        (20_000, vec![&"replaced 127.0.0.1:1".to_owned()])
    );
}
