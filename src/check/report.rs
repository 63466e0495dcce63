//! The report: free or held, and the reasons in their order, derived from the findings.

use super::findings::Findings;
use super::reason::{Reason, distinct_owners};
use super::{connections, sockets};
use crate::model::port::{AddressProbe, BindResult, PortSpec, overlaps};
use crate::model::process::{Process, SocketCandidates};
use std::net::SocketAddr;
use std::sync::Arc;

/// The answer to a check: if the port can be used, why not, and the findings behind it.
#[derive(Clone, Debug)]
pub struct CheckReport {
    pub findings: Findings,
    /// True if a bind as servers try it works on each requested address of this machine, and no socket listens or is
    /// bound there.
    pub is_free: bool,
    /// Reasons why the port is held come first.
    pub reasons: Vec<Reason>,
}

impl CheckReport {
    pub fn of(findings: Findings) -> Self {
        Self {
            is_free: is_free(&findings),
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

    /// True if every bind is explained; if not, a socket may have opened or closed between the poll and the binds.
    pub fn is_explained(&self) -> bool {
        let is_open =
            |reason: &Reason| matches!(reason, Reason::Unexplained { .. } | Reason::NeedsReuse);
        !self.reasons.iter().any(is_open)
    }
}

fn is_free(findings: &Findings) -> bool {
    let mut probes = findings.local_probes().peekable();
    probes.peek().is_some()
        && probes.all(|probe| findings.is_bindable(probe))
        && findings.conflicting().next().is_none()
}

fn reasons(findings: &Findings) -> Vec<Reason> {
    let spec = findings.request.spec;
    let mut reasons = sockets::each(findings.conflicting(), Reason::HoldingSocket);
    reasons.extend(candidates(findings));
    reasons.extend(unread(findings));
    reasons.extend(connections::reasons(findings));
    reasons.extend(refusals(findings));
    reasons.extend(sockets::remarks(findings));
    let explains_reuse =
        |reason: &Reason| matches!(reason, Reason::TimeWait { .. } | Reason::Leftover { .. });
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
    let is_refused = |probe: &AddressProbe| {
        let result = probe.result();
        matches!(result, BindResult::InUse | BindResult::OnlyWithReuseAddr)
            && findings.is_unread(probe.address.ip())
    };
    unexplained(findings, is_refused, true)
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
    for probe in &findings.probes {
        if let BindResult::Failed(error) = probe.result() {
            let at = probe.address;
            reasons.push(Reason::Failed { at, error });
        }
    }
    let is_refused = |probe: &AddressProbe| {
        let ip = probe.address.ip();
        let mut connections = connections::connections(findings);
        probe.result() == BindResult::InUse
            && !findings.is_unread(ip)
            && !connections.any(|endpoint| overlaps(&endpoint.socket, ip))
    };
    reasons.extend(unexplained(findings, is_refused, false));
    reasons
}

fn unexplained(
    findings: &Findings,
    is_refused: impl Fn(&AddressProbe) -> bool,
    is_unread: bool,
) -> Option<Reason> {
    let probes = findings.unheld_probes().filter(|probe| is_refused(probe));
    let at: Vec<SocketAddr> = probes.map(|probe| probe.address).collect();
    (!at.is_empty()).then_some(Reason::Unexplained { at, is_unread })
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
        let mut missing = findings.probes.clone();
        missing.retain(|probe| probe.result() == BindResult::NoSuchAddress);
        let missing = missing.iter().map(|probe| probe.address.ip()).collect();
        reasons.push(Reason::NoFamily(missing));
    }
    let published = findings.published.iter().cloned();
    reasons.extend(published.map(|container| Reason::Published(Box::new(container))));
    reasons
}
