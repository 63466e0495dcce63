//! The report: free or held, and the reasons in their order, derived from the findings.

use super::findings::Findings;
use super::reason::{Reason, distinct_owners};
use super::{connections, sockets};
use crate::model::port::{AddressProbe, Availability, BindResult, PortSpec, WhyUnseen};
use crate::model::process::{Process, SocketCandidates};
use std::net::SocketAddr;
use std::sync::Arc;

/// The answer to a check: if the port can be used, why not, and the findings behind it.
#[derive(Clone, Debug)]
pub struct CheckReport {
    pub findings: Findings,
    pub availability: Availability,
    /// Reasons why the port is held come first.
    pub reasons: Vec<Reason>,
}

impl CheckReport {
    pub fn of(findings: Findings) -> Self {
        Self {
            availability: findings.availability(),
            reasons: reasons(&findings),
            findings,
        }
    }

    /// The reason why the port is held; the first one where there are several.
    pub fn decisive_reason(&self) -> Option<&Reason> {
        self.reasons.iter().find(|reason| reason.is_decisive())
    }

    /// The visible owners of the conflicting sockets, each once.
    pub fn owners(&self) -> Vec<Arc<Process>> {
        distinct_owners(self.findings.conflicting())
    }

    /// True if nothing holds the port, whether or not this user may bind it.
    pub fn is_free(&self) -> bool {
        self.availability.is_free()
    }

    /// True if every bind is explained; if not, a socket may have opened or closed between the poll and the binds, or the
    /// system had nothing left for a bind just then.
    pub fn is_explained(&self) -> bool {
        let is_open =
            |reason: &Reason| matches!(reason, Reason::Unexplained { .. } | Reason::Failed { .. });
        !self.reasons.iter().any(is_open)
    }
}

fn reasons(findings: &Findings) -> Vec<Reason> {
    let spec = findings.request.spec;
    let mut reasons = sockets::each(findings.conflicting(), Reason::HoldingSocket);
    reasons.extend(candidates(findings));
    reasons.extend(unread(findings));
    reasons.extend(connections::reasons(findings));
    reasons.extend(refusals(findings));
    reasons.extend(sockets::remarks(findings));
    let explains_reuse = |reason: &Reason| {
        matches!(
            reason,
            Reason::TimeWait { .. } | Reason::Leftover { .. } | Reason::Unexplained { .. }
        )
    };
    if findings.needs_reuseaddr() && !reasons.iter().any(explains_reuse) {
        reasons.push(Reason::NeedsReuse);
    }
    reasons.extend(settings(findings));
    let others = findings.holding().filter(|socket| !spec.conflicts(socket));
    reasons.extend(sockets::each(others, Reason::Elsewhere));
    reasons.extend(findings.problems.iter().cloned().map(Reason::Unread));
    reasons
}

/// SocketCandidates of the conflicting sockets, each set of them once.
fn candidates(findings: &Findings) -> Vec<Reason> {
    let mut found: Vec<&SocketCandidates> = Vec::new();
    for socket in findings.conflicting() {
        let own = findings.candidates_of(socket.id);
        let is_new =
            |own: &&SocketCandidates| !found.iter().any(|one| one.processes == own.processes);
        found.extend(own.filter(is_new));
    }
    let found = found.into_iter().cloned();
    found.map(Reason::Candidates).collect()
}

/// Addresses in use whose socket may be in an unreadable table.
fn unread(findings: &Findings) -> Option<Reason> {
    let is_refused = |probe: &AddressProbe| is_in_use(probe) && findings.is_unread(probe);
    unexplained(findings, is_refused, WhyUnseen::UnreadTable)
}

/// True if the kernel refuses at least the bind without SO_REUSEADDR, because something has the port.
fn is_in_use(probe: &AddressProbe) -> bool {
    matches!(
        probe.result(),
        BindResult::InUse | BindResult::OnlyWithReuseAddr
    )
}

/// Reasons for binds that failed with an error other than EADDRINUSE, and for EADDRINUSE that no socket explains.
fn refusals(findings: &Findings) -> Vec<Reason> {
    let PortSpec { port, address, .. } = findings.request.spec;
    let mut reasons = Vec::new();
    if findings.has_result(&BindResult::NotPermitted) {
        let from = findings.settings.unprivileged_from;
        reasons.push(Reason::Privileged(from.filter(|from| port < *from)));
    }
    if findings.has_result(&BindResult::NoSuchAddress) {
        reasons.extend(address.ip().map(Reason::NoSuchAddress));
    }
    for probe in findings.local_probes() {
        if let BindResult::Failed(error) = probe.result() {
            let at = probe.address;
            reasons.push(Reason::Failed { at, error });
        }
    }
    let is_refused = |probe: &AddressProbe| {
        let mut connections = findings.connections_on(probe);
        is_in_use(probe) && !findings.is_unread(probe) && connections.next().is_none()
    };
    let why = WhyUnseen::of(false, findings.tried.shows_bound);
    reasons.extend(unexplained(findings, is_refused, why));
    reasons
}

fn unexplained(
    findings: &Findings,
    is_refused: impl Fn(&AddressProbe) -> bool,
    why: WhyUnseen,
) -> Option<Reason> {
    let probes = findings.unheld_probes().filter(|probe| is_refused(probe));
    let at: Vec<SocketAddr> = probes.map(|probe| probe.address).collect();
    (!at.is_empty()).then_some(Reason::Unexplained { at, why })
}

/// Settings, missing addresses and published ports, whoever holds the port.
fn settings(findings: &Findings) -> Vec<Reason> {
    let PortSpec { port, address, .. } = findings.request.spec;
    let mut reserved = findings.settings.reserved.iter();
    let mut reasons = Vec::new();
    if reserved.any(|range| range.contains(&port)) {
        reasons.push(Reason::Reserved);
    }
    if address.is_any() && findings.has_result(&BindResult::NoSuchAddress) {
        let mut missing = findings.tried.probes.clone();
        missing.retain(|probe| probe.result() == BindResult::NoSuchAddress);
        let missing = missing.iter().map(|probe| probe.address.ip()).collect();
        reasons.push(Reason::NoFamily(missing));
    }
    let published = findings.published.iter().cloned();
    reasons.extend(published.map(|container| Reason::Published(Box::new(container))));
    reasons
}
