//! The netlink socket: one request and its whole reply.
//!
//! It is connected to the kernel, so the kernel refuses datagrams of any other sender (`netlink_getsockbyportid` in
//! net/netlink/af_netlink.c). After a reply that was not read to its end the next request opens a new socket: the kernel
//! refuses a second dump while one runs, and leftovers must not be taken for a reply.

use super::diag_error::DiagError;
use super::netlink_reply::{ROW, ReplyParser};
use super::request::DiagRequest;
use rustix::fd::OwnedFd;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{connect, recv, send, socket_with};
use std::time::Duration;

/// The kernel never fills a larger buffer (`netlink_recvmsg`).
const BUFFER: usize = 32 * 1024;

/// The kernel continues a dump with each receive; one that takes longer for a part does not reply at all.
const RECV_TIMEOUT: Duration = Duration::from_secs(2);

pub struct NetlinkSocket {
    socket: OwnedFd,
    /// True if parts of an earlier reply may still come.
    has_unread_reply: bool,
    sequence: u32,
    request: Vec<u8>,
    buffer: Box<[u8]>,
}

impl NetlinkSocket {
    pub fn open() -> Result<Self, DiagError> {
        Ok(Self {
            socket: connect_to_kernel()?,
            has_unread_reply: false,
            sequence: 0,
            request: Vec::new(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
        })
    }

    /// Sends a request and emits the rows of its reply with their attributes.
    #[inline]
    pub fn ask(
        &mut self,
        request: &DiagRequest,
        emit: &mut impl FnMut(&[u8; ROW], &[u8]),
    ) -> Result<(), DiagError> {
        self.send(request)?;
        let mut parser = ReplyParser {
            kind: request.kind,
            sequence: self.sequence,
            is_dump: request.is_dump(),
            is_interrupted: false,
        };
        let outcome = self.receive_reply(&mut parser, emit);
        self.has_unread_reply = outcome.is_err_and(|error| !error.is_reply_complete());
        outcome
    }

    fn send(&mut self, request: &DiagRequest) -> Result<(), DiagError> {
        if self.has_unread_reply {
            self.socket = connect_to_kernel()?;
        }
        self.has_unread_reply = true;
        self.sequence = self.sequence.wrapping_add(1);
        request.encode(self.sequence, &mut self.request);
        retry_on_intr(|| send(&self.socket, &self.request, SendFlags::empty()))
            .map_err(DiagError::of_call("send"))?;
        Ok(())
    }

    #[inline]
    fn receive_reply(
        &mut self,
        parser: &mut ReplyParser,
        emit: &mut impl FnMut(&[u8; ROW], &[u8]),
    ) -> Result<(), DiagError> {
        while !parser.read(self.receive()?, emit)? {}
        Ok(())
    }

    fn receive(&mut self) -> Result<&[u8], DiagError> {
        let received = retry_on_intr(|| recv(&self.socket, &mut *self.buffer, RecvFlags::TRUNC));
        match received {
            // With MSG_TRUNC the length is that of the datagram, even if the buffer is shorter.
            Ok((_, length)) => self.buffer.get(..length).ok_or(DiagError::Truncated),
            Err(Errno::AGAIN) => Err(DiagError::TimedOut),
            Err(errno) => Err(DiagError::of_call("recv")(errno)),
        }
    }
}

fn connect_to_kernel() -> Result<OwnedFd, DiagError> {
    let socket = open_netlink(SocketFlags::CLOEXEC)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(RECV_TIMEOUT))
        .map_err(DiagError::of_call("setsockopt SO_RCVTIMEO"))?;
    connect(&socket, &SocketAddrNetlink::new(0, 0)).map_err(DiagError::of_call("connect"))?;
    Ok(socket)
}

/// Opens a netlink socket that is not connected yet.
pub fn open_netlink(flags: SocketFlags) -> Result<OwnedFd, DiagError> {
    let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
    socket_with(family, kind, flags, Some(SOCK_DIAG)).map_err(DiagError::of_call("socket"))
}

#[cfg(test)]
mod tests {
    use super::super::request::{Selector, TCPDIAG_GETSOCK};
    use super::super::table_dumps::{StateSet, TableDump};
    use super::*;
    use crate::model::socket::{Family, Protocol};
    use std::net::TcpListener;

    const LISTENERS: DiagRequest = DiagRequest {
        kind: TCPDIAG_GETSOCK,
        family: Family::Ipv4,
        extensions: 0,
        selector: Selector::Table(TableDump {
            protocol: Protocol::Tcp,
            states: StateSet(1 << 10),
            port: 0,
            program: &[],
        }),
    };

    /// The kernel refuses a dump with EBUSY while another one goes on.
    #[test]
    fn after_an_unread_reply_the_next_one_is_complete() {
        // More than the kernel puts into its first datagram.
        let open = || TcpListener::bind("127.0.0.1:0").expect("a listener");
        let listeners: Vec<TcpListener> = (0..200).map(|_| open()).collect();
        let mut netlink = NetlinkSocket::open().expect("a channel");
        netlink.send(&LISTENERS).expect("a request");
        netlink.receive().expect("a part");
        let mut rows = 0;
        assert_eq!(netlink.ask(&LISTENERS, &mut |_, _| rows += 1), Ok(()));
        assert!(rows >= listeners.len(), "{rows}");
        assert!(!netlink.has_unread_reply);
    }

    #[test]
    fn a_kernel_that_does_not_answer_is_an_error() {
        let mut netlink = NetlinkSocket::open().expect("a channel");
        let timeout = set_socket_timeout(
            &netlink.socket,
            Timeout::Recv,
            Some(Duration::from_millis(1)),
        );
        timeout.expect("an option");
        assert_eq!(netlink.receive(), Err(DiagError::TimedOut));
    }
}
