//! Tries whether a port can be bound, which only a bind can tell.
//!
//! Each try closes its socket at once and never listens: a server that starts meanwhile must not find the port taken.

use crate::model::endpoint::Protocol;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The addresses a program on this machine may want a port on.
pub const LOCAL_ADDRESSES: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
];

/// How many ports are tried before giving up.
const MAX_TRIES: usize = 50;

/// The first port after `near` that nobody in `is_held` holds and that can be bound on every local address.
pub fn unused_after(near: u16, is_held: impl Fn(u16) -> bool) -> Option<u16> {
    (near.checked_add(1)?..=u16::MAX)
        .filter(|port| !is_held(*port))
        .take(MAX_TRIES)
        .find(|port| is_bindable_everywhere(*port))
}

/// Whether a bind works on each local address that this machine has, and it has at least one.
pub fn is_bindable_everywhere(port: u16) -> bool {
    bind_all(Protocol::Tcp, &on_local_addresses(port), Reuse::Address).is_ok()
}

/// The port on each address that a program on this machine may want it on.
pub fn on_local_addresses(port: u16) -> [SocketAddr; 4] {
    LOCAL_ADDRESSES.map(|ip| SocketAddr::new(ip, port))
}

/// Binds each address that this machine has, one after the other. The error is that of the first that cannot be bound;
/// where the machine has none of them, that of the last.
pub fn bind_all(protocol: Protocol, addresses: &[SocketAddr], reuse: Reuse) -> io::Result<()> {
    let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        match bind(protocol, *address, reuse) {
            Ok(()) => outcome = Ok(()),
            Err(error) if is_address_unavailable(&error) => {}
            Err(error) => return Err(error),
        }
    }
    outcome
}

/// Whether the address is of another machine, or of none: no port can be bound on it.
pub fn is_foreign_address(address: IpAddr) -> bool {
    let any_port = SocketAddr::new(address, 0);
    let outcome = bind(Protocol::Udp, any_port, Reuse::Nothing);
    outcome.is_err_and(|error| is_address_unavailable(&error))
}

/// Whether the address, or its whole family, is not of this machine.
pub fn is_address_unavailable(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || is_family_unavailable(error)
}

#[cfg(unix)]
fn is_family_unavailable(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    errno == Some(Errno::AFNOSUPPORT) || errno == Some(Errno::NODEV)
}

/// `WSAEAFNOSUPPORT`
#[cfg(windows)]
fn is_family_unavailable(error: &io::Error) -> bool {
    error.raw_os_error() == Some(10047)
}

/// Whether a bind asks for SO_REUSEADDR, as most servers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    Address,
    Nothing,
}

/// Binds and closes again, without listening. `::` is bound for IPv6 alone.
#[cfg(unix)]
pub fn bind(protocol: Protocol, address: SocketAddr, reuse: Reuse) -> io::Result<()> {
    use rustix::net::{AddressFamily, SocketType, socket, sockopt};
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
    // Not every Unix can do this in one call; a child must not inherit the probe and keep the port.
    rustix::io::fcntl_setfd(&probe, rustix::io::FdFlags::CLOEXEC)?;
    #[cfg(target_os = "linux")]
    crate::os::self_sockets::register(&probe);
    if reuse == Reuse::Address {
        sockopt::set_socket_reuseaddr(&probe, true)?;
    }
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&probe, true)?;
    }
    Ok(rustix::net::bind(&probe, &address)?)
}

/// Never with SO_REUSEADDR, which on Windows takes the port from whoever has it. std listens on TCP, for a moment.
#[cfg(windows)]
pub fn bind(protocol: Protocol, address: SocketAddr, _reuse: Reuse) -> io::Result<()> {
    match protocol {
        Protocol::Tcp => std::net::TcpListener::bind(address).map(drop),
        Protocol::Udp => std::net::UdpSocket::bind(address).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_listener_on_one_address_makes_a_port_unusable() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        assert!(!is_bindable_everywhere(port));
    }

    #[test]
    fn the_next_unused_port_is_above_and_skips_used_ones() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let taken = listener.local_addr().expect("an address").port();
        let (near, held) = (taken - 1, taken + 1);
        let unused = unused_after(near, |port| port == held).expect("one of fifty is unused");
        assert!(
            unused > held,
            "{unused} after {near}, without {taken} and {held}"
        );
    }

    #[test]
    fn no_unused_port_follows_the_last() {
        assert_eq!(unused_after(u16::MAX, |_| false), None);
    }
}
