//! Verdicts that a bind decides, and the addresses where it is tried.

use super::evaluate::unknown;
use super::observation::BindProbe;
use super::request_log::RequestLog;
use super::verdict::{Evidence, Proof, Verdict};
use crate::model::bind::{AddressProbe, BindResult, bind_addresses};
use crate::model::endpoint::Socket;
use std::net::{IpAddr, SocketAddr};

/// Returns the verdict of a bind on the whole port, which nothing is seen to hold.
pub(super) fn bind_verdict(log: &RequestLog, probe: &BindProbe) -> Verdict {
    let result = BindResult::of(&probe.probes);
    let is_unread = log.is_unread();
    let (port, outcomes) = (log.port(), log.outcomes());
    let free = |proof| Verdict::Free {
        port,
        outcomes: log.outcomes(),
        proof,
    };
    let error = match result {
        BindResult::Usable if is_unread => return free(Proof::BindOnly(log.problems.clone())),
        // Without the tables only a bind without SO_REUSEADDR proves anything: with it a port can be bound beside a socket
        // that does not listen.
        result if is_unread => return unknown(log, Evidence::Bind(result)),
        BindResult::Usable => return free(Proof::Bound),
        BindResult::NotPermitted => return free(Proof::NotPermitted),
        BindResult::NoSuchAddress => return free(Proof::NoSuchAddress),
        BindResult::OnlyWithReuse => {
            return Verdict::OnlyWithReuse {
                port,
                outcomes,
                leftovers: log.leftovers(),
            };
        }
        BindResult::InUse => None,
        BindResult::Failed(error) => Some(error),
    };
    Verdict::CannotBind {
        port,
        outcomes,
        leftovers: log.leftovers(),
        error,
    }
}

/// Returns the verdict of a bind on the addresses that targets held; `None` unless all of them can be bound.
pub(super) fn part_verdict(log: &RequestLog, probe: &BindProbe) -> Option<Verdict> {
    let is_usable = |probe: &AddressProbe| probe.result().is_usable();
    if probe.probes.is_empty() || !probe.probes.iter().all(is_usable) {
        return None;
    }
    let held: Vec<Socket> = log.holding_sockets().into_iter().cloned().collect();
    let reaches = |ip: &IpAddr| {
        held.iter().any(|socket| {
            let local = socket.local.ip();
            local == *ip || local.is_unspecified() && local.is_ipv4() == ip.is_ipv4()
        })
    };
    Some(Verdict::PartlyFree {
        port: log.port(),
        free: probe.probes.iter().map(|probe| probe.address).collect(),
        localhost: probe.localhost.first().copied().filter(reaches),
        held,
    })
}

/// Returns the addresses that show whether the whole port is free: those that were held, and those that servers use.
pub(super) fn all_addresses(log: &RequestLog) -> Vec<SocketAddr> {
    let held = log.request.sockets.iter().map(|socket| socket.local);
    let mut addresses: Vec<SocketAddr> = held
        .filter(|local| is_bindable(*local))
        .chain(bind_addresses(None, log.request.port))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Returns the addresses that targets held and nobody holds now.
pub(super) fn freed_addresses(log: &RequestLog, kept: &[&Socket]) -> Vec<SocketAddr> {
    let targeted = log
        .request
        .sockets
        .iter()
        .map(|socket| (socket.id, socket.local));
    let mut freed: Vec<SocketAddr> = targeted
        .filter(|(id, _)| log.is_targeted(*id))
        .map(|(_, local)| local)
        .filter(|local| is_bindable(*local))
        .filter(|local| !kept.iter().any(|socket| socket.local == *local))
        .collect();
    freed.sort_unstable();
    freed.dedup();
    freed
}

/// False for a link-local address without its scope, which not every source of sockets tells: its bind always fails (EINVAL).
fn is_bindable(address: SocketAddr) -> bool {
    match address {
        SocketAddr::V4(_) => true,
        SocketAddr::V6(v6) => !v6.ip().is_unicast_link_local() || v6.scope_id() != 0,
    }
}
