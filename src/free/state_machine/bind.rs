//! Binds that show whether a port is free: on which addresses, and the verdicts that follow.

use super::poll_verdict::unknown;
use super::request_log::RequestLog;
use crate::free::exec_command::BindProbe;
use crate::free::verdict::{Evidence, Proof, Verdict, VerdictKind};
use crate::model::port::{AddressProbe, AddressSpec, BindResult};
use crate::model::socket::Socket;
use std::net::{IpAddr, SocketAddr};

/// Returns the addresses that show whether the whole port is free: those that were held, and those that servers use.
pub(super) fn all_addresses(log: &RequestLog) -> Vec<SocketAddr> {
    let mut addresses = AddressSpec::Any.bind_addresses(log.request.port().number);
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

/// Returns the local addresses that can be bound. A link-local address without its scope, which not every source
/// reports, always fails (EINVAL), so it is left out.
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
    let cannot_bind = |error| VerdictKind::CannotBind {
        leftovers: log.leftovers(),
        error,
    };
    log.verdict(match BindResult::of(&probe.probes) {
        BindResult::Usable if log.is_unread() => {
            VerdictKind::Free(Proof::BindOnly(log.last_poll.problems.clone()))
        }
        // Without the tables only a bind without SO_REUSEADDR proves anything: with it a port can be bound beside a socket
        // that does not listen.
        result if log.is_unread() => return unknown(log, Evidence::Bind(result)),
        BindResult::Usable => VerdictKind::Free(Proof::Bound),
        BindResult::NotPermitted => VerdictKind::Free(Proof::NotPermitted),
        BindResult::NoSuchAddress => VerdictKind::Free(Proof::NoSuchAddress),
        BindResult::OnlyWithReuseAddr => VerdictKind::OnlyWithReuseAddr(log.leftovers()),
        BindResult::InUse => cannot_bind(None),
        BindResult::Failed(error) => cannot_bind(Some(error)),
    })
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
    Some(log.verdict(VerdictKind::PartlyFree {
        free: probe.probes.iter().map(|probe| probe.address).collect(),
        localhost: probe.localhost.first().copied().filter(reaches),
        held,
    }))
}
