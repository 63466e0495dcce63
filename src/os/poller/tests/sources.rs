//! Every source gives the same endpoints, except for what it does not report.

use super::*;
use crate::model::socket::SocketRole;
use crate::os::testing::{close_in_turn, connect};

#[derive(Clone, Debug, PartialEq, Eq)]
struct EndpointFields {
    protocol: Protocol,
    table: Family,
    remote: Option<SocketAddr>,
    state: Option<State>,
    uid: Option<u32>,
    user: Option<String>,
    owners: Vec<Pid>,
    role: SocketRole,
    peer: Option<Pid>,
}

impl EndpointFields {
    fn of(endpoint: &Endpoint) -> Self {
        let (socket, relation) = (&endpoint.socket, &endpoint.relation);
        Self {
            protocol: socket.protocol,
            table: socket.table,
            remote: socket.remote,
            state: socket.state,
            uid: socket.uid,
            user: socket.user.as_ref().map(ToString::to_string),
            owners: owners(socket),
            role: relation.role,
            peer: relation.peer.as_ref().map(|peer| peer.pid()),
        }
    }

    /// As netstat2 reports it, which knows neither states nor remote ends of UDP sockets.
    fn by_netstat(self) -> Self {
        match self.protocol {
            Protocol::Tcp => self,
            Protocol::Udp => Self {
                remote: None,
                state: None,
                role: SocketRole::Unconnected,
                peer: None,
                ..self
            },
        }
    }
}

/// Endpoints on these addresses, once each has one and only this process owns them.
fn endpoints_on(source: SocketSource, ends: &[(Protocol, SocketAddr)]) -> Vec<EndpointFields> {
    let mut poller = from(source);
    until("each with its owner", || {
        let changes = poller.poll();
        assert_eq!(changes.problems, []);
        let endpoints = poller.endpoints();
        let at = |end: &(Protocol, SocketAddr)| {
            let is_it = |one: &&Endpoint| (one.socket.protocol, one.socket.local) == *end;
            let found = endpoints.iter().filter(is_it).map(EndpointFields::of);
            let mut found: Vec<EndpointFields> = found.collect();
            found.sort_by_key(|one| one.remote);
            found
        };
        let found: Vec<EndpointFields> = ends.iter().flat_map(at).collect();
        let is_settled = |one: &EndpointFields| match one.state {
            Some(State::TimeWait) => one.owners.is_empty(),
            _ => one.owners == [own()],
        };
        // The accepted connection has the same address as its listener.
        (found.len() == ends.len() + 1 && found.iter().all(is_settled)).then_some(found)
    })
}

#[test]
fn the_endpoints_of_every_source_are_the_same() {
    let (listener, at) = listen("127.0.0.1").expect("IPv4");
    let connected = connect(at.ip(), at);
    let _accepted = listener.accept().expect("a connection");
    let (other, other_at) = listen("127.0.0.1").expect("IPv4");
    let closed_first = connect(at.ip(), other_at);
    let (closed_last, time_wait_at) = other.accept().expect("a connection");
    close_in_turn(closed_first, closed_last);
    drop(other);
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let server_at = local_addr(&server);
    client.connect(server_at).expect("connects");
    let ends = [
        (Protocol::Tcp, at),
        (Protocol::Tcp, local_addr(&connected)),
        (Protocol::Tcp, time_wait_at),
        (Protocol::Udp, server_at),
        (Protocol::Udp, local_addr(&client)),
    ];
    let [diag, netstat, procnet] = [
        SocketSource::Diag,
        SocketSource::Netstat,
        SocketSource::Procnet,
    ]
    .map(|source| endpoints_on(source, &ends));
    assert_eq!(procnet, diag);
    let expected: Vec<EndpointFields> = diag.into_iter().map(EndpointFields::by_netstat).collect();
    assert_eq!(netstat, expected);
}
