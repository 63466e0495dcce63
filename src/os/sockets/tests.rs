//! The three sources against each other and against the kernel, with sockets that the tests open.

use super::diag::failure::Failure;
use super::*;
use crate::model::endpoint::State;
use crate::model::sighting::Queue;
use crate::os::testing::{close_in_turn, connect, own_ip, until};
use socket2::{Domain, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

mod settling;

const EVERYTHING: Demand = Demand {
    extent: Extent::Everything,
    with_bound: true,
};

/// Sockets of every kind, on ports of a test's own.
struct Zoo {
    sockets: Vec<OwnedFd>,
    /// Where they stand; nothing else may.
    places: HashSet<(Protocol, SocketAddr)>,
    /// How many there are, without those that are only bound.
    count: usize,
}

impl Zoo {
    fn on(ip: Ipv4Addr) -> Self {
        let mut zoo = Self {
            sockets: Vec::new(),
            places: HashSet::new(),
            count: 0,
        };
        let v4 = IpAddr::from(ip);
        zoo.connection((v4, 0).into(), v4);
        zoo.udp(v4);
        zoo.bound(v4);
        zoo.time_wait(v4);
        if UdpSocket::bind("[::1]:0").is_err() {
            eprintln!("skipped in part, no IPv6");
            return zoo;
        }
        let v6 = IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]);
        zoo.connection((v6, 0).into(), v6);
        zoo.udp(v6);
        zoo.time_wait(v6);
        // One that takes both, and one on an IPv4 address in the table of IPv6: the servers' ends stand there too.
        zoo.connection("[::]:0".parse().expect("an address"), v4);
        let mapped = ip.to_ipv6_mapped();
        zoo.connection((mapped, 0).into(), v4);
        zoo
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

    /// One that is connected to one that is not.
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

    /// What a source tells of them, in an order that all sources have.
    fn read(&self, sockets: &mut Sockets, demand: &Demand) -> Vec<Sighting> {
        let mut seen = Vec::new();
        let problems = sockets.read(demand, &mut |one| {
            if self.places.contains(&(one.protocol, one.local())) {
                seen.push(*one);
            }
        });
        assert_eq!(problems, []);
        seen.sort_unstable_by_key(order);
        seen
    }

    /// What each source tells of everything, once it is all there: what others open and close may push a line out of a
    /// table of `/proc/net` while it is read.
    fn everything(&self, sockets: &mut Sockets) -> Vec<Sighting> {
        until("all of them", || {
            let seen = self.read(sockets, &EVERYTHING);
            let bound = seen.iter().filter(|one| one.state == Some(State::Bound));
            let waiting = seen.iter().filter(|one| one.state == Some(State::TimeWait));
            let has_waited = waiting.count() == self.count_waiting();
            (has_waited && seen.len() - bound.count() == self.count).then_some(seen)
        })
    }

    fn count_waiting(&self) -> usize {
        // All places but those of TIME_WAIT have a socket that is kept; a server's end stands where its listener does.
        self.count + 1 - self.sockets.len()
    }

    /// Ports that bring each kind into a demand.
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

fn order(one: &Sighting) -> (Protocol, SocketAddr, Option<SocketAddr>, u32) {
    (one.protocol, one.local(), one.remote(), one.mark)
}

/// What a source can tell of a socket.
fn told_by(source: Source, socket: &Sighting) -> Option<Sighting> {
    if source == Source::Diag {
        return Some(*socket);
    }
    if socket.state == Some(State::Bound) {
        return None;
    }
    let told = Sighting {
        cookie: [0, 0],
        only_v6: None,
        queue: match socket.state {
            Some(State::Listen) => Queue::UNKNOWN,
            _ => socket.queue,
        },
        ..*socket
    };
    Some(match (source, socket.protocol) {
        (Source::Netstat, Protocol::Udp) => Sighting {
            state: None,
            remote: crate::model::sighting::End::NONE,
            queue: Queue::UNKNOWN,
            ..told
        },
        (Source::Netstat, Protocol::Tcp) => Sighting {
            queue: Queue::UNKNOWN,
            ..told
        },
        _ => told,
    })
}

/// As a security module says it.
pub fn refused() -> Error {
    Failure::Answer { code: 13 }.into()
}

fn sources() -> [(Source, Sockets); 3] {
    SOURCES.map(|source| (source, Sockets::new(Some(source))))
}

/// What all sources must tell for a demand, by what the kernel tells of everything.
fn expected(everything: &[Sighting], source: Source, demand: &Demand) -> Vec<Sighting> {
    let told = everything.iter().filter_map(|one| told_by(source, one));
    let mut wanted: Vec<Sighting> = told.filter(|one| demand.wants(one)).collect();
    wanted.sort_unstable_by_key(order);
    wanted
}

#[test]
fn all_sources_name_the_same_sockets() {
    let zoo = Zoo::on(own_ip(98));
    let told = sources().map(|(source, mut sockets)| (source, zoo.everything(&mut sockets)));
    let everything = &told[0].1;
    for (source, seen) in &told {
        assert_eq!(
            seen,
            &expected(everything, *source, &EVERYTHING),
            "{source:?}"
        );
    }
}

#[test]
fn every_demand_gives_of_every_source_what_it_wants_of_everything() {
    let zoo = Zoo::on(own_ip(99));
    let everything = zoo.everything(&mut Sockets::new(Some(Source::Diag)));
    let ports = zoo.ports();
    let mut extents = vec![
        Extent::Everything,
        Extent::Standing,
        Extent::Touching(Vec::new()),
        Extent::Touching(vec![0]),
        Extent::Touching(ports.clone()),
        Extent::Local(vec![1]),
    ];
    extents.extend(ports.iter().map(|port| Extent::Local(vec![*port])));
    extents.extend(ports.iter().map(|port| Extent::Touching(vec![*port, 1])));
    let bounds = [true, false];
    let demands = extents
        .iter()
        .flat_map(|extent| bounds.map(|with_bound| (extent.clone(), with_bound)));
    for (source, mut sockets) in sources() {
        for (extent, with_bound) in demands.clone() {
            let demand = Demand { extent, with_bound };
            let expected = expected(&everything, source, &demand);
            let what = format!("{source:?} {demand:?}: {expected:#?}");
            until(&what, || {
                (zoo.read(&mut sockets, &demand) == expected).then_some(())
            });
        }
    }
}

#[test]
fn the_ports_of_listeners_are_held() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    assert!(held_tcp_ports().contains(&port));
}
