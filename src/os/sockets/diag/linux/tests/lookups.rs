//! Single sockets: lookups, counters and destroy events.

use super::*;
use std::io::{Read, Write};

fn open_events() -> DestroyEvents {
    DestroyEvents::open().expect("anyone may listen")
}

/// Opens a UDP socket and closes it; returns its cookie.
fn open_and_close() -> [u32; 2] {
    cookie(udp("127.0.0.1:0"))
}

/// Closes sockets until one is reported, which happens some milliseconds later, between the sockets of other tests.
fn until_a_close_is_reported(events: &mut DestroyEvents) {
    let mut closed = Vec::new();
    until("what closes later", || {
        closed.push(open_and_close());
        let (destroyed, _) = events.take();
        let mut cookies = destroyed.iter().map(|row| row.cookie);
        cookies.any(|cookie| closed.contains(&cookie)).then_some(())
    });
}

/// A lookup finds the row of a dump, and nothing once the socket is closed.
fn is_found_until_closed<S: AsFd>(socket: S) {
    let row = row(&socket).expect("a row");
    let mut diag = open();
    assert_eq!(diag.find(&row), Ok(Some(row)));
    drop(socket);
    until("it is gone", || (diag.find(&row) == Ok(None)).then_some(()));
    assert_eq!(diag.counters(&row, Instant::now()), Ok(None));
}

#[test]
fn a_listener_is_found() {
    for ip in ["127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"] {
        is_found_until_closed(TcpListener::bind((ip, 0)).expect("a listener"));
    }
}

#[test]
fn each_socket_that_shares_a_port_is_found() {
    for kind in [Type::STREAM, Type::DGRAM] {
        let first = bind_shared(kind, address("127.0.0.1:0"));
        let others: Vec<_> = (0..7)
            .map(|_| bind_shared(kind, local_addr(&first)))
            .collect();
        others.into_iter().for_each(is_found_until_closed);
        is_found_until_closed(first);
    }
}

#[test]
fn a_udp_socket_is_found() {
    for at in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"] {
        is_found_until_closed(udp(at));
    }
    let (_server, client) = connected_udp("127.0.0.1:0");
    is_found_until_closed(client);
}

#[test]
fn a_bound_socket_is_found() {
    let socket = bind(Type::STREAM, address("127.0.0.1:0"));
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
        assert_eq!(diag.find(&before), Ok(Some(before)));
        drop((client, server));
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
    let cookie = [1, 2];
    assert_eq!(open().find(&RawSocket { cookie, ..row }), Ok(None));
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
            let traffic = diag.counters(&row, now).expect("an answer")?;
            let flow = traffic.flow.expect("counts");
            (flow.sent == 3000 && flow.received == 70).then_some(traffic)
        });
        assert_eq!((traffic.at, traffic.queue.incoming), (now, 70));
    }
}

#[test]
fn only_a_connection_has_a_flow() {
    let (listener, _client, _server) = connection("127.0.0.1");
    let udp = udp("127.0.0.1:0");
    let at = Instant::now();
    for row in [row(&listener), row(&udp)] {
        let row = row.expect("a row");
        let (queue, flow) = (row.queue, None);
        let expected = SocketCounters { at, queue, flow };
        assert_eq!(open().counters(&row, at), Ok(Some(expected)));
    }
}

#[test]
fn an_exact_lookup_finds_connected_sockets_and_sole_owners() {
    let (listener, client, _server) = connection("127.0.0.1");
    let udp = udp("[::1]:0");
    let (_other, connected) = connected_udp("127.0.0.1:0");
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
fn missed_listeners_that_still_exist_are_found_however_many() {
    let listeners: Vec<_> = (0..=MAX_SINGLE_LOOKUPS)
        .map(|_| TcpListener::bind("127.0.0.1:0").expect("a listener"))
        .collect();
    let rows: Vec<RawSocket> = listeners.iter().filter_map(row).collect();
    let mut diag = open();
    // A dump finds the listeners of other tests too.
    let mut count = |rows: &[RawSocket]| {
        let found = diag.still_open(rows);
        rows.iter()
            .filter(|row| found.contains(&row.cookie()))
            .count()
    };
    for rows in [&rows[..1], &rows] {
        assert_eq!(count(rows), rows.len());
    }
    drop(listeners);
    for rows in [&rows[..1], &rows] {
        until("they are gone", || (count(rows) == 0).then_some(()));
    }
}

#[test]
fn a_closed_socket_is_reported_with_its_cookie() {
    let mut events = open_events();
    let (listener, client, server) = connection("127.0.0.1");
    let udp = udp("[::1]:0");
    let mut expected = vec![
        (Protocol::Tcp, Family::Ipv4, cookie(&client)),
        (Protocol::Tcp, Family::Ipv4, cookie(&server)),
        (Protocol::Tcp, Family::Ipv4, cookie(&listener)),
        (Protocol::Udp, Family::Ipv6, cookie(&udp)),
    ];
    let (from, to) = (local_addr(&client), local_addr(&listener));
    let client_cookie = cookie(&client);
    drop((client, server, listener, udp));
    let mut reported = None;
    until("all that closed", || {
        let (destroyed, has_overrun) = events.take();
        assert!(!has_overrun);
        for row in destroyed {
            expected.retain(|known| *known != (row.protocol, row.table, row.cookie));
            if row.cookie == client_cookie {
                reported = Some((row.local(), row.remote(), row.owner_hint, row.uid));
            }
        }
        expected.is_empty().then_some(())
    });
    assert_eq!(reported, Some((from, Some(to), None, RawSocket::NO_USER)));
}

#[test]
fn a_receive_overrun_is_reported_and_is_no_error() {
    let mut events = open_events();
    // A shorter queue than there are events between two drains.
    events.set_receive_buffer(0);
    until("an overrun", || {
        for _ in 0..100 {
            open_and_close();
        }
        let (_, has_overrun) = events.take();
        has_overrun.then_some(())
    });
    until_a_close_is_reported(&mut events);
}

/// A queue that is emptied just when it overflows receives nothing more.
#[test]
fn after_an_overrun_during_a_drain_closes_are_still_reported() {
    for _ in 0..50 {
        let mut events = open_events();
        events.set_receive_buffer(0);
        std::thread::scope(|scope| {
            let closing = scope.spawn(|| {
                for _ in 0..100 {
                    open_and_close();
                }
            });
            while !closing.is_finished() {
                events.take();
            }
        });
        until_a_close_is_reported(&mut events);
    }
}
