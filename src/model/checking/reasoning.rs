//! From what was found to the reasons, the ones that decide first.

use super::evidence::{Evidence, Question, decisive, overlaps};
use super::holding;
use super::reason::{Binding, Reason};
use crate::model::endpoint::{Endpoint, Protocol, Side, Socket, State};
use crate::model::freeing::{Attempt, BindOutcome};
use crate::model::process::Process;
use crate::model::time_wait::Remainder;
use crate::model::words::states;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Every reason, in the order in which they are said.
pub(super) fn reasons(evidence: &Evidence) -> Vec<Reason> {
    let mut reasons = holding::holders(evidence);
    reasons.extend(unread(evidence));
    reasons.extend(client(evidence));
    reasons.extend(time_wait(evidence));
    reasons.extend(leftover(evidence));
    reasons.extend(refusals(evidence));
    reasons.extend(holding::remarks(evidence));
    let says_reuse =
        |reason: &Reason| matches!(reason, Reason::TimeWait { .. } | Reason::Leftover { .. });
    if needs_reuse(evidence) && !reasons.iter().any(says_reuse) {
        reasons.push(Reason::NeedsReuse);
    }
    reasons.extend(settings(evidence));
    reasons.extend(holding::elsewhere(evidence));
    let problems = evidence.problems.iter().map(ToString::to_string);
    reasons.extend(problems.map(Reason::Unread));
    reasons
}

/// Whether some bind is refused without SO_REUSEADDR only.
pub(super) fn needs_reuse(evidence: &Evidence) -> bool {
    evidence.tried().any(|attempt| {
        *decisive(attempt) == BindOutcome::Bound && attempt.without_reuse == BindOutcome::InUse
    })
}

/// What is in the way and stands nowhere. What a listener accepted that is still there is no reason of its own, because no
/// bind where it is goes unexplained.
fn passing(evidence: &Evidence) -> impl Iterator<Item = &Endpoint> {
    evidence.endpoints.iter().filter(|endpoint| {
        let socket = &endpoint.socket;
        !socket.is_standing() && evidence.is_in_the_way(socket)
    })
}

/// A UDP socket with a remote end has no other side that would have accepted it.
fn is_client(endpoint: &Endpoint) -> bool {
    let socket = &endpoint.socket;
    let is_client = endpoint.relation.side == Side::Client || socket.protocol == Protocol::Udp;
    is_client && socket.state != Some(State::TimeWait)
}

fn client(evidence: &Evidence) -> Option<Reason> {
    let mut clients = passing(evidence).filter(|endpoint| is_client(endpoint));
    let first = clients.next()?;
    Some(Reason::Client {
        socket: Box::new(first.socket.clone()),
        is_local: first.relation.is_local,
        more: clients.count(),
    })
}

fn time_wait(evidence: &Evidence) -> Option<Reason> {
    let is_waiting = |socket: &&Socket| socket.state == Some(State::TimeWait);
    let sockets = passing(evidence).map(|endpoint| &endpoint.socket);
    let waiting: Vec<&Socket> = sockets.filter(is_waiting).collect();
    // What was looked at only once may have begun just then.
    let left = Remainder::of_last(
        waiting.iter().copied(),
        evidence.at,
        evidence.time_wait,
        |_| None,
    );
    Some(Reason::TimeWait {
        count: waiting.len(),
        binding: binding(evidence, &waiting)?,
        left,
    })
}

fn leftover(evidence: &Evidence) -> Option<Reason> {
    let is_left = |endpoint: &&Endpoint| {
        !is_client(endpoint) && endpoint.socket.state != Some(State::TimeWait)
    };
    let left: Vec<&Socket> = passing(evidence)
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
        binding: binding(evidence, &left)?,
    })
}

/// What the binds say on the addresses of these sockets where nothing stands; `None` if these are in nobody's way.
fn binding(evidence: &Evidence, sockets: &[&Socket]) -> Option<Binding> {
    let is_met = |attempt: &&&Attempt| {
        let ip = attempt.address.ip();
        sockets.iter().any(|socket| overlaps(socket, ip))
    };
    let unheld = evidence.unheld();
    // What a table shows that could not be read may be the reason as well.
    let is_read = |attempt: &&&Attempt| !evidence.is_unread(attempt.address.ip());
    let met: Vec<&&Attempt> = unheld.iter().filter(is_met).filter(is_read).collect();
    let is_refused = |outcome: &BindOutcome| *outcome == BindOutcome::InUse;
    if met.iter().any(|attempt| is_refused(decisive(attempt))) {
        Some(Binding::Refused)
    } else if met.iter().any(|attempt| is_refused(&attempt.without_reuse)) {
        Some(Binding::WithReuse)
    } else {
        None
    }
}

/// What the binds themselves say beyond that the port is in use, and where nothing explains that.
fn refusals(evidence: &Evidence) -> Vec<Reason> {
    let Question { port, address, .. } = evidence.question;
    let said = |wanted: &BindOutcome| {
        let mut attempts = evidence.attempts.iter();
        attempts.any(|attempt| decisive(attempt) == wanted)
    };
    let mut reasons = Vec::new();
    if said(&BindOutcome::Denied) {
        let from = evidence.settings.unprivileged_from;
        reasons.push(Reason::Privileged { port, from });
    }
    if let Some(ip) = address
        && said(&BindOutcome::NoSuchAddress)
    {
        reasons.push(Reason::NoSuchAddress(ip));
    }
    reasons.extend(evidence.tried().filter_map(failed));
    let places = unexplained(evidence);
    if !places.is_empty() {
        reasons.push(Reason::Unexplained {
            places,
            is_unread: false,
        });
    }
    reasons
}

fn failed(attempt: &Attempt) -> Option<Reason> {
    let BindOutcome::Failed(why) = decisive(attempt) else {
        return None;
    };
    Some(Reason::Failed {
        at: attempt.address,
        why: why.clone(),
    })
}

/// The addresses that something holds which a table that could not be read may show.
fn unread(evidence: &Evidence) -> Option<Reason> {
    let unheld = evidence.unheld().into_iter();
    let places: Vec<SocketAddr> = unheld
        .filter(|attempt| attempt.without_reuse == BindOutcome::InUse)
        .map(|attempt| attempt.address)
        .filter(|at| evidence.is_unread(at.ip()))
        .collect();
    (!places.is_empty()).then_some(Reason::Unexplained {
        places,
        is_unread: true,
    })
}

/// The addresses that are in use by nothing that was seen.
fn unexplained(evidence: &Evidence) -> Vec<SocketAddr> {
    let unheld = evidence.unheld().into_iter();
    let refused = unheld.filter(|attempt| *decisive(attempt) == BindOutcome::InUse);
    let refused = refused.filter(|attempt| !evidence.is_unread(attempt.address.ip()));
    refused
        .map(|attempt| attempt.address)
        .filter(|at| !passing(evidence).any(|endpoint| overlaps(&endpoint.socket, at.ip())))
        .collect()
}

/// What is set, missing or published, whoever holds the port.
fn settings(evidence: &Evidence) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let port = evidence.question.port;
    let mut reserved = evidence.settings.reserved.iter();
    if reserved.any(|range| range.contains(&port)) {
        reasons.push(Reason::Reserved(port));
    }
    let missing: Vec<IpAddr> = evidence
        .attempts
        .iter()
        .filter(|attempt| *decisive(attempt) == BindOutcome::NoSuchAddress)
        .map(|attempt| attempt.address.ip())
        .collect();
    if evidence.question.address.is_none() && !missing.is_empty() {
        reasons.push(Reason::NoFamily(missing));
    }
    reasons.extend(evidence.published.iter().cloned().map(Reason::Published));
    reasons
}
