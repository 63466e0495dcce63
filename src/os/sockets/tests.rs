//! Compares the three sources with each other, with sockets that the tests open.
#![cfg(target_os = "linux")]

use super::diag::DiagError;
use super::*;
use crate::model::socket::{CompactAddr, OwnerHint, SocketQueue, State};
use crate::os::testing::requirements::skipped;
use crate::os::testing::{bind, close_in_turn, connect, local_addr, own_ip, until};
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
        fixture.bound(ip);
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
        let local = local_addr(&listener);
        let client = connect(via, (via, local.port()).into());
        let (server, from) = listener.accept().expect("accepts");
        let to = local_addr(&server);
        self.keep(Protocol::Tcp, local, listener);
        self.keep(Protocol::Tcp, from, client);
        self.keep(Protocol::Tcp, to, server);
    }

    fn time_wait(&mut self, ip: IpAddr) {
        let listener = TcpListener::bind((ip, 0)).expect("a listener");
        let client = connect(ip, local_addr(&listener));
        let (server, from) = listener.accept().expect("accepts");
        close_in_turn(client, server);
        self.places.insert((Protocol::Tcp, canonical(from)));
        self.count += 1;
    }

    /// A connected socket and its unconnected peer.
    fn udp(&mut self, ip: IpAddr) {
        let [server, client] = [(); 2].map(|()| UdpSocket::bind((ip, 0)).expect("a socket"));
        let at = local_addr(&server);
        client.connect(at).expect("connects");
        let from = local_addr(&client);
        self.keep(Protocol::Udp, at, server);
        self.keep(Protocol::Udp, from, client);
    }

    fn bound(&mut self, ip: Ipv4Addr) {
        let socket = bind(Type::STREAM, (ip, 0).into());
        self.keep(Protocol::Tcp, local_addr(&socket), socket);
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
    let mut reported = RawSocket {
        cookie: [0, 0],
        v6only: None,
        ..*socket
    };
    if source == SocketSource::Netstat || socket.state == Some(State::Listen) {
        reported.queue = SocketQueue::UNKNOWN;
    }
    if (source, socket.protocol) == (SocketSource::Netstat, Protocol::Udp) {
        reported.state = None;
        reported.remote = CompactAddr::NONE;
    }
    Some(reported)
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
    let everything = fixture.everything(&mut Sockets::new(Some(SocketSource::Diag)));
    for (source, mut sockets) in sources() {
        let expected = expected(&everything, source, &EVERYTHING);
        assert_eq!(fixture.everything(&mut sockets), expected, "{source:?}");
    }
}

#[test]
fn every_source_returns_exactly_what_a_request_matches() {
    let fixture = SocketFixture::on(own_ip(99));
    let everything = fixture.everything(&mut Sockets::new(Some(SocketSource::Diag)));
    let ports = fixture.ports();
    let mut scopes = vec![
        DumpScope::All,
        DumpScope::Listening,
        DumpScope::LocalOrRemote(Vec::new()),
        DumpScope::LocalOrRemote(vec![0]),
        DumpScope::LocalOrRemote(ports.clone()),
        DumpScope::Local(vec![1]),
    ];
    for port in ports {
        scopes.push(DumpScope::Local(vec![port]));
        scopes.push(DumpScope::LocalOrRemote(vec![port, 1]));
    }
    let requests = scopes.iter().flat_map(|scope| {
        [true, false].map(|with_bound| DumpRequest {
            scope: scope.clone(),
            with_bound,
        })
    });
    let requests: Vec<DumpRequest> = requests.collect();
    for (source, mut sockets) in sources() {
        for request in &requests {
            let expected = expected(&everything, source, request);
            let what = format!("{source:?} {request:?}: {expected:#?}");
            until(&what, || {
                (fixture.read(&mut sockets, request) == expected).then_some(())
            });
        }
    }
}

#[test]
fn listener_ports_are_bound() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    assert!(held_tcp_ports().contains(&local_addr(&listener).port()));
}
