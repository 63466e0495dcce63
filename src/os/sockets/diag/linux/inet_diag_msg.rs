//! Parses a row of a reply (`struct inet_diag_msg`) as a [`RawSocket`].

use super::attributes;
use super::netlink_reply::ROW;
use super::request::{AF_INET, AF_INET6};
use crate::model::socket::{
    CompactAddr, Family, OwnerHint, Protocol, RawSocket, SocketQueue, State,
};
use crate::os::sockets::state_number::state_of;

/// `idiag_timer` in TIME_WAIT: `idiag_expires` is then the time left in milliseconds (`inet_twsk_diag_fill` in
/// net/ipv4/inet_diag.c).
const TIME_WAIT: u8 = 3;

/// A cursor through the fixed part. Its length is known, so the compiler removes every check.
struct RowCursor<'a>(&'a [u8]);

impl RowCursor<'_> {
    #[inline]
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    #[inline]
    fn port(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    #[inline]
    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_ne_bytes)
    }
}

/// State number of a row.
#[inline]
pub fn state_number(row: &[u8; ROW]) -> u8 {
    let [_, state, ..] = *row;
    state
}

/// Returns the socket of a row; `None` without a local port and for other families than IPv4 and IPv6.
#[inline]
pub fn raw_socket(row: &[u8; ROW], attributes: &[u8], protocol: Protocol) -> Option<RawSocket> {
    let mut fields = RowCursor(row);
    let [family, state, timer, _retransmits] = fields.take()?;
    let (local_port, remote_port) = (fields.port()?, fields.port()?);
    let (local, remote) = (fields.take::<16>()?, fields.take::<16>()?);
    let interface = fields.number()?;
    let cookie = [fields.number()?, fields.number()?];
    let expires = fields.number()?;
    let queue = SocketQueue {
        incoming: fields.number()?,
        outgoing: fields.number()?,
    };
    let (uid, inode) = (fields.number()?, fields.number()?);
    let table = match family {
        AF_INET => Family::Ipv4,
        AF_INET6 => Family::Ipv6,
        _ => return None,
    };
    if local_port == 0 {
        return None;
    }
    let is_connected = remote_port != 0;
    let state = state_of(state, protocol, is_connected);
    Some(RawSocket {
        cookie,
        protocol,
        table,
        state,
        v6only: match table {
            Family::Ipv6 if !is_connected => attributes::v6only(attributes),
            _ => None,
        },
        local: address(local, local_port, table),
        remote: if is_connected {
            address(remote, remote_port, table)
        } else {
            CompactAddr::NONE
        },
        interface,
        owner_hint: OwnerHint::new(inode),
        uid,
        queue: match (state, timer) {
            (Some(State::TimeWait), TIME_WAIT) => RawSocket::time_wait_queue(expires),
            (Some(State::TimeWait), _) => SocketQueue::UNKNOWN,
            _ => queue,
        },
    })
}

#[inline]
fn address(ip: [u8; 16], port: u16, table: Family) -> CompactAddr {
    let [a, b, c, d, ..] = ip;
    match table {
        Family::Ipv4 => CompactAddr::v4([a, b, c, d], port),
        Family::Ipv6 => CompactAddr::v6(ip, port),
    }
}
