//! Destroy events: the kernel reports each socket that closes, even if no poll ever saw it.
//!
//! Needs no privilege (`NL_CFG_F_NONROOT_RECV` in net/core/sock_diag.c). Received only on request: while anyone listens,
//! closing a connection takes about 2 µs more. A connection that enters TIME_WAIT is reported too and keeps its cookie.

use super::diag_error::DiagError;
use super::netlink_reply::{NetlinkMessages, ROW};
use super::netlink_socket::open_netlink;
use super::request::{IPPROTO_TCP, IPPROTO_UDP, SOCK_DIAG_BY_FAMILY};
use super::{attributes, inet_diag_msg};
use crate::model::socket::{Protocol, RawSocket, SocketQueue};
use crate::os::Error;
use crate::os::sockets::self_sockets;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};
use rustix::net::{RecvFlags, SocketFlags, bind, recvfrom};
use std::time::Instant;

/// `SKNLGRP_INET_TCP_DESTROY`, `_INET_UDP_`, `_INET6_TCP_` and `_INET6_UDP_`: groups 1 to 4.
const GROUPS: u32 = 0b1111;

/// Queue for about 6,500 sockets that close at once.
const QUEUE: usize = 4 * 1024 * 1024;

/// A message takes about 400 bytes.
const BUFFER: usize = 8 * 1024;

/// Events kept until the next poll; about 7 MB.
const MAX_EVENTS: usize = 100_000;

/// The sockets that the kernel destroyed, without inode and user.
pub struct DestroyEvents {
    /// `None` after a read error.
    socket: Option<OwnedFd>,
    buffer: Box<[u8]>,
    destroyed: Vec<RawSocket>,
    has_overrun: bool,
}

impl DestroyEvents {
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            socket: Some(open_socket()?),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            destroyed: Vec::new(),
            has_overrun: false,
        })
    }

    /// Waits until then and receives events as they come, because the queue of the kernel is short.
    pub fn wait_until(&mut self, until: Instant) {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some(socket) = self.socket.as_ref().filter(|_| !left.is_zero()) else {
                return std::thread::sleep(left);
            };
            let timeout = Timespec::try_from(left).ok();
            let mut ready = [PollFd::new(socket, PollFlags::IN)];
            // A signal only wakes the loop early.
            let _ = poll(&mut ready, timeout.as_ref());
            self.drain();
        }
    }

    /// Takes the sockets destroyed since the last call; true if the kernel dropped some.
    pub fn take(&mut self) -> (Vec<RawSocket>, bool) {
        self.drain();
        let destroyed = std::mem::take(&mut self.destroyed);
        (destroyed, std::mem::take(&mut self.has_overrun))
    }

    /// Receives what the kernel has queued.
    ///
    /// After an overrun a new netlink socket is opened: if the queue was emptied just when the kernel found it full, the old
    /// one would receive nothing more (`NETLINK_S_CONGESTED`, which only a read that finds something clears, in
    /// `netlink_rcv_wake` of net/netlink/af_netlink.c).
    fn drain(&mut self) {
        let Some(socket) = &self.socket else {
            // What closes until another one is open is missed.
            self.has_overrun = true;
            self.socket = open_socket().ok();
            return;
        };
        let (destroyed, has_overrun) = (&mut self.destroyed, &mut self.has_overrun);
        let drained = drain(socket, &mut self.buffer, &mut |raw_socket| {
            if destroyed.len() == MAX_EVENTS {
                *has_overrun = true;
            } else if !self_sockets::contains(raw_socket.cookie()) {
                destroyed.push(*raw_socket);
            }
        });
        if drained != Ok(false) {
            self.has_overrun = true;
            self.socket = drained.and_then(|_| open_socket()).ok();
        }
    }

    /// Limits the kernel's queue to this many bytes, or to the least that it allows.
    #[cfg(test)]
    pub(in crate::os) fn set_receive_buffer(&self, bytes: usize) {
        let socket = self.socket.as_ref().expect("it is open");
        set_socket_recv_buffer_size(socket, bytes).expect("an option");
    }
}

/// Emits the sockets of every queued datagram; true if more closed than the queue holds.
fn drain(
    socket: &OwnedFd,
    buffer: &mut [u8],
    emit: &mut impl FnMut(&RawSocket),
) -> Result<bool, DiagError> {
    let mut has_overrun = false;
    loop {
        let received = retry_on_intr(|| recvfrom(socket, &mut *buffer, RecvFlags::TRUNC));
        let (length, sender) = match received {
            Ok((_, length, sender)) => (length, sender),
            Err(Errno::NOBUFS) => {
                has_overrun = true;
                continue;
            }
            Err(Errno::AGAIN) => return Ok(has_overrun),
            Err(errno) => return Err(DiagError::of_call("recvfrom")(errno)),
        };
        let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
        if sender.is_some_and(|sender| sender.pid() == 0) {
            let datagram = buffer.get(..length).ok_or(DiagError::Truncated)?;
            parse_datagram(datagram, emit)?;
        }
    }
}

fn open_socket() -> Result<OwnedFd, DiagError> {
    let socket = open_netlink(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
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
            let (row, attributes) = message.row()?;
            raw_socket(row, attributes).iter().for_each(&mut *emit);
        }
    }
    Ok(())
}

fn raw_socket(row: &[u8; ROW], attributes: &[u8]) -> Option<RawSocket> {
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
