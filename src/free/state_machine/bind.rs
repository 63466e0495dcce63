//! Binds that show whether a port is free: on which addresses, and the verdicts that follow.

use super::poll_verdict::unknown;
use super::request_log::RequestLog;
use crate::free::exec_command::BindProbe;
use crate::free::verdict::{BindRefusal, Evidence, Proof, Verdict, VerdictKind};
use crate::model::port::{
    AddressProbe, AddressSpec, Availability, BindResult, Holding, Port, PortBinds, PortEvidence,
    PortSpec, WhyUnseen,
};
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
    let is_held = |one: &&Socket| holding.iter().any(|socket| socket.place() == one.place());
    sorted_once(bindable(targeted.filter(|one| !is_held(one))).collect())
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
    let result = BindResult::of(&probe.binds.probes);
    let cannot_bind = |why| VerdictKind::CannotBind {
        leftovers: log.leftovers(),
        why,
    };
    let sockets: Vec<&Socket> = log.last_poll.sockets.iter().collect();
    log.verdict(
        match Availability::of(&evidence(log, &sockets, &probe.binds)) {
            Availability::Usable if log.is_unread() => {
                VerdictKind::Free(Proof::BindOnly(log.last_poll.problems.clone()))
            }
            Availability::NoSuchAddress | Availability::Held(_) | Availability::Unknown(_)
                if log.is_unread() =>
            {
                return unknown(log, Evidence::Bind(result));
            }
            Availability::Usable => VerdictKind::Free(Proof::Bound),
            Availability::NotPermitted => VerdictKind::Free(Proof::NotPermitted),
            Availability::NoSuchAddress => VerdictKind::Free(Proof::NoSuchAddress),
            Availability::OnlyWithReuseAddr => VerdictKind::OnlyWithReuseAddr(log.leftovers()),
            Availability::Held(Holding::Unseen(why))
                if why != WhyUnseen::NotKnown || result == BindResult::OnlyWithReuseAddr =>
            {
                cannot_bind(BindRefusal::Unseen(why))
            }
            Availability::Held(_) => cannot_bind(BindRefusal::InUse),
            Availability::Unknown(doubt) => cannot_bind(BindRefusal::Unknown(doubt)),
        },
    )
}

/// Returns what the last poll and these binds show.
fn evidence<'a>(
    log: &'a RequestLog,
    sockets: &'a [&'a Socket],
    binds: &'a PortBinds,
) -> PortEvidence<'a> {
    let Port { protocol, number } = log.request.port();
    PortEvidence {
        spec: PortSpec {
            protocol,
            ..PortSpec::tcp(number)
        },
        sockets,
        problems: &log.last_poll.problems,
        binds,
    }
}

/// Returns the verdict of a bind on the addresses that targets held; `None` unless all of them can be bound.
pub(super) fn part_verdict(log: &RequestLog, probe: &BindProbe) -> Option<Verdict> {
    let probes = &probe.binds.probes;
    let sockets: Vec<&Socket> = log.last_poll.sockets.iter().collect();
    let evidence = evidence(log, &sockets, &probe.binds);
    let is_free = |probe: &AddressProbe| evidence.of_address(probe).is_free();
    if probes.is_empty() || !probes.iter().all(is_free) {
        return None;
    }
    let held = log.holding_sockets();
    let reaches = |ip: &IpAddr| held.iter().any(|socket| socket.receives(*ip));
    Some(log.verdict(VerdictKind::PartlyFree {
        free: probes.iter().map(|probe| probe.address).collect(),
        localhost: probe.localhost.first().copied().filter(reaches),
        held,
    }))
}
