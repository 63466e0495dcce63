//! Encodes requests (include/uapi/linux/netlink.h, inet_diag.h and sock_diag.h).
//!
//! Numbers are in native byte order, ports and addresses in network byte order.

use super::table_dumps::{StateSet, TableDump};
use crate::model::socket::{CompactAddr, Family, Protocol, RawSocket};
use std::net::IpAddr;

/// `TCPDIAG_GETSOCK`: TCP of both families in one dump, because the request has no family (`inet_diag_dump_compat`).
pub const TCPDIAG_GETSOCK: u16 = 18;

/// `SOCK_DIAG_BY_FAMILY`.
pub const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// The extension bit of `INET_DIAG_INFO`.
pub const WITH_INFO: u8 = 1 << 1;

const REQUEST: u16 = 0x1;
const DUMP: u16 = 0x300;

/// `INET_DIAG_REQ_BYTECODE`.
const BYTECODE: u16 = 1;

pub const AF_INET: u8 = 2;
pub const AF_INET6: u8 = 10;
pub const IPPROTO_TCP: u8 = 6;
pub const IPPROTO_UDP: u8 = 17;

/// A request without its header.
pub struct DiagRequest<'a> {
    /// [`TCPDIAG_GETSOCK`] or [`SOCK_DIAG_BY_FAMILY`].
    pub kind: u16,
    /// Ignored with [`TCPDIAG_GETSOCK`].
    pub family: Family,
    pub extensions: u8,
    pub selector: Selector<'a>,
}

#[derive(Clone, Copy)]
pub enum Selector<'a> {
    /// All sockets of a dump.
    Table(TableDump<'a>),
    Socket(&'a RawSocket),
}

impl DiagRequest<'_> {
    pub fn is_dump(&self) -> bool {
        matches!(self.selector, Selector::Table(_))
    }

    /// Writes `struct nlmsghdr`, then `struct inet_diag_req_v2` or, without a family, `struct inet_diag_req`, whose address
    /// family and prefix lengths a dump ignores.
    pub fn encode(&self, sequence: u32, out: &mut Vec<u8>) {
        let (protocol, states, program) = match self.selector {
            Selector::Table(dump) => (dump.protocol, dump.states, dump.program),
            Selector::Socket(of) => (of.protocol, StateSet(u32::MAX), &[][..]),
        };
        let flags = if self.is_dump() { DUMP } else { 0 } | REQUEST;
        let states = states.0.to_ne_bytes();
        let family = match self.family {
            Family::Ipv4 => AF_INET,
            Family::Ipv6 => AF_INET6,
        };
        let protocol = match protocol {
            Protocol::Tcp => IPPROTO_TCP,
            Protocol::Udp => IPPROTO_UDP,
        };
        out.clear();
        // The length follows.
        out.extend([0; 4]);
        out.extend(self.kind.to_ne_bytes());
        out.extend(flags.to_ne_bytes());
        out.extend(sequence.to_ne_bytes());
        out.extend([0; 4]);
        if self.kind == SOCK_DIAG_BY_FAMILY {
            out.extend([family, protocol, self.extensions, 0]);
            out.extend(states);
            self.encode_socket(out);
        } else {
            out.extend([family, 0, 0, self.extensions]);
            self.encode_socket(out);
            out.extend(states);
            out.extend([0; 4]);
        }
        if !program.is_empty() {
            // Its length always is a multiple of 4.
            let length = u16::try_from(program.len().saturating_add(4)).unwrap_or(u16::MAX);
            out.extend(length.to_ne_bytes());
            out.extend(BYTECODE.to_ne_bytes());
            out.extend(program);
        }
        let length = u32::try_from(out.len()).unwrap_or(u32::MAX);
        if let Some(place) = out.first_chunk_mut() {
            *place = length.to_ne_bytes();
        }
    }

    /// `struct inet_diag_sockid`. A dump reads only the ports.
    fn encode_socket(&self, out: &mut Vec<u8>) {
        let of = match self.selector {
            Selector::Socket(of) => of,
            Selector::Table(dump) => {
                out.extend(dump.port.to_be_bytes());
                out.extend([0; 46]);
                return;
            }
        };
        // "src and dst are swapped for historical reasons" (udp_diag_dump_one in net/ipv4/udp_diag.c).
        let (source, destination) = match of.protocol {
            Protocol::Tcp => (of.local, of.remote),
            Protocol::Udp => (of.remote, of.local),
        };
        out.extend(source.port().to_be_bytes());
        out.extend(destination.port().to_be_bytes());
        out.extend(address(source, self.family));
        out.extend(address(destination, self.family));
        out.extend(of.interface.to_ne_bytes());
        out.extend(of.cookie.iter().flat_map(|half| half.to_ne_bytes()));
    }
}

/// Address in 16 bytes, of which the IPv4 table uses 4.
fn address(end: CompactAddr, table: Family) -> [u8; 16] {
    let octets = match end.address(0).ip() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    };
    let [.., a, b, c, d] = octets;
    match table {
        Family::Ipv6 => octets,
        Family::Ipv4 => [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    }
}
