//! Binds of Windows.

use crate::model::socket::Protocol;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

const WSAEAFNOSUPPORT: i32 = 10047;

/// Binds and closes again. std listens on a TCP socket for a moment.
pub fn bind(protocol: Protocol, address: SocketAddr, _reuse: bool) -> io::Result<()> {
    match protocol {
        Protocol::Tcp => TcpListener::bind(address).map(drop),
        Protocol::Udp => UdpSocket::bind(address).map(drop),
    }
}

pub fn is_family_unavailable(error: &io::Error) -> bool {
    error.raw_os_error() == Some(WSAEAFNOSUPPORT)
}
