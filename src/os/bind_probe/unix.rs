//! Binds of Linux and macOS.

use crate::model::socket::Protocol;
use crate::os::sockets::self_sockets;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket, sockopt};
use std::io;
use std::net::SocketAddr;

/// Binds and closes again, without listening. `::` is bound for IPv6 alone.
pub fn bind(protocol: Protocol, address: SocketAddr, reuse: bool) -> io::Result<()> {
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
    if reuse {
        sockopt::set_socket_reuseaddr(&probe, true)?;
    }
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&probe, true)?;
    }
    Ok(rustix::net::bind(&probe, &address)?)
}

/// True if this machine lacks the address family.
pub fn is_family_unavailable(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    errno == Some(Errno::AFNOSUPPORT) || errno == Some(Errno::NODEV)
}
