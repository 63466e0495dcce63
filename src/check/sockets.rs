//! Reasons that follow from the sockets that hold a port.

use super::findings::Findings;
use super::reason::{Reason, distinct_owners};
use crate::model::port::{AddressProbe, BindResult};
use crate::model::process::Process;
use crate::model::socket::{Family, Owners, Protocol, Socket, family, is_loopback};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// A reason for each of these sockets, without those that equal an earlier one.
pub(super) fn each<'s>(
    sockets: impl Iterator<Item = &'s Socket>,
    reason: fn(Box<Socket>) -> Reason,
) -> Vec<Reason> {
    let sockets = distinct(sockets).into_iter();
    sockets
        .map(|socket| reason(Box::new(socket.clone())))
        .collect()
}

/// Leaves out sockets that share their address (SO_REUSEPORT) and their owners with an earlier one.
fn distinct<'s>(sockets: impl Iterator<Item = &'s Socket>) -> Vec<&'s Socket> {
    let mut distinct: Vec<&Socket> = Vec::new();
    for socket in sockets {
        let is_alike = |known: &&&Socket| {
            (known.place(), known.v6only, known.state)
                == (socket.place(), socket.v6only, socket.state)
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
    reasons.extend(other_interfaces(findings));
    reasons.extend(usable_part(findings));
    reasons.extend(two_localhosts(findings));
    reasons.extend(full_backlogs(findings));
    reasons.extend(not_running(findings));
    reasons.extend(left_over(findings));
    reasons
}

/// The sockets on all addresses that cover addresses without a row of their own.
fn wildcards(findings: &Findings) -> Vec<Reason> {
    let mut without_row: Vec<SocketAddr> = findings
        .local_probes()
        .filter(|probe| probe.result() == BindResult::InUse)
        .map(|probe| probe.address)
        .collect();
    without_row.retain(|at| {
        let mut holding = findings.holding();
        !at.ip().is_unspecified() && !holding.any(|socket| socket.local.ip() == at.ip())
    });
    let conflicting = findings.conflicting();
    let wildcards = distinct(conflicting.filter(|socket| socket.local.ip().is_unspecified()));
    let reason = |socket: &Socket| {
        let mut covered = without_row.clone();
        covered.retain(|at| socket.receives(at.ip()));
        let socket = Box::new(socket.clone());
        (!covered.is_empty()).then_some(Reason::Wildcard { socket, covered })
    };
    wildcards.into_iter().filter_map(reason).collect()
}

/// The sockets that block a bind of addresses whose clients they do not hear, because these arrive on other interfaces.
fn other_interfaces(findings: &Findings) -> Vec<Reason> {
    let refused = || {
        let probes = findings.local_probes();
        probes.filter(|probe| probe.result() == BindResult::InUse)
    };
    let reason = |socket: &Socket| {
        let is_deaf =
            |ip: IpAddr| !ip.is_unspecified() && socket.covers(ip) && !socket.receives(ip);
        let addresses = refused().map(|probe| probe.address);
        let unheard: Vec<SocketAddr> = addresses.filter(|at| is_deaf(at.ip())).collect();
        let socket = Box::new(socket.clone());
        (!unheard.is_empty()).then_some(Reason::OtherInterface { socket, unheard })
    };
    let conflicting = distinct(findings.conflicting()).into_iter();
    conflicting.filter_map(reason).collect()
}

/// The addresses that can be bound, where others cannot.
fn usable_part(findings: &Findings) -> Option<Reason> {
    if findings.request.spec.asks_for_both_families() {
        return ipv6_alone(findings);
    }
    if findings.request.spec.address.ip().is_some() {
        return None;
    }
    let is_usable = |probe: &&AddressProbe| {
        findings.is_bindable(probe) && !findings.holding().any(|socket| probe.overlaps(socket))
    };
    let (usable, taken): (Vec<_>, Vec<_>) = findings.local_probes().partition(is_usable);
    if usable.is_empty() || taken.is_empty() {
        return None;
    }
    let families = |probes: &[&AddressProbe]| {
        let mut families: Vec<Family> = probes.iter().map(|one| family(one.address.ip())).collect();
        families.dedup();
        families
    };
    let taken = match (&*families(&taken), &*families(&usable)) {
        ([taken], [usable]) if taken != usable => Some(*taken),
        _ => None,
    };
    let usable = usable.iter().map(|probe| probe.address.ip()).collect();
    Some(Reason::Partly { usable, taken })
}

/// The reason that `[::]` can be bound with IPV6_V6ONLY, where it cannot be bound for both families.
fn ipv6_alone(findings: &Findings) -> Option<Reason> {
    let is_free = |probe: &AddressProbe| {
        findings.is_bindable(probe) && !findings.holding().any(|socket| probe.overlaps(socket))
    };
    let (both, alone): (Vec<_>, Vec<_>) = (findings.tried.probes.iter())
        .partition(|probe| findings.request.spec.is_decided_by(probe));
    let is_ipv6_alone = alone.iter().any(|probe| is_free(probe));
    (is_ipv6_alone && !both.iter().any(|probe| is_free(probe))).then(|| Reason::Partly {
        usable: alone.iter().map(|probe| probe.address.ip()).collect(),
        taken: Some(Family::Ipv4),
    })
}

/// The reason that `localhost` leads to different processes on 127.0.0.1 and ::1.
fn two_localhosts(findings: &Findings) -> Option<Reason> {
    let address = findings.request.spec.address.ip();
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
    let answers = |socket: &&Socket| socket.is_listening() || socket.protocol == Protocol::Udp;
    let covering = findings
        .holding()
        .filter(answers)
        .filter(|socket| socket.receives(ip));
    covering.min_by_key(|socket| socket.local.ip() != ip)
}

/// True if two sockets certainly have no owner in common: by processes, or by user where owners are hidden.
fn have_different_owners(one: &Socket, other: &Socket) -> bool {
    match (&one.owners, &other.owners) {
        (Owners::Known(ones), Owners::Known(others)) => {
            let is_shared = |owner: &Arc<Process>| others.iter().any(|other| other.id == owner.id);
            !ones.iter().any(is_shared)
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
        let socket = Box::new(socket.clone());
        (queue.incoming > queue.outgoing).then_some(Reason::BacklogFull { socket, queue })
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

/// The owners that hold the port for a container that no longer runs.
fn left_over(findings: &Findings) -> Vec<Reason> {
    let owners = distinct_owners(findings.conflicting()).into_iter();
    let left_over = &findings.left_over;
    owners
        .filter_map(|process| {
            let (_, engine) = *left_over.iter().find(|(id, _)| *id == process.id)?;
            Some(Reason::LeftOver { process, engine })
        })
        .collect()
}
