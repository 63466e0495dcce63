//! Past owners of ports, as long as the program runs.
//!
//! Records a socket when it has closed, so that nothing is kept twice: the latest few owners of the latest ports. The exit
//! status of an owner is recorded as it was found and never concluded from the socket.

use crate::free::{ReleaseKind, TargetOutcome};
use crate::model::port::Port;
use crate::model::process::{ExitStatus, ProcessId};
use crate::model::socket::{Endpoint, EndpointId, Owners, Protocol, Since};
use crate::model::text::SystemText;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

/// Number of owners kept per port.
const MAX_OWNERS: usize = 4;

/// Number of ports kept; beyond it the oldest is dropped.
const MAX_PORTS: usize = 10_000;

const MAX_EXIT_STATUSES: usize = 1_000;

#[derive(Debug, Default)]
pub struct PortHistory {
    /// Of each port its past owners, the latest last.
    ports: HashMap<Port, VecDeque<PastOwner>>,
    /// The ports in the order in which they last closed.
    by_age: BTreeSet<(Instant, Port)>,
    exit_statuses: VecDeque<(ProcessId, ExitStatus)>,
}

/// An earlier owner of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastOwner {
    /// Its socket; if it had several, the one that closed last.
    pub id: EndpointId,
    pub port: Port,
    /// As they were last known.
    pub owners: Owners,
    pub user: Option<SystemText>,
    pub since: Since,
    pub closed: Instant,
}

impl PortHistory {
    /// Records a socket that closed, as it was last known, if it held a port.
    pub fn record_close(&mut self, endpoint: &Endpoint, closed: Instant) {
        let socket = &endpoint.socket;
        if !socket.holds_port() {
            return;
        }
        let port = Port::of(socket);
        let owners = self.ports.entry(port).or_default();
        if let Some(last) = owners.back() {
            self.by_age.remove(&(last.closed, port));
        }
        self.by_age.insert((closed, port));
        add(
            owners,
            PastOwner {
                id: socket.id,
                port,
                owners: socket.owners.clone(),
                user: socket.user.clone(),
                since: endpoint.since,
                closed,
            },
        );
        if self.ports.len() > MAX_PORTS
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.ports.remove(&oldest);
        }
    }

    /// Records the processes that a signal of portmon ended.
    pub fn record_outcomes(&mut self, outcomes: &[TargetOutcome]) {
        for outcome in outcomes {
            if let (ReleaseKind::Ended, Some((after, signal))) = (outcome.how, outcome.after) {
                self.record_exit(outcome.process.id, ExitStatus::EndedAfter(after, signal));
            }
        }
    }

    /// Records the exit status of a process, unless a better one is known.
    pub fn record_exit(&mut self, process: ProcessId, exit_status: ExitStatus) {
        let known = self.exit_statuses.iter_mut().find(|(id, _)| *id == process);
        match known {
            Some((_, ExitStatus::EndedAfter(..))) => {}
            Some((_, ExitStatus::Ended)) if exit_status == ExitStatus::StillRunning => {}
            Some((_, known)) => *known = exit_status,
            None => push_latest(
                &mut self.exit_statuses,
                (process, exit_status),
                MAX_EXIT_STATUSES,
            ),
        }
    }

    pub fn exit_status(&self, process: ProcessId) -> ExitStatus {
        let known = self.exit_statuses.iter().find(|(id, _)| *id == process);
        known.map_or(ExitStatus::Unknown, |(_, exit_status)| *exit_status)
    }

    /// Returns the last owner of the port that has closed; without a protocol, of either.
    pub fn last_owner(&self, number: u16, protocol: Option<Protocol>) -> Option<&PastOwner> {
        let ports = [Protocol::Tcp, Protocol::Udp].map(|protocol| Port { protocol, number });
        let is_meant = |port: &Port| protocol.is_none_or(|protocol| protocol == port.protocol);
        let owners = ports.iter().filter(|port| is_meant(port));
        let last = owners.filter_map(|port| self.ports.get(port)?.back());
        last.max_by_key(|past| past.closed)
    }

    /// Returns the last other owner of the port that the endpoint holds, which had closed when the endpoint opened.
    pub fn previous_owner(&self, endpoint: &Endpoint) -> Option<&PastOwner> {
        let socket = &endpoint.socket;
        let Since::Opened(opened) = endpoint.since else {
            return None;
        };
        if !socket.holds_port() {
            return None;
        }
        let is_another = |past: &&PastOwner| {
            past.closed <= opened && !have_same_owner(&past.owners, &socket.owners)
        };
        let owners = self.ports.get(&Port::of(socket))?;
        owners.iter().rev().find(is_another)
    }
}

/// Adds an owner; sockets of one owner, such as those on 127.0.0.1 and ::1, become one.
fn add(owners: &mut VecDeque<PastOwner>, past: PastOwner) {
    match owners.back_mut() {
        Some(last)
            if have_same_owner(&last.owners, &past.owners)
                && opened_at(past.since) <= last.closed =>
        {
            let is_earlier = opened_at(last.since) <= opened_at(past.since);
            let since = if is_earlier { last.since } else { past.since };
            *last = PastOwner { since, ..past };
        }
        _ => push_latest(owners, past, MAX_OWNERS),
    }
}

/// Appends to a queue of this length, from which the oldest drops out.
fn push_latest<T>(queue: &mut VecDeque<T>, latest: T, length: usize) {
    queue.push_back(latest);
    if queue.len() > length {
        queue.pop_front();
    }
}

/// True if one process has both, or both have no known owner for the same reason.
fn have_same_owner(one: &Owners, other: &Owners) -> bool {
    match (one.first(), other.first()) {
        (Some(one), Some(other)) => one.id == other.id,
        (None, None) => one == other,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn opened_at(since: Since) -> Instant {
    match since {
        Since::Opened(at) | Since::Initial(at) => at,
    }
}

#[cfg(test)]
mod tests;
