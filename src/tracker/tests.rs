use super::*;
use crate::model::snapshot::Problem;
use crate::model::socket::{EndpointId, Family, Protocol, Relation, Since, SocketRole, State};
use crate::model::testing::{SocketBuilder, instant, process, snapshot, socket};

mod apply_snapshot;
mod interfaces;
mod polls;

const LINUX: EphemeralRange = EphemeralRange {
    first: 32768,
    last: 60999,
};

const NOTHING: [&str; 0] = [];

fn tracker() -> Tracker {
    Tracker::new(LINUX, instant(0.0))
}

/// A tracker after its first poll.
fn tracker_of(sockets: Vec<SocketBuilder>) -> Tracker {
    let mut tracker = tracker();
    tracker.next(0.0, sockets);
    tracker
}

impl Tracker {
    /// Polls these sockets, owners included.
    fn next(&mut self, seconds: f64, sockets: Vec<SocketBuilder>) -> Vec<String> {
        emitted(&self.apply_snapshot(snapshot(seconds, sockets)).list)
    }

    fn relation(&self, local: &str) -> Relation {
        let is_meant = |endpoint: &Endpoint| endpoint.socket.local.to_string() == local;
        let found = self.all().into_iter().find(is_meant);
        found.expect("the socket is known").relation
    }
}

/// Each change as a word and the local address, sorted.
fn emitted(changes: &[Change]) -> Vec<String> {
    let shown = |change: &Change| {
        let word = match change {
            Change::Initial(_) => "initial",
            Change::Opened(_) => "opened",
            Change::Changed(_) => "changed",
            Change::Replaced { .. } => "replaced",
            Change::Refreshed(_) => "refreshed",
            Change::Closed(_) => "closed",
            Change::ShortLived(_) => "short-lived",
        };
        match (change.endpoint(), change.id()) {
            (Some(endpoint), _) => format!("{word} {}", endpoint.socket.local),
            (None, EndpointId::Cookie(cookie)) => format!("{word} {cookie}"),
            (
                None,
                EndpointId::Connection { local, .. } | EndpointId::Unconnected { local, .. },
            ) => {
                format!("{word} {local}")
            }
        }
    };
    let mut emitted: Vec<String> = changes.iter().map(shown).collect();
    emitted.sort();
    emitted
}

#[test]
fn sockets_of_the_first_poll_are_initial_later_ones_opened() {
    let node = process(7, "node").build();
    let listener = || socket("127.0.0.1:3000").owner(&node);
    let client = |state| socket("127.0.0.1:50000").to("127.0.0.1:3000").state(state);
    let polls = [
        (vec![listener()], vec!["initial 127.0.0.1:3000"]),
        (vec![listener()], vec![]),
        (
            vec![listener(), client(State::Established)],
            vec!["opened 127.0.0.1:50000"],
        ),
        (
            vec![listener(), client(State::TimeWait)],
            vec!["changed 127.0.0.1:50000"],
        ),
        (vec![listener()], vec!["closed 127.0.0.1:50000"]),
    ];
    let mut tracker = tracker();
    for (seconds, (sockets, expected)) in (0..).map(f64::from).zip(polls) {
        assert_eq!(tracker.next(seconds, sockets), expected, "{seconds}");
    }
}

#[test]
fn an_endpoint_keeps_the_time_it_opened() {
    let mut tracker = tracker_of(vec![socket("127.0.0.1:1")]);
    tracker.next(1.0, vec![socket("127.0.0.1:1"), socket("127.0.0.1:2")]);
    let all = tracker.all().into_iter();
    let mut since: Vec<Since> = all.map(|endpoint| endpoint.since).collect();
    since.sort_by_key(|since| matches!(since, Since::Opened(_)));
    let expected = [Since::Initial(instant(0.0)), Since::Opened(instant(1.0))];
    assert_eq!(since, expected);
}

#[test]
fn finding_an_owner_is_no_change_a_new_owner_is() {
    let (one, two) = (process(7, "one").build(), process(8, "two").build());
    let mut tracker = tracker_of(vec![socket("127.0.0.1:1")]);
    let found = tracker.next(1.0, vec![socket("127.0.0.1:1").owner(&one)]);
    assert_eq!(found, ["refreshed 127.0.0.1:1"]);
    let forked = tracker.next(2.0, vec![socket("127.0.0.1:1").owners(&[&one, &two])]);
    assert_eq!(forked, ["changed 127.0.0.1:1"]);
}

#[test]
fn a_socket_that_reopens_at_the_same_address_is_a_replacement() {
    let socket = |hint| vec![socket("127.0.0.1:1").owner_hint(hint)];
    let mut tracker = tracker_of(socket(1));
    assert_eq!(tracker.next(1.0, socket(2)), ["replaced 127.0.0.1:1"]);
    assert_eq!(tracker.next(2.0, vec![]), ["closed 127.0.0.1:1"]);
    assert_eq!(tracker.next(4.9, socket(3)), ["replaced 127.0.0.1:1"]);
    assert_eq!(tracker.next(6.0, vec![]), ["closed 127.0.0.1:1"]);
    assert_eq!(tracker.next(9.0, socket(4)), ["opened 127.0.0.1:1"]);
}

#[test]
fn two_new_sockets_or_another_address_replace_nothing() {
    let mut tracker = tracker_of(vec![
        socket("127.0.0.1:1").owner_hint(1),
        socket("127.0.0.1:2"),
    ]);
    let sockets = vec![
        socket("127.0.0.1:1").owner_hint(2),
        socket("127.0.0.1:1").owner_hint(3),
        socket("127.0.0.2:2"),
    ];
    let expected = [
        "closed 127.0.0.1:1",
        "closed 127.0.0.1:2",
        "opened 127.0.0.1:1",
        "opened 127.0.0.1:1",
        "opened 127.0.0.2:2",
    ];
    assert_eq!(tracker.next(1.0, sockets), expected);
}

#[test]
fn connections_are_never_replaced() {
    let connection = |remote| vec![socket("127.0.0.1:50000").to(remote)];
    let mut tracker = tracker_of(connection("127.0.0.1:1"));
    let expected = ["closed 127.0.0.1:50000", "opened 127.0.0.1:50000"];
    assert_eq!(tracker.next(1.0, connection("127.0.0.1:2")), expected);
}

#[test]
fn a_table_that_could_not_be_read_keeps_its_sockets() {
    let mut tracker = tracker_of(vec![
        socket("127.0.0.1:1"),
        socket("[::1]:2"),
        // v4-mapped: shown as IPv4 but read from the IPv6 table.
        socket("127.0.0.1:3").table(Family::Ipv6),
    ]);
    let mut failed = snapshot(1.0, vec![]);
    failed.problems = vec![Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv6,
        reason: "netlink refused".to_owned(),
    }];
    let closed = emitted(&tracker.apply_snapshot(failed).list);
    assert_eq!(closed, ["closed 127.0.0.1:1"]);
    let closed = tracker.next(2.0, vec![]);
    assert_eq!(closed, ["closed 127.0.0.1:3", "closed [::1]:2"]);
}

#[test]
fn both_ends_of_a_connection_know_their_role_and_peer() {
    let (node, chrome) = (process(7, "node").build(), process(8, "chrome").build());
    let tracker = tracker_of(vec![
        socket("0.0.0.0:3000").owner(&node),
        socket("127.0.0.1:3000").to("127.0.0.1:50000").owner(&node),
        socket("127.0.0.1:50000")
            .to("127.0.0.1:3000")
            .owner(&chrome),
    ]);
    let local = |role, peer| Relation {
        role,
        is_local: true,
        peer: Some(peer),
        shares_port: false,
    };
    let relations = ["127.0.0.1:3000", "127.0.0.1:50000"].map(|local| tracker.relation(local));
    let expected = [
        local(SocketRole::Server, chrome),
        local(SocketRole::Client, node),
    ];
    assert_eq!(relations, expected);
}

#[test]
fn a_peer_owner_found_later_is_emitted() {
    let (node, chrome) = (process(7, "node").build(), process(8, "chrome").build());
    let server = || socket("127.0.0.1:3000").to("127.0.0.1:50000").owner(&node);
    let client = || socket("127.0.0.1:50000").to("127.0.0.1:3000");
    let mut tracker = tracker_of(vec![server(), client()]);
    let found = tracker.next(1.0, vec![server(), client().owner(&chrome)]);
    let expected = ["refreshed 127.0.0.1:3000", "refreshed 127.0.0.1:50000"];
    assert_eq!(found, expected);
}

#[test]
fn remote_connections_are_local_only_if_accepted_here() {
    let tracker = tracker_of(vec![
        socket("0.0.0.0:8080"),
        socket("10.0.0.1:8080").to("10.0.0.9:40000"),
        socket("10.0.0.1:50001").to("10.0.0.9:443"),
        socket("10.0.0.1:50002").to("10.0.0.1:9"),
    ]);
    let cases = [
        ("10.0.0.1:8080", SocketRole::Server, true),
        ("10.0.0.1:50001", SocketRole::Client, false),
        ("10.0.0.1:50002", SocketRole::Unknown, true),
    ];
    for (local, role, is_local) in cases {
        let found = tracker.relation(local);
        assert_eq!((found.role, found.is_local), (role, is_local), "{local}");
    }
}

#[test]
fn the_server_role_survives_the_end_of_the_listener() {
    let connection = || socket("127.0.0.1:3000").to("127.0.0.1:50000");
    let mut tracker = tracker_of(vec![socket("127.0.0.1:3000"), connection()]);
    tracker.next(1.0, vec![connection()]);
    let role = tracker.relation("127.0.0.1:3000").role;
    assert_eq!(role, SocketRole::Server);
}

#[test]
fn a_shared_port_is_reported_only_if_owners_surely_differ() {
    let (one, two) = (process(7, "vite").build(), process(8, "node").build());
    let other = || socket("[::1]:5173");
    let cases = [
        ("another process", other().owner(&two), true),
        ("the same process", other().owner(&one), false),
        ("an unknown process", other(), false),
        ("another user", other().user(0, "root"), true),
        ("another protocol", other().udp().owner(&two), false),
    ];
    for (holder, other, expected) in cases {
        let tracker = tracker_of(vec![socket("127.0.0.1:5173").owner(&one), other]);
        let relation = tracker.relation("127.0.0.1:5173");
        assert_eq!(relation.shares_port, expected, "{holder}");
    }
}

/// Comparing every pair would take seconds.
#[test]
fn a_replacement_is_found_among_many_new_listeners() {
    let mut tracker = tracker_of(vec![socket("127.0.0.1:1").owner_hint(1)]);
    let flood = (1..=20_000).map(|port| socket(&format!("127.0.0.1:{port}")).owner_hint(2));
    let mut emitted = tracker.next(1.0, flood.collect());
    assert_eq!(emitted.len(), 20_000);
    emitted.retain(|change| !change.starts_with("opened"));
    assert_eq!(emitted, ["replaced 127.0.0.1:1"]);
}
