//! Tests with the real kernel and sockets on ports of its choice.
#![cfg(target_os = "linux")]

use super::*;
use crate::model::socket::{EndpointId, Family, Owners, Protocol, Socket, State};
use crate::os::sockets::DumpScope;
use crate::os::sockets::self_sockets;
use crate::os::testing::requirements::skipped;
use crate::os::testing::{SocketHolder, bind, bind_shared, local_addr, shell, sleeper, until};
use crate::tracker::Change;
use rustix::net::sockopt::socket_cookie;
use socket2::Type;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};

mod in_view;
mod owners;
mod short_lived;
mod sources;

/// Reports all sockets, including those of the test process.
fn poller() -> SocketPoller {
    SocketPoller {
        own_pid: Some(Pid(0)),
        ..poller_of_others()
    }
}

/// Reports the sockets of other processes only, as the program does.
fn poller_of_others() -> SocketPoller {
    let request = DumpRequest {
        scope: DumpScope::All,
        with_bound: true,
    };
    SocketPoller::new(EphemeralRange::IANA, None, request)
}

/// Reports all sockets of this source.
fn from(source: SocketSource) -> SocketPoller {
    SocketPoller {
        sockets: Sockets::new(Some(source)),
        ..poller()
    }
}

impl SocketPoller {
    /// Polls until the sockets on this address are as expected.
    fn wait_for_sockets(
        &mut self,
        local: SocketAddr,
        is_expected: impl Fn(&[Socket]) -> bool,
    ) -> Vec<Socket> {
        until(&local.to_string(), || {
            let changes = self.poll();
            assert_eq!(changes.problems, []);
            let endpoints = self.endpoints().into_iter();
            let sockets = endpoints.map(|endpoint| endpoint.socket);
            let found: Vec<Socket> = sockets.filter(|socket| socket.local == local).collect();
            is_expected(&found).then_some(found)
        })
    }

    /// Polls until exactly these processes own the only socket on this address.
    fn wait_for_owners(&mut self, local: SocketAddr, pids: &[Pid]) -> Socket {
        let is_owned = |found: &[Socket]| matches!(found, [one] if same(&owners(one), pids));
        self.wait_for_sockets(local, is_owned).remove(0)
    }
}

fn owners(socket: &Socket) -> Vec<Pid> {
    let known = socket.owners.known().iter();
    known.map(|process| process.pid()).collect()
}

/// True if both have the same elements, in any order.
fn same(some: &[Pid], others: &[Pid]) -> bool {
    let [mut some, mut others] = [some, others].map(<[Pid]>::to_vec);
    some.sort_unstable();
    others.sort_unstable();
    some == others
}

fn own() -> Pid {
    Pid(std::process::id())
}

/// A listener on the address, or `None` where this machine has no such address.
fn listen(ip: &str) -> Option<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((ip, 0))
        .inspect_err(|error| skipped(format_args!("{ip}: {error}")))
        .ok()?;
    let local = local_addr(&listener);
    Some((listener, local))
}

#[test]
fn listeners_on_every_kind_of_address_have_their_owner() {
    let mut poller = poller();
    let addresses = ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"];
    for (_listener, local) in addresses.into_iter().filter_map(listen) {
        let socket = poller.wait_for_owners(local, &[own()]);
        let expected = (Protocol::Tcp, Some(State::Listen), None, socket.family());
        let seen = (socket.protocol, socket.state, socket.remote, socket.table);
        assert_eq!(seen, expected, "{local}");
        assert_eq!(socket.uid, Some(rustix::process::geteuid().as_raw()));
    }
}

#[test]
fn udp_sockets_have_a_state_and_a_remote_end_if_connected() {
    let mut poller = poller();
    for ip in ["127.0.0.1", "::1"] {
        let Ok(bound) = UdpSocket::bind((ip, 0)) else {
            skipped(format_args!("no {ip}"));
            continue;
        };
        let local = local_addr(&bound);
        let is_held = |one: &Socket| one.protocol == Protocol::Udp && owners(one) == [own()];
        let sees = |found: &[Socket]| found.iter().any(is_held);
        let found = poller.wait_for_sockets(local, sees);
        let udp = found.iter().find(|one| one.protocol == Protocol::Udp);
        let facts = udp.map(|udp| (udp.state, udp.remote, owners(udp)));
        assert_eq!(facts, Some((Some(State::Unconn), None, vec![own()])));
        let peer = SocketAddr::new(local.ip(), 9);
        let before = udp.map(|udp| udp.id);
        bound.connect(peer).expect("a connected socket");
        let found = poller.wait_for_sockets(local, |found| {
            found.iter().any(|one| one.remote == Some(peer))
        });
        let udp = found.iter().find(|one| one.protocol == Protocol::Udp);
        let facts = udp.map(|udp| (udp.state, Some(udp.id)));
        assert_eq!(facts, Some((Some(State::Established), before)));
    }
}

#[test]
fn two_sockets_that_share_a_port_are_two_rows() {
    let first = bind_shared(Type::STREAM, ([127, 0, 0, 1], 0).into());
    let local = local_addr(&first);
    let second = sleeper(bind_shared(Type::STREAM, local));
    let found = poller().wait_for_sockets(local, |found| {
        let all: Vec<Pid> = found.iter().flat_map(owners).collect();
        same(&all, &[own(), second.pid()])
    });
    assert_eq!(found.len(), 2);
    assert_ne!(found[0].id, found[1].id);
}

#[test]
fn a_shared_socket_is_one_row_with_the_parent_first() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let script = "sleep 60 <&3 & echo $!; sleep 60 <&3 & echo $!; wait";
    let family = shell(listener, script, 2);
    let socket = poller().wait_for_owners(local, &family.all());
    assert_eq!(owners(&socket).first(), Some(&family.pid()));
}

#[test]
fn a_socket_outlives_the_process_that_passed_it_on() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let mut orphan: SocketHolder = shell(listener, "sleep 60 <&3 & echo $!", 1);
    orphan.wait();
    let socket = poller().wait_for_owners(local, orphan.others());
    let parent = socket.owners.first().and_then(|owner| owner.parent);
    assert_ne!(parent, Some(orphan.pid()));
}

#[test]
fn both_ends_of_a_connection_are_rows() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let client = TcpStream::connect(local).expect("a connection");
    let (server, _) = listener.accept().expect("a connection");
    let at = local_addr(&client);
    let ends = [(at, local), (local, at)].map(|(from, to)| {
        let found = poller().wait_for_sockets(from, |found| {
            let is_end = |one: &Socket| one.remote == Some(to) && owners(one) == [own()];
            found.iter().any(is_end)
        });
        let end = found.into_iter().find(|one| one.remote == Some(to));
        end.map(|end| (end.id, end.state))
    });
    let cookie = |socket| rustix::net::sockopt::socket_cookie(socket).expect("a cookie");
    let established = Some(State::Established);
    let expected = [cookie(&client), cookie(&server)]
        .map(|cookie| Some((EndpointId::Cookie(cookie), established)));
    assert_eq!(ends, expected);
}

#[test]
fn time_wait_has_neither_owner_nor_user() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let client = TcpStream::connect(local).expect("a connection");
    let (server, remote) = listener.accept().expect("a connection");
    // The end that closes first is left in TIME_WAIT.
    drop(server);
    drop(client);
    let is_left = |one: &Socket| one.remote == Some(remote) && one.state == Some(State::TimeWait);
    let found = poller().wait_for_sockets(local, |found| found.iter().any(is_left));
    let left = found.into_iter().find(is_left).expect("just seen");
    let facts = (left.owners, left.uid, left.user);
    assert_eq!(facts, (Owners::NoProcess, None, None));
}

#[test]
fn an_ipv4_connection_of_a_dual_stack_socket_is_in_tcp6() {
    let Some((listener, any)) = listen("::") else {
        return;
    };
    let to = SocketAddr::from(([127, 0, 0, 1], any.port()));
    let client = TcpStream::connect(to).expect("a connection");
    let (_server, _) = listener.accept().expect("a connection");
    let at = local_addr(&client);
    let found =
        poller().wait_for_sockets(to, |found| found.iter().any(|one| one.remote == Some(at)));
    let tables: Vec<Family> = found.iter().map(|one| one.table).collect();
    assert_eq!(tables, [Family::Ipv6]);
}

#[test]
fn sockets_of_portmon_alone_are_no_rows() {
    let (shared, shared_at) = listen("127.0.0.1").expect("IPv4");
    let (_own, own_at) = listen("127.0.0.1").expect("IPv4");
    let child = sleeper(shared.try_clone().expect("a second descriptor"));
    let mut poller = poller_of_others();
    poller.wait_for_owners(shared_at, &[own(), child.pid()]);
    poller.wait_for_sockets(own_at, <[Socket]>::is_empty);
}

#[test]
fn a_bind_probe_is_no_row() {
    let probed = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let cookie = socket_cookie(&probed).expect("a cookie");
    let (_later, later_at) = listen("127.0.0.1").expect("IPv4");
    // Only the latest are known, and other tests may make many others meanwhile.
    until("a poll that hides it", || {
        self_sockets::register(&probed);
        let mut poller = poller();
        poller.wait_for_owners(later_at, &[own()]);
        let mut shown = poller.endpoints().into_iter();
        let is_hidden = shown.all(|one| one.socket.id != EndpointId::Cookie(cookie));
        is_hidden.then_some(())
    });
}

#[test]
fn a_bound_socket_is_a_row_until_it_closes() {
    let bound = bind(Type::STREAM, ([127, 0, 0, 1], 0).into());
    let local = local_addr(&bound);
    let mut poller = poller();
    // The kernel reports them since Linux 6.8.
    let mut sees = || {
        poller.poll();
        let found = poller.endpoints().into_iter();
        let mut found = found.map(|endpoint| endpoint.socket);
        found.find(|socket| socket.local == local)
    };
    if sees().is_none() {
        skipped("this kernel does not report bound sockets");
        return;
    }
    // A child of another test may own it too until its exec.
    let socket = until("its only owner", || {
        sees().filter(|socket| owners(socket) == [own()])
    });
    assert_eq!(socket.state, Some(State::Bound));
    drop(bound);
    assert_eq!(until("its end", || sees().is_none().then_some(())), ());
}

#[test]
fn the_first_poll_reports_sockets_with_pending_owners() {
    let (_listener, local) = listen("127.0.0.1").expect("IPv4");
    let owners = |changes: Changes| {
        let endpoints = changes.list.into_iter().filter_map(|change| match change {
            Change::Initial(endpoint) | Change::Refreshed(endpoint) => Some(endpoint.socket),
            _ => None,
        });
        let mut own = endpoints.filter(|socket| socket.local == local);
        own.next().map(|socket| socket.owners)
    };
    // A child of another test may own it too until its exec.
    until("its only owner", || {
        let mut poller = poller();
        assert_eq!(owners(poller.poll_sockets()), Some(Owners::Pending));
        let found = owners(poller.resolve_owners())?;
        (found.known().len() == 1).then_some(())
    });
}

#[test]
fn a_poll_of_one_port_reports_only_its_sockets() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let (_other, other_at) = listen("127.0.0.1").expect("IPv4");
    let client = TcpStream::connect(local).expect("a connection");
    let (_server, at) = listener.accept().expect("a connection");
    let request = DumpRequest {
        scope: DumpScope::Local(vec![local.port()]),
        with_bound: true,
    };
    let mut poller = SocketPoller {
        own_pid: Some(Pid(0)),
        ..SocketPoller::new(EphemeralRange::IANA, None, request)
    };
    let expected = [(local, None, vec![own()]), (local, Some(at), vec![own()])];
    // A child of another test may own them too until its exec.
    until("both sockets of the port", || {
        poller.poll_uncached();
        let mut seen: Vec<(SocketAddr, Option<SocketAddr>, Vec<Pid>)> = poller
            .endpoints()
            .iter()
            // Other tests may use the same port with UDP or another address.
            .filter(|one| one.socket.protocol == Protocol::Tcp && one.socket.local == local)
            .map(|one| (one.socket.local, one.socket.remote, owners(&one.socket)))
            .collect();
        seen.sort();
        (seen == expected).then_some(())
    });
    let is_other = |one: &Endpoint| one.socket.local == other_at;
    assert!(!poller.endpoints().iter().any(is_other));
    drop(client);
}
