//! What the sockets that stand on a port are reasons for.

use super::findings::{Findings, overlaps, server_outcome};
use super::reason::Reason;
use crate::model::address::{Family, is_loopback};
use crate::model::bind::{AddressProbe, BindOutcome};
use crate::model::endpoint::{Owners, Protocol, Socket, covers};
use crate::model::process::ProcessId;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Whoever stands in the way.
pub(super) fn holders(findings: &Findings) -> Vec<Reason> {
    let is_root = findings.is_root;
    let holder = |socket: &Socket| Reason::Holder {
        socket: Box::new(socket.clone()),
        is_root,
    };
    distinct_by_owner(findings.conflicting(), holder)
}

/// Whoever stands on the port beside the address that was asked about.
pub(super) fn on_other_addresses(findings: &Findings) -> Vec<Reason> {
    let is_root = findings.is_root;
    let others = findings
        .unconnected()
        .filter(|socket| !findings.conflicts(socket));
    distinct_by_owner(others, |socket| Reason::Elsewhere {
        socket: Box::new(socket.clone()),
        is_root,
    })
}

/// Sockets that share a port (SO_REUSEPORT) and a holder are one reason.
fn distinct_by_owner<'s>(
    sockets: impl Iterator<Item = &'s Socket>,
    reason: impl Fn(&Socket) -> Reason,
) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for socket in sockets {
        let reason = reason(socket);
        if !reasons
            .iter()
            .any(|said| said.to_string() == reason.to_string())
        {
            reasons.push(reason);
        }
    }
    reasons
}

/// What follows from how they stand.
pub(super) fn remarks(findings: &Findings) -> Vec<Reason> {
    let mut reasons = wildcards(findings);
    reasons.extend(usable(findings));
    reasons.extend(two_localhosts(findings));
    reasons.extend(full_backlogs(findings));
    reasons.extend(not_running(findings));
    reasons
}

/// The addresses that were refused, have no row, and are taken by one that has.
fn wildcards(findings: &Findings) -> Vec<Reason> {
    let is_specific = |probe: &&AddressProbe| {
        let ip = probe.address.ip();
        !ip.is_unspecified()
            && *server_outcome(probe) == BindOutcome::InUse
            && !findings.unconnected().any(|socket| socket.local.ip() == ip)
    };
    let without_row: Vec<SocketAddr> = findings
        .usable_probes()
        .filter(is_specific)
        .map(|probe| probe.address)
        .collect();
    let takes = |socket: &Socket| Reason::Wildcard {
        socket: Box::new(socket.clone()),
        takes: without_row
            .iter()
            .filter(|at| covers(socket.local, socket.only_v6, **at))
            .copied()
            .collect(),
    };
    let wildcards = findings
        .conflicting()
        .filter(|socket| socket.local.ip().is_unspecified());
    let mut reasons = distinct_by_owner(wildcards, takes);
    reasons.retain(|reason| !matches!(reason, Reason::Wildcard { takes, .. } if takes.is_empty()));
    reasons
}

/// Where some addresses can be bound and others not.
fn usable(findings: &Findings) -> Option<Reason> {
    if findings.request.spec.address.is_some() {
        return None;
    }
    let is_usable = |probe: &AddressProbe| {
        let ip = probe.address.ip();
        findings.is_bound(probe) && !findings.unconnected().any(|socket| overlaps(socket, ip))
    };
    let ips = |is_wanted: bool| -> Vec<IpAddr> {
        let tried = findings.usable_probes();
        tried
            .filter(|probe| is_usable(probe) == is_wanted)
            .map(|probe| probe.address.ip())
            .collect()
    };
    let (usable, taken) = (ips(true), ips(false));
    if usable.is_empty() || taken.is_empty() {
        return None;
    }
    let is_all = |ips: &[IpAddr], family: Family| {
        ips.iter()
            .all(|ip| crate::model::address::family(*ip) == family)
    };
    let families = [(Family::Ipv4, Family::Ipv6), (Family::Ipv6, Family::Ipv4)];
    let apart = families
        .into_iter()
        .find(|(one, other)| is_all(&taken, *one) && is_all(&usable, *other));
    Some(match apart {
        Some((family, _)) => Reason::OneFamily {
            taken: family,
            usable,
        },
        None => Reason::Partly(usable),
    })
}

/// Whether clients of `localhost` meet one or the other.
fn two_localhosts(findings: &Findings) -> Option<Reason> {
    if findings
        .request
        .spec
        .address
        .is_some_and(|ip| !is_loopback(ip))
    {
        return None;
    }
    let v4 = reachable_socket(findings, Ipv4Addr::LOCALHOST.into())?;
    let v6 = reachable_socket(findings, Ipv6Addr::LOCALHOST.into())?;
    have_different_owners(v4, v6).then(|| Reason::TwoLocalhosts {
        v4: Box::new(v4.clone()),
        v6: Box::new(v6.clone()),
        localhost: findings.localhost.clone(),
    })
}

/// What a client meets on this address: a socket on just that address comes before one on all.
fn reachable_socket(findings: &Findings, ip: IpAddr) -> Option<&Socket> {
    let at = SocketAddr::new(ip, findings.request.spec.port);
    let answers = |socket: &&Socket| socket.is_listening() || socket.protocol == Protocol::Udp;
    let sockets: Vec<&Socket> = findings.unconnected().filter(answers).collect();
    let exact = sockets.iter().find(|socket| socket.local.ip() == ip);
    let wide = || {
        let mut sockets = sockets.iter();
        sockets.find(|socket| covers(socket.local, socket.only_v6, at))
    };
    exact.or_else(wide).copied()
}

/// Only what is certain counts: no holder in common, or different users where holders may not be seen.
fn have_different_owners(one: &Socket, other: &Socket) -> bool {
    let ids = |socket: &Socket| -> Vec<ProcessId> {
        let known = socket.owners.known().iter();
        known.map(|process| process.id).collect()
    };
    match (&one.owners, &other.owners) {
        (Owners::Known(_), Owners::Known(_)) => {
            let theirs = ids(other);
            !ids(one).iter().any(|id| theirs.contains(id))
        }
        _ => one
            .uid
            .zip(other.uid)
            .is_some_and(|(one, other)| one != other),
    }
}

/// The kernel lets one more wait than the backlog says (`sk_acceptq_is_full` in net/sock.h).
fn full_backlogs(findings: &Findings) -> Vec<Reason> {
    let full = findings.unconnected().filter_map(|socket| {
        let queue = socket.queue().filter(|_| socket.is_listening())?;
        (queue.incoming > queue.outgoing).then(|| Reason::BacklogFull {
            socket: Box::new(socket.clone()),
            waiting: queue.incoming,
            room: queue.outgoing,
        })
    });
    full.collect()
}

/// The holders that hold the port and may still not serve it.
fn not_running(findings: &Findings) -> Vec<Reason> {
    let mut processes: Vec<_> = findings
        .unconnected()
        .flat_map(|socket| socket.owners.known())
        .collect();
    processes.sort_by_key(|process| process.id);
    processes.dedup_by_key(|process| process.id);
    let halted = processes.into_iter().filter_map(|process| {
        let mut process_states = findings.process_states.iter();
        let (_, process_state) = process_states.find(|(id, _)| *id == process.id)?;
        Some(Reason::NotRunning {
            process: process.clone(),
            process_state: *process_state,
        })
    });
    halted.collect()
}
