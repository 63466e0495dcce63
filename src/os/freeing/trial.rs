//! The one bind that is tried at the verdict. Every socket is closed before the next is opened.

use crate::model::endpoint::Protocol;
use crate::model::freeing::{Attempt, BindOutcome, BindTrial, Order};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Instant;

/// Tries to bind each address for this order, without listening on it.
pub fn run(order: &Order, addresses: &[SocketAddr]) -> BindTrial {
    let localhost = ("localhost", order.port()).to_socket_addrs();
    BindTrial {
        order: order.id(),
        attempts: addresses
            .iter()
            .map(|address| attempt(order.protocol(), *address))
            .collect(),
        localhost: localhost.map_or_else(
            |_| Vec::new(),
            |addresses| addresses.map(|address| address.ip()).collect(),
        ),
        at: Instant::now(),
    }
}

/// One address, with SO_REUSEADDR where that means something, and without.
pub fn attempt(protocol: Protocol, address: SocketAddr) -> Attempt {
    // A UDP socket with SO_REUSEADDR binds beside another one, and on Windows it steals a TCP port.
    let with_reuse = match protocol {
        Protocol::Tcp if cfg!(unix) => Some(outcome(bind(protocol, address, Reuse::Address))),
        Protocol::Tcp | Protocol::Udp => None,
    };
    Attempt {
        address,
        with_reuse,
        without_reuse: outcome(bind(protocol, address, Reuse::Nothing)),
    }
}

fn outcome(bound: io::Result<()>) -> BindOutcome {
    match bound {
        Ok(()) => BindOutcome::Bound,
        Err(error) => match error.kind() {
            ErrorKind::AddrInUse => BindOutcome::InUse,
            // Windows says so of ports that it excludes, too, and those are not free.
            ErrorKind::PermissionDenied if !cfg!(windows) => BindOutcome::Denied,
            ErrorKind::AddrNotAvailable => BindOutcome::NoSuchAddress,
            _ if is_without_family(&error) => BindOutcome::NoSuchAddress,
            _ => BindOutcome::Failed(error.to_string()),
        },
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reuse {
    Address,
    Nothing,
}

#[cfg(unix)]
fn bind(protocol: Protocol, address: SocketAddr, reuse: Reuse) -> io::Result<()> {
    use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let kind = match protocol {
        Protocol::Tcp => SocketType::STREAM,
        Protocol::Udp => SocketType::DGRAM,
    };
    let socket = socket(family, kind, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    if reuse == Reuse::Address {
        sockopt::set_socket_reuseaddr(&socket, true)?;
    }
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    Ok(bind(&socket, &address)?)
}

#[cfg(not(unix))]
fn bind(protocol: Protocol, address: SocketAddr, _reuse: Reuse) -> io::Result<()> {
    match protocol {
        Protocol::Tcp => std::net::TcpListener::bind(address).map(drop),
        Protocol::Udp => std::net::UdpSocket::bind(address).map(drop),
    }
}

/// Whether the system lacks the address family altogether, as it does where IPv6 is switched off.
#[cfg(unix)]
fn is_without_family(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    errno == Some(Errno::AFNOSUPPORT) || errno == Some(Errno::NODEV)
}

#[cfg(not(unix))]
fn is_without_family(error: &io::Error) -> bool {
    const WSAEAFNOSUPPORT: i32 = 10047;
    error.raw_os_error() == Some(WSAEAFNOSUPPORT)
}
