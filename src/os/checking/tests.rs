//! Against the real kernel. What holds a port is held by a child: the program's own sockets are nobody's answer.

use super::*;
use crate::model::checking::{Connect, Connected, Reason, Said};
use crate::model::endpoint::Protocol;
use crate::os::machine;
use crate::os::testing::{close_in_turn, connect, sleeper, until};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn means() -> Means {
    let machine = machine::facts();
    Means {
        source: None,
        ephemeral: machine.ephemeral,
        is_root: machine.is_root,
    }
}

fn ask(port: u16) -> Question {
    Question {
        protocol: Protocol::Tcp,
        port,
        address: None,
        connects: false,
    }
}

/// Another test may try the same number for a moment, which nothing explains a moment later.
fn check(question: Question) -> Answer {
    until("an answer that explains itself", || {
        let found = answer(means(), question);
        (!causes(&found).contains(&"unexplained")).then_some(found)
    })
}

fn causes(answer: &Answer) -> Vec<&'static str> {
    answer.reasons.iter().map(Reason::cause).collect()
}

fn listener(ip: IpAddr) -> (TcpListener, u16) {
    let listener = TcpListener::bind((ip, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// A socket that is bound, with SO_REUSEADDR or without, and does nothing else.
fn bound(at: SocketAddr, is_reusing: bool) -> (Socket, u16) {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(is_reusing).expect("an option");
    socket.bind(&at.into()).expect("binds");
    let local = socket.local_addr().expect("an address").as_socket();
    (socket, local.expect("of the Internet").port())
}

/// The first line of an answer and the words of the reasons.
fn said(answer: &Answer) -> String {
    let reasons = answer.reasons.iter().map(ToString::to_string);
    let lines: Vec<String> = std::iter::once(answer.headline.clone())
        .chain(reasons)
        .collect();
    lines.join("\n")
}

#[test]
fn a_port_that_nobody_has_is_free() {
    let (listener, port) = listener(V4);
    drop(listener);
    let answer = check(ask(port));
    assert!(answer.is_free, "{}", said(&answer));
    assert_eq!(answer.evidence.binds, 8, "{}", said(&answer));
}

#[test]
fn a_listener_is_told_with_its_process_and_the_family_it_leaves() {
    let (listener, port) = listener(V4);
    let holder = sleeper(listener);
    let answer = check(ask(port));
    assert_eq!(
        causes(&answer),
        ["holder", "only_ipv4"],
        "{}",
        said(&answer)
    );
    assert_eq!(answer.reasons[0].pids(), [holder.pid()]);
    assert!(!answer.is_free);
}

#[test]
fn a_socket_that_is_bound_and_never_listens_holds_its_port() {
    for is_reusing in [false, true] {
        let (socket, port) = bound(SocketAddr::new(V4, 0), is_reusing);
        let holder = sleeper(socket);
        let answer = check(ask(port));
        assert!(!answer.is_free, "{}", said(&answer));
        assert_eq!(
            answer.reasons[0].pids(),
            [holder.pid()],
            "{}",
            said(&answer)
        );
        assert!(
            said(&answer).contains("does not listen"),
            "{}",
            said(&answer)
        );
    }
}

#[test]
fn a_listener_on_all_addresses_takes_those_without_a_row() {
    let (wide, port) = listener(Ipv4Addr::UNSPECIFIED.into());
    let _holder = sleeper(wide);
    let answer = check(ask(port));
    assert_eq!(
        causes(&answer),
        ["holder", "wildcard", "only_ipv4"],
        "{}",
        said(&answer)
    );
    let (both, port) = listener(Ipv6Addr::UNSPECIFIED.into());
    let _holder = sleeper(both);
    let answer = check(ask(port));
    assert_eq!(causes(&answer), ["holder", "wildcard"], "{}", said(&answer));
    assert!(
        answer.headline.ends_with(&format!("on *:{port}")),
        "{}",
        said(&answer)
    );
}

#[test]
fn a_listener_on_ipv6_alone_leaves_ipv4() {
    let (listener, port) = listener(V6);
    let _holder = sleeper(listener);
    let answer = check(ask(port));
    assert_eq!(
        causes(&answer),
        ["holder", "only_ipv6"],
        "{}",
        said(&answer)
    );
    let v4 = check(Question {
        address: Some(V4),
        ..ask(port)
    });
    assert_eq!((v4.is_free, causes(&v4)), (true, vec!["elsewhere"]));
    assert_eq!(v4.evidence.binds, 2);
}

#[test]
fn two_processes_on_localhost_are_told() {
    let (listener, port) = listener(V4);
    // On a port that the system chose for one family the other may be taken.
    let Ok(other) = TcpListener::bind((V6, port)) else {
        return;
    };
    let (one, other) = (sleeper(listener), sleeper(other));
    let answer = check(ask(port));
    assert_eq!(
        causes(&answer),
        ["holder", "holder", "two_localhosts"],
        "{}",
        said(&answer)
    );
    assert_eq!(answer.reasons[2].pids(), [one.pid(), other.pid()]);
}

#[test]
fn a_clients_own_port_is_told_as_such() {
    let (listener, to) = listener(V4);
    let client = TcpStream::connect((V4, to)).expect("connects");
    let port = client.local_addr().expect("an address").port();
    let holder = sleeper(client);
    let _server = sleeper(listener);
    let answer = check(ask(port));
    assert_eq!(
        causes(&answer),
        ["client_port", "only_ipv4"],
        "{}",
        said(&answer)
    );
    let words = format!(
        "{port} is the local port of sleep {}'s connection to :{to}",
        holder.pid()
    );
    assert_eq!(answer.reasons[0].to_string(), words);
}

#[test]
fn what_a_server_leaves_in_time_wait_refuses_as_much_as_the_server_did() {
    for is_reusing in [true, false] {
        let (socket, port) = bound(SocketAddr::new(V4, 0), is_reusing);
        socket.listen(4).expect("listens");
        let listener = TcpListener::from(socket);
        let client = connect(V4, SocketAddr::new(V4, port));
        let (server, _) = listener.accept().expect("a client");
        close_in_turn(server, client);
        drop(listener);
        let answer = check(ask(port));
        assert_eq!(answer.is_free, is_reusing, "{}", said(&answer));
        assert_eq!(answer.reasons[0].cause(), "time_wait", "{}", said(&answer));
        let words = answer.reasons[0].to_string();
        let told = "1 connection is in TIME_WAIT for ";
        let left = words
            .strip_prefix(told)
            .and_then(|left| left.split_once(" s;"));
        let left: Option<u32> = left.and_then(|(left, _)| left.parse().ok());
        let is_told = left.is_some_and(|left| (50..=60).contains(&left));
        assert!(is_told, "{words}");
        let can = "can be bound with SO_REUSEADDR";
        assert_eq!(said(&answer).contains(can), is_reusing, "{}", said(&answer));
    }
}

#[test]
fn connections_without_a_listener_are_told_with_who_has_them() {
    let (listener, port) = listener(V4);
    let client = connect(V4, SocketAddr::new(V4, port));
    let (server, _) = listener.accept().expect("a client");
    drop(listener);
    let (holder, _other) = (sleeper(server), sleeper(client));
    let answer = check(ask(port));
    assert_eq!(
        answer.reasons[0].cause(),
        "leftover_connections",
        "{}",
        said(&answer)
    );
    assert_eq!(answer.reasons[0].pids(), [holder.pid()]);
}

#[test]
fn a_holder_that_is_stopped_is_told_with_the_way_to_wake_it() {
    let (listener, port) = listener(V4);
    let holder = sleeper(listener);
    let pid = i32::try_from(holder.pid().0).expect("a pid");
    let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).expect("it may be stopped");
    let words = format!("kill -CONT {}", holder.pid());
    until("the stop", || {
        let answer = check(ask(port));
        said(&answer).contains(&words).then_some(())
    });
}

#[test]
fn a_full_backlog_is_told_and_a_client_gets_no_answer() {
    let (socket, port) = bound(SocketAddr::new(V4, 0), false);
    socket.listen(1).expect("listens");
    let _clients = [0; 2].map(|_| connect(V4, SocketAddr::new(V4, port)));
    let _holder = sleeper(socket);
    let answer = check(Question {
        address: Some(V4),
        connects: true,
        ..ask(port)
    });
    assert_eq!(
        causes(&answer),
        ["holder", "backlog_full"],
        "{}",
        said(&answer)
    );
    let connects = answer.evidence.connects.expect("asked for");
    assert_eq!(connects[0].outcome, Connected::TimedOut);
}

#[test]
fn a_udp_socket_holds_its_port_whoever_shares_the_number() {
    let socket = UdpSocket::bind((V4, 0)).expect("a port");
    let port = socket.local_addr().expect("an address").port();
    let holder = sleeper(socket);
    let answer = check(Question {
        protocol: Protocol::Udp,
        ..ask(port)
    });
    assert!(!answer.is_free, "{}", said(&answer));
    assert_eq!(
        answer.reasons[0].pids(),
        [holder.pid()],
        "{}",
        said(&answer)
    );
    assert_eq!(answer.evidence.binds, 4);
}

#[test]
fn an_address_of_another_machine_is_told_without_a_bind() {
    let (_, unused) = listener(V4);
    // Of TEST-NET-1 (RFC 5737), which no machine has.
    let question = Question {
        address: Some(Ipv4Addr::new(192, 0, 2, 1).into()),
        ..ask(unused)
    };
    let answer = check(question);
    assert_eq!(
        (causes(&answer), answer.evidence.binds),
        (vec!["no_such_address"], 0)
    );
}

/// The program's own sockets are in no answer, which leaves what they refuse without a reason.
#[test]
fn what_nothing_explains_is_tried_once_more_before_that_is_said() {
    let (_listener, port) = listener(V4);
    let answer = answer(means(), ask(port));
    assert_eq!(
        causes(&answer),
        ["unexplained", "only_ipv4"],
        "{}",
        said(&answer)
    );
    assert_eq!(answer.evidence.binds, 16);
}

/// Serves one connection with these words, once it has read something.
fn serving(words: &'static [u8]) -> u16 {
    let (listener, port) = listener(V4);
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        let count = client.read(&mut [0; 512]).expect("a request");
        assert!(count > 0);
        client.write_all(words).expect("it listens");
    });
    port
}

#[test]
fn what_answers_is_told_and_what_does_not_is_refused() {
    let http = Said::Http {
        status: "HTTP/1.1 204 No Content".into(),
        server: Some("tiny".into()),
    };
    let cases: [(&[u8], Said); 3] = [
        (b"HTTP/1.1 204 No Content\r\nServer: tiny\r\n\r\n", http),
        (
            b"220 ready\x1b[2J\r\n",
            Said::Other("220 ready\x1b[2J".into()),
        ),
        (b"", Said::Closed),
    ];
    for (words, expected) in cases {
        let port = serving(words);
        let connects = connecting::connects(&ask(port));
        let [
            Connect {
                outcome: Connected::Accepted { said, .. },
                ..
            },
            other,
        ] = connects.as_slice()
        else {
            panic!("{connects:?}");
        };
        assert_eq!(*said, expected);
        assert!(
            !matches!(other.outcome, Connected::Accepted { .. }),
            "{other:?}"
        );
    }
}
