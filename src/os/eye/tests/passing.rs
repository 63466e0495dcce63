//! Sockets that come and go between two looks.
//!
//! The kernel tells of them some milliseconds later, and on a busy machine perhaps not of all; then it says so, and what
//! a test did is done again.

use super::*;
use crate::os::binding::{Reuse, bind};
use crate::os::testing::{close_in_turn, own_ip};
use std::io::{ErrorKind, Read, Write};

/// What the looks told to have passed at this place, as long as nothing was missed.
struct Follower {
    eye: Eye,
    passed: Vec<Endpoint>,
    list: Vec<Change>,
}

impl Follower {
    fn new() -> Self {
        Self::of(eye())
    }

    fn of(mut eye: Eye) -> Self {
        eye.follow_closings().expect("anyone may listen");
        eye.look();
        Self {
            eye,
            passed: Vec::new(),
            list: Vec::new(),
        }
    }

    /// Looks once; false if the kernel dropped something.
    fn look(&mut self) -> bool {
        let changes = self.eye.look();
        for change in changes.list {
            match change {
                Change::Passed(endpoint) => self.passed.push(endpoint),
                other => self.list.push(other),
            }
        }
        !changes.missed
    }

    /// Looks until all have passed that stand at these ends; false if that cannot be known any more.
    fn hears_of(&mut self, ends: &[(SocketAddr, Option<SocketAddr>)]) -> bool {
        let mut is_whole = true;
        until("an end is told, or that one may be missing", || {
            is_whole &= self.look();
            let is_told = |end: &(SocketAddr, Option<SocketAddr>)| self.at(*end).is_some();
            (!is_whole || ends.iter().all(is_told)).then_some(())
        });
        is_whole
    }

    fn at(&self, (local, remote): (SocketAddr, Option<SocketAddr>)) -> Option<&Socket> {
        let mut sockets = self.passed.iter().map(|endpoint| &endpoint.socket);
        sockets.find(|socket| (socket.local, socket.remote) == (local, remote))
    }

    /// Does it until the kernel told of everything that closed meanwhile.
    fn until_whole<T>(&mut self, mut ask: impl FnMut(&mut Self) -> Option<T>) -> T {
        until("nothing was missed", || {
            self.look();
            self.passed.clear();
            self.list.clear();
            ask(self)
        })
    }
}

/// A socket that comes and goes: once it is told, so is what went before it.
fn come_and_go() -> (SocketAddr, Option<SocketAddr>) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    (socket.local_addr().expect("an address"), None)
}

/// Both ends of a connection: the client's and the server's.
fn connect(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("connects");
    let (server, _) = listener.accept().expect("a connection");
    (client, server)
}

fn ends(socket: &TcpStream) -> (SocketAddr, Option<SocketAddr>) {
    let local = socket.local_addr().expect("an address");
    (local, Some(socket.peer_addr().expect("an address")))
}

/// Ends both without TIME_WAIT: what closes before it has read all resets the other (RFC 9293, section 3.6.1). A close
/// with SO_LINGER of 0 would too, but the kernel forgets the other end before it tells.
fn reset((mut client, server): (TcpStream, TcpStream)) {
    client.write_all(b"unread").expect("writes");
    server.peek(&mut [0]).expect("it has come");
    drop(server);
    let reset = client.read(&mut [0]).expect_err("a reset");
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn both_ends_of_a_connection_pass_and_the_servers_has_the_holders_of_the_listener() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let child = sleeper(listener.try_clone().expect("a copy"));
    let mut follower = Follower::new();
    follower.eye.held(local, &[own(), child.pid()]);
    let told = follower.until_whole(|follower| {
        let (client, server) = connect(&listener);
        let both = [ends(&client), ends(&server)];
        reset((client, server));
        let is_whole = follower.hears_of(&both);
        is_whole.then(|| both.map(|end| follower.at(end).cloned().expect("it was heard of")))
    });
    let facts = told.each_ref().map(|socket| {
        let facts = (socket.protocol, socket.table, socket.state, socket.queue());
        assert_eq!(facts, (Protocol::Tcp, Family::Ipv4, None, None));
        let mut holders = holders(socket);
        holders.sort();
        (holders, socket.uid)
    });
    let mut expected = vec![own(), child.pid()];
    expected.sort();
    // The user of a socket that has closed is known by its holder only.
    let user = rustix::process::geteuid().as_raw();
    assert_eq!(facts, [(Vec::new(), None), (expected, Some(user))]);
}

#[test]
fn a_connection_that_stays_in_time_wait_has_not_passed() {
    let (listener, _) = listen("127.0.0.1").expect("IPv4");
    let mut follower = Follower::new();
    follower.until_whole(|follower| {
        let (client, server) = connect(&listener);
        let (waits, gone) = (ends(&client), ends(&server));
        close_in_turn(client, server);
        let is_whole = follower.hears_of(&[gone]) && follower.hears_of(&[come_and_go()]);
        is_whole.then(|| {
            let opened = follower.list.iter().filter_map(|change| match change {
                Change::Opened(endpoint) => Some(&endpoint.socket),
                _ => None,
            });
            let states: Vec<_> = opened
                .filter(|socket| (socket.local, socket.remote) == waits)
                .map(|socket| socket.state)
                .collect();
            assert_eq!(states, [Some(State::TimeWait)]);
            assert_eq!(follower.at(waits), None);
        })
    });
}

#[test]
fn what_a_look_had_closes_and_does_not_pass() {
    let mut follower = Follower::new();
    follower.until_whole(|follower| {
        let (listener, local) = listen("127.0.0.1").expect("IPv4");
        let (client, server) = connect(&listener);
        let all = [(local, None), ends(&client), ends(&server)];
        follower.look();
        reset((client, server));
        drop(listener);
        let is_whole = follower.hears_of(&[come_and_go()]) && follower.hears_of(&[come_and_go()]);
        is_whole.then(|| {
            let passed = all.map(|end| follower.at(end).cloned());
            assert_eq!(passed, [None, None, None]);
        })
    });
}

#[test]
fn listeners_and_udp_sockets_pass() {
    for ip in ["127.0.0.1", "::1"] {
        let Some(_) = listen(ip) else {
            continue;
        };
        let mut follower = Follower::new();
        let told = follower.until_whole(|follower| {
            let (listener, local) = listen(ip).expect("as before");
            let udp = UdpSocket::bind((ip, 0)).expect("a port");
            let both = [(local, None), (udp.local_addr().expect("an address"), None)];
            drop((listener, udp));
            let is_whole = follower.hears_of(&both);
            is_whole.then(|| both.map(|end| follower.at(end).cloned().expect("it was heard of")))
        });
        let facts = told.map(|socket| (socket.protocol, socket.state, socket.owners));
        let expected = [
            (Protocol::Tcp, None, Owners::None),
            (Protocol::Udp, Some(State::Unconn), Owners::None),
        ];
        assert_eq!(facts, expected);
    }
}

#[test]
fn binds_that_portmon_tries_do_not_pass() {
    let mut follower = Follower::new();
    follower.until_whole(|follower| {
        let port = come_and_go().0.port();
        let at = SocketAddr::from((own_ip(97), port));
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            bind(protocol, at, Reuse::Nothing).expect("a free port");
        }
        let is_whole = follower.hears_of(&[come_and_go()]) && follower.hears_of(&[come_and_go()]);
        is_whole.then(|| assert_eq!(follower.at((at, None)), None))
    });
}

#[test]
fn what_the_kernel_dropped_is_said_once_and_is_no_error() {
    let mut follower = Follower::new();
    // Again if others close thousands of sockets just now.
    until("an overrun that is said once", || {
        // Anew, because what other tests close fills it at any time.
        follower = Follower::new();
        let closings = follower.eye.closings.as_ref().expect("it follows");
        closings.make_room(0);
        for _ in 0..100 {
            come_and_go();
        }
        let looks = [(); 2].map(|()| follower.eye.look());
        assert!(looks.iter().all(|changes| changes.problems.is_empty()));
        (looks.map(|changes| changes.missed) == [true, false]).then_some(())
    });
    follower.until_whole(|follower| follower.hears_of(&[come_and_go()]).then_some(()));
}

#[test]
fn a_source_without_cookies_cannot_tell_what_passed() {
    for source in [Source::Netstat, Source::Procnet] {
        let mut eye = from(source);
        let refused = eye.follow_closings().expect_err("no cookies");
        assert_eq!(
            refused.to_string(),
            "this source does not tell of sockets that close"
        );
        assert!(eye.closings.is_none());
    }
}
