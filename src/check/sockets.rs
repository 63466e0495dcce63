//! Reasons that follow from the sockets that hold a port.

use super::findings::Findings;
use super::reason::{Reason, distinct_owners};
use crate::model::port::{AddressProbe, BindResult, overlaps};
use crate::model::process::ProcessId;
use crate::model::socket::{Family, Owners, Protocol, Socket, covers, family, is_loopback};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The sockets that conflict with the requested bind.
pub(super) fn holders(findings: &Findings) -> Vec<Reason> {
    let sockets = distinct(findings.conflicting()).into_iter();
    sockets
        .map(|socket| Reason::Holder(Box::new(socket.clone())))
        .collect()
}

/// The sockets of the port that do not conflict with the requested bind.
pub(super) fn on_other_addresses(findings: &Findings) -> Vec<Reason> {
    let others = findings.holding();
    let others = distinct(others.filter(|socket| !findings.conflicts(socket))).into_iter();
    others
        .map(|socket| Reason::Elsewhere(Box::new(socket.clone())))
        .collect()
}

/// Leaves out sockets that share their address (SO_REUSEPORT) and their owners with an earlier one.
fn distinct<'s>(sockets: impl Iterator<Item = &'s Socket>) -> Vec<&'s Socket> {
    let mut distinct: Vec<&Socket> = Vec::new();
    for socket in sockets {
        let is_alike = |known: &&&Socket| {
            (known.local, known.v6only, known.state) == (socket.local, socket.v6only, socket.state)
                && known.uid == socket.uid
                && known.owners == socket.owners
        };
        if !distinct.iter().any(|known| is_alike(&known)) {
            distinct.push(socket);
        }
    }
    distinct
}

/// What else follows from the sockets that hold the port.
pub(super) fn remarks(findings: &Findings) -> Vec<Reason> {
    let mut reasons = wildcards(findings);
    reasons.extend(usable_part(findings));
    reasons.extend(two_localhosts(findings));
    reasons.extend(full_backlogs(findings));
    reasons.extend(not_running(findings));
    reasons
}

/// The sockets on all addresses that cover addresses without a row of their own.
fn wildcards(findings: &Findings) -> Vec<Reason> {
    let without_row: Vec<SocketAddr> = findings
        .local_probes()
        .filter(|probe| probe.result() == BindResult::InUse)
        .map(|probe| probe.address)
        .filter(|at| !at.ip().is_unspecified())
        .filter(|at| {
            !findings
                .holding()
                .any(|socket| socket.local.ip() == at.ip())
        })
        .collect();
    let conflicting = findings.conflicting();
    let wildcards = distinct(conflicting.filter(|socket| socket.local.ip().is_unspecified()));
    let reason = |socket: &Socket| {
        let covered = without_row.iter().copied();
        let covered: Vec<SocketAddr> = covered
            .filter(|at| covers(socket.local, socket.v6only, *at))
            .collect();
        (!covered.is_empty()).then(|| Reason::Wildcard {
            socket: Box::new(socket.clone()),
            covered,
        })
    };
    wildcards.into_iter().filter_map(reason).collect()
}

/// The addresses that can be bound, where others cannot.
fn usable_part(findings: &Findings) -> Option<Reason> {
    if findings.request.spec.address.is_some() {
        return None;
    }
    let is_usable = |probe: &&AddressProbe| {
        let ip = probe.address.ip();
        findings.is_bindable(probe) && !findings.holding().any(|socket| overlaps(socket, ip))
    };
    let (usable, taken): (Vec<_>, Vec<_>) = findings.local_probes().partition(is_usable);
    if usable.is_empty() || taken.is_empty() {
        return None;
    }
    let is_only = |probes: &[&AddressProbe], one: Family| {
        probes.iter().all(|probe| family(probe.address.ip()) == one)
    };
    let families = [(Family::Ipv4, Family::Ipv6), (Family::Ipv6, Family::Ipv4)];
    let mut families = families.into_iter();
    let apart = families.find(|(one, other)| is_only(&taken, *one) && is_only(&usable, *other));
    let usable = usable.iter().map(|probe| probe.address.ip()).collect();
    Some(match apart {
        Some((taken, _)) => Reason::OneFamily { taken, usable },
        None => Reason::Partly(usable),
    })
}

/// Whether `localhost` leads to different processes on 127.0.0.1 and ::1.
fn two_localhosts(findings: &Findings) -> Option<Reason> {
    let address = findings.request.spec.address;
    if address.is_some_and(|ip| !is_loopback(ip)) {
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

/// The socket that a client of this address reaches: one on exactly that address comes before one on all.
fn reachable_socket(findings: &Findings, ip: IpAddr) -> Option<&Socket> {
    let at = SocketAddr::new(ip, findings.request.spec.port);
    let answers = |socket: &&Socket| socket.is_listening() || socket.protocol == Protocol::Udp;
    let covering = findings
        .holding()
        .filter(answers)
        .filter(|socket| covers(socket.local, socket.v6only, at));
    covering.min_by_key(|socket| socket.local.ip() != ip)
}

/// Whether two sockets certainly have no owner in common: by processes, or by user where owners are hidden.
fn have_different_owners(one: &Socket, other: &Socket) -> bool {
    match (&one.owners, &other.owners) {
        (Owners::Known(_), Owners::Known(_)) => {
            let ids = |socket: &Socket| -> Vec<ProcessId> {
                let owners = socket.owners.known().iter();
                owners.map(|process| process.id).collect()
            };
            let others = ids(other);
            !ids(one).iter().any(|id| others.contains(id))
        }
        _ => matches!((one.uid, other.uid), (Some(one), Some(other)) if one != other),
    }
}

/// The listeners whose accept queue is full. The kernel lets one more wait than the backlog (`sk_acceptq_is_full` in
/// net/sock.h).
fn full_backlogs(findings: &Findings) -> Vec<Reason> {
    let listeners = findings.holding().filter(|socket| socket.is_listening());
    let full = |socket: &Socket| {
        let queue = socket.queue()?;
        (queue.incoming > queue.outgoing).then(|| Reason::BacklogFull {
            socket: Box::new(socket.clone()),
            waiting: queue.incoming,
            backlog: queue.outgoing,
        })
    };
    listeners.filter_map(full).collect()
}

/// The owners that hold the port without running.
fn not_running(findings: &Findings) -> Vec<Reason> {
    let owners = distinct_owners(findings.holding()).into_iter();
    let states = &findings.process_states;
    owners
        .filter_map(|process| {
            let (_, state) = *states.iter().find(|(id, _)| *id == process.id)?;
            Some(Reason::NotRunning { process, state })
        })
        .collect()
}
