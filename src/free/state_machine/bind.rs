//! Binds that show whether a port is free: on which addresses, and the verdicts that follow.

use super::poll_verdict::unknown;
use super::request_log::RequestLog;
use crate::free::exec_command::BindProbe;
use crate::free::verdict::{Evidence, Proof, Verdict};
use crate::model::port::{AddressProbe, BindResult, bind_addresses};
use crate::model::socket::Socket;
use std::net::{IpAddr, SocketAddr};

/// Returns the addresses that show whether the whole port is free: those that were held, and those that servers use.
pub(super) fn all_addresses(log: &RequestLog) -> Vec<SocketAddr> {
    let mut addresses = bind_addresses(None, log.request.port().number);
    addresses.extend(bindable(log.request.sockets.iter()));
    sorted_once(addresses)
}

/// Returns the addresses that targets held and nothing holds now.
pub(super) fn freed_addresses(log: &RequestLog, holding: &[Socket]) -> Vec<SocketAddr> {
    let sockets = log.request.sockets.iter();
    let targeted = sockets.filter(|socket| log.is_targeted(socket));
    let is_held = |address: &SocketAddr| holding.iter().any(|socket| socket.local == *address);
    sorted_once(
        bindable(targeted)
            .filter(|address| !is_held(address))
            .collect(),
    )
}

/// Returns the local addresses except link-local ones without their scope, which not every source of sockets tells: their
/// bind always fails (EINVAL).
fn bindable<'a>(sockets: impl Iterator<Item = &'a Socket>) -> impl Iterator<Item = SocketAddr> {
    let addresses = sockets.map(|socket| socket.local);
    addresses.filter(|address| match address {
        SocketAddr::V4(_) => true,
        SocketAddr::V6(v6) => !v6.ip().is_unicast_link_local() || v6.scope_id() != 0,
    })
}

fn sorted_once(mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Returns the verdict of a bind on the whole port, which nothing is seen to hold.
pub(super) fn bind_verdict(log: &RequestLog, probe: &BindProbe) -> Verdict {
    let port = log.request.port();
    let free = |proof| Verdict::Free {
        port,
        outcomes: log.outcomes(),
        proof,
    };
    let cannot_bind = |error| Verdict::CannotBind {
        port,
        outcomes: log.outcomes(),
        leftovers: log.leftovers(),
        error,
    };
    match BindResult::of(&probe.probes) {
        BindResult::Usable if log.is_unread() => {
            free(Proof::BindOnly(log.last_poll.problems.clone()))
        }
        // Without the tables only a bind without SO_REUSEADDR proves anything: with it a port can be bound beside a socket
        // that does not listen.
        result if log.is_unread() => unknown(log, Evidence::Bind(result)),
        BindResult::Usable => free(Proof::Bound),
        BindResult::NotPermitted => free(Proof::NotPermitted),
        BindResult::NoSuchAddress => free(Proof::NoSuchAddress),
        BindResult::OnlyWithReuseAddr => Verdict::OnlyWithReuseAddr {
            port,
            outcomes: log.outcomes(),
            leftovers: log.leftovers(),
        },
        BindResult::InUse => cannot_bind(None),
        BindResult::Failed(error) => cannot_bind(Some(error)),
    }
}

/// Returns the verdict of a bind on the addresses that targets held; `None` unless all of them can be bound.
pub(super) fn part_verdict(log: &RequestLog, probe: &BindProbe) -> Option<Verdict> {
    let is_usable = |probe: &AddressProbe| probe.result().is_usable();
    if probe.probes.is_empty() || !probe.probes.iter().all(is_usable) {
        return None;
    }
    let held = log.holding_sockets();
    let reaches = |ip: &IpAddr| {
        held.iter().any(|socket| {
            let local = socket.local.ip();
            local == *ip || local.is_unspecified() && local.is_ipv4() == ip.is_ipv4()
        })
    };
    Some(Verdict::PartlyFree {
        port: log.request.port(),
        free: probe.probes.iter().map(|probe| probe.address).collect(),
        localhost: probe.localhost.first().copied().filter(reaches),
        held,
    })
}
