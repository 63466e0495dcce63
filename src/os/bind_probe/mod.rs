//! The bind probe: tries whether a port can be bound, which only a bind can tell.
//!
//! Each probe closes its socket at once and never listens: a server that starts meanwhile must not find the port taken.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

use crate::model::platform::PLATFORM;
use crate::model::port::{AddressProbe, AddressSpec, BindOutcome, BindResult, PortSpec};
use crate::model::socket::Protocol;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

/// Number of ports that are tried before giving up.
const MAX_TRIES: usize = 50;

/// Binds the port on its address or on all local ones, one after the other.
pub fn probe_port(spec: PortSpec) -> Vec<AddressProbe> {
    probe_all(spec.protocol, &spec.address.bind_addresses(spec.port))
}

/// Binds each address, one after the other.
pub fn probe_all(protocol: Protocol, addresses: &[SocketAddr]) -> Vec<AddressProbe> {
    addresses.iter().map(|at| probe(protocol, *at)).collect()
}

/// Binds one address with SO_REUSEADDR, where that is usual, and without.
pub fn probe(protocol: Protocol, address: SocketAddr) -> AddressProbe {
    AddressProbe {
        address,
        with_reuseaddr: sets_reuseaddr(protocol).then(|| bind(protocol, address, true)),
        without_reuseaddr: bind(protocol, address, false),
    }
}

/// Binds the port once on its address or on each local one, as a server does.
pub fn bind_as_server(spec: PortSpec) -> BindResult {
    let addresses = spec.address.bind_addresses(spec.port).into_iter();
    let outcomes = addresses.map(|at| bind(spec.protocol, at, sets_reuseaddr(spec.protocol)));
    BindResult::worst(outcomes.map(|outcome| BindResult::from(&outcome)))
}

/// True if servers usually set SO_REUSEADDR. A UDP socket with it would bind beside another one.
fn sets_reuseaddr(protocol: Protocol) -> bool {
    protocol == Protocol::Tcp && PLATFORM.has_safe_reuseaddr()
}

fn bind(protocol: Protocol, address: SocketAddr, reuse: bool) -> BindOutcome {
    let Err(error) = system::bind(protocol, address, reuse) else {
        return BindOutcome::Bound;
    };
    match error.kind() {
        ErrorKind::AddrInUse => BindOutcome::InUse,
        ErrorKind::PermissionDenied if PLATFORM.denies_only_privileged_ports() => {
            BindOutcome::NotPermitted
        }
        _ if is_address_unavailable(&error) => BindOutcome::NoSuchAddress,
        _ => BindOutcome::Failed(error.to_string()),
    }
}

/// Returns the first port after `near` that `is_held` does not claim and that can be bound on every local address.
pub fn unused_after(near: u16, is_held: impl Fn(u16) -> bool) -> Option<u16> {
    (near.checked_add(1)?..=u16::MAX)
        .filter(|port| !is_held(*port))
        .take(MAX_TRIES)
        .find(|port| bind_as_server(PortSpec::tcp(*port)) == BindResult::Usable)
}

/// True if none of the addresses is one of this machine, so that no port can be bound on it.
pub fn is_foreign_address(address: AddressSpec) -> bool {
    let any_port = probe_all(Protocol::Udp, &address.bind_addresses(0));
    BindResult::of(&any_port) == BindResult::NoSuchAddress
}

/// True if this machine lacks the address or its whole family.
pub fn is_address_unavailable(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || system::is_family_unavailable(error)
}

/// Resolves `localhost`, each address once, in the order in which clients try them.
pub fn resolve_localhost() -> Vec<IpAddr> {
    let mut ips = Vec::new();
    for address in ("localhost", 0).to_socket_addrs().into_iter().flatten() {
        if !ips.contains(&address.ip()) {
            ips.push(address.ip());
        }
    }
    ips
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_listener_on_one_address_makes_a_port_unusable() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let probes = probe_port(PortSpec::tcp(port));
        assert_eq!(BindResult::of(&probes), BindResult::InUse);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_bind_distinguishes_a_free_port_from_a_used_one() {
        use BindOutcome::{Bound, InUse};
        // On this address nothing else takes a port that was just closed.
        let own = SocketAddr::from((crate::os::testing::own_ip(87), 0));
        let listening = TcpListener::bind(own).unwrap();
        let held = listening.local_addr().unwrap();
        let free = TcpListener::bind(own).unwrap().local_addr().unwrap();
        let outcomes = [held, free].map(|address| {
            let probe = probe(Protocol::Tcp, address);
            (probe.with_reuseaddr, probe.without_reuseaddr)
        });
        assert_eq!(outcomes, [(Some(InUse), InUse), (Some(Bound), Bound)]);
    }

    #[cfg(unix)]
    #[test]
    fn a_server_binds_once_and_beside_a_socket_that_shares_the_port() {
        use socket2::{Domain, Socket, Type};
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("an option");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        socket.bind(&any.into()).expect("a free port");
        let at = socket.local_addr().expect("an address").as_socket();
        let at = at.expect("an Internet address");
        let spec = PortSpec {
            address: AddressSpec::Ip(at.ip()),
            ..PortSpec::tcp(at.port())
        };
        let results = [BindResult::of(&probe_port(spec)), bind_as_server(spec)];
        assert_eq!(results, [BindResult::OnlyWithReuseAddr, BindResult::Usable]);
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
