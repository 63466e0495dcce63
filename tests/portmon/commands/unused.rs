//! `portmon unused`: ports that can be bound and that no socket has.

use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::harness::helper_process::listen;
use crate::harness::launch::run;

/// The exit code, the ports and the text on standard error.
fn unused(words: &[&str]) -> (Option<i32>, Vec<u16>, String) {
    let printed = run(&[&["unused"], words].concat());
    let lines = printed.stdout.lines();
    let ports = lines.map(|line| line.parse().expect("a port"));
    (printed.code, ports.collect(), printed.stderr)
}

/// Asserts that the first unused port from `port` on is a higher one.
fn assert_passed_over(port: u16, why: &str) {
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
    assert_passed_over(at.port(), "a listener");

    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    // A bind with SO_REUSEADDR succeeds beside such a socket.
    bound.set_reuse_address(true).expect("an option");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    bound.bind(&any.into()).expect("a port");
    let own = bound.local_addr().expect("an address").as_socket();
    assert_passed_over(own.expect("an IP address").port(), "a bound socket");

    let client = TcpStream::connect(at).expect("a connection");
    let own = client.local_addr().expect("an address");
    assert_passed_over(own.port(), "a connection");
}

#[test]
fn fewer_ports_than_requested_are_printed_and_counted() {
    let (code, ports, said) = unused(&["--from", "65535", "-c", "2"]);
    assert_eq!(code, Some(1));
    assert!(ports.len() < 2, "{ports:?}");
    let expected = match ports.len() {
        0 => "portmon: no usable port from 65535 to 65535\n",
        _ => "portmon: only 1 of 2 usable ports found from 65535 to 65535\n",
    };
    assert_eq!(said, expected);
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
