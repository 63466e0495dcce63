//! The bind probe: tries whether a port can be bound, which only a bind can tell.
//!
//! Each probe closes its socket at once and never listens: a server that starts meanwhile must not find the port taken.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

use crate::model::platform::PLATFORM;
use crate::model::port::{AddressProbe, AddressSpec, BindOutcome, BindResult, PortBinds, PortSpec};
use crate::model::socket::{Protocol, SocketSource, State};
use crate::os::environment;
use crate::os::sockets::{DumpScope, Sockets};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// Number of ports that are tried before giving up.
const MAX_TRIES: usize = 50;

/// Number of binds that a signal may interrupt before that counts as a failure.
const MAX_INTERRUPTS: usize = 10;

/// One bind(2) to try.
#[derive(Clone, Copy, Debug)]
struct BindAttempt {
    protocol: Protocol,
    address: SocketAddr,
    reuses: bool,
    /// Index of the interface that the socket is bound to first.
    device: Option<u32>,
    /// Without IPV6_V6ONLY, whatever `net.ipv6.bindv6only` says: servers that want both families set it to 0.
    takes_ipv4: bool,
}

/// Binds the port on its address or on all local ones, one after the other: `[::]` for both families and for IPv6 alone.
/// `source` is the one of the socket tables that go with the binds.
pub fn probe_port(spec: PortSpec, source: Option<SocketSource>) -> PortBinds {
    let addresses = spec.address.bind_addresses(spec.port).into_iter();
    let mut probes: Vec<AddressProbe> = addresses.map(|at| probe_alone(spec, at)).collect();
    if spec.asks_for_both_families() {
        let both: Vec<AddressProbe> = probes.iter().map(|alone| probe_both(spec, alone)).collect();
        probes.splice(0..0, both);
    }
    with_source(spec.protocol, probes, source)
}

/// Binds each address, one after the other; `::` for IPv6 alone.
pub fn probe_all(
    protocol: Protocol,
    addresses: &[SocketAddr],
    source: Option<SocketSource>,
) -> PortBinds {
    with_source(protocol, probe_addresses(protocol, addresses), source)
}

fn probe_addresses(protocol: Protocol, addresses: &[SocketAddr]) -> Vec<AddressProbe> {
    addresses.iter().map(|at| probe(protocol, *at)).collect()
}

/// Binds one address with SO_REUSEADDR, where that is usual, and without.
pub fn probe(protocol: Protocol, address: SocketAddr) -> AddressProbe {
    try_both_ways(BindAttempt {
        protocol,
        address,
        device: None,
        reuses: false,
        takes_ipv4: false,
    })
}

fn probe_alone(spec: PortSpec, address: SocketAddr) -> AddressProbe {
    try_both_ways(BindAttempt {
        protocol: spec.protocol,
        address,
        device: spec.address.device(),
        reuses: false,
        takes_ipv4: false,
    })
}

fn probe_both(spec: PortSpec, alone: &AddressProbe) -> AddressProbe {
    try_both_ways(BindAttempt {
        protocol: spec.protocol,
        address: alone.address,
        device: None,
        reuses: false,
        takes_ipv4: true,
    })
}

fn try_both_ways(attempt: BindAttempt) -> AddressProbe {
    let reusing = BindAttempt {
        reuses: true,
        ..attempt
    };
    AddressProbe {
        address: attempt.address,
        takes_ipv4: attempt.takes_ipv4,
        with_reuseaddr: sets_reuseaddr(attempt.protocol).then(|| bind(reusing)),
        without_reuseaddr: bind(attempt),
    }
}

/// True if servers usually set SO_REUSEADDR. A UDP socket with it would bind beside another one.
fn sets_reuseaddr(protocol: Protocol) -> bool {
    protocol == Protocol::Tcp && PLATFORM.has_safe_reuseaddr()
}

fn bind(attempt: BindAttempt) -> BindOutcome {
    let Err(error) = bind_uninterrupted(attempt) else {
        return BindOutcome::Bound;
    };
    match error.kind() {
        ErrorKind::AddrInUse => BindOutcome::InUse,
        ErrorKind::PermissionDenied if environment::lacks_privilege_for(attempt.address.port()) => {
            BindOutcome::NotPermitted
        }
        _ if is_address_unavailable(&error) => BindOutcome::NoSuchAddress,
        _ => BindOutcome::Failed(error.to_string()),
    }
}

/// Tries again after a signal that came in between, which says nothing about the port.
fn bind_uninterrupted(attempt: BindAttempt) -> io::Result<()> {
    for _ in 1..MAX_INTERRUPTS {
        match system::bind(attempt) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
    system::bind(attempt)
}

/// Adds what the socket tables would show. They are asked only if a bind was refused.
fn with_source(
    protocol: Protocol,
    probes: Vec<AddressProbe>,
    source: Option<SocketSource>,
) -> PortBinds {
    let is_clear = |probe: &AddressProbe| {
        let result = probe.result();
        matches!(result, BindResult::Usable | BindResult::NoSuchAddress)
    };
    // UDP sockets are in one table, whatever they do.
    let is_needless = protocol == Protocol::Udp || probes.iter().all(is_clear);
    PortBinds {
        shows_bound: is_needless || shows_bound(source),
        probes,
    }
}

/// True if the tables show a TCP socket that is bound and does not listen, as those of Linux do from 6.8 on, by netlink
/// alone. A socket that is bound for it tells.
fn shows_bound(source: Option<SocketSource>) -> bool {
    let Ok((_socket, port)) = system::bind_any_port() else {
        return false;
    };
    let mut is_shown = false;
    let request = DumpScope::Local(vec![port]).with_bound();
    Sockets::new(source).read(&request, &mut |socket| {
        is_shown |= socket.state == Some(State::Bound);
    });
    is_shown
}

/// Returns the first port after `near` that `is_held` does not claim and that can be bound on every local address.
pub fn unused_after(near: u16, is_held: impl Fn(u16) -> bool) -> Option<u16> {
    (near.checked_add(1)?..=u16::MAX)
        .filter(|port| !is_held(*port))
        .take(MAX_TRIES)
        .find(|port| is_usable(PortSpec::tcp(*port)))
}

/// True if every bind of the port succeeds, also without SO_REUSEADDR: nothing at all has it then, whatever the tables
/// show.
pub fn is_usable(spec: PortSpec) -> bool {
    bind_result(spec) == BindResult::Usable
}

/// Returns what binds of the port on all its addresses give, without a look at the tables.
pub fn bind_result(spec: PortSpec) -> BindResult {
    let addresses = spec.address.bind_addresses(spec.port);
    BindResult::of(&probe_addresses(spec.protocol, &addresses))
}

/// True if none of the addresses is one of this machine, so that no port can be bound on it.
pub fn is_foreign_address(address: AddressSpec) -> bool {
    let any_port = probe_addresses(Protocol::Udp, &address.bind_addresses(0));
    BindResult::of(&any_port) == BindResult::NoSuchAddress
}

/// True if a client that connects there leaves this machine.
pub fn is_elsewhere(mut at: SocketAddr) -> bool {
    at.set_port(0);
    probe(Protocol::Udp, at).result() == BindResult::NoSuchAddress
}

/// True if this machine lacks the address or its whole family.
pub fn is_address_unavailable(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || system::is_family_unavailable(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_listener_on_one_address_makes_a_port_unusable() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let binds = probe_port(PortSpec::tcp(port), None);
        assert_eq!(BindResult::of(&binds.probes), BindResult::InUse);
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

    /// A socket with SO_REUSEADDR that is bound to this address and a port of its own.
    #[cfg(target_os = "linux")]
    fn bound(at: &str) -> (socket2::Socket, SocketAddr) {
        use socket2::{Domain, Socket, Type};
        let at: SocketAddr = at.parse().expect("an address");
        let socket = Socket::new(Domain::for_address(at), Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("an option");
        socket.bind(&at.into()).expect("a free port");
        let at = socket.local_addr().expect("an address").as_socket();
        (socket, at.expect("an Internet address"))
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_bound_socket_refuses_the_bind_without_reuseaddr_alone() {
        let (_socket, at) = bound("127.0.0.1:0");
        let spec = PortSpec {
            address: AddressSpec::Ip(at.ip()),
            ..PortSpec::tcp(at.port())
        };
        let results = [None, Some(SocketSource::Procnet)].map(|source| {
            let binds = probe_port(spec, source);
            (BindResult::of(&binds.probes), binds.shows_bound)
        });
        let only = BindResult::OnlyWithReuseAddr;
        assert_eq!(results, [(only.clone(), true), (only, false)]);
        assert!(!is_usable(spec));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn ipv4_alone_refuses_the_bind_of_both_families() {
        let (_socket, at) = bound("127.0.0.1:0");
        let spec = PortSpec {
            address: AddressSpec::Ip("::".parse().expect("an address")),
            ..PortSpec::tcp(at.port())
        };
        let probes = probe_port(spec, None).probes;
        let results = probes
            .iter()
            .map(|probe| (probe.takes_ipv4, probe.result()));
        let expected = [
            (true, BindResult::OnlyWithReuseAddr),
            (false, BindResult::Usable),
        ];
        assert_eq!(results.collect::<Vec<_>>(), expected);
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
