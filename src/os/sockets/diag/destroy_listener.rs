//! Destroy events: the kernel reports each socket that closes, even if no poll ever saw it.
//!
//! Needs no privilege (`NL_CFG_F_NONROOT_RECV` in net/core/sock_diag.c). While anyone listens, closing a connection takes
//! about 2 µs more. A connection that enters TIME_WAIT is reported too and keeps its cookie.

use super::diag_error::DiagError;
use super::request::{IPPROTO_TCP, IPPROTO_UDP, SOCK_DIAG_BY_FAMILY};
use super::{attributes, inet_diag_msg, netlink_reply};
use crate::model::socket::{Protocol, RawSocket, SocketQueue};
use crate::os::Error;
use netlink_reply::NetlinkMessages;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType};
use rustix::net::{bind, recvfrom, socket_with};

/// `SKNLGRP_INET_TCP_DESTROY`, `_INET_UDP_`, `_INET6_TCP_` and `_INET6_UDP_`: groups 1 to 4.
const GROUPS: u32 = 0b1111;

/// Queue for about 6,500 sockets that close at once.
const QUEUE: usize = 4 * 1024 * 1024;

/// A message takes about 400 bytes.
const BUFFER: usize = 8 * 1024;

pub struct DestroySubscription {
    socket: OwnedFd,
    buffer: Box<[u8]>,
}

impl DestroySubscription {
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            socket: open_socket()?,
            buffer: vec![0; BUFFER].into_boxed_slice(),
        })
    }

    /// Emits the sockets that closed since the last call, without inode and user; true if more closed than the queue holds.
    ///
    /// After an overrun a new netlink socket is opened: if the queue was emptied just when the kernel found it full, the old
    /// one would receive nothing more (`NETLINK_S_CONGESTED`, which only a read that finds something clears, in
    /// `netlink_rcv_wake` of net/netlink/af_netlink.c).
    pub fn drain(&mut self, emit: &mut impl FnMut(&RawSocket)) -> Result<bool, Error> {
        let has_overrun = self.drain_socket(emit)?;
        if has_overrun {
            self.socket = open_socket()?;
        }
        Ok(has_overrun)
    }

    fn drain_socket(&mut self, emit: &mut impl FnMut(&RawSocket)) -> Result<bool, Error> {
        let mut has_overrun = false;
        loop {
            let received =
                retry_on_intr(|| recvfrom(&self.socket, &mut *self.buffer, RecvFlags::TRUNC));
            let (length, sender) = match received {
                Ok((_, length, sender)) => (length, sender),
                Err(Errno::NOBUFS) => {
                    has_overrun = true;
                    continue;
                }
                Err(Errno::AGAIN) => return Ok(has_overrun),
                Err(errno) => return Err(DiagError::of_call("recvfrom")(errno).into()),
            };
            let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
            if sender.is_some_and(|sender| sender.pid() == 0) {
                let datagram = self.buffer.get(..length).ok_or(DiagError::Truncated)?;
                parse_datagram(datagram, emit)?;
            }
        }
    }
}

#[cfg(test)]
impl DestroySubscription {
    /// Limits the queue to this many bytes, or to the least that the kernel allows.
    pub(in crate::os) fn set_receive_buffer(&self, bytes: usize) {
        set_socket_recv_buffer_size(&self.socket, bytes).expect("an option");
    }
}

impl AsFd for DestroySubscription {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn open_socket() -> Result<OwnedFd, DiagError> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        flags,
        Some(SOCK_DIAG),
    )
    .map_err(DiagError::of_call("socket"))?;
    // Only root may exceed net.core.rmem_max; a smaller queue is better than none.
    if set_socket_recv_buffer_size_force(&socket, QUEUE).is_err() {
        let _ = set_socket_recv_buffer_size(&socket, QUEUE);
    }
    bind(&socket, &SocketAddrNetlink::new(0, GROUPS)).map_err(DiagError::of_call("bind"))?;
    Ok(socket)
}

/// Emits the sockets of a datagram.
pub(super) fn parse_datagram(
    datagram: &[u8],
    emit: &mut impl FnMut(&RawSocket),
) -> Result<(), DiagError> {
    for message in NetlinkMessages(datagram) {
        let message = message?;
        if message.kind == SOCK_DIAG_BY_FAMILY {
            let (row, attributes) = message
                .body
                .split_first_chunk()
                .ok_or(DiagError::Truncated)?;
            if let Some(raw_socket) = raw_socket(row, attributes) {
                emit(&raw_socket);
            }
        }
    }
    Ok(())
}

fn raw_socket(row: &[u8; netlink_reply::ROW], attributes: &[u8]) -> Option<RawSocket> {
    let protocol = match attributes::protocol(attributes)? {
        IPPROTO_TCP => Protocol::Tcp,
        IPPROTO_UDP => Protocol::Udp,
        _ => return None,
    };
    let parsed = inet_diag_msg::raw_socket(row, attributes, protocol)?;
    // TCP reports every socket as closed, a listener like a connection.
    let state = parsed.state.filter(|_| protocol == Protocol::Udp);
    Some(RawSocket {
        state,
        uid: RawSocket::NO_USER,
        // The kernel fills in no queue: UDP has -1 there.
        queue: SocketQueue::UNKNOWN,
        ..parsed
    })
}
