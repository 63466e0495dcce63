//! Replies of Linux 6.18 to a privileged program in a network namespace of its own.

use super::super::request::{SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK};
use super::super::{destroy_events, inet_diag_msg};
use super::*;
use crate::model::socket::{CompactAddr, SocketQueue};
use std::time::Duration;

fn raw_sockets(datagram: &[u8], mut parser: ReplyParser, protocol: Protocol) -> Vec<RawSocket> {
    let mut seen = Vec::new();
    let ended = parser.read(datagram, &mut |row, attributes| {
        seen.extend(inet_diag_msg::raw_socket(row, attributes, protocol));
    });
    assert_eq!(ended, Ok(true));
    seen
}

/// A row in one line: table, state, ends, queues or time left, IPV6_V6ONLY, inode and user.
fn line(row: &RawSocket) -> String {
    let remote = row.remote().map(|remote| remote.to_string());
    let lasts = row.time_wait_left().map(|lasts| format!("for {lasts:?}"));
    let queue = row.queue();
    let queue = queue.map(|queue| format!("{}/{}", queue.incoming, queue.outgoing));
    format!(
        "{:?} {} {} > {} {} v6only={:?} inode={} uid={}",
        row.table,
        row.state.map_or("?", State::name),
        row.local(),
        remote.unwrap_or_default(),
        lasts.or(queue).unwrap_or_default(),
        row.v6only,
        inode_of(row.owner_hint),
        row.uid
    )
}

#[test]
fn a_tcp_dump_has_every_kind_of_socket() {
    let parser = reply(TCPDIAG_GETSOCK, 7, true);
    let seen = raw_sockets(recorded!("tcp"), parser, Protocol::Tcp);
    let lines: Vec<String> = seen.iter().map(line).collect();
    let expected = [
        "Ipv6 LISTEN [::]:4001 >  0/7 v6only=Some(false) inode=446247 uid=0",
        "Ipv6 LISTEN [::]:4002 >  0/8 v6only=Some(true) inode=446248 uid=0",
        "Ipv4 LISTEN 127.0.0.1:4000 >  1/5 v6only=None inode=446246 uid=0",
        "Ipv4 BOUND 127.0.0.1:4003 >  0/0 v6only=None inode=446249 uid=0",
        "Ipv4 ESTABLISHED 127.0.0.1:5001 > 127.0.0.1:4001 0/0 v6only=None inode=446251 uid=0",
        "Ipv4 ESTABLISHED 127.0.0.1:4000 > 127.0.0.1:5000 0/0 v6only=None inode=0 uid=0",
        "Ipv4 ESTABLISHED 127.0.0.1:5000 > 127.0.0.1:4000 0/0 v6only=None inode=446250 uid=0",
        "Ipv6 TIME_WAIT [::1]:5002 > [::1]:4002 for 60s v6only=None inode=0 uid=0",
        "Ipv6 ESTABLISHED 127.0.0.1:4001 > 127.0.0.1:5001 5/0 v6only=None inode=446252 uid=0",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_udp_dump_has_connected_sockets() {
    let parser = reply(SOCK_DIAG_BY_FAMILY, 8, true);
    let seen = raw_sockets(recorded!("udp6"), parser, Protocol::Udp);
    let lines: Vec<String> = seen.iter().map(line).collect();
    let expected = [
        "Ipv6 ESTABLISHED [::1]:6000 > [::1]:6001 0/0 v6only=None inode=446269 uid=0",
        "Ipv6 UNCONN [::]:6002 >  0/0 v6only=Some(true) inode=446270 uid=0",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_single_lookup_reply_is_one_row_with_tcp_info() {
    let mut flows = Vec::new();
    let ended =
        reply(SOCK_DIAG_BY_FAMILY, 9, false).read(recorded!("info"), &mut |_, attributes| {
            flows.push(attributes::flow(attributes));
        });
    let flow = TcpCounters {
        // The kernel counts 6 acknowledged bytes, including the SYN.
        sent: 5,
        received: 0,
        rtt: Duration::from_micros(6),
        retransmits: 0,
        idle_sent: Duration::from_millis(56),
        idle_received: Duration::from_millis(56),
    };
    assert_eq!((ended, flows), (Ok(true), vec![Some(flow)]));
}

#[test]
fn a_lookup_of_a_closed_socket_succeeds() {
    let ended = reply(SOCK_DIAG_BY_FAMILY, 10, false)
        .read(recorded!("absent"), &mut |_, _| panic!("no row"));
    assert_eq!(ended, Err(DiagError::ErrorReply { code: 2 }));
    assert!(ended.is_err_and(DiagError::is_not_found));
}

#[test]
fn a_destroy_event_has_a_protocol_and_no_owner() {
    let mut seen = Vec::new();
    for datagram in [&recorded!("destroyed_tcp")[..], recorded!("destroyed_udp")] {
        destroy_events::parse_datagram(datagram, &mut |raw_socket| seen.push(*raw_socket))
            .expect("whole messages");
    }
    let row = |cookie, protocol, state, local: &str, remote: &str| RawSocket {
        cookie: [cookie, 0],
        protocol,
        table: Family::Ipv6,
        state,
        v6only: None,
        local: CompactAddr::from(address(local)),
        remote: CompactAddr::from(address(remote)),
        interface: 0,
        owner_hint: None,
        uid: RawSocket::NO_USER,
        queue: SocketQueue::UNKNOWN,
    };
    let (tcp, udp) = (Protocol::Tcp, Protocol::Udp);
    let expected = [
        row(
            8546,
            tcp,
            None,
            "[::ffff:127.0.0.1]:4001",
            "[::ffff:127.0.0.1]:5001",
        ),
        row(
            8547,
            udp,
            Some(State::Established),
            "[::1]:6000",
            "[::1]:6001",
        ),
    ];
    assert_eq!(seen, expected);
}
