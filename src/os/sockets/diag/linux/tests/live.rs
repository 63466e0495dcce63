//! Every kind of socket, read from this kernel.

use super::*;
use crate::model::socket::{CompactAddr, OwnerHint, SocketQueue};
use crate::os::testing::inode;
use rustix::process::getuid;
use socket2::{Domain, SockRef};
use std::fs;
use std::io::Write;

const EMPTY: SocketQueue = SocketQueue {
    incoming: 0,
    outgoing: 0,
};

/// The expected row of a socket with empty queues.
fn expected(
    socket: impl AsFd,
    (protocol, state): (Protocol, State),
    remote: Option<SocketAddr>,
) -> RawSocket {
    let local = local_addr(&socket);
    RawSocket {
        cookie: cookie(&socket),
        protocol,
        table: crate::model::socket::family(local.ip()),
        state: Some(state),
        v6only: None,
        local: CompactAddr::from(local),
        remote: remote.map_or(CompactAddr::NONE, CompactAddr::from),
        interface: 0,
        owner_hint: OwnerHint::new(inode(&socket)),
        uid: getuid().as_raw(),
        queue: EMPTY,
    }
}

#[test]
fn a_listener_has_its_backlog_and_queue_length() {
    let listener = bind(Type::STREAM, address("127.0.0.1:0"));
    listener.listen(5).expect("listens");
    let _client = TcpStream::connect(local_addr(&listener)).expect("connects");
    let queue = SocketQueue {
        incoming: 1,
        outgoing: 5,
    };
    let seen = until("a waiting connection", || {
        row(&listener).filter(|row| row.queue.incoming == 1)
    });
    let expected = expected(&listener, (Protocol::Tcp, State::Listen), None);
    assert_eq!(seen, RawSocket { queue, ..expected });
}

#[test]
fn a_connection_has_both_ends_and_its_receive_queue() {
    let (_listener, mut client, server) = connection("127.0.0.1");
    client.write_all(b"12345").expect("writes");
    let (at, from) = (local_addr(&server), local_addr(&client));
    let queue = SocketQueue {
        incoming: 5,
        outgoing: 0,
    };
    let seen = until("5 bytes", || {
        row(&server).filter(|row| row.queue.incoming == 5)
    });
    let established = (Protocol::Tcp, State::Established);
    let server = RawSocket {
        queue,
        ..expected(&server, established, Some(from))
    };
    let expected = (server, Some(expected(&client, established, Some(at))));
    assert_eq!((seen, row(&client)), expected);
}

#[test]
fn an_ipv6_socket_reports_v6only() {
    for (kind, protocol, state) in [
        (Type::STREAM, Protocol::Tcp, State::Listen),
        (Type::STREAM, Protocol::Tcp, State::Bound),
        (Type::DGRAM, Protocol::Udp, State::Unconn),
    ] {
        for v6only in [false, true] {
            let socket = Socket::new(Domain::IPV6, kind, None).expect("a socket");
            socket.set_only_v6(v6only).expect("an option");
            socket.bind(&address("[::]:0").into()).expect("binds");
            let mut queue = EMPTY;
            if state == State::Listen {
                socket.listen(3).expect("listens");
                queue.outgoing = 3;
            }
            let expected = RawSocket {
                v6only: Some(v6only),
                queue,
                ..expected(&socket, (protocol, state), None)
            };
            if state != State::Bound || knows_bound_sockets() {
                assert_eq!(row(&socket), Some(expected));
            }
        }
    }
}

/// Linux 6.8 and later.
fn knows_bound_sockets() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("a release");
    let mut numbers = release
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    let is_new = (numbers.next(), numbers.next()) >= (Some(6), Some(8));
    if !is_new {
        skipped(format_args!(
            "Linux {release} does not report bound sockets"
        ));
    }
    is_new
}

#[test]
fn a_bound_socket_is_reported_only_on_request() {
    if !knows_bound_sockets() {
        return;
    }
    let socket = bind(Type::STREAM, address("127.0.0.1:0"));
    let expected = expected(&socket, (Protocol::Tcp, State::Bound), None);
    let with = |scope: DumpScope, with_bound| {
        let rows = all(&mut open(), &DumpRequest { scope, with_bound });
        rows.into_iter().find(|row| row.cookie == expected.cookie)
    };
    for scope in [DumpScope::All, DumpScope::Listening] {
        assert_eq!(
            [true, false].map(|with_bound| with(scope.clone(), with_bound)),
            [Some(expected), None]
        );
    }
}

#[test]
fn only_a_connected_udp_socket_has_a_remote_end() {
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let (server, client) = connected_udp(at);
        let is_ipv6 = local_addr(&server).is_ipv6();
        let v6only = is_ipv6.then(|| SockRef::from(&server).only_v6().expect("an option"));
        let unconnected = RawSocket {
            v6only,
            ..expected(&server, (Protocol::Udp, State::Unconn), None)
        };
        let to = Some(local_addr(&server));
        let connected = expected(&client, (Protocol::Udp, State::Established), to);
        let rows = (row(&server), row(&client));
        assert_eq!(rows, (Some(unconnected), Some(connected)));
    }
}

#[test]
fn a_v4_mapped_connection_is_ipv4_in_the_ipv6_table() {
    let listener = Socket::new(Domain::IPV6, Type::STREAM, None).expect("a socket");
    listener.set_only_v6(false).expect("an option");
    listener.bind(&address("[::]:0").into()).expect("binds");
    listener.listen(1).expect("listens");
    let client = TcpStream::connect(("127.0.0.1", local_addr(&listener).port()));
    let client = client.expect("connects");
    let (server, _) = listener.accept().expect("accepts");
    let established = (Protocol::Tcp, State::Established);
    let expected = RawSocket {
        table: Family::Ipv6,
        local: client.peer_addr().expect("an address").into(),
        ..expected(&server, established, Some(local_addr(&client)))
    };
    assert_eq!(row(&server), Some(expected));
}

#[test]
fn a_link_local_address_keeps_its_interface() {
    let text = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    let mut addresses = text.lines().filter(|line| line.starts_with("fe80"));
    let Some(line) = addresses.next() else {
        skipped("no link-local address");
        return;
    };
    let mut words = line.split_whitespace();
    let ip = u128::from_str_radix(words.next().expect("an address"), 16).expect("an address");
    let interface = u32::from_str_radix(words.next().expect("an index"), 16).expect("an index");
    let at = std::net::SocketAddrV6::new(ip.into(), 0, 0, interface);
    let socket = UdpSocket::bind(at).expect("binds");
    let seen = row(&socket).expect("a row");
    assert_eq!(seen.interface, interface);
    assert_eq!(seen.local(), local_addr(&socket));
}

#[test]
fn time_wait_keeps_the_cookie_and_has_no_owner() {
    let (_listener, client, server) = connection("127.0.0.1");
    let kept = cookie(&client);
    let (at, from) = (local_addr(&server), local_addr(&client));
    drop((client, server));
    let seen = until("TIME_WAIT", || {
        let mut rows = all(&mut open(), &EVERYTHING).into_iter();
        rows.find(|row| row.cookie == kept && row.state == Some(State::TimeWait))
    });
    assert_eq!(
        (seen.local(), seen.remote(), seen.owner_hint, seen.uid),
        (from, Some(at), None, 0)
    );
}
