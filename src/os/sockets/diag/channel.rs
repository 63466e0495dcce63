//! The netlink socket: one request, its whole answer.
//!
//! It is connected to the kernel, which makes the kernel refuse datagrams of any other sender (`netlink_getsockbyportid` in
//! net/netlink/af_netlink.c), so no sender has to be looked at. After an answer that was not heard to its end the next
//! request opens a new socket: the kernel would refuse it while the old dump runs, and leftovers must not be taken for an
//! answer.

use super::failure::Failure;
use super::reply::{ROW, Reply};
use super::request::Request;
use rustix::fd::OwnedFd;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{connect, recv, send, socket_with};
use std::time::Duration;

/// The kernel never fills more of a buffer than this (`netlink_recvmsg`).
const BUFFER: usize = 32 * 1024;

/// A dump goes on whenever it is received from; a kernel that needs longer for a part of it does not answer at all.
const PATIENCE: Duration = Duration::from_secs(2);

pub struct Channel {
    socket: OwnedFd,
    /// Whether something of an earlier answer may still come.
    is_stale: bool,
    sequence: u32,
    request: Vec<u8>,
    answer: Box<[u8]>,
}

impl Channel {
    pub fn open() -> Result<Self, Failure> {
        Ok(Self {
            socket: to_the_kernel()?,
            is_stale: false,
            sequence: 0,
            request: Vec::new(),
            answer: vec![0; BUFFER].into_boxed_slice(),
        })
    }

    /// Sends the request and shows the rows of its answer.
    #[inline]
    pub fn ask(
        &mut self,
        request: &Request,
        see: &mut impl FnMut(&[u8; ROW], &[u8]),
    ) -> Result<(), Failure> {
        self.send(request)?;
        let mut reply = Reply {
            kind: request.kind,
            sequence: self.sequence,
            is_dump: request.is_dump(),
            has_changed: false,
        };
        let outcome = self.hear(&mut reply, see);
        self.is_stale = outcome.is_err_and(|failure| !failure.has_ended());
        outcome
    }

    fn send(&mut self, request: &Request) -> Result<(), Failure> {
        if self.is_stale {
            self.socket = to_the_kernel()?;
        }
        self.is_stale = true;
        self.sequence = self.sequence.wrapping_add(1);
        request.encode(self.sequence, &mut self.request);
        retry_on_intr(|| send(&self.socket, &self.request, SendFlags::empty()))
            .map_err(Failure::of_call("send"))?;
        Ok(())
    }

    #[inline]
    fn hear(
        &mut self,
        reply: &mut Reply,
        see: &mut impl FnMut(&[u8; ROW], &[u8]),
    ) -> Result<(), Failure> {
        loop {
            let length = self.receive()?;
            // With MSG_TRUNC it is the length of the datagram, whatever the buffer holds.
            let datagram = self.answer.get(..length).ok_or(Failure::Cut)?;
            if reply.read(datagram, see)? {
                return Ok(());
            }
        }
    }

    fn receive(&mut self) -> Result<usize, Failure> {
        let received = retry_on_intr(|| recv(&self.socket, &mut *self.answer, RecvFlags::TRUNC));
        match received {
            Ok((_, length)) => Ok(length),
            Err(Errno::AGAIN) => Err(Failure::Silent),
            Err(errno) => Err(Failure::of_call("recv")(errno)),
        }
    }
}

fn to_the_kernel() -> Result<OwnedFd, Failure> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        flags,
        Some(SOCK_DIAG),
    )
    .map_err(Failure::of_call("socket"))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))
        .map_err(Failure::of_call("setsockopt SO_RCVTIMEO"))?;
    connect(&socket, &SocketAddrNetlink::new(0, 0)).map_err(Failure::of_call("connect"))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::super::request::{Asked, BOTH_FAMILIES};
    use super::super::walks::{States, Walk};
    use super::*;
    use crate::model::address::Family;
    use crate::model::endpoint::Protocol;
    use std::net::TcpListener;

    const LISTENERS: Request = Request {
        kind: BOTH_FAMILIES,
        family: Family::Ipv4,
        extensions: 0,
        asked: Asked::All(Walk {
            protocol: Protocol::Tcp,
            states: States(1 << 10),
            port: 0,
            program: &[],
        }),
    };

    /// The kernel refuses a dump with EBUSY while another one goes on.
    #[test]
    fn after_an_answer_that_was_not_heard_the_next_is_whole() {
        // More than the kernel puts into its first datagram.
        let open = || TcpListener::bind("127.0.0.1:0").expect("a listener");
        let listeners: Vec<TcpListener> = (0..200).map(|_| open()).collect();
        let mut channel = Channel::open().expect("a channel");
        channel.send(&LISTENERS).expect("a request");
        channel.receive().expect("a part");
        let mut rows = 0;
        assert_eq!(channel.ask(&LISTENERS, &mut |_, _| rows += 1), Ok(()));
        assert!(rows >= listeners.len(), "{rows}");
        assert!(!channel.is_stale);
    }

    #[test]
    fn a_kernel_that_does_not_answer_is_an_error() {
        let mut channel = Channel::open().expect("a channel");
        let timeout = set_socket_timeout(
            &channel.socket,
            Timeout::Recv,
            Some(Duration::from_millis(1)),
        );
        timeout.expect("an option");
        assert_eq!(channel.receive(), Err(Failure::Silent));
    }
}
