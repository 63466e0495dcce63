//! Sockets that open and close between two polls.
//!
//! The kernel reports them some milliseconds later. On a busy machine it may drop some and says so, or a fork may hold them
//! open for a while; then the test repeats what it did.

use super::*;
use crate::model::port::BindResult;
use crate::os::bind_probe;
use crate::os::testing::{close_in_turn, own_ip};
use std::io::{ErrorKind, Read, Write};

/// Collects the changes of all polls.
struct PollerFixture {
    poller: SocketPoller,
    short_lived: Vec<Endpoint>,
    list: Vec<Change>,
}

impl PollerFixture {
    fn new() -> Self {
        Self::of(poller())
    }

    fn of(mut poller: SocketPoller) -> Self {
        poller
            .enable_destroy_events()
            .expect("they need no privilege");
        poller.poll();
        Self {
            poller,
            short_lived: Vec::new(),
            list: Vec::new(),
        }
    }

    /// Polls once; false if the kernel dropped events.
    fn poll(&mut self) -> bool {
        let changes = self.poller.poll();
        for change in changes.list {
            match change {
                Change::ShortLived(endpoint) => self.short_lived.push(endpoint),
                other => self.list.push(other),
            }
        }
        !changes.missed
    }

    /// Polls until sockets with these ends were short-lived; false if the kernel dropped events, or if one of them was still
    /// open in a poll: what another test forks has every socket of this process open until it executes its program.
    fn sees_closed(&mut self, ends: &[(SocketAddr, Option<SocketAddr>)]) -> bool {
        let mut is_complete = true;
        until("short-lived sockets, an overrun or a fork", || {
            is_complete &= self.poll() && !ends.iter().any(|end| self.has_row(*end));
            let are_found = ends.iter().all(|end| self.find(*end).is_some());
            (!is_complete || are_found).then_some(())
        });
        is_complete
    }

    fn find(&self, (local, remote): (SocketAddr, Option<SocketAddr>)) -> Option<&Socket> {
        let mut sockets = self.short_lived.iter().map(|endpoint| &endpoint.socket);
        sockets.find(|socket| (socket.local, socket.remote) == (local, remote))
    }

    /// True if a poll has shown a new socket with these ends.
    fn has_row(&self, (local, remote): (SocketAddr, Option<SocketAddr>)) -> bool {
        self.list.iter().any(|change| match change {
            Change::Opened(Endpoint { socket, .. }) => {
                (socket.local, socket.remote) == (local, remote)
            }
            _ => false,
        })
    }

    /// Repeats an action until the kernel dropped no event.
    fn without_overrun<T>(&mut self, mut act: impl FnMut(&mut Self) -> Option<T>) -> T {
        until("no overrun", || {
            self.poll();
            self.short_lived.clear();
            self.list.clear();
            act(self)
        })
    }
}

/// Ends of a short-lived socket: once it is reported, so is every earlier one.
fn open_and_close() -> (SocketAddr, Option<SocketAddr>) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    (local_addr(&socket), None)
}

/// Both ends of a connection: the client's and the server's.
fn connect(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(local_addr(listener)).expect("connects");
    let (server, _) = listener.accept().expect("a connection");
    (client, server)
}

fn ends(socket: &TcpStream) -> (SocketAddr, Option<SocketAddr>) {
    let local = local_addr(socket);
    (local, Some(socket.peer_addr().expect("an address")))
}

/// Closes both without TIME_WAIT: closing with unread data resets the other end (RFC 9293, section 3.6.1). SO_LINGER 0 would
/// too, but then the kernel forgets the other end before it reports it.
fn reset((mut client, server): (TcpStream, TcpStream)) {
    client.write_all(b"unread").expect("writes");
    server.peek(&mut [0]).expect("it has come");
    drop(server);
    let reset = client.read(&mut [0]).expect_err("a reset");
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_short_lived_server_socket_has_the_listener_owners() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let child = sleeper(listener.try_clone().expect("a copy"));
    let mut fixture = PollerFixture::new();
    fixture.poller.wait_for_owners(local, &[own(), child.pid()]);
    let reported = fixture.without_overrun(|fixture| {
        let (client, server) = connect(&listener);
        let both = [ends(&client), ends(&server)];
        reset((client, server));
        let is_complete = fixture.sees_closed(&both);
        is_complete.then(|| both.map(|end| fixture.find(end).cloned().expect("it was reported")))
    });
    let facts = reported.each_ref().map(|socket| {
        let facts = (socket.protocol, socket.table, socket.state, socket.queue());
        assert_eq!(facts, (Protocol::Tcp, Family::Ipv4, None, None));
        let mut owners = owners(socket);
        owners.sort();
        (owners, socket.uid)
    });
    let mut expected = vec![own(), child.pid()];
    expected.sort();
    // The user of a closed socket is known from its owner only.
    let user = rustix::process::geteuid().as_raw();
    assert_eq!(facts, [(Vec::new(), None), (expected, Some(user))]);
}

#[test]
fn a_connection_in_time_wait_is_not_short_lived() {
    let (listener, _) = listen("127.0.0.1").expect("IPv4");
    let mut fixture = PollerFixture::new();
    fixture.without_overrun(|fixture| {
        let (client, server) = connect(&listener);
        let (waiting, closed) = (ends(&client), ends(&server));
        close_in_turn(client, server);
        let is_complete =
            fixture.sees_closed(&[closed]) && fixture.sees_closed(&[open_and_close()]);
        is_complete.then(|| {
            let opened = fixture.list.iter().filter_map(|change| match change {
                Change::Opened(endpoint) => Some(&endpoint.socket),
                _ => None,
            });
            let states: Vec<_> = opened
                .filter(|socket| (socket.local, socket.remote) == waiting)
                .map(|socket| socket.state)
                .collect();
            assert_eq!(states, [Some(State::TimeWait)]);
            assert_eq!(fixture.find(waiting), None);
        })
    });
}

#[test]
fn a_socket_seen_by_a_poll_is_not_short_lived() {
    let mut fixture = PollerFixture::new();
    fixture.without_overrun(|fixture| {
        let (listener, local) = listen("127.0.0.1").expect("IPv4");
        let (client, server) = connect(&listener);
        let all = [(local, None), ends(&client), ends(&server)];
        fixture.poll();
        reset((client, server));
        drop(listener);
        let is_complete =
            fixture.sees_closed(&[open_and_close()]) && fixture.sees_closed(&[open_and_close()]);
        is_complete.then(|| {
            // Another test's UDP socket may have had the same port.
            let short_lived = fixture.short_lived.iter().map(|one| &one.socket);
            let tcp = short_lived.filter(|socket| socket.protocol == Protocol::Tcp);
            let seen = tcp.filter(|socket| all.contains(&(socket.local, socket.remote)));
            assert_eq!(seen.collect::<Vec<_>>(), Vec::<&Socket>::new());
        })
    });
}

#[test]
fn listeners_and_udp_sockets_can_be_short_lived() {
    for ip in ["127.0.0.1", "::1"] {
        let Some(_) = listen(ip) else {
            continue;
        };
        let mut fixture = PollerFixture::new();
        let reported = fixture.without_overrun(|fixture| {
            let (listener, local) = listen(ip).expect("as before");
            // Only what it accepted tells it from a socket that was bound.
            reset(connect(&listener));
            let udp = UdpSocket::bind((ip, 0)).expect("a port");
            let both = [(local, None), (local_addr(&udp), None)];
            drop((listener, udp));
            let is_complete = fixture.sees_closed(&both);
            is_complete
                .then(|| both.map(|end| fixture.find(end).cloned().expect("it was reported")))
        });
        let facts = reported.map(|socket| (socket.protocol, socket.state, socket.owners));
        let expected = [
            (Protocol::Tcp, None, Owners::NoProcess),
            (Protocol::Udp, Some(State::Unconn), Owners::NoProcess),
        ];
        assert_eq!(facts, expected);
    }
}

#[test]
fn sockets_that_only_tried_a_bind_are_not_short_lived() {
    let mut fixture = PollerFixture::new();
    fixture.without_overrun(|fixture| {
        let bound = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let bound = bound.expect("a socket");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        bound.bind(&any.into()).expect("a port");
        let tcp = bound.local_addr().expect("an address").as_socket();
        let tcp = tcp.expect("an Internet address");
        let probe = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let udp = local_addr(&probe);
        // As another portmon marks its own.
        probe.connect(udp).expect("itself");
        drop((bound, probe));
        let is_complete =
            fixture.sees_closed(&[open_and_close()]) && fixture.sees_closed(&[open_and_close()]);
        is_complete.then(|| {
            let ends = [(tcp, None), (udp, None), (udp, Some(udp))];
            assert_eq!(
                ends.map(|end| fixture.find(end).cloned()),
                [None, None, None]
            );
        })
    });
}

/// A client that takes the same port again, as connect(2) does once its range is used up.
#[test]
fn each_of_several_connections_with_the_same_ends_is_reported() {
    let (listener, to) = listen("127.0.0.1").expect("IPv4");
    let mut fixture = PollerFixture::new();
    fixture.without_overrun(|fixture| {
        // With SO_REUSEADDR, as the clients.
        let from = listen("127.0.0.1").expect("as before").1;
        for _ in 0..3 {
            let client = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
            let client = client.expect("a socket");
            client.set_reuse_address(true).expect("an option");
            // Another socket may take the port, and what another test forks may hold a client open.
            client.bind(&from.into()).ok()?;
            client.connect(&to.into()).ok()?;
            let (server, _) = listener.accept().expect("a connection");
            // The server's end waits, so that the client's port can be taken again.
            close_in_turn(server, client.into());
        }
        let waits = (to, Some(from));
        let is_complete =
            fixture.sees_closed(&[open_and_close()]) && fixture.sees_closed(&[open_and_close()]);
        let counts = |fixture: &PollerFixture| {
            let at_both = |socket: &Socket| (socket.local, socket.remote) == waits;
            let short_lived = fixture.short_lived.iter();
            let brief = short_lived.filter(|one| at_both(&one.socket)).count();
            let rows = fixture.list.iter().filter_map(|change| match change {
                Change::Opened(endpoint) => Some(&endpoint.socket),
                _ => None,
            });
            (brief, rows.filter(|socket| at_both(socket)).count())
        };
        // The events of two processors come in no order: one of these may follow those that were awaited.
        let has_all = is_complete
            && until("both brief connections and the row of the last", || {
                let is_whole = fixture.poll();
                (!is_whole || counts(fixture) == (2, 1)).then_some(is_whole)
            });
        has_all.then_some(())
    });
}

#[test]
fn bind_probes_are_not_short_lived_sockets() {
    let mut fixture = PollerFixture::new();
    fixture.without_overrun(|fixture| {
        let port = open_and_close().0.port();
        let at = SocketAddr::from((own_ip(97), port));
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let probe = bind_probe::probe(protocol, at);
            assert_eq!(probe.result(), BindResult::Usable);
        }
        let is_complete =
            fixture.sees_closed(&[open_and_close()]) && fixture.sees_closed(&[open_and_close()]);
        is_complete.then(|| assert_eq!(fixture.find((at, None)), None))
    });
}

#[test]
fn an_overrun_is_reported_once_and_is_no_error() {
    let mut fixture = PollerFixture::new();
    // Repeated if other tests close thousands of sockets at the same time.
    until("an overrun that is reported once", || {
        // A new one each time: other tests may fill the queue at any time.
        fixture = PollerFixture::new();
        let destroy_events = fixture.poller.destroy_events.as_ref().expect("enabled");
        destroy_events.set_receive_buffer(0);
        for _ in 0..100 {
            open_and_close();
        }
        let polls = [(); 2].map(|()| fixture.poller.poll());
        assert!(polls.iter().all(|changes| changes.problems.is_empty()));
        (polls.map(|changes| changes.missed) == [true, false]).then_some(())
    });
    fixture.without_overrun(|fixture| fixture.sees_closed(&[open_and_close()]).then_some(()));
}

#[test]
fn without_cookies_short_lived_sockets_are_unsupported() {
    for source in [SocketSource::Netstat, SocketSource::Procnet] {
        let mut poller = from(source);
        let refused = poller.enable_destroy_events().expect_err("no cookies");
        assert_eq!(
            refused.to_string(),
            "this source does not report closed sockets"
        );
        assert!(poller.destroy_events.is_none());
    }
}
