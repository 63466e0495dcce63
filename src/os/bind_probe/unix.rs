//! Binds of Linux and macOS.

use super::BindAttempt;
use crate::model::socket::Protocol;
use crate::os::interfaces;
use crate::os::sockets::self_sockets;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket, sockopt};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
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
    rustix::net::bind(&probe, &attempt.address)?;
    if attempt.protocol == Protocol::Udp {
        mark(&probe);
    }
    Ok(())
}

/// Connects a bound UDP socket to itself, which sends nothing: other watchers know a probe by that. A failure only means
/// that they take it for a socket in use.
fn mark(probe: &OwnedFd) {
    let local = rustix::net::getsockname(probe).ok();
    let local = local.and_then(|local| SocketAddr::try_from(local).ok());
    let itself = local.map(|local| match local {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => {
            SocketAddr::from((Ipv4Addr::LOCALHOST, v4.port()))
        }
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            SocketAddr::from((Ipv6Addr::LOCALHOST, v6.port()))
        }
        specific => specific,
    });
    let _ = itself.map(|itself| rustix::net::connect(probe, &itself));
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
