//! From what was found to the reasons, the ones that decide first.

use super::findings::{Findings, overlaps, server_outcome};
use super::owners;
use super::reason::{LeftoverBind, Reason};
use crate::model::bind::{AddressProbe, BindOutcome};
use crate::model::endpoint::{Endpoint, Protocol, Socket, SocketRole, State};
use crate::model::port_spec::PortSpec;
use crate::model::process::Process;
use crate::model::time_wait::TimeWaitLeft;
use crate::wording::states;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Every reason, in the order in which they are said.
pub(super) fn reasons(findings: &Findings) -> Vec<Reason> {
    let mut reasons = owners::holders(findings);
    reasons.extend(unread(findings));
    reasons.extend(client(findings));
    reasons.extend(time_wait(findings));
    reasons.extend(leftover(findings));
    reasons.extend(refusals(findings));
    reasons.extend(owners::remarks(findings));
    let says_reuse =
        |reason: &Reason| matches!(reason, Reason::TimeWait { .. } | Reason::Leftover { .. });
    if needs_reuse(findings) && !reasons.iter().any(says_reuse) {
        reasons.push(Reason::NeedsReuse);
    }
    reasons.extend(settings(findings));
    reasons.extend(owners::on_other_addresses(findings));
    let problems = findings.problems.iter().map(ToString::to_string);
    reasons.extend(problems.map(Reason::Unread));
    reasons
}

/// Whether some bind is refused without SO_REUSEADDR only.
pub(super) fn needs_reuse(findings: &Findings) -> bool {
    findings.usable_probes().any(|probe| {
        *server_outcome(probe) == BindOutcome::Bound && probe.without_reuse == BindOutcome::InUse
    })
}

/// What is in the way and stands nowhere. What a listener accepted that is still there is no reason of its own, because no
/// bind where it is goes unexplained.
fn transient(findings: &Findings) -> impl Iterator<Item = &Endpoint> {
    findings.endpoints.iter().filter(|endpoint| {
        let socket = &endpoint.socket;
        !socket.holds_port() && findings.conflicts(socket)
    })
}

/// A UDP socket with a remote end has no other side that would have accepted it.
fn is_client(endpoint: &Endpoint) -> bool {
    let socket = &endpoint.socket;
    let is_client =
        endpoint.relation.role == SocketRole::Client || socket.protocol == Protocol::Udp;
    is_client && socket.state != Some(State::TimeWait)
}

fn client(findings: &Findings) -> Option<Reason> {
    let mut clients = transient(findings).filter(|endpoint| is_client(endpoint));
    let first = clients.next()?;
    Some(Reason::Client {
        socket: Box::new(first.socket.clone()),
        is_local: first.relation.is_local,
        more: clients.count(),
    })
}

fn time_wait(findings: &Findings) -> Option<Reason> {
    let is_waiting = |socket: &&Socket| socket.state == Some(State::TimeWait);
    let sockets = transient(findings).map(|endpoint| &endpoint.socket);
    let waiting: Vec<&Socket> = sockets.filter(is_waiting).collect();
    // What was looked at only once may have begun just then.
    let left = TimeWaitLeft::of_last(
        waiting.iter().copied(),
        findings.at,
        findings.time_wait,
        |_| None,
    );
    Some(Reason::TimeWait {
        count: waiting.len(),
        binding: binding(findings, &waiting)?,
        left,
    })
}

fn leftover(findings: &Findings) -> Option<Reason> {
    let is_left = |endpoint: &&Endpoint| {
        !is_client(endpoint) && endpoint.socket.state != Some(State::TimeWait)
    };
    let left: Vec<&Socket> = transient(findings)
        .filter(is_left)
        .map(|endpoint| &endpoint.socket)
        .collect();
    let mut holders: Vec<Arc<Process>> = left
        .iter()
        .flat_map(|socket| socket.owners.known().iter().cloned())
        .collect();
    holders.sort_by_key(|process| process.id);
    holders.dedup_by_key(|process| process.id);
    Some(Reason::Leftover {
        states: states(&left),
        holders,
        binding: binding(findings, &left)?,
    })
}

/// What the binds say on the addresses of these sockets where nothing stands; `None` if these are in nobody's way.
fn binding(findings: &Findings, sockets: &[&Socket]) -> Option<LeftoverBind> {
    let is_met = |probe: &&&AddressProbe| {
        let ip = probe.address.ip();
        sockets.iter().any(|socket| overlaps(socket, ip))
    };
    let unexplained_probes = findings.unexplained_probes();
    // What a table shows that could not be read may be the reason as well.
    let is_read = |probe: &&&AddressProbe| !findings.is_unread(probe.address.ip());
    let met: Vec<&&AddressProbe> = unexplained_probes
        .iter()
        .filter(is_met)
        .filter(is_read)
        .collect();
    let is_refused = |outcome: &BindOutcome| *outcome == BindOutcome::InUse;
    if met.iter().any(|probe| is_refused(server_outcome(probe))) {
        Some(LeftoverBind::Refused)
    } else if met.iter().any(|probe| is_refused(&probe.without_reuse)) {
        Some(LeftoverBind::WithReuse)
    } else {
        None
    }
}

/// What the binds themselves say beyond that the port is in use, and where nothing explains that.
fn refusals(findings: &Findings) -> Vec<Reason> {
    let PortSpec { port, address, .. } = findings.request.spec;
    let said = |wanted: &BindOutcome| {
        let mut probes = findings.probes.iter();
        probes.any(|probe| server_outcome(probe) == wanted)
    };
    let mut reasons = Vec::new();
    if said(&BindOutcome::NotPermitted) {
        let from = findings.settings.unprivileged_from;
        reasons.push(Reason::Privileged { port, from });
    }
    if let Some(ip) = address
        && said(&BindOutcome::NoSuchAddress)
    {
        reasons.push(Reason::NoSuchAddress(ip));
    }
    reasons.extend(findings.usable_probes().filter_map(failed));
    let places = unexplained(findings);
    if !places.is_empty() {
        reasons.push(Reason::Unexplained {
            places,
            is_unread: false,
        });
    }
    reasons
}

fn failed(probe: &AddressProbe) -> Option<Reason> {
    let BindOutcome::Failed(why) = server_outcome(probe) else {
        return None;
    };
    Some(Reason::Failed {
        at: probe.address,
        why: why.clone(),
    })
}

/// The addresses that something holds which a table that could not be read may show.
fn unread(findings: &Findings) -> Option<Reason> {
    let unexplained_probes = findings.unexplained_probes().into_iter();
    let places: Vec<SocketAddr> = unexplained_probes
        .filter(|probe| probe.without_reuse == BindOutcome::InUse)
        .map(|probe| probe.address)
        .filter(|at| findings.is_unread(at.ip()))
        .collect();
    (!places.is_empty()).then_some(Reason::Unexplained {
        places,
        is_unread: true,
    })
}

/// The addresses that are in use by nothing that was seen.
fn unexplained(findings: &Findings) -> Vec<SocketAddr> {
    let unexplained_probes = findings.unexplained_probes().into_iter();
    let refused = unexplained_probes.filter(|probe| *server_outcome(probe) == BindOutcome::InUse);
    let refused = refused.filter(|probe| !findings.is_unread(probe.address.ip()));
    refused
        .map(|probe| probe.address)
        .filter(|at| !transient(findings).any(|endpoint| overlaps(&endpoint.socket, at.ip())))
        .collect()
}

/// What is set, missing or published, whoever holds the port.
fn settings(findings: &Findings) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let port = findings.request.spec.port;
    let mut reserved = findings.settings.reserved.iter();
    if reserved.any(|range| range.contains(&port)) {
        reasons.push(Reason::Reserved(port));
    }
    let missing: Vec<IpAddr> = findings
        .probes
        .iter()
        .filter(|probe| *server_outcome(probe) == BindOutcome::NoSuchAddress)
        .map(|probe| probe.address.ip())
        .collect();
    if findings.request.spec.address.is_none() && !missing.is_empty() {
        reasons.push(Reason::NoFamily(missing));
    }
    reasons.extend(findings.published.iter().cloned().map(Reason::Published));
    reasons
}
