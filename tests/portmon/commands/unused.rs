//! `portmon unused`: ports that can be bound and that no socket has.

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};

use socket2::{Domain, Socket, Type};

use crate::harness::helper_process::listen;
use crate::harness::launch::{PORTMON, run, run_by};
use crate::harness::requirements::can_unshare;

/// The exit code, the ports and the text on standard error.
fn unused(words: &[&str]) -> (Option<i32>, Vec<u16>, String) {
    let printed = run(&[&["unused"], words].concat());
    let lines = printed.stdout.lines();
    let ports = lines.map(|line| line.parse().expect("a port"));
    (printed.code, ports.collect(), printed.stderr)
}

/// Asserts that the first unused port from `port` on is a higher one.
fn assert_skipped(port: u16, why: &str) {
    let (code, ports, said) = unused(&["--from", &port.to_string()]);
    assert_eq!((code, ports.len()), (Some(0), 1), "{said}");
    assert!(ports.iter().all(|found| *found > port), "{why}: {ports:?}");
}

#[test]
fn ports_differ_and_can_be_bound_on_every_address() {
    let (code, ports, said) = unused(&["--from", "20000", "-c", "5"]);
    assert_eq!((code, ports.len(), said.as_str()), (Some(0), 5, ""));
    assert!(
        ports.iter().all(|port| *port >= 20000) && ports.is_sorted_by(|one, next| one < next),
        "{ports:?}"
    );
    for port in ports {
        TcpListener::bind(("0.0.0.0", port)).expect("it can be bound");
    }
}

#[test]
fn a_listening_bound_or_connected_port_is_not_unused() {
    let listener = listen("127.0.0.1:0");
    let at = listener.local_addr().expect("an address");
    assert_skipped(at.port(), "a listener");

    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    // A bind with SO_REUSEADDR succeeds beside such a socket.
    bound.set_reuse_address(true).expect("an option");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    bound.bind(&any.into()).expect("a port");
    let own = bound.local_addr().expect("an address").as_socket();
    assert_skipped(own.expect("an IP address").port(), "a bound socket");

    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let own = udp.local_addr().expect("an address").port();
    let (code, ports, said) = unused(&["--udp", "--from", &own.to_string()]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(ports.iter().all(|found| *found > own), "{ports:?}");

    let client = TcpStream::connect(at).expect("a connection");
    let own = client.local_addr().expect("an address");
    assert_skipped(own.port(), "a connection");
}

#[test]
fn fewer_ports_than_requested_are_printed_and_counted() {
    let (code, ports, said) = unused(&["--from", "65535", "-c", "2"]);
    assert_eq!(code, Some(1));
    assert!(ports.len() < 2, "{ports:?}");
    let expected = match ports.len() {
        0 => "portmon: no usable port at 65535\n",
        _ => "portmon: found 1 of the 2 requested ports at 65535\n",
    };
    assert_eq!(said, expected);
}

#[test]
fn binds_without_descriptors_do_not_say_that_ports_are_used() {
    let script = format!("ulimit -n 6; exec {PORTMON} unused --from 65000");
    let printed = run_by(&["sh", "-c", &script], &[]);
    assert_eq!((printed.code, printed.stdout.as_str()), (Some(2), ""));
    let expected =
        "cannot tell which ports are usable: a bind fails: Too many open files (os error 24)\n";
    assert!(printed.stderr.ends_with(expected), "{}", printed.stderr);
}

#[test]
fn the_ranges_are_those_of_iana_and_of_this_machine() {
    let (code, dynamic, _) = unused(&["--dynamic"]);
    assert_eq!(code, Some(0));
    assert!(dynamic.iter().all(|port| *port >= 49152), "{dynamic:?}");
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let range = range.expect("the range of this machine");
    let mut ends = range.split_whitespace().map(str::parse::<u16>);
    let (first, last) = (ends.next(), ends.next());
    let (Some(Ok(first)), Some(Ok(last))) = (first, last) else {
        panic!("{range:?}");
    };
    let (code, ephemeral, _) = unused(&["--ephemeral"]);
    assert_eq!(code, Some(0));
    assert!(
        ephemeral.iter().all(|port| (first..=last).contains(port)),
        "{ephemeral:?}"
    );
}

#[test]
fn random_ports_differ_from_call_to_call() {
    let found: HashSet<Vec<u16>> = (0..3)
        .map(|_| {
            let (code, ports, said) = unused(&["--random", "-c", "3"]);
            assert_eq!((code, ports.len(), said.as_str()), (Some(0), 3, ""));
            assert!(ports.iter().all(|port| *port >= 3000), "{ports:?}");
            ports
        })
        .collect();
    assert_eq!(found.len(), 3, "{found:?}");
}

/// In a network namespace of the test's own, whose settings are the test's too.
#[test]
fn ports_of_the_ephemeral_range_are_given_only_if_asked_for() {
    const NETWORK: [&str; 3] = ["--user", "--map-root-user", "--net"];
    if !can_unshare(&NETWORK) {
        return;
    }
    let cases = [
        ("", "3000 4000", "4001"),
        ("--from 2999", "3000 4000", "2999"),
        ("--from 3000", "3000 4000", "3000"),
        ("--from 3500 --udp", "3000 4000", "3500"),
        ("--ephemeral", "3000 4000", "3000"),
        ("--dynamic", "3000 4000", "49152"),
        ("--dynamic", "49152 60999", "61000"),
        ("--dynamic", "49152 65535", "49152"),
        ("--from 5000 --random -c 2", "5001 65535", "5000"),
        ("", "1024 65535", ""),
    ];
    for (words, range, expected) in cases {
        let sets = format!("echo '{range}' > /proc/sys/net/ipv4/ip_local_port_range || exit 99");
        let script = format!("{sets}; exec \"$0\" unused {words}");
        let program = [&["unshare"], &NETWORK[..], &["sh", "-c", &script]].concat();
        let printed = run_by(&program, &[]);
        assert_ne!(printed.code, Some(99), "the range is set: {printed:?}");
        assert_eq!(
            printed.stdout.trim(),
            expected,
            "{words} {range} {printed:?}"
        );
    }
}
