//! Against the real kernel, with sockets that the tests open on ports of the kernel's choice.

use super::*;
use crate::model::endpoint::{EndpointId, Owners, Socket, State};
use crate::os::testing::{Held, shell, sleeper, until};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;

/// Sees all sockets, those of the test's own process too.
struct Eye(Sockets, Processes);

impl Eye {
    fn new() -> Self {
        Self(Sockets::without(None), Processes::new())
    }

    /// The sockets on this address once they are as wanted.
    fn see(&mut self, local: SocketAddr, is_there: impl Fn(&[Socket]) -> bool) -> Vec<Socket> {
        until(&local.to_string(), || {
            let snapshot = self.0.look(&mut self.1);
            assert_eq!(snapshot.problems, []);
            let sockets = snapshot.sockets.into_iter();
            let found: Vec<Socket> = sockets.filter(|socket| socket.local == local).collect();
            is_there(&found).then_some(found)
        })
    }

    /// The only socket on this address, once exactly these hold it.
    fn held(&mut self, local: SocketAddr, pids: &[Pid]) -> Socket {
        let mut found = self.see(
            local,
            |found| matches!(found, [one] if same(&holders(one), pids)),
        );
        found.remove(0)
    }
}

fn holders(socket: &Socket) -> Vec<Pid> {
    let known = socket.owners.known().iter();
    known.map(|process| process.pid()).collect()
}

fn same(some: &[Pid], others: &[Pid]) -> bool {
    let sorted = |pids: &[Pid]| {
        let mut pids = pids.to_vec();
        pids.sort_unstable();
        pids
    };
    sorted(some) == sorted(others)
}

fn own() -> Pid {
    Pid(std::process::id())
}

/// A listener on the address; none, with a word about it, where this machine has no such address.
fn listen(ip: &str) -> Option<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((ip, 0))
        .inspect_err(|error| eprintln!("skipped, {ip}: {error}"))
        .ok()?;
    let local = listener.local_addr().expect("an address");
    Some((listener, local))
}

#[test]
fn listeners_on_every_kind_of_address_are_seen_with_their_owner() {
    let mut eye = Eye::new();
    let addresses = ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"];
    for (_listener, local) in addresses.into_iter().filter_map(listen) {
        let socket = eye.held(local, &[own()]);
        let expected = (Protocol::Tcp, Some(State::Listen), None, socket.family());
        let seen = (socket.protocol, socket.state, socket.remote, socket.table);
        assert_eq!(seen, expected, "{local}");
        assert_eq!(socket.uid, Some(rustix::process::geteuid().as_raw()));
    }
}

#[test]
fn udp_sockets_have_neither_state_nor_remote_end() {
    let mut eye = Eye::new();
    for ip in ["127.0.0.1", "::1"] {
        let Ok(bound) = UdpSocket::bind((ip, 0)) else {
            eprintln!("skipped, no {ip}");
            continue;
        };
        let local = bound.local_addr().expect("an address");
        let sees = |found: &[Socket]| found.iter().any(|one| one.protocol == Protocol::Udp);
        let found = eye.see(local, sees);
        let udp = found.iter().find(|one| one.protocol == Protocol::Udp);
        let facts = udp.map(|udp| (udp.state, udp.remote, holders(udp)));
        assert_eq!(facts, Some((None, None, vec![own()])));
    }
}

#[test]
fn two_sockets_that_share_a_port_are_two_rows() {
    let twin = |at: SocketAddr| {
        let twin = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)
            .expect("a socket");
        twin.set_reuse_port(true).expect("SO_REUSEPORT");
        twin.bind(&at.into()).expect("a bind");
        twin.listen(1).expect("a listener");
        TcpListener::from(twin)
    };
    let first = twin("127.0.0.1:0".parse().expect("an address"));
    let local = first.local_addr().expect("an address");
    let second = sleeper(OwnedFd::from(twin(local)));
    let found = Eye::new().see(local, |found| {
        let all: Vec<Pid> = found.iter().flat_map(holders).collect();
        same(&all, &[own(), second.pid()])
    });
    assert_eq!(found.len(), 2);
    assert_ne!(found[0].id, found[1].id);
}

#[test]
fn a_socket_that_workers_share_is_one_row_with_its_master_first() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let script = "sleep 60 <&3 & echo $!; sleep 60 <&3 & echo $!; wait";
    let family = shell(listener, script, 2);
    let socket = Eye::new().held(local, &family.all());
    assert_eq!(holders(&socket).first(), Some(&family.pid()));
}

#[test]
fn a_socket_outlives_the_process_that_passed_it_on() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let mut orphan: Held = shell(listener, "sleep 60 <&3 & echo $!", 1);
    orphan.wait();
    let socket = Eye::new().held(local, orphan.others());
    let parent = socket.owners.first().and_then(|owner| owner.parent);
    assert_ne!(parent, Some(orphan.pid()));
}

#[test]
fn both_ends_of_a_connection_are_seen() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let client = TcpStream::connect(local).expect("a connection");
    let (server, _) = listener.accept().expect("a connection");
    let at = client.local_addr().expect("an address");
    let ends = [(at, local), (local, at)].map(|(from, to)| {
        let found = Eye::new().see(from, |found| {
            let is_end = |one: &Socket| one.remote == Some(to) && holders(one) == [own()];
            found.iter().any(is_end)
        });
        let end = found.into_iter().find(|one| one.remote == Some(to));
        end.map(|end| (end.id, end.state))
    });
    let pair = |local, remote| EndpointId::Pair {
        protocol: Protocol::Tcp,
        local,
        remote,
    };
    let established = Some(State::Established);
    let expected = [pair(at, local), pair(local, at)].map(|id| Some((id, established)));
    assert_eq!(ends, expected);
    drop(server);
}

#[test]
fn what_the_kernel_keeps_in_time_wait_has_neither_owner_nor_user() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let client = TcpStream::connect(local).expect("a connection");
    let (server, remote) = listener.accept().expect("a connection");
    // Whoever closes first is the one that waits.
    drop(server);
    drop(client);
    let waits = |one: &Socket| one.remote == Some(remote) && one.state == Some(State::TimeWait);
    let found = Eye::new().see(local, |found| found.iter().any(waits));
    let left = found.into_iter().find(waits).expect("it was just seen");
    assert_eq!(
        (left.owners, left.uid, left.user),
        (Owners::None, None, None)
    );
}

#[test]
fn an_ipv4_connection_of_a_dual_stack_socket_is_ipv4_from_the_ipv6_table() {
    let Some((listener, any)) = listen("::") else {
        return;
    };
    let to = SocketAddr::from(([127, 0, 0, 1], any.port()));
    let client = TcpStream::connect(to).expect("a connection");
    let (_server, _) = listener.accept().expect("a connection");
    let at = client.local_addr().expect("an address");
    let found = Eye::new().see(to, |found| found.iter().any(|one| one.remote == Some(at)));
    let tables: Vec<Family> = found.iter().map(|one| one.table).collect();
    assert_eq!(tables, [Family::Ipv6]);
}

#[test]
fn sockets_that_only_portmon_holds_are_no_rows() {
    let (shared, shared_at) = listen("127.0.0.1").expect("IPv4");
    let (_own, own_at) = listen("127.0.0.1").expect("IPv4");
    let child = sleeper(shared.try_clone().expect("a second descriptor"));
    let mut eye = Eye(Sockets::new(), Processes::new());
    eye.held(shared_at, &[own(), child.pid()]);
    eye.see(own_at, <[Socket]>::is_empty);
}

#[test]
fn the_ports_of_listeners_are_held() {
    let (_listener, local) = listen("127.0.0.1").expect("IPv4");
    assert!(held_tcp_ports().contains(&local.port()));
}
