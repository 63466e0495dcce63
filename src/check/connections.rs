//! Reasons that follow from connections on a port without a listener.

use super::findings::Findings;
use super::reason::Reason;
use crate::model::port::BindResult;
use crate::model::socket::{Endpoint, Protocol, Socket, SocketRole, State, TimeWaitLeft};
use std::net::IpAddr;

/// Returns the client, the connections in TIME_WAIT and the ones that a listener left, as far as they prevent a bind, and
/// those of a socket with itself.
pub(super) fn reasons(findings: &Findings) -> Vec<Reason> {
    let (own, others): (Vec<&Endpoint>, Vec<_>) =
        connections(findings).partition(|endpoint| endpoint.socket.is_freed_with_owners());
    let itself = own.first().map(|first| Reason::SelfConnection {
        first: Box::new(first.socket.clone()),
        more: own.len() - 1,
    });
    let (clients, others): (Vec<&Endpoint>, Vec<_>) =
        others.into_iter().partition(|endpoint| is_client(endpoint));
    let others = others.into_iter().map(|endpoint| &endpoint.socket);
    let (waiting, left): (Vec<&Socket>, Vec<_>) =
        others.partition(|socket| socket.state == Some(State::TimeWait));
    let client = clients.first().map(|first| Reason::Client {
        first: Box::new((*first).clone()),
        more: clients.len() - 1,
    });
    let time_wait = refused(findings, &waiting).map(|refused| Reason::TimeWait {
        count: waiting.len(),
        refused,
        // A socket that was polled once may have entered TIME_WAIT just then.
        left: TimeWaitLeft::of_last(waiting.into_iter(), findings.at, |_| None),
    });
    let leftover = refused(findings, &left).map(|refused| Reason::Leftover {
        refused,
        sockets: left.into_iter().cloned().collect(),
    });
    [itself, client, time_wait, leftover]
        .into_iter()
        .flatten()
        .collect()
}

/// The connections that conflict with the requested bind. One that a listener of the port accepted is no reason, because
/// the listener explains the bind.
pub(super) fn connections(findings: &Findings) -> impl Iterator<Item = &Endpoint> {
    findings.endpoints.iter().filter(|endpoint| {
        let socket = &endpoint.socket;
        !socket.holds_port() && findings.request.spec.conflicts(socket)
    })
}

/// True if a connection is a client's. A UDP socket with a remote end always is, as no other socket accepted it.
fn is_client(endpoint: &Endpoint) -> bool {
    let Endpoint {
        socket, relation, ..
    } = endpoint;
    (relation.role == SocketRole::Client || socket.protocol == Protocol::Udp)
        && socket.state != Some(State::TimeWait)
}

/// Returns the addresses of these sockets that cannot be bound; `None` if the sockets do not prevent any bind, not even one
/// without SO_REUSEADDR. Where a table could not be read, a socket in it may be the cause instead.
fn refused(findings: &Findings, sockets: &[&Socket]) -> Option<Vec<IpAddr>> {
    let concerned = findings.unheld_probes().filter(|probe| {
        !findings.is_unread(probe) && sockets.iter().any(|socket| probe.overlaps(socket))
    });
    let mut refused = Vec::new();
    let mut needs_reuseaddr = false;
    for probe in concerned {
        match probe.result() {
            BindResult::InUse => refused.push(probe.address.ip()),
            result => needs_reuseaddr |= result == BindResult::OnlyWithReuseAddr,
        }
    }
    (needs_reuseaddr || !refused.is_empty()).then_some(refused)
}
