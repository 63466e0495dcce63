//! Binds of Linux and macOS.

use super::BindAttempt;
use crate::model::socket::Protocol;
use crate::os::interfaces;
use crate::os::sockets::self_sockets;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket, sockopt};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

/// Binds and closes again, without listening.
pub fn bind(attempt: BindAttempt) -> io::Result<()> {
    let probe = open(attempt.protocol, attempt.address)?;
    if let Some(index) = attempt.device {
        interfaces::bind_to(&probe, index)?;
    }
    if attempt.reuses {
        sockopt::set_socket_reuseaddr(&probe, true)?;
    }
    if attempt.address.is_ipv6() {
        sockopt::set_ipv6_v6only(&probe, !attempt.takes_ipv4)?;
    }
    Ok(rustix::net::bind(&probe, &attempt.address)?)
}

/// Binds a TCP socket to a port that the kernel chooses, without listening.
pub fn bind_any_port() -> io::Result<(OwnedFd, u16)> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let probe = open(Protocol::Tcp, any)?;
    rustix::net::bind(&probe, &any)?;
    let bound: SocketAddr = rustix::net::getsockname(&probe)?.try_into()?;
    Ok((probe, bound.port()))
}

fn open(protocol: Protocol, address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let kind = match protocol {
        Protocol::Tcp => SocketType::STREAM,
        Protocol::Udp => SocketType::DGRAM,
    };
    let probe = socket(family, kind, None)?;
    // macOS cannot do this in one call. A child must not inherit the socket and keep the port.
    rustix::io::fcntl_setfd(&probe, rustix::io::FdFlags::CLOEXEC)?;
    self_sockets::register(&probe);
    Ok(probe)
}

/// True if this machine lacks the address family.
pub fn is_family_unavailable(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    errno == Some(Errno::AFNOSUPPORT) || errno == Some(Errno::NODEV)
}
