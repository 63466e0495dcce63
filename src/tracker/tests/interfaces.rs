//! Sockets that are bound to interfaces: which of them accept a connection, share a port, replace one another.

use super::*;
use crate::model::socket::Interface;
use crate::model::testing::interface;

fn lo(at: &str) -> SocketBuilder {
    socket(at).interface(1, "lo", &[])
}

fn v0(at: &str) -> SocketBuilder {
    socket(at).interface(2, "v0", &["10.77.0.1"])
}

#[test]
fn a_listener_accepts_only_connections_of_its_interface() {
    let node = process(7, "node").build();
    let role = |listener: SocketBuilder, connection: SocketBuilder| {
        let tracker = tracker_of(vec![listener.owner(&node), connection]);
        let connections = tracker.all().into_iter();
        let found = connections.map(|endpoint| endpoint.relation.role);
        found.max().expect("two sockets")
    };
    let accepted = |of: fn(&str) -> SocketBuilder| of("127.0.0.1:3000").to("127.0.0.1:40000");
    assert_eq!(role(lo("0.0.0.0:3000"), accepted(lo)), SocketRole::Server);
    assert_eq!(role(v0("0.0.0.0:3000"), accepted(lo)), SocketRole::Unknown);
    assert_eq!(
        role(socket("0.0.0.0:3000"), accepted(lo)),
        SocketRole::Server
    );
    let client = |to: &str| socket("10.77.0.1:40000").to(to);
    assert_eq!(
        role(v0("0.0.0.0:3000"), client("10.77.0.1:3000")),
        SocketRole::Client
    );
    assert_eq!(
        role(lo("0.0.0.0:3000"), client("10.77.0.1:3000")),
        SocketRole::Unknown
    );
}

#[test]
fn a_port_is_shared_by_sockets_of_two_interfaces() {
    let [node, java] = [(7, "node"), (8, "java")].map(|(pid, name)| process(pid, name).build());
    let shares = |one: SocketBuilder, other: SocketBuilder| {
        let sockets = vec![one.owner(&node), other.owner(&java).owner_hint(2)];
        tracker_of(sockets).relation("0.0.0.0:53").shares_port
    };
    assert!(shares(lo("0.0.0.0:53").udp(), v0("0.0.0.0:53").udp()));
    assert!(!shares(lo("0.0.0.0:53").udp(), lo("0.0.0.0:53").udp()));
}

#[test]
fn a_socket_of_another_interface_replaces_nothing() {
    let mut tracker = tracker_of(vec![lo("0.0.0.0:53").owner_hint(1)]);
    let changes = tracker.next(1.0, vec![v0("0.0.0.0:53").owner_hint(2)]);
    assert_eq!(changes, ["closed 0.0.0.0:53", "opened 0.0.0.0:53"]);
    let changes = tracker.next(2.0, vec![v0("0.0.0.0:53").owner_hint(3)]);
    assert_eq!(changes, ["replaced 0.0.0.0:53"]);
}

#[test]
fn equal_sockets_of_two_interfaces_are_two_without_cookies() {
    let both = || vec![lo("0.0.0.0:53").udp(), v0("0.0.0.0:53").udp()];
    let mut tracker = tracker_of(both());
    let ids: HashSet<EndpointId> = tracker.all().iter().map(Endpoint::id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(tracker.next(1.0, both()), NOTHING);
}

#[test]
fn a_renamed_interface_is_shown_by_its_new_name() {
    let mut tracker = tracker_of(vec![v0("0.0.0.0:53").udp(), socket("127.0.0.1:53")]);
    let known = interface(2, "v0", &["10.77.0.1"]);
    tracker.describe_interface(Interface::clone(&known));
    assert_eq!(emitted(&tracker.emit(instant(1.0), &mut |_| None)), NOTHING);
    let renamed = interface(2, "wan", &["10.77.0.1"]);
    tracker.describe_interface(Interface::clone(&renamed));
    let changes = tracker.emit(instant(2.0), &mut |_| None);
    assert_eq!(emitted(&changes), ["refreshed 0.0.0.0:53"]);
    let shown = changes[0].endpoint().map(|one| one.socket.local_end());
    assert_eq!(shown.as_deref(), Some("0.0.0.0%wan:53"));
}

#[test]
fn an_interface_is_forgotten_once_no_socket_has_it() {
    let mut tracker = tracker_of(vec![lo("0.0.0.0:53"), v0("0.0.0.0:53")]);
    let mut known = tracker.keep_used_interfaces();
    known.sort_unstable();
    assert_eq!(known, [1, 2]);
    tracker.next(1.0, vec![lo("0.0.0.0:53")]);
    assert_eq!(tracker.keep_used_interfaces(), [1]);
    tracker.next(2.0, vec![lo("0.0.0.0:53"), v0("0.0.0.0:80")]);
    assert_eq!(tracker.keep_used_interfaces().len(), 2);
}
