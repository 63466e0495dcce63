//! Every kind of socket, read from this kernel.

use super::*;
use crate::model::socket::{CompactAddr, OwnerHint, SocketQueue};
use rustix::process::getuid;
use socket2::{Domain, Protocol as Kind, Socket, Type};
use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::os::unix::fs::MetadataExt;

/// The inode of a socket in /proc.
fn inode(socket: impl AsFd) -> u32 {
    let path = format!(
        "/proc/self/fd/{}",
        std::os::fd::AsRawFd::as_raw_fd(&socket.as_fd())
    );
    let inode = fs::metadata(path).expect("an open descriptor").ino();
    u32::try_from(inode).expect("an inode of 32 bits")
}

/// The expected row of a socket with empty queues.
fn expected(
    socket: impl AsFd,
    (protocol, state): (Protocol, State),
    local: SocketAddr,
    remote: Option<SocketAddr>,
) -> RawSocket {
    RawSocket {
        cookie: cookie(&socket),
        protocol,
        table: crate::model::socket::family(local.ip()),
        state: Some(state),
        v6only: None,
        local: CompactAddr::from(local),
        remote: remote.map_or(CompactAddr::NONE, CompactAddr::from),
        scope: 0,
        owner_hint: OwnerHint::new(inode(&socket)),
        uid: getuid().as_raw(),
        queue: SocketQueue {
            incoming: 0,
            outgoing: 0,
        },
    }
}

pub(super) fn socket(domain: Domain, kind: Type, local: &str) -> Socket {
    let socket = Socket::new(domain, kind, None).expect("a socket");
    socket.bind(&address(local).into()).expect("binds");
    socket
}

pub(super) fn local(socket: &Socket) -> SocketAddr {
    let address = socket.local_addr().expect("an address");
    address.as_socket().expect("an address of the Internet")
}

#[test]
fn a_listener_has_its_backlog_and_queue_length() {
    let listener = socket(Domain::IPV4, Type::STREAM, "127.0.0.1:0");
    listener.listen(5).expect("listens");
    let at = local(&listener);
    let _client = TcpStream::connect(at).expect("connects");
    let expected = RawSocket {
        queue: SocketQueue {
            incoming: 1,
            outgoing: 5,
        },
        ..expected(&listener, (Protocol::Tcp, State::Listen), at, None)
    };
    let seen = until("a waiting connection", || {
        row(&listener).filter(|row| row.queue.incoming == 1)
    });
    assert_eq!(seen, expected);
}

#[test]
fn a_connection_has_both_ends_and_its_receive_queue() {
    let (_listener, mut client, server) = connection("127.0.0.1");
    client.write_all(b"12345").expect("writes");
    let at = server.local_addr().expect("an address");
    let from = client.local_addr().expect("an address");
    let established = (Protocol::Tcp, State::Established);
    let seen = until("5 bytes", || {
        row(&server).filter(|row| row.queue.incoming == 5)
    });
    let queue = SocketQueue {
        incoming: 5,
        outgoing: 0,
    };
    assert_eq!(
        (seen, row(&client)),
        (
            RawSocket {
                queue,
                ..expected(&server, established, at, Some(from))
            },
            Some(expected(&client, established, from, Some(at)))
        )
    );
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
            let mut queue = SocketQueue {
                incoming: 0,
                outgoing: 0,
            };
            if state == State::Listen {
                socket.listen(3).expect("listens");
                queue.outgoing = 3;
            }
            let expected = RawSocket {
                v6only: Some(v6only),
                queue,
                ..expected(&socket, (protocol, state), local(&socket), None)
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
    let socket = socket(Domain::IPV4, Type::STREAM, "127.0.0.1:0");
    let expected = expected(&socket, (Protocol::Tcp, State::Bound), local(&socket), None);
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
    for ip in ["127.0.0.1:0", "[::1]:0"] {
        let server = UdpSocket::bind(address(ip)).expect("a socket");
        let client = UdpSocket::bind(address(ip)).expect("a socket");
        let at = server.local_addr().expect("an address");
        let from = client.local_addr().expect("an address");
        client.connect(at).expect("connects");
        let v6only = at
            .is_ipv6()
            .then(|| Socket::from(server.try_clone().expect("a copy")));
        let v6only = v6only.map(|socket| socket.only_v6().expect("an option"));
        let unconnected = RawSocket {
            v6only,
            ..expected(&server, (Protocol::Udp, State::Unconn), at, None)
        };
        let connected = expected(&client, (Protocol::Udp, State::Established), from, Some(at));
        assert_eq!(
            (row(&server), row(&client)),
            (Some(unconnected), Some(connected))
        );
    }
}

#[test]
fn a_v4_mapped_connection_is_ipv4_in_the_ipv6_table() {
    let listener = Socket::new(Domain::IPV6, Type::STREAM, Some(Kind::TCP)).expect("a socket");
    listener.set_only_v6(false).expect("an option");
    listener.bind(&address("[::]:0").into()).expect("binds");
    listener.listen(1).expect("listens");
    let at = SocketAddr::new(address("127.0.0.1:0").ip(), local(&listener).port());
    let client = TcpStream::connect(at).expect("connects");
    let from = client.local_addr().expect("an address");
    let (server, _) = listener.accept().expect("accepts");
    let expected = RawSocket {
        table: Family::Ipv6,
        ..expected(&server, (Protocol::Tcp, State::Established), at, Some(from))
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
    assert_eq!(seen.scope, interface);
    assert_eq!(seen.local(), socket.local_addr().expect("an address"));
}

#[test]
fn time_wait_keeps_the_cookie_and_has_no_owner() {
    let (_listener, client, server) = connection("127.0.0.1");
    let (kept, at) = (cookie(&client), client.peer_addr().expect("an address"));
    let from = client.local_addr().expect("an address");
    drop(client);
    drop(server);
    let seen = until("TIME_WAIT", || {
        let mut rows = all(&mut open(), &EVERYTHING).into_iter();
        rows.find(|row| row.cookie == kept && row.state == Some(State::TimeWait))
    });
    assert_eq!(
        (seen.local(), seen.remote(), seen.owner_hint, seen.uid),
        (from, Some(at), None, 0)
    );
}
