//! From the findings to the reasons, the ones that decide first.

use super::findings::Findings;
use super::reason::{LeftoverBind, Reason};
use super::sockets;
use crate::model::port::{BindResult, PortSpec, overlaps};
use crate::model::socket::{Endpoint, Protocol, Socket, SocketRole, State, TimeWaitLeft};
use std::net::{IpAddr, SocketAddr};

/// Returns every reason in the order in which they are told.
pub(super) fn reasons(findings: &Findings) -> Vec<Reason> {
    let mut reasons = sockets::holders(findings);
    reasons.extend(unread(findings));
    reasons.extend(client(findings));
    reasons.extend(time_wait(findings));
    reasons.extend(leftover(findings));
    reasons.extend(refusals(findings));
    reasons.extend(sockets::remarks(findings));
    let explains_reuse =
        |reason: &Reason| matches!(reason, Reason::TimeWait { .. } | Reason::Leftover { .. });
    if findings.needs_reuseaddr() && !reasons.iter().any(explains_reuse) {
        reasons.push(Reason::NeedsReuse);
    }
    reasons.extend(settings(findings));
    reasons.extend(sockets::on_other_addresses(findings));
    reasons.extend(findings.problems.iter().cloned().map(Reason::Unread));
    reasons
}

/// The connections that conflict with the requested bind. One that a listener of the port accepted is no reason, because
/// the listener explains the bind.
fn connections(findings: &Findings) -> impl Iterator<Item = &Endpoint> {
    findings.endpoints.iter().filter(|endpoint| {
        let socket = &endpoint.socket;
        !socket.holds_port() && findings.conflicts(socket)
    })
}

/// Whether a connection is a client's. A UDP socket with a remote end always is, as no other socket accepted it.
fn is_client(endpoint: &Endpoint) -> bool {
    let socket = &endpoint.socket;
    let is_client =
        endpoint.relation.role == SocketRole::Client || socket.protocol == Protocol::Udp;
    is_client && socket.state != Some(State::TimeWait)
}

fn client(findings: &Findings) -> Option<Reason> {
    let mut clients = connections(findings).filter(|endpoint| is_client(endpoint));
    let first = clients.next()?;
    Some(Reason::Client {
        socket: Box::new(first.socket.clone()),
        is_local: first.relation.is_local,
        more: clients.count(),
    })
}

fn time_wait(findings: &Findings) -> Option<Reason> {
    let sockets = connections(findings).map(|endpoint| &endpoint.socket);
    let waiting: Vec<&Socket> = sockets
        .filter(|socket| socket.state == Some(State::TimeWait))
        .collect();
    // A socket that was polled once may have entered TIME_WAIT just then.
    let since = |_: &Socket| None;
    let (now, lasts) = (findings.at, findings.time_wait);
    Some(Reason::TimeWait {
        count: waiting.len(),
        bind: leftover_bind(findings, &waiting)?,
        left: TimeWaitLeft::of_last(waiting.iter().copied(), now, lasts, since),
    })
}

fn leftover(findings: &Findings) -> Option<Reason> {
    let sockets: Vec<&Socket> = connections(findings)
        .filter(|endpoint| !is_client(endpoint))
        .map(|endpoint| &endpoint.socket)
        .filter(|socket| socket.state != Some(State::TimeWait))
        .collect();
    Some(Reason::Leftover {
        bind: leftover_bind(findings, &sockets)?,
        sockets: sockets.into_iter().cloned().collect(),
    })
}

/// Returns the result of the binds on the addresses of these sockets; `None` if they do not prevent any bind. Where a table
/// could not be read, a socket in it may be the cause instead.
fn leftover_bind(findings: &Findings, sockets: &[&Socket]) -> Option<LeftoverBind> {
    let results: Vec<(IpAddr, BindResult)> = findings
        .unheld_probes()
        .filter(|probe| !findings.is_unread(probe.address.ip()))
        .filter(|probe| {
            sockets
                .iter()
                .any(|socket| overlaps(socket, probe.address.ip()))
        })
        .map(|probe| (probe.address.ip(), probe.result()))
        .collect();
    let with = |wanted: BindResult| {
        let found = results.iter().filter(|(_, result)| *result == wanted);
        found.map(|(ip, _)| *ip).collect::<Vec<IpAddr>>()
    };
    let refused = with(BindResult::InUse);
    if !refused.is_empty() {
        Some(LeftoverBind::Refused(refused))
    } else if !with(BindResult::OnlyWithReuseAddr).is_empty() {
        Some(LeftoverBind::OnlyWithReuseAddr)
    } else {
        None
    }
}

/// Refused binds that no socket explains, and those that failed with another error than that the address is in use.
fn refusals(findings: &Findings) -> Vec<Reason> {
    let PortSpec { port, address, .. } = findings.request.spec;
    let results: Vec<(SocketAddr, BindResult)> = findings
        .probes
        .iter()
        .map(|probe| (probe.address, probe.result()))
        .collect();
    let has = |wanted: &BindResult| results.iter().any(|(_, result)| result == wanted);
    let mut reasons = Vec::new();
    if has(&BindResult::NotPermitted) {
        let from = findings.settings.unprivileged_from;
        reasons.push(Reason::Privileged { port, from });
    }
    if let Some(ip) = address
        && has(&BindResult::NoSuchAddress)
    {
        reasons.push(Reason::NoSuchAddress(ip));
    }
    for (at, result) in results {
        if let BindResult::Failed(error) = result {
            reasons.push(Reason::Failed { at, error });
        }
    }
    let addresses: Vec<SocketAddr> = findings
        .unheld_probes()
        .filter(|probe| probe.result() == BindResult::InUse)
        .map(|probe| probe.address)
        .filter(|at| !findings.is_unread(at.ip()))
        .filter(|at| !connections(findings).any(|endpoint| overlaps(&endpoint.socket, at.ip())))
        .collect();
    reasons.extend(unexplained(addresses, false));
    reasons
}

/// The addresses in use that a table which could not be read may explain.
fn unread(findings: &Findings) -> Option<Reason> {
    let addresses = findings
        .unheld_probes()
        .filter(|probe| {
            matches!(
                probe.result(),
                BindResult::InUse | BindResult::OnlyWithReuseAddr
            )
        })
        .map(|probe| probe.address)
        .filter(|at| findings.is_unread(at.ip()));
    unexplained(addresses.collect(), true)
}

fn unexplained(addresses: Vec<SocketAddr>, is_unread: bool) -> Option<Reason> {
    (!addresses.is_empty()).then_some(Reason::Unexplained {
        addresses,
        is_unread,
    })
}

/// Settings, missing addresses and published ports, whoever holds the port.
fn settings(findings: &Findings) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let PortSpec { port, address, .. } = findings.request.spec;
    let mut reserved = findings.settings.reserved.iter();
    if reserved.any(|range| range.contains(&port)) {
        reasons.push(Reason::Reserved(port));
    }
    let missing: Vec<IpAddr> = findings
        .probes
        .iter()
        .filter(|probe| probe.result() == BindResult::NoSuchAddress)
        .map(|probe| probe.address.ip())
        .collect();
    if address.is_none() && !missing.is_empty() {
        reasons.push(Reason::NoFamily(missing));
    }
    let published = findings.published.iter().cloned();
    reasons.extend(published.map(|container| Reason::Published(Box::new(container))));
    reasons
}
