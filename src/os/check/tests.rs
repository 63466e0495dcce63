//! Checks against the real kernel. Child processes hold the ports, since portmon's own sockets are in no report.
#![cfg(target_os = "linux")]

use super::*;
use crate::check::{Banner, ConnectOutcome, Reason};
use crate::model::port::{AddressSpec, PortSpec};
use crate::model::socket::Protocol;
use crate::os::environment;
use crate::os::testing::requirements::skipped;
use crate::os::testing::seccomp::{FailingCall, refusing};
use crate::os::testing::{close_in_turn, connect, sleeper, tcp_sockets_on, until};
use crate::wording::check as wording;
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn context() -> CheckContext {
    CheckContext::new(&environment::read(), None)
}

fn request(port: u16) -> CheckRequest {
    CheckRequest {
        spec: PortSpec::tcp(port),
        connects: false,
    }
}

/// Repeats a check while another test binds the same port for a moment, which leaves a bind unexplained.
fn check(request: CheckRequest) -> CheckReport {
    until("a report that explains every bind", || {
        let found = check_port(context(), request);
        (!causes(&found).contains(&"unexplained")).then_some(found)
    })
}

fn causes(report: &CheckReport) -> Vec<&'static str> {
    report.reasons.iter().map(Reason::cause).collect()
}

#[track_caller]
fn assert_causes(report: &CheckReport, expected: &[&str]) {
    assert_eq!(causes(report), expected, "{}", message(report));
}

/// A listener on a port that no other socket has, whatever other addresses of the machine are used for.
fn listener(ip: IpAddr) -> (TcpListener, u16) {
    until("a port of its own", || {
        let listener = TcpListener::bind((ip, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        (tcp_sockets_on(port) == 1).then_some((listener, port))
    })
}

/// A socket that is bound, with SO_REUSEADDR or without, and does nothing else, on a port that no listener and no connection
/// has: not even one in TIME_WAIT, beside which the kernel chooses a port for SO_REUSEADDR.
fn bound(at: SocketAddr, is_reusing: bool) -> (Socket, u16) {
    until("a port of its own", || {
        let socket = Socket::new(Domain::for_address(at), Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(is_reusing).expect("an option");
        socket.bind(&at.into()).expect("binds");
        let local = socket.local_addr().expect("an address").as_socket();
        let port = local.expect("of the Internet").port();
        (tcp_sockets_on(port) == 0).then_some((socket, port))
    })
}

/// The headline and a line for each reason.
fn message(report: &CheckReport) -> String {
    let headline = [wording::headline(report)].into_iter();
    let lines = headline.chain(wording::reason_lines(report));
    lines.collect::<Vec<_>>().join("\n")
}

/// Another program may take a port that was just let go of, so the test tries several.
#[test]
fn an_unused_port_is_free() {
    let report = until("a port that nothing else takes", || {
        let (_, port) = listener(V4);
        let report = check(request(port));
        report.is_free().then_some(report)
    });
    assert_eq!(report.findings.binds, 8, "{}", message(&report));
}

#[test]
fn a_listener_is_reported_with_its_process_and_free_family() {
    let (listener, port) = listener(V4);
    let holder = sleeper(listener);
    let report = check(request(port));
    assert_causes(&report, &["holder", "only_ipv4"]);
    assert_eq!(report.reasons[0].pids(), [holder.pid()]);
    assert!(!report.is_free());
}

#[test]
fn a_bound_socket_that_never_listens_blocks_its_port() {
    for is_reusing in [false, true] {
        let (socket, port) = bound(SocketAddr::new(V4, 0), is_reusing);
        let holder = sleeper(socket);
        let message = message(&check(request(port)));
        let begin = format!("HELD :{port} by sleep {}", holder.pid());
        let reason = format!("is bound to 127.0.0.1:{port} but does not listen");
        assert!(message.starts_with(&begin), "{message}");
        assert!(message.contains(&reason), "{message}");
    }
}

#[test]
fn a_wildcard_listener_blocks_specific_addresses() {
    let (wide, port) = listener(Ipv4Addr::UNSPECIFIED.into());
    let _holder = sleeper(wide);
    let report = check(request(port));
    assert_causes(&report, &["holder", "wildcard", "only_ipv4"]);
    let (both, port) = listener(Ipv6Addr::UNSPECIFIED.into());
    let _holder = sleeper(both);
    let report = check(request(port));
    assert_causes(&report, &["holder", "wildcard"]);
    assert!(
        wording::headline(&report).ends_with(&format!("on *:{port}")),
        "{}",
        message(&report)
    );
}

#[test]
fn a_listener_on_ipv6_alone_leaves_ipv4() {
    let (listener, port) = listener(V6);
    let _holder = sleeper(listener);
    let report = check(request(port));
    assert_causes(&report, &["holder", "only_ipv6"]);
    let mut request = self::request(port);
    request.spec.address = AddressSpec::Ip(V4);
    let v4 = check(request);
    assert_eq!((v4.is_free(), causes(&v4)), (true, vec!["elsewhere"]));
    assert_eq!(v4.findings.binds, 2);
}

#[test]
fn two_processes_on_localhost_are_reported() {
    if TcpListener::bind((V6, 0)).is_err() {
        skipped("no ::1");
        return;
    }
    let (listener, port) = listener(V4);
    let other = TcpListener::bind((V6, port)).expect("no other socket has the port");
    let (one, other) = (sleeper(listener), sleeper(other));
    let report = check(request(port));
    assert_causes(&report, &["holder", "holder", "two_localhosts"]);
    assert_eq!(report.reasons[2].pids(), [one.pid(), other.pid()]);
}

#[test]
fn a_port_used_by_a_client_is_reported_as_such() {
    let (listener, to) = listener(V4);
    let (client, port) = until("a client port of its own", || {
        let client = TcpStream::connect((V4, to)).expect("connects");
        let port = client.local_addr().expect("an address").port();
        (tcp_sockets_on(port) == 1).then_some((client, port))
    });
    let holder = sleeper(client);
    let _server = sleeper(listener);
    let report = check(request(port));
    assert_causes(&report, &["client_port", "only_ipv4"]);
    let words = format!(
        "{port} is the local port of sleep {}'s connection to :{to}",
        holder.pid()
    );
    assert_eq!(wording::reason_lines(&report)[0], words);
}

/// Another program may take the port on another address once the listener is gone, so the test tries several.
#[test]
fn time_wait_of_a_server_blocks_the_same_addresses() {
    for is_reusing in [true, false] {
        let report = until("a report about TIME_WAIT alone", || {
            let (socket, port) = bound(SocketAddr::new(V4, 0), is_reusing);
            socket.listen(4).expect("listens");
            let listener = TcpListener::from(socket);
            let client = connect(V4, SocketAddr::new(V4, port));
            let (server, _) = listener.accept().expect("a client");
            close_in_turn(server, client);
            drop(listener);
            let report = check(request(port));
            (causes(&report).first() == Some(&"time_wait")).then_some(report)
        });
        assert_eq!(report.is_free(), is_reusing, "{}", message(&report));
        let words = wording::reason_lines(&report).swap_remove(0);
        let left = words.strip_prefix("1 connection is in TIME_WAIT (ends in ");
        let left = left.and_then(|left| left.split_once(" s);"));
        let left: Option<u32> = left.and_then(|(left, _)| left.parse().ok());
        let is_plausible = left.is_some_and(|left| (50..=60).contains(&left));
        assert!(is_plausible, "{words}");
        let can = "can be bound with SO_REUSEADDR";
        assert_eq!(words.contains(can), is_reusing, "{words}");
    }
}

/// As above.
#[test]
fn connections_without_a_listener_are_reported_with_owners() {
    let (report, holder) = until("a report about the connection alone", || {
        let (listener, port) = listener(V4);
        let client = connect(V4, SocketAddr::new(V4, port));
        let (server, _) = listener.accept().expect("a client");
        drop(listener);
        let (holder, _other) = (sleeper(server), sleeper(client));
        let report = check(request(port));
        (causes(&report).first() == Some(&"leftover_connections")).then_some((report, holder))
    });
    assert_eq!(report.reasons[0].pids(), [holder.pid()]);
}

#[test]
fn a_suspended_owner_is_reported_with_how_to_resume_it() {
    let (listener, port) = listener(V4);
    let holder = sleeper(listener);
    let pid = i32::try_from(holder.pid().0).expect("a pid");
    let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).expect("it may be stopped");
    let words = format!("kill -CONT {}", holder.pid());
    until("the stop", || {
        let report = check(request(port));
        message(&report).contains(&words).then_some(())
    });
}

#[test]
fn a_full_backlog_is_reported_and_a_connect_times_out() {
    let (socket, port) = bound(SocketAddr::new(V4, 0), false);
    socket.listen(1).expect("listens");
    let _clients = [0; 2].map(|_| connect(V4, SocketAddr::new(V4, port)));
    let _holder = sleeper(socket);
    let mut request = self::request(port);
    request.spec.address = AddressSpec::Ip(V4);
    request.connects = true;
    let report = check(request);
    assert_causes(&report, &["holder", "backlog_full"]);
    let connects = report.findings.connects.expect("asked for");
    assert_eq!(connects[0].outcome, ConnectOutcome::TimedOut);
}

#[test]
fn a_udp_socket_blocks_its_port_regardless_of_tcp() {
    let socket = UdpSocket::bind((V4, 0)).expect("a port");
    let port = socket.local_addr().expect("an address").port();
    let holder = sleeper(socket);
    let mut request = self::request(port);
    request.spec.protocol = Protocol::Udp;
    let report = check(request);
    assert!(!report.is_free(), "{}", message(&report));
    assert_eq!(report.reasons[0].pids(), [holder.pid()]);
    assert_eq!(report.findings.binds, 4);
}

#[test]
fn a_foreign_address_is_reported_without_a_bind() {
    let (_, unused) = listener(V4);
    // Of TEST-NET-1 (RFC 5737), which no machine has.
    let mut request = self::request(unused);
    request.spec.address = AddressSpec::Ip(Ipv4Addr::new(192, 0, 2, 1).into());
    let report = check(request);
    // Another test may hold the same port number on another address, which then is the second reason.
    let first = causes(&report).first().copied();
    assert_eq!((first, report.findings.binds), (Some("no_such_address"), 0));
}

/// Without netlink no table shows a socket that is bound and does not listen.
#[test]
fn what_refuses_a_bind_unseen_holds_the_port() {
    for is_reusing in [true, false] {
        let (reports, port) = until("a port that only the bound socket has", || {
            let (socket, port) = bound(SocketAddr::new(V4, 0), is_reusing);
            let _holder = sleeper(socket);
            let found = refusing(FailingCall::NETLINK, || {
                check_port(context(), request(port))
            });
            let reports: Vec<_> = found.into_iter().chain([check_by_proc(port)]).collect();
            // Another program may have taken it on another address meanwhile.
            let is_alone = reports
                .iter()
                .all(|report| report.findings.endpoints.is_empty());
            is_alone.then_some((reports, port))
        });
        for report in reports {
            let message = message(&report);
            let begin = format!(
                "HELD :{port} by something that this socket source does not show (a bound socket)"
            );
            assert!(message.starts_with(&begin), "{message}");
        }
    }
}

fn check_by_proc(port: u16) -> CheckReport {
    let source = Some(SocketSource::Procnet);
    check_port(
        CheckContext::new(&environment::read(), source),
        request(port),
    )
}

#[test]
fn a_bind_that_fails_otherwise_says_nothing_about_the_port() {
    let (listener, held) = listener(V4);
    let _holder = sleeper(listener);
    for errno in [
        libc::ENOBUFS,
        libc::EMFILE,
        libc::ENOMEM,
        libc::EINTR,
        libc::EACCES,
    ] {
        let refusal = FailingCall::of_bind(errno);
        let (_, unused) = self::listener(V4);
        let Some(report) = refusing(refusal, || check_port(context(), request(unused))) else {
            return;
        };
        let error = io::Error::from_raw_os_error(errno);
        let begin = format!("UNKNOWN :{unused}: a bind fails: {error}");
        assert!(message(&report).starts_with(&begin), "{}", message(&report));
        let report = refusing(refusal, || check_port(context(), request(held)));
        let message = report.as_ref().map(message).unwrap_or_default();
        assert!(
            message.starts_with(&format!("HELD :{held} by sleep ")),
            "{message}"
        );
    }
}

/// portmon's own sockets are in no report, so a bind that they refuse stays unexplained.
#[test]
fn an_unexplained_result_is_checked_once_more() {
    let (_listener, port) = listener(V4);
    let report = until("a report while no test forks", || {
        let report = check_port(context(), request(port));
        // What another test forks has it open too until it executes its program.
        (!causes(&report).contains(&"holder")).then_some(report)
    });
    assert_causes(&report, &["unexplained", "only_ipv4"]);
    assert_eq!(report.findings.binds, 16);
}

/// portmon's own sockets are in no report, so its own listener answers as a redirect does.
#[test]
fn an_answer_where_nothing_seen_listens_is_reported() {
    let (_listener, port) = listener(V4);
    let mut request = request(port);
    request.connects = true;
    let report = until("a report while no test forks", || {
        let report = check_port(context(), request);
        (!causes(&report).contains(&"holder")).then_some(report)
    });
    let answered = SocketAddr::new(V4, port);
    let answered = Reason::AnsweredUnseen(vec![answered]);
    assert!(report.reasons.contains(&answered), "{}", message(&report));
    let (seen, port) = self::listener(V4);
    let _holder = sleeper(seen);
    request.spec = PortSpec::tcp(port);
    let report = check(request);
    assert!(!report.has_unseen_answer(), "{}", message(&report));
}

#[test]
fn a_socket_connected_to_itself_is_reported_with_its_owner() {
    let (socket, port) = bound(SocketAddr::new(V4, 0), false);
    socket
        .connect(&SocketAddr::new(V4, port).into())
        .expect("meets itself");
    let holder = sleeper(socket);
    let report = check(request(port));
    assert_causes(&report, &["self_connection", "only_ipv4"]);
    assert_eq!(report.reasons[0].pids(), [holder.pid()]);
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
fn a_connect_reports_the_banner_or_the_refusal() {
    let http = Banner::Http {
        status: "HTTP/1.1 204 No Content".into(),
        server: Some("tiny".into()),
    };
    let cases: [(&[u8], Banner); 3] = [
        (b"HTTP/1.1 204 No Content\r\nServer: tiny\r\n\r\n", http),
        (
            b"220 ready\x1b[2J\r\n",
            Banner::Other("220 ready\x1b[2J".into()),
        ),
        (b"", Banner::Closed),
    ];
    for (words, expected) in cases {
        let port = serving(words);
        let connects = connect_probe::probe_all(&request(port));
        let banners = connects.iter().map(|probe| match &probe.outcome {
            ConnectOutcome::Accepted { banner, .. } => Some(banner),
            _ => None,
        });
        assert_eq!(banners.collect::<Vec<_>>(), [Some(&expected), None]);
    }
}
