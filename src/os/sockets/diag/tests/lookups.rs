//! Single sockets: lookups, counters and destroy events.

use super::super::destroy_listener::DestroySubscription;
use super::*;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::io::{Read, Write};
use std::net::UdpSocket;

/// Waits for events, for a limited time.
fn wait(destroy_listener: &DestroySubscription) {
    let mut ready = [PollFd::new(destroy_listener, PollFlags::IN)];
    let patience = Timespec {
        tv_sec: 0,
        tv_nsec: 100_000_000,
    };
    rustix::event::poll(&mut ready, Some(&patience)).expect("polls");
}

/// Drains until an event was received. It comes some milliseconds later, between the events of other tests.
fn until_reported<T>(
    what: &str,
    destroy_listener: &mut DestroySubscription,
    mut ask: impl FnMut(&mut DestroySubscription) -> Option<T>,
) -> T {
    let mut round = || {
        wait(destroy_listener);
        ask(destroy_listener)
    };
    until(what, || (0..100).find_map(|_| round()))
}

/// A lookup finds the row of a dump, and nothing once the socket is closed.
fn is_found_until_closed<S: AsFd>(socket: S) {
    let row = row(&socket).expect("a row");
    let mut diag = open();
    assert_eq!(diag.find(&row).expect("an answer"), Some(row));
    drop(socket);
    until("it is gone", || {
        let gone = diag.find(&row).expect("an answer").is_none();
        gone.then_some(())
    });
    let traffic = diag.counters(&row, Instant::now());
    assert_eq!(traffic.expect("an answer"), None);
}

#[test]
fn a_listener_is_found() {
    for ip in [
        "127.0.0.1:0",
        "0.0.0.0:0",
        "[::1]:0",
        "[::]:0",
        "[::ffff:127.0.0.1]:0",
    ] {
        is_found_until_closed(TcpListener::bind(address(ip)).expect("a listener"));
    }
}

#[test]
fn each_socket_that_shares_a_port_is_found() {
    let share = |kind, at: SocketAddr| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, kind, None).expect("a socket");
        socket.set_reuse_port(true).expect("an option");
        socket.bind(&at.into()).expect("binds");
        if kind == socket2::Type::STREAM {
            socket.listen(1).expect("listens");
        }
        socket
    };
    for kind in [socket2::Type::STREAM, socket2::Type::DGRAM] {
        let first = share(kind, address("127.0.0.1:0"));
        let at = first
            .local_addr()
            .expect("an address")
            .as_socket()
            .expect("inet");
        let others: Vec<_> = (0..7).map(|_| share(kind, at)).collect();
        for socket in others {
            is_found_until_closed(socket);
        }
        is_found_until_closed(first);
    }
}

#[test]
fn a_udp_socket_is_found() {
    for ip in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"] {
        is_found_until_closed(UdpSocket::bind(address(ip)).expect("a socket"));
    }
    let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    client
        .connect(server.local_addr().expect("an address"))
        .expect("connects");
    is_found_until_closed(client);
}

#[test]
fn a_bound_socket_is_found() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    socket.bind(&address("127.0.0.1:0").into()).expect("binds");
    if row(&socket).is_some() {
        is_found_until_closed(socket);
    } else {
        skipped("this kernel does not report bound sockets");
    }
}

#[test]
fn a_connection_is_found_through_time_wait() {
    for ip in ["127.0.0.1", "::1"] {
        let (_listener, client, server) = connection(ip);
        let before = row(&client).expect("a row");
        let mut diag = open();
        assert_eq!(diag.find(&before).expect("an answer"), Some(before));
        drop(client);
        drop(server);
        let after = until("TIME_WAIT", || {
            let found = diag.find(&before).expect("an answer");
            found.filter(|row| row.state == Some(State::TimeWait))
        });
        assert_eq!((after.cookie, after.owner_hint), (before.cookie, None));
    }
}

#[test]
fn a_lookup_skips_a_later_socket_with_the_same_addresses() {
    let (_listener, client, _server) = connection("127.0.0.1");
    let row = row(&client).expect("a row");
    let other = RawSocket {
        cookie: [1, 2],
        ..row
    };
    assert_eq!(open().find(&other).expect("an answer"), None);
}

#[test]
fn a_connection_counts_its_bytes() {
    for ip in ["127.0.0.1", "::1"] {
        let (_listener, mut client, mut server) = connection(ip);
        client.write_all(&[1; 3000]).expect("writes");
        server.read_exact(&mut [0; 3000]).expect("reads");
        server.write_all(&[1; 70]).expect("writes");
        let (now, mut diag) = (Instant::now(), open());
        let row = row(&client).expect("a row");
        let traffic = until("all acknowledged", || {
            let traffic = diag
                .counters(&row, now)
                .expect("an answer")
                .expect("a connection");
            let flow = traffic.flow.expect("counts");
            (flow.sent == 3000 && flow.received == 70).then_some(traffic)
        });
        assert_eq!((traffic.at, traffic.queue.incoming), (now, 70));
    }
}

#[test]
fn only_a_connection_has_a_flow() {
    let (listener, _client, _server) = connection("127.0.0.1");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let now = Instant::now();
    let mut diag = open();
    for row in [row(&listener), row(&udp)] {
        let row = row.expect("a row");
        let expected = SocketCounters {
            at: now,
            queue: row.queue,
            flow: None,
        };
        assert_eq!(diag.counters(&row, now).expect("an answer"), Some(expected));
    }
}

#[test]
fn an_exact_lookup_finds_connected_sockets_and_sole_owners() {
    let (listener, client, _server) = connection("127.0.0.1");
    let udp = UdpSocket::bind("[::1]:0").expect("a socket");
    let connected = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let other = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let to = other.local_addr().expect("an address");
    connected.connect(to).expect("connects");
    let rows = [row(&listener), row(&client), row(&udp), row(&connected)];
    let mut diag = open();
    for row in rows.map(|row| row.expect("a row")) {
        let request = DiagRequest {
            kind: SOCK_DIAG_BY_FAMILY,
            family: row.table,
            extensions: 0,
            selector: Selector::Socket(&row),
        };
        let mut found = None;
        let outcome = diag.netlink.ask(&request, &mut |bytes, attributes| {
            found = inet_diag_msg::raw_socket(bytes, attributes, row.protocol);
        });
        assert_eq!((outcome, found), (Ok(()), Some(row)));
    }
}

#[test]
fn a_closed_socket_is_reported_with_its_cookie() {
    let mut destroy_listener = DestroySubscription::open().expect("anyone may listen");
    let (listener, client, server) = connection("127.0.0.1");
    let udp = UdpSocket::bind("[::1]:0").expect("a socket");
    let mut expected = vec![
        (Protocol::Tcp, Family::Ipv4, cookie(&client)),
        (Protocol::Tcp, Family::Ipv4, cookie(&server)),
        (Protocol::Tcp, Family::Ipv4, cookie(&listener)),
        (Protocol::Udp, Family::Ipv6, cookie(&udp)),
    ];
    let ends = (client.local_addr(), client.peer_addr());
    let ends = (ends.0.expect("an address"), ends.1.expect("an address"));
    let client_cookie = cookie(&client);
    drop((client, server, listener, udp));
    let mut reported = None;
    until_reported(
        "all that closed",
        &mut destroy_listener,
        |destroy_listener| {
            let overrun = destroy_listener.drain(&mut |row| {
                expected.retain(|known| *known != (row.protocol, row.table, row.cookie));
                if row.cookie == client_cookie {
                    reported = Some((row.local(), row.remote(), row.owner_hint, row.uid));
                }
            });
            assert!(!overrun.expect("a drain"));
            expected.is_empty().then_some(())
        },
    );
    assert_eq!(
        reported,
        Some((ends.0, Some(ends.1), None, RawSocket::NO_USER))
    );
}

#[test]
fn a_receive_overrun_is_reported_and_is_no_error() {
    let mut destroy_listener = DestroySubscription::open().expect("anyone may listen");
    let close = || {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        cookie(&socket)
    };
    // A shorter queue than there are events between two drains.
    destroy_listener.set_receive_buffer(0);
    until_reported("an overrun", &mut destroy_listener, |destroy_listener| {
        for _ in 0..100 {
            close();
        }
        let overrun = destroy_listener.drain(&mut |_| ()).expect("a drain");
        overrun.then_some(())
    });
    let mut closed = Vec::new();
    until_reported(
        "what closes later",
        &mut destroy_listener,
        |destroy_listener| {
            closed.push(close());
            let mut is_answered = false;
            let drained =
                destroy_listener.drain(&mut |row| is_answered |= closed.contains(&row.cookie));
            drained.expect("a drain");
            is_answered.then_some(())
        },
    );
}

/// A queue that is emptied just when it overflows receives nothing more.
#[test]
fn after_an_overrun_during_a_drain_closes_are_still_reported() {
    let close = || {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        cookie(&socket)
    };
    for _ in 0..50 {
        let mut destroy_listener = DestroySubscription::open().expect("anyone may listen");
        destroy_listener.set_receive_buffer(0);
        let mut has_overrun = false;
        std::thread::scope(|scope| {
            let closing = scope.spawn(|| {
                for _ in 0..100 {
                    close();
                }
            });
            while !closing.is_finished() {
                let overrun = destroy_listener.drain(&mut |_| ()).expect("a drain");
                has_overrun |= overrun;
            }
        });
        let mut closed = Vec::new();
        until_reported(
            "what closes later",
            &mut destroy_listener,
            |destroy_listener| {
                closed.push(close());
                let mut is_answered = false;
                let drained =
                    destroy_listener.drain(&mut |row| is_answered |= closed.contains(&row.cookie));
                drained.expect("a drain");
                is_answered.then_some(())
            },
        );
    }
}
