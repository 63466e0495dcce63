//! Sentences on what reaches a port: sockets on all addresses or on one interface, containers, redirects.

use crate::check::Forwarding;
use crate::model::port::PortSpec;
use crate::model::process::Container;
use crate::model::socket::{Protocol, Socket};
use crate::wording::{address_with_protocol, list, port};
use std::net::SocketAddr;

/// How a port is answered where nothing that is seen listens.
pub const ANSWERED_UNSEEN: &str = "answered by something that no socket table shows";

/// `0.0.0.0 covers every IPv4 address, including 127.0.0.1:3000`
pub fn wildcard(socket: &Socket, covered: &[SocketAddr]) -> String {
    let all = socket.local_address();
    let every = match (socket.is_dual_stack(), socket.local.is_ipv4()) {
        (true, _) => "IPv4 and IPv6",
        (false, true) => "IPv4",
        (false, false) => "IPv6",
    };
    let of = socket.interface.as_ref();
    let of = of.map_or_else(String::new, |interface| format!(" of {interface}"));
    let covered = ends(socket.protocol, covered);
    format!("{all} covers every {every} address{of}, including {covered}")
}

/// `0.0.0.0%lo receives only what arrives on lo: clients of 10.77.0.1:3000 do not reach it, but it prevents a bind there`
pub fn other_interface(socket: &Socket, unheard: &[SocketAddr]) -> String {
    let (own, unheard) = (socket.local_address(), ends(socket.protocol, unheard));
    let interface = socket.interface.as_ref();
    let only = interface.map_or_else(String::new, ToString::to_string);
    format!(
        "{own} receives only what arrives on {only}: clients of {unheard} do not reach it, but it prevents a bind there"
    )
}

fn ends(protocol: Protocol, at: &[SocketAddr]) -> String {
    let at = at.iter();
    let ends = at.map(|one| address_with_protocol(protocol, *one));
    list(&ends.collect::<Vec<_>>())
}

/// `127.0.0.1:3000 is answered by something that no socket table shows: a redirect (nft, iptables, eBPF) or …`
pub fn answered_unseen(at: &[SocketAddr]) -> String {
    let are = if at.len() == 1 { "is" } else { "are" };
    format!(
        "{} {are} {ANSWERED_UNSEEN}: a redirect (nft, iptables, eBPF) or a listener in another network namespace",
        list(at)
    )
}

/// `docker shop-db-1 publishes :8080, so connections go to the container (docker stop shop-db-1)`
pub fn published(container: &Container, spec: PortSpec, forwarding: Forwarding) -> String {
    let port = port(spec.protocol, spec.port);
    let how = match forwarding {
        Forwarding::BySocket => ", so connections go to the container",
        Forwarding::ByRule => ": iptables or nft forwards connections to the container",
        Forwarding::Unknown => {
            ", but no socket here holds it: iptables or nft forwards connections, or it is published in another network \
             namespace"
        }
    };
    let stop = container.stop_command();
    let stop = stop.map_or_else(String::new, |command| format!(" ({command})"));
    format!("{container} publishes {port}{how}{stop}")
}
