//! Compares the three sources with each other, with sockets that the tests open.
#![cfg(target_os = "linux")]

use super::diag::diag_error::DiagError;
use super::*;
use crate::model::socket::{OwnerHint, SocketQueue, State};
use crate::os::testing::requirements::skipped;
use crate::os::testing::{close_in_turn, connect, own_ip, until};
use socket2::{Domain, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

mod source_choice;

const EVERYTHING: DumpRequest = DumpRequest {
    scope: DumpScope::All,
    with_bound: true,
};

/// Sockets of every kind, on addresses that no other test uses.
struct SocketFixture {
    sockets: Vec<OwnedFd>,
    /// Their addresses, which no other socket has.
    places: HashSet<(Protocol, SocketAddr)>,
    /// Their number, without bound ones.
    count: usize,
}

impl SocketFixture {
    fn on(ip: Ipv4Addr) -> Self {
        let mut fixture = Self {
            sockets: Vec::new(),
            places: HashSet::new(),
            count: 0,
        };
        let v4 = IpAddr::from(ip);
        fixture.connection((v4, 0).into(), v4);
        fixture.udp(v4);
        fixture.bound(v4);
        fixture.time_wait(v4);
        if UdpSocket::bind("[::1]:0").is_err() {
            skipped("no IPv6");
            return fixture;
        }
        let v6 = IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]);
        fixture.connection((v6, 0).into(), v6);
        fixture.udp(v6);
        fixture.time_wait(v6);
        // A dual-stack listener, and one on a v4-mapped address: the server ends are in the IPv6 table too.
        fixture.connection("[::]:0".parse().expect("an address"), v4);
        let mapped = ip.to_ipv6_mapped();
        fixture.connection((mapped, 0).into(), v4);
        fixture
    }

    fn keep(&mut self, protocol: Protocol, local: SocketAddr, socket: impl Into<OwnedFd>) {
        self.places.insert((protocol, canonical(local)));
        self.sockets.push(socket.into());
        self.count += 1;
    }

    /// A listener and both ends of a connection to it.
    fn connection(&mut self, at: SocketAddr, via: IpAddr) {
        let listener = listener(at);
        let local = listener.local_addr().expect("an address");
        let client = connect(via, (via, local.port()).into());
        let (server, from) = listener.accept().expect("accepts");
        let to = server.local_addr().expect("an address");
        self.keep(Protocol::Tcp, local, listener);
        self.keep(Protocol::Tcp, from, client);
        self.keep(Protocol::Tcp, to, server);
    }

    fn time_wait(&mut self, ip: IpAddr) {
        let listener = TcpListener::bind((ip, 0)).expect("a listener");
        let client = connect(ip, listener.local_addr().expect("an address"));
        let (server, from) = listener.accept().expect("accepts");
        close_in_turn(client, server);
        self.places.insert((Protocol::Tcp, canonical(from)));
        self.count += 1;
    }

    /// A connected socket and its unconnected peer.
    fn udp(&mut self, ip: IpAddr) {
        let [server, client] = [(); 2].map(|()| UdpSocket::bind((ip, 0)).expect("a socket"));
        let at = server.local_addr().expect("an address");
        client.connect(at).expect("connects");
        let from = client.local_addr().expect("an address");
        self.keep(Protocol::Udp, at, server);
        self.keep(Protocol::Udp, from, client);
    }

    fn bound(&mut self, ip: IpAddr) {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::new(ip, 0).into()).expect("binds");
        let local = socket.local_addr().expect("an address");
        let local = local.as_socket().expect("an address of the Internet");
        self.keep(Protocol::Tcp, local, socket);
        self.count -= 1;
    }

    /// Reads them from a source, sorted so that all sources have the same order.
    fn read(&self, sockets: &mut Sockets, request: &DumpRequest) -> Vec<RawSocket> {
        let mut seen = Vec::new();
        let problems = sockets.read(request, &mut |one| {
            if self.places.contains(&(one.protocol, one.local())) {
                seen.push(*one);
            }
        });
        assert_eq!(problems, []);
        seen.sort_unstable_by_key(order);
        seen
    }

    /// Reads them until all are there: sockets of other tests may push a line out of `/proc/net` while it is read.
    fn everything(&self, sockets: &mut Sockets) -> Vec<RawSocket> {
        until("all of them", || {
            let seen = self.read(sockets, &EVERYTHING);
            let bound = seen.iter().filter(|one| one.state == Some(State::Bound));
            let waiting = seen.iter().filter(|one| one.state == Some(State::TimeWait));
            let has_waited = waiting.count() == self.count_waiting();
            (has_waited && seen.len() - bound.count() == self.count).then_some(seen)
        })
    }

    fn count_waiting(&self) -> usize {
        // Only those in TIME_WAIT are not kept; a server end has the address of its listener.
        self.count + 1 - self.sockets.len()
    }

    /// Ports with which a request matches each kind.
    fn ports(&self) -> Vec<u16> {
        let v4 = self.places.iter().filter(|(_, at)| at.is_ipv4());
        v4.map(|(_, at)| at.port()).collect()
    }
}

fn listener(at: SocketAddr) -> TcpListener {
    if at.is_ipv4() {
        return TcpListener::bind(at).expect("a listener");
    }
    let socket = Socket::new(Domain::IPV6, Type::STREAM, None).expect("a socket");
    socket.set_only_v6(false).expect("an option");
    socket.bind(&at.into()).expect("binds");
    socket.listen(8).expect("listens");
    socket.into()
}

fn canonical(at: SocketAddr) -> SocketAddr {
    SocketAddr::new(at.ip().to_canonical(), at.port())
}

fn order(one: &RawSocket) -> (Protocol, SocketAddr, Option<SocketAddr>, Option<OwnerHint>) {
    (one.protocol, one.local(), one.remote(), one.owner_hint)
}

/// The socket as a source reports it.
fn seen_by(source: SocketSource, socket: &RawSocket) -> Option<RawSocket> {
    if source == SocketSource::Diag {
        return Some(*socket);
    }
    if socket.state == Some(State::Bound) {
        return None;
    }
    let reported = RawSocket {
        cookie: [0, 0],
        v6only: None,
        queue: match socket.state {
            Some(State::Listen) => SocketQueue::UNKNOWN,
            _ => socket.queue,
        },
        ..*socket
    };
    Some(match (source, socket.protocol) {
        (SocketSource::Netstat, Protocol::Udp) => RawSocket {
            state: None,
            remote: crate::model::socket::CompactAddr::NONE,
            queue: SocketQueue::UNKNOWN,
            ..reported
        },
        (SocketSource::Netstat, Protocol::Tcp) => RawSocket {
            queue: SocketQueue::UNKNOWN,
            ..reported
        },
        _ => reported,
    })
}

/// The error of a security module.
pub fn refused() -> Error {
    DiagError::ErrorReply { code: 13 }.into()
}

fn sources() -> [(SocketSource, Sockets); 3] {
    SOURCES.map(|source| (source, Sockets::new(Some(source))))
}

/// The sockets that a source must report for a request.
fn expected(
    everything: &[RawSocket],
    source: SocketSource,
    request: &DumpRequest,
) -> Vec<RawSocket> {
    let reported = everything.iter().filter_map(|one| seen_by(source, one));
    let mut wanted: Vec<RawSocket> = reported.filter(|one| request.matches(one)).collect();
    wanted.sort_unstable_by_key(order);
    wanted
}

#[test]
fn all_sources_name_the_same_sockets() {
    let fixture = SocketFixture::on(own_ip(98));
    let reported =
        sources().map(|(source, mut sockets)| (source, fixture.everything(&mut sockets)));
    let everything = &reported[0].1;
    for (source, seen) in &reported {
        assert_eq!(
            seen,
            &expected(everything, *source, &EVERYTHING),
            "{source:?}"
        );
    }
}

#[test]
fn every_source_returns_exactly_what_a_request_matches() {
    let fixture = SocketFixture::on(own_ip(99));
    let everything = fixture.everything(&mut Sockets::new(Some(SocketSource::Diag)));
    let ports = fixture.ports();
    let mut extents = vec![
        DumpScope::All,
        DumpScope::Listening,
        DumpScope::LocalOrRemote(Vec::new()),
        DumpScope::LocalOrRemote(vec![0]),
        DumpScope::LocalOrRemote(ports.clone()),
        DumpScope::Local(vec![1]),
    ];
    extents.extend(ports.iter().map(|port| DumpScope::Local(vec![*port])));
    extents.extend(
        ports
            .iter()
            .map(|port| DumpScope::LocalOrRemote(vec![*port, 1])),
    );
    let bounds = [true, false];
    let demands = extents
        .iter()
        .flat_map(|scope| bounds.map(|with_bound| (scope.clone(), with_bound)));
    for (source, mut sockets) in sources() {
        for (scope, with_bound) in demands.clone() {
            let request = DumpRequest { scope, with_bound };
            let expected = expected(&everything, source, &request);
            let what = format!("{source:?} {request:?}: {expected:#?}");
            until(&what, || {
                (fixture.read(&mut sockets, &request) == expected).then_some(())
            });
        }
    }
}

#[test]
fn listener_ports_are_bound() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    assert!(bound_tcp_ports().contains(&port));
}
