//! The one bind that is tried at the verdict. Every socket is closed before the next is opened.

use crate::free::{AddressProbe, BindOutcome, BindProbe, KillRequest};
use crate::model::endpoint::Protocol;
use crate::model::platform::PLATFORM;
use crate::os::bind_probe::{Reuse, bind, is_address_unavailable};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Instant;

/// Tries to bind each address for this order, without listening on it.
pub fn probe_all(request: &KillRequest, addresses: &[SocketAddr]) -> BindProbe {
    let localhost = ("localhost", request.port()).to_socket_addrs();
    BindProbe {
        request: request.id(),
        probes: addresses
            .iter()
            .map(|address| probe(request.protocol(), *address))
            .collect(),
        localhost: localhost.map_or_else(
            |_| Vec::new(),
            |addresses| addresses.map(|address| address.ip()).collect(),
        ),
        at: Instant::now(),
    }
}

/// One address, with SO_REUSEADDR where that means something, and without.
pub fn probe(protocol: Protocol, address: SocketAddr) -> AddressProbe {
    // A UDP socket with SO_REUSEADDR binds beside another one, and on Windows it steals a TCP port.
    let with_reuse = match protocol {
        Protocol::Tcp if PLATFORM.has_safe_reuseaddr() => {
            Some(outcome(bind(protocol, address, Reuse::Address)))
        }
        Protocol::Tcp | Protocol::Udp => None,
    };
    AddressProbe {
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
            ErrorKind::PermissionDenied if PLATFORM.denies_only_privileged_ports() => {
                BindOutcome::Denied
            }
            _ if is_address_unavailable(&error) => BindOutcome::NoSuchAddress,
            _ => BindOutcome::Failed(error.to_string()),
        },
    }
}
