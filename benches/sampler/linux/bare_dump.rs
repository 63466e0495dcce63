//! The bare dump: requests the tables from the kernel and counts their rows, the lower bound of any poll.
//!
//! It must never do more, and never share code with what is measured against it.

use anyhow::{Context, bail};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::os::fd::OwnedFd;

/// The kernel fills at most this much per datagram.
const BUFFER: usize = 32 * 1024;

/// Every state but 13 (bound, not listening), for which the kernel walks another table.
const STATES: u32 = 0x1ffe;

/// linux/inet_diag.h: TCP of both families in one dump.
const TCPDIAG_GETSOCK: u16 = 18;

/// linux/sock_diag.h
const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// linux/netlink.h: NLM_F_REQUEST and NLM_F_DUMP.
const DUMP: u16 = 0x301;

const HEADER: usize = 16;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const ENOENT: i32 = -2;
const IPPROTO_UDP: u8 = 17;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

pub struct BareDump {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl BareDump {
    pub fn new() -> anyhow::Result<Self> {
        let (family, kind) = (AddressFamily::NETLINK, SocketType::DGRAM);
        let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, Some(SOCK_DIAG))
            .context("socket(AF_NETLINK, NETLINK_SOCK_DIAG)")?;
        let buffer = vec![0; BUFFER];
        Ok(Self { socket, buffer })
    }

    /// Number of rows of TCP, UDP over IPv4 and UDP over IPv6.
    pub fn dump(&mut self) -> anyhow::Result<u32> {
        let tcp = self.table(&tcp_request())?;
        let udp4 = self.table(&udp_request(AF_INET))?;
        let udp6 = self.table(&udp_request(AF_INET6))?;
        Ok(tcp + udp4 + udp6)
    }

    fn table(&mut self, request: &[u8]) -> anyhow::Result<u32> {
        let kernel = SocketAddrNetlink::new(0, 0);
        rustix::net::sendto(&self.socket, request, SendFlags::empty(), &kernel)
            .context("sendto(NETLINK_SOCK_DIAG)")?;
        let mut rows = 0;
        loop {
            let (_, length) =
                rustix::net::recv(&self.socket, &mut *self.buffer, RecvFlags::empty())
                    .context("recv(NETLINK_SOCK_DIAG)")?;
            let answer = self.buffer.get(..length).context("a long datagram")?;
            if count(answer, &mut rows)? {
                return Ok(rows);
            }
        }
    }
}

/// Adds the rows of a datagram; returns true for the last one.
fn count(mut rest: &[u8], rows: &mut u32) -> anyhow::Result<bool> {
    while let Some(header) = rest.first_chunk::<HEADER>() {
        let [a, b, c, d, low, high, ..] = *header;
        let length = usize::try_from(u32::from_ne_bytes([a, b, c, d]))?;
        match u16::from_ne_bytes([low, high]) {
            NLMSG_DONE => return Ok(true),
            NLMSG_ERROR => return refused(rest),
            _ => *rows += 1,
        }
        rest = rest
            .get(length.max(HEADER).next_multiple_of(4)..)
            .unwrap_or_default();
    }
    Ok(false)
}

/// Handles an error message. A kernel without a family has no table of it, which is no error.
fn refused(message: &[u8]) -> anyhow::Result<bool> {
    let code = message.get(HEADER..).and_then(<[u8]>::first_chunk::<4>);
    match code.map(|code| i32::from_ne_bytes(*code)) {
        Some(ENOENT) => Ok(true),
        code => bail!("the kernel refuses a table: {code:?}"),
    }
}

/// `struct inet_diag_req`: family, two lengths and extensions of a byte each, an empty `inet_diag_sockid` of 48 bytes,
/// the states, and an unused number.
fn tcp_request() -> Vec<u8> {
    let mut body = vec![0; 4 + 48];
    body.extend(STATES.to_ne_bytes());
    body.extend([0; 4]);
    message(TCPDIAG_GETSOCK, &body)
}

/// `struct inet_diag_req_v2`: family, protocol, extensions and padding of a byte each, the states, the empty id.
fn udp_request(family: u8) -> Vec<u8> {
    let mut body = vec![family, IPPROTO_UDP, 0, 0];
    body.extend(STATES.to_ne_bytes());
    body.extend([0; 48]);
    message(SOCK_DIAG_BY_FAMILY, &body)
}

/// `struct nlmsghdr` with sequence number and port of 0, and the body.
fn message(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(DUMP.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}
