//! The report: free or held, and the reasons in their order, derived from the findings.

use super::findings::Findings;
use super::reason::{Forwarding, Reason, distinct_owners};
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

    /// The visible owners of the conflicting sockets, and of those connected to themselves, each once.
    pub fn owners(&self) -> Vec<Arc<Process>> {
        let connections = connections::connections(&self.findings);
        let own = connections.map(|endpoint| &endpoint.socket);
        let own = own.filter(|socket| socket.is_freed_with_owners());
        distinct_owners(self.findings.conflicting().chain(own))
    }

    /// True if a connect was answered where nothing seen listens; a server may have started between the poll and the
    /// connect.
    pub fn has_unseen_answer(&self) -> bool {
        let is_unseen = |reason: &Reason| matches!(reason, Reason::AnsweredUnseen(_));
        self.reasons.iter().any(is_unseen)
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
    let mut reasons = sockets::each(findings.conflicting(), Reason::HoldingSocket);
    reasons.extend(candidates(findings));
    reasons.extend(unread(findings));
    reasons.extend(connections::reasons(findings));
    reasons.extend(refusals(findings));
    reasons.extend(unseen(findings, &reasons));
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
    let others = findings
        .holding()
        .filter(|socket| !findings.is_conflicting(socket));
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

/// Reasons for what no socket table shows: answers to connects, and ports of Windows.
fn unseen(findings: &Findings, reasons: &[Reason]) -> Vec<Reason> {
    let answered = findings.answered_unseen();
    let is_unexplained = |reason: &Reason| {
        matches!(
            reason,
            Reason::Unexplained {
                why: WhyUnseen::NotKnown,
                ..
            }
        )
    };
    let is_riddle = !answered.is_empty() || reasons.iter().any(is_unexplained);
    let windows = findings.settings.shares_ports_with_windows && is_riddle;
    let answered = (!answered.is_empty()).then_some(Reason::AnsweredUnseen(answered));
    let windows = windows.then_some(Reason::SharedWithWindows);
    answered.into_iter().chain(windows).collect()
}

/// Settings, missing addresses and published ports, whoever holds the port.
fn settings(findings: &Findings) -> Vec<Reason> {
    let PortSpec { port, address, .. } = findings.request.spec;
    let mut reserved = findings.settings.reserved.iter();
    let mut reasons = Vec::new();
    if reserved.any(|range| range.contains(&port)) {
        reasons.push(Reason::Reserved);
    }
    if address.ip().is_none() && findings.has_result(&BindResult::NoSuchAddress) {
        let mut missing = findings.tried.probes.clone();
        missing.retain(|probe| probe.result() == BindResult::NoSuchAddress);
        let missing = missing.iter().map(|probe| probe.address.ip()).collect();
        reasons.push(Reason::NoFamily(missing));
    }
    let forwarding = if findings.holding().next().is_some() {
        Forwarding::BySocket
    } else if findings.answered_unseen().is_empty() {
        Forwarding::Unknown
    } else {
        Forwarding::ByRule
    };
    let published = findings.published.iter().cloned().map(Box::new);
    reasons.extend(published.map(|container| Reason::Published {
        container,
        forwarding,
    }));
    reasons
}
