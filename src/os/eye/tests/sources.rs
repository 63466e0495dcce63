//! Whatever the sockets are read from, the endpoints are the same but for what a source cannot tell.

use super::*;
use crate::model::endpoint::Side;
use crate::os::testing::{close_in_turn, connect};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    protocol: Protocol,
    table: Family,
    remote: Option<SocketAddr>,
    state: Option<State>,
    uid: Option<u32>,
    user: Option<String>,
    owners: Vec<Pid>,
    side: Side,
    peer: Option<Pid>,
}

impl Facts {
    fn of(endpoint: &Endpoint) -> Self {
        let (socket, relation) = (&endpoint.socket, &endpoint.relation);
        Self {
            protocol: socket.protocol,
            table: socket.table,
            remote: socket.remote,
            state: socket.state,
            uid: socket.uid,
            user: socket.user.as_ref().map(ToString::to_string),
            owners: holders(socket),
            side: relation.side,
            peer: relation.peer.as_ref().map(|peer| peer.pid()),
        }
    }

    /// What netstat2 leaves of it: it knows neither states nor remote ends of UDP.
    fn by_netstat(self) -> Self {
        match self.protocol {
            Protocol::Tcp => self,
            Protocol::Udp => Self {
                remote: None,
                state: None,
                side: Side::Standing,
                peer: None,
                ..self
            },
        }
    }
}

/// The endpoints at these places, in their order, once each has one that is held, if by anybody, by this process alone.
fn facts(source: Source, ends: &[(Protocol, SocketAddr)]) -> Vec<Facts> {
    let mut eye = from(source);
    until("each with its holder", || {
        let changes = eye.look();
        assert_eq!(changes.problems, []);
        let endpoints = eye.endpoints();
        let at = |(protocol, local): &(Protocol, SocketAddr)| {
            let is_it =
                |one: &&Endpoint| (one.socket.protocol, one.socket.local) == (*protocol, *local);
            let mut found: Vec<Facts> = endpoints.iter().filter(is_it).map(Facts::of).collect();
            found.sort_by_key(|one| one.remote);
            found
        };
        let found: Vec<Facts> = ends.iter().flat_map(at).collect();
        let is_settled = |one: &Facts| match one.state {
            Some(State::TimeWait) => one.owners.is_empty(),
            _ => one.owners == [own()],
        };
        // A listener has its connection beside it, with the same address.
        (found.len() == ends.len() + 1 && found.iter().all(is_settled)).then_some(found)
    })
}

#[test]
fn the_endpoints_of_every_source_are_the_same() {
    let (listener, at) = listen("127.0.0.1").expect("IPv4");
    let connected = connect(at.ip(), at);
    let _accepted = listener.accept().expect("a connection");
    let (other, other_at) = listen("127.0.0.1").expect("IPv4");
    let waits = connect(at.ip(), other_at);
    let (closed, waits_at) = other.accept().expect("a connection");
    close_in_turn(waits, closed);
    drop(other);
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let server_at = server.local_addr().expect("an address");
    client.connect(server_at).expect("connects");
    let ends = [
        (Protocol::Tcp, at),
        (Protocol::Tcp, connected.local_addr().expect("an address")),
        (Protocol::Tcp, waits_at),
        (Protocol::Udp, server_at),
        (Protocol::Udp, client.local_addr().expect("an address")),
    ];
    let [diag, netstat, procnet] =
        [Source::Diag, Source::Netstat, Source::Procnet].map(|source| facts(source, &ends));
    assert_eq!(procnet, diag);
    let left: Vec<Facts> = diag.into_iter().map(Facts::by_netstat).collect();
    assert_eq!(netstat, left);
}
