//! Interfaces of Windows and macOS, where no source of sockets reports any.

use crate::model::socket::Interface;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};

/// Returns what is known of these interfaces: their indices.
pub fn describe(indices: &[u32]) -> Vec<Interface> {
    let describe = |index: &u32| Interface {
        index: *index,
        name: None,
        is_loopback: false,
        addresses: Vec::new(),
    };
    indices.iter().map(describe).collect()
}

/// Fails: no socket is bound to an interface by its index here.
pub fn bind_to<T>(_: &T, _: u32) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Returns the index of an interface by its name or number, as getaddrinfo(3) reads a scope.
pub fn index(name: &str) -> Option<u32> {
    let scoped = format!("fe80::1%{name}");
    let mut found = (scoped.as_str(), 0).to_socket_addrs().ok()?;
    found.find_map(|address| match address {
        SocketAddr::V6(v6) => Some(v6.scope_id()).filter(|index| *index != 0),
        SocketAddr::V4(_) => None,
    })
}
