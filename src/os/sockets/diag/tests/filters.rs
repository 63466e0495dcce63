//! A filtered dump has exactly the requested sockets of a full one.

use super::*;
use std::collections::BTreeSet;
use std::net::UdpSocket;

/// Requested sockets on the address of this test, by cookie.
fn on(ip: &str, diag: &mut Diag, scope: DumpScope) -> BTreeSet<[u32; 2]> {
    let request = DumpRequest {
        scope,
        with_bound: true,
    };
    let rows = all(diag, &request).into_iter();
    rows.filter(|row| is_on(ip, row))
        .map(|row| row.cookie)
        .collect()
}

/// Sockets of a full dump on this address that match a rule.
fn kept(ip: &str, diag: &mut Diag, is_kept: impl Fn(&RawSocket) -> bool) -> BTreeSet<[u32; 2]> {
    let rows = all(diag, &EVERYTHING).into_iter();
    rows.filter(|row| is_on(ip, row) && is_kept(row))
        .map(|row| row.cookie)
        .collect()
}

/// True if either end is on the address: a client of an address in 127.0.0.0/8 has 127.0.0.1. TIME_WAIT is left out, because
/// it may end at any time.
fn is_on(ip: &str, row: &RawSocket) -> bool {
    let ends = [Some(row.local()), row.remote()];
    row.state != Some(State::TimeWait)
        && ends
            .into_iter()
            .flatten()
            .any(|end| end.ip().to_string() == ip)
}

fn touches(row: &RawSocket, ports: &[u16]) -> bool {
    ports.contains(&row.local.port())
        || ports.contains(&row.remote.port())
        || row.state == Some(State::Listen)
}

#[test]
fn each_scope_dumps_exactly_its_sockets() {
    let ip: &str = &own_ip(77).to_string();
    let (listener, client, _server) = connection(ip);
    let _other = connection(ip);
    let port = listener.local_addr().expect("an address").port();
    let from = client.local_addr().expect("an address").port();
    let _same_port = UdpSocket::bind((ip, port)).expect("a socket");
    let udp = UdpSocket::bind((ip, 0)).expect("a socket");
    let connected = UdpSocket::bind((ip, 0)).expect("a socket");
    let udp_port = udp.local_addr().expect("an address").port();
    connected.connect((ip, udp_port)).expect("connects");
    let bound = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let bound = bound.expect("a socket");
    bound
        .bind(&address(&format!("{ip}:0")).into())
        .expect("binds");
    let bound_port = bound
        .local_addr()
        .expect("an address")
        .as_socket()
        .expect("inet")
        .port();
    let mut diag = open();
    for port in [port, from, udp_port, bound_port, 1] {
        let expected = kept(ip, &mut diag, |row| row.local.port() == port);
        assert_eq!(on(ip, &mut diag, DumpScope::Local(vec![port])), expected);
        assert_eq!(expected.is_empty(), port == 1);
    }
    let many: Vec<u16> = (1..=61).chain([port, bound_port, udp_port]).collect();
    for ports in [
        vec![port],
        vec![from, udp_port],
        many,
        vec![1],
        vec![],
        vec![0],
    ] {
        let real: Vec<u16> = ports.iter().copied().filter(|port| *port != 0).collect();
        let expected = kept(ip, &mut diag, |row| touches(row, &real));
        assert_eq!(on(ip, &mut diag, DumpScope::LocalOrRemote(ports)), expected);
    }
    let too_many: Vec<u16> = (1..=65).collect();
    let expected = kept(ip, &mut diag, |_| true);
    assert_eq!(
        on(ip, &mut diag, DumpScope::LocalOrRemote(too_many)),
        expected
    );
    let standing = kept(ip, &mut diag, |row| {
        matches!(row.state, Some(State::Listen | State::Bound))
    });
    assert_eq!(on(ip, &mut diag, DumpScope::Listening), standing);
}

#[test]
fn no_socket_is_dumped_twice() {
    let ip: &str = &own_ip(78).to_string();
    let (listener, _client, _server) = connection(ip);
    let port = listener.local_addr().expect("an address").port();
    let request = DumpRequest {
        scope: DumpScope::LocalOrRemote(vec![port]),
        with_bound: true,
    };
    let rows = all(&mut open(), &request).into_iter();
    assert_eq!(rows.filter(|row| is_on(ip, row)).count(), 3);
}

/// The kernel refuses an unknown request type as one without TCPDIAG_GETSOCK does.
#[test]
fn without_the_combined_dump_each_family_is_dumped_from_then_on() {
    let ip: &str = &own_ip(79).to_string();
    let _connection = connection(ip);
    let mut diag = open();
    let both_families = on(ip, &mut diag, DumpScope::All);
    assert_eq!(diag.both_families, Some(TCPDIAG_GETSOCK));
    diag.both_families = Some(23);
    let split = on(ip, &mut diag, DumpScope::All);
    assert_eq!((split.len(), diag.both_families), (3, None));
    assert_eq!(split, both_families);
    assert_eq!(on(ip, &mut diag, DumpScope::All), both_families);
}

#[test]
fn a_refused_dump_names_the_tables() {
    let mut diag = open();
    let table = TableDump {
        protocol: Protocol::Udp,
        states: StateSet(u32::MAX),
        port: 0,
        // An invalid program: the kernel replies EINVAL.
        program: &[0xff; 8],
    };
    let error = DiagError::ErrorReply { code: 22 };
    assert_eq!(
        diag.dump_table(table, &mut |_| panic!("no row")),
        [(Family::Ipv4, error), (Family::Ipv6, error)]
    );
    let tcp = TableDump {
        protocol: Protocol::Tcp,
        ..table
    };
    assert_eq!(diag.dump_table(tcp, &mut |_| panic!("no row")).len(), 2);
    assert_eq!(diag.both_families, Some(TCPDIAG_GETSOCK));
    let error = Error::from(error);
    assert!(error.is_unavailable());
}
