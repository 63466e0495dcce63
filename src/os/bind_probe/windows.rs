//! Binds of Windows.

use super::BindAttempt;
use crate::model::socket::Protocol;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, UdpSocket};

const WSAEAFNOSUPPORT: i32 = 10047;

/// Binds and closes again. std listens on a TCP socket for a moment, and binds `::` for IPv6 alone, the default
/// here. It names no interface.
pub fn bind(attempt: BindAttempt) -> io::Result<()> {
    // SO_REUSEADDR would take the port from its owner, so it is never asked for.
    if attempt.reuses || attempt.device.is_some() {
        return Err(ErrorKind::Unsupported.into());
    }
    match attempt.protocol {
        Protocol::Tcp => TcpListener::bind(attempt.address).map(drop),
        Protocol::Udp => UdpSocket::bind(attempt.address).map(drop),
    }
}

/// Fails: std cannot bind a TCP socket without listening on it.
pub fn bind_any_port() -> io::Result<(TcpListener, u16)> {
    Err(ErrorKind::Unsupported.into())
}

/// True if this machine lacks the address family.
pub fn is_family_unavailable(error: &io::Error) -> bool {
    error.raw_os_error() == Some(WSAEAFNOSUPPORT)
}
