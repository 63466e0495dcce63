//! Who held a port last, for as long as the program runs.
//!
//! It is told of sockets only when they are gone, so that it never keeps what a table still shows, and it keeps only the
//! latest few owners of the latest ports. What became of an owner is written down when somebody found out, and never
//! concluded from its socket.

use crate::model::process::{ProcessId, Signal};
use crate::model::socket::{Endpoint, EndpointId, Owners, Protocol, Since};
use crate::model::text::SystemText;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

/// How many owners of one port are kept.
const MAX_OWNERS: usize = 4;

/// How many ports are kept; a machine that opens and closes many of its own accord makes room by the oldest.
const MAX_PORTS: usize = 10_000;

/// Of how many processes it is kept what became of them. Only those that somebody asked about are among them.
const MAX_EXIT_STATUSES: usize = 1_000;

#[derive(Debug, Default)]
pub struct PortHistory {
    ports: HashMap<PortKey, PastOwners>,
    /// The ports in the order in which they were last let go of.
    by_age: BTreeMap<u64, PortKey>,
    last_sequence: u64,
    exit_statuses: VecDeque<(ProcessId, ExitStatus)>,
}

type PortKey = (Protocol, u16);

#[derive(Debug, Default)]
struct PastOwners {
    sequence: u64,
    /// The latest last.
    owners: VecDeque<PastOwner>,
}

/// A holder of a port that holds it no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastOwner {
    /// Its socket, of several the one that closed last.
    pub id: EndpointId,
    pub protocol: Protocol,
    pub port: u16,
    /// As they were last known.
    pub owners: Owners,
    pub user: Option<SystemText>,
    pub since: Since,
    pub closed: Instant,
}

/// What became of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    Unknown,
    /// It ended this long after portmon had sent it the signal, for whatever cause.
    EndedAfter(Duration, Signal),
    Ended,
    StillRunning,
}

impl PortHistory {
    /// Takes in a standing socket that closed, as it was last known. Others hold no port and are not remembered.
    pub fn record_close(&mut self, endpoint: &Endpoint, closed: Instant) {
        let socket = &endpoint.socket;
        if !socket.holds_port() {
            return;
        }
        let past = PastOwner {
            id: socket.id,
            protocol: socket.protocol,
            port: socket.port(),
            owners: socket.owners.clone(),
            user: socket.user.clone(),
            since: endpoint.since,
            closed,
        };
        let place = (socket.protocol, socket.port());
        let kept = self.ports.entry(place).or_default();
        // The first turn is 1: a port that is new here has had none, which is 0.
        self.last_sequence += 1;
        self.by_age.remove(&kept.sequence);
        kept.sequence = self.last_sequence;
        self.by_age.insert(self.last_sequence, place);
        kept.add(past);
        if self.ports.len() > MAX_PORTS
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.ports.remove(&oldest);
        }
    }

    /// Writes down what became of a process. What is known for certain is not given up for what is known less well.
    pub fn record_exit(&mut self, process: ProcessId, exit_status: ExitStatus) {
        let known = self.exit_statuses.iter_mut().find(|(id, _)| *id == process);
        match known {
            Some((_, ExitStatus::EndedAfter(..))) => {}
            Some((_, ExitStatus::Ended)) if exit_status == ExitStatus::StillRunning => {}
            Some((_, known)) => *known = exit_status,
            None => {
                self.exit_statuses.push_back((process, exit_status));
                if self.exit_statuses.len() > MAX_EXIT_STATUSES {
                    self.exit_statuses.pop_front();
                }
            }
        }
    }

    pub fn exit_status(&self, process: ProcessId) -> ExitStatus {
        let known = self.exit_statuses.iter().find(|(id, _)| *id == process);
        known.map_or(ExitStatus::Unknown, |(_, exit_status)| *exit_status)
    }

    /// Who let go of the port last; of both protocols where none is meant.
    pub fn last_owner(&self, port: u16, protocol: Option<Protocol>) -> Option<&PastOwner> {
        [Protocol::Tcp, Protocol::Udp]
            .into_iter()
            .filter(|one| protocol.is_none_or(|meant| meant == *one))
            .filter_map(|one| self.ports.get(&(one, port))?.owners.back())
            .max_by_key(|past| past.closed)
    }

    /// Who had the port of this endpoint before it came: another owner that had let go by then.
    pub fn previous_owner(&self, endpoint: &Endpoint) -> Option<&PastOwner> {
        let socket = &endpoint.socket;
        let Since::Opened(opened) = endpoint.since else {
            return None;
        };
        let is_another = |past: &&PastOwner| {
            past.closed <= opened && !have_same_owner(&past.owners, &socket.owners)
        };
        let kept = self.ports.get(&(socket.protocol, socket.port()))?;
        kept.owners.iter().rev().find(is_another)
    }
}

impl PastOwners {
    /// Twins of one owner, such as its sockets on 127.0.0.1 and ::1, are one past.
    fn add(&mut self, past: PastOwner) {
        if let Some(last) = self.owners.back_mut()
            && have_same_owner(&last.owners, &past.owners)
            && opened_at(past.since) <= last.closed
        {
            let since = [last.since, past.since]
                .into_iter()
                .min_by_key(|since| opened_at(*since));
            *last = PastOwner {
                since: since.unwrap_or(past.since),
                ..past
            };
            return;
        }
        self.owners.push_back(past);
        if self.owners.len() > MAX_OWNERS {
            self.owners.pop_front();
        }
    }
}

/// Whether both are held by one process, or by nobody who is known.
fn have_same_owner(one: &Owners, other: &Owners) -> bool {
    match (one.first(), other.first()) {
        (Some(one), Some(other)) => one.id == other.id,
        (None, None) => one == other,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn opened_at(since: Since) -> Instant {
    match since {
        Since::Opened(at) | Since::Before(at) => at,
    }
}

impl ExitStatus {
    /// Whether nothing more can be found out.
    pub fn is_final(self) -> bool {
        match self {
            Self::EndedAfter(..) | Self::Ended => true,
            Self::Unknown | Self::StillRunning => false,
        }
    }
}

#[cfg(test)]
mod tests;
