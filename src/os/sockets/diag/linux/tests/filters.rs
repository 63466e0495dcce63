//! A filtered dump has exactly the requested sockets of a full one.

use super::*;
use std::collections::BTreeSet;

/// Requested sockets on the address of this test, by cookie.
fn on(ip: &str, diag: &mut Diag, scope: DumpScope) -> BTreeSet<[u32; 2]> {
    let request = DumpRequest {
        scope,
        with_bound: true,
    };
    let rows = all(diag, &request).into_iter();
    let rows = rows.filter(|row| is_on(ip, row));
    rows.map(|row| row.cookie).collect()
}

/// Sockets of a full dump on this address that match a rule.
fn kept(ip: &str, is_kept: impl Fn(&RawSocket) -> bool) -> BTreeSet<[u32; 2]> {
    let rows = all(&mut open(), &EVERYTHING).into_iter();
    let rows = rows.filter(|row| is_on(ip, row) && is_kept(row));
    rows.map(|row| row.cookie).collect()
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
    let port = local_addr(&listener).port();
    let _same_port = udp(&format!("{ip}:{port}"));
    let (udp, _connected) = connected_udp(&format!("{ip}:0"));
    let bound = bind(Type::STREAM, address(&format!("{ip}:0")));
    let from = local_addr(&client).port();
    let (udp_port, bound_port) = (local_addr(&udp).port(), local_addr(&bound).port());
    let mut diag = open();
    for port in [port, from, udp_port, bound_port, 1] {
        let expected = kept(ip, |row| row.local.port() == port);
        assert_eq!(on(ip, &mut diag, DumpScope::Local(vec![port])), expected);
        assert_eq!(expected.is_empty(), port == 1);
    }
    let filtered = [
        vec![port],
        vec![from, udp_port],
        (1..=61).chain([port, bound_port, udp_port]).collect(),
        vec![1],
        vec![],
        vec![0],
    ];
    for ports in filtered {
        let real: Vec<u16> = ports.iter().copied().filter(|port| *port != 0).collect();
        let expected = kept(ip, |row| touches(row, &real));
        assert_eq!(on(ip, &mut diag, DumpScope::LocalOrRemote(ports)), expected);
    }
    let too_many = DumpScope::LocalOrRemote((1..=65).collect());
    assert_eq!(on(ip, &mut diag, too_many), kept(ip, |_| true));
    let is_listening = |row: &RawSocket| matches!(row.state, Some(State::Listen | State::Bound));
    let expected = kept(ip, is_listening);
    assert_eq!(on(ip, &mut diag, DumpScope::Listening), expected);
}

#[test]
fn no_socket_is_dumped_twice() {
    let ip: &str = &own_ip(78).to_string();
    let (listener, _client, _server) = connection(ip);
    let port = local_addr(&listener).port();
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
    let combined = on(ip, &mut diag, DumpScope::All);
    assert_eq!(diag.combined_request, Some(TCPDIAG_GETSOCK));
    diag.combined_request = Some(23);
    let split = on(ip, &mut diag, DumpScope::All);
    assert_eq!((split.len(), diag.combined_request), (3, None));
    assert_eq!(split, combined);
    assert_eq!(on(ip, &mut diag, DumpScope::All), combined);
}

#[test]
fn a_refused_dump_names_the_tables() {
    let mut diag = open();
    let error = DiagError::ErrorReply { code: 22 };
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let dump = TableDump {
            protocol,
            states: StateSet(u32::MAX),
            port: 0,
            // An invalid program: the kernel replies EINVAL.
            program: &[0xff; 8],
        };
        assert_eq!(
            diag.dump_table(dump, &mut |_| panic!("no row")),
            [(Family::Ipv4, error), (Family::Ipv6, error)]
        );
    }
    assert_eq!(diag.combined_request, Some(TCPDIAG_GETSOCK));
    assert!(error.is_unavailable());
}
