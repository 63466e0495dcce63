//! One port on several addresses and of both protocols.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Socket, Type};

use super::free;
use crate::harness::helper_process::{OwnerProcess, WAITS};
use crate::harness::requirements::skipped;

/// Two owners of one port, on 127.0.0.1 and on ::1.
pub fn pair() -> (OwnerProcess, OwnerProcess) {
    for _ in 0..100 {
        let v4 = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = v4.local_addr().expect("an address").port();
        if let Ok(v6) = TcpListener::bind(("::1", port)) {
            return (
                OwnerProcess::holding(v4, port, WAITS),
                OwnerProcess::holding(v6, port, WAITS),
            );
        }
    }
    panic!("no number is free on both addresses");
}

/// Two owners of one port, of TCP and of UDP.
pub fn tcp_and_udp() -> (OwnerProcess, OwnerProcess) {
    let both = (0..100).find_map(|_| {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = tcp.local_addr().expect("an address").port();
        let udp = UdpSocket::bind(("127.0.0.1", port)).ok()?;
        Some((
            OwnerProcess::holding(tcp, port, WAITS),
            OwnerProcess::holding(udp, port, WAITS),
        ))
    });
    both.expect("a number that is free for both")
}

#[test]
fn a_port_means_every_address() {
    let (mut v4, mut v6) = pair();
    let freed = free(&[&v4.port.to_string()]);
    let mut expected = [(v4.pid(), "SIGTERM"), (v6.pid(), "SIGTERM")];
    // In the order of their addresses.
    expected.sort_by_key(|(pid, _)| *pid != v4.pid());
    freed.assert(0, "free", &expected, &[]);
    v4.wait_until_ended();
    v6.wait_until_ended();
}

#[test]
fn an_address_means_only_its_own_sockets() {
    let (mut v4, v6) = pair();
    let freed = free(&[&format!("127.0.0.1:{}", v4.port), "--wait", "1"]);
    freed.assert(0, "free", &[(v4.pid(), "SIGTERM")], &[v6.pid()]);
    let port = v4.port;
    freed.assert_says(&format!(
        "127.0.0.1:{port} is free, [::1]:{port} is not: {v6} holds it"
    ));
    v4.wait_until_ended();
    // The port is free on this address, although the other owner still runs.
    let again = free(&[&format!("127.0.0.1:{port}")]);
    again.assert(0, "free", &[], &[]);
    let mut v6 = v6;
    let rest = free(&[&format!("[::1]:{port}")]);
    rest.assert(0, "free", &[(v6.pid(), "SIGTERM")], &[]);
    v6.wait_until_ended();
}

#[test]
fn a_socket_on_all_addresses_is_not_ended_for_one_of_them() {
    let mut holder = OwnerProcess::listening_on("0.0.0.0:0");
    let freed = free(&[&format!("127.0.0.1:{}", holder.port)]);
    freed.assert(3, "still_held", &[], &[holder.pid()]);
    freed.assert_says(&format!(
        "{} holds it on 0.0.0.0; to free every address: portmon free {}",
        holder, holder.port
    ));
    assert!(holder.is_alive());
}

#[test]
fn the_protocol_selects_one_of_two_sockets() {
    let (mut tcp, mut udp) = tcp_and_udp();
    let freed = free(&[&tcp.port.to_string()]);
    freed.assert(0, "free", &[(tcp.pid(), "SIGTERM")], &[]);
    tcp.wait_until_ended();
    assert!(
        UdpSocket::bind(("127.0.0.1", udp.port)).is_err(),
        "it is held still"
    );
    let freed = free(&[&format!("{}/udp", udp.port)]);
    freed.assert(0, "free", &[(udp.pid(), "SIGTERM")], &[]);
    freed.assert_says(&format!(":{}/udp is free. ", udp.port));
    udp.wait_until_ended();
}

#[test]
fn ipv6_alone_is_not_what_the_ipv6_wildcard_asks_for() {
    let alone = Socket::new(Domain::IPV6, Type::STREAM, None).expect("a socket");
    alone.set_only_v6(true).expect("an option");
    let any: SocketAddr = "[::]:0".parse().expect("an address");
    if alone.bind(&any.into()).is_err() {
        skipped("no IPv6");
        return;
    }
    alone.listen(1).expect("it listens");
    let port = alone.local_addr().expect("an address").as_socket();
    let port = port.expect("an IP address").port();
    // Another program may have the port on IPv4.
    let Ok(v4) = TcpListener::bind(("127.0.0.1", port)) else {
        skipped("the port is in use on IPv4");
        return;
    };
    let mut v6 = OwnerProcess::holding(alone, port, WAITS);
    let v4 = OwnerProcess::holding(v4, port, WAITS);
    let freed = free(&[&format!("[::]:{port}")]);
    freed.assert(3, "still_held", &[(v6.pid(), "SIGTERM")], &[v4.pid()]);
    freed.assert_says(&format!(
        "[::]:{port} is free for IPv6 alone, 127.0.0.1:{port} is not: {v4} holds it"
    ));
    v6.wait_until_ended();
}

/// Without netlink no table shows the second socket, and a bind with SO_REUSEADDR succeeds beside it.
#[test]
fn a_socket_that_no_table_shows_is_not_forgotten() {
    let sockets = [0; 2].map(|_| Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket"));
    let mut at: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    for socket in &sockets {
        socket.set_reuse_address(true).expect("an option");
        socket.bind(&at.into()).expect("both share the port");
        let local = socket.local_addr().expect("an address").as_socket();
        at = local.expect("an IP address");
    }
    let [bound, listening] = sockets;
    listening.listen(1).expect("it listens");
    let mut holder = OwnerProcess::holding(listening, at.port(), WAITS);
    let port = at.port().to_string();
    let freed = free(&[&port, "--source", "proc", "--wait", "1"]);
    freed.assert(3, "still_held", &[(holder.pid(), "SIGTERM")], &[]);
    freed.assert_says(&format!(
        ":{port} is STILL HELD: {holder} ended, something that this socket source does not show (a bound socket) holds it"
    ));
    holder.wait_until_ended();
    drop(bound);
}
