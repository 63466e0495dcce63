//! Who held a port last, for as long as the program runs.
//!
//! It is told of sockets only when they are gone, so that it never keeps what a table still shows, and it keeps only the
//! latest few owners of the latest ports. What became of an owner is written down when somebody found out, and never
//! concluded from its socket.

use crate::model::endpoint::{Endpoint, EndpointId, Owners, Protocol, Since};
use crate::model::freeing::Signal;
use crate::model::process::ProcessId;
use crate::model::text::SystemText;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

/// How many owners of one port are kept.
const OWNERS_KEPT: usize = 4;

/// How many ports are kept; a machine that opens and closes many of its own accord makes room by the oldest.
const PORTS_KEPT: usize = 10_000;

/// Of how many processes it is kept what became of them. Only those that somebody asked about are among them.
const FATES_KEPT: usize = 1_000;

#[derive(Debug, Default)]
pub struct Memory {
    ports: HashMap<Place, Kept>,
    /// The ports in the order in which they were last let go of.
    turns: BTreeMap<u64, Place>,
    last_turn: u64,
    fates: VecDeque<(ProcessId, Fate)>,
}

type Place = (Protocol, u16);

#[derive(Debug, Default)]
struct Kept {
    turn: u64,
    /// The latest last.
    owners: VecDeque<Past>,
}

/// A holder of a port that holds it no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
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
pub enum Fate {
    Unknown,
    /// It ended after portmon had sent it this signal.
    EndedBy(Signal),
    Ended,
    RunsOn,
}

impl Memory {
    /// Takes in a standing socket that closed, as it was last known. Others hold no port and are not remembered.
    pub fn close(&mut self, endpoint: &Endpoint, closed: Instant) {
        let socket = &endpoint.socket;
        if !socket.is_standing() {
            return;
        }
        let past = Past {
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
        self.last_turn += 1;
        self.turns.remove(&kept.turn);
        kept.turn = self.last_turn;
        self.turns.insert(self.last_turn, place);
        kept.add(past);
        if self.ports.len() > PORTS_KEPT
            && let Some((_, oldest)) = self.turns.pop_first()
        {
            self.ports.remove(&oldest);
        }
    }

    /// Writes down what became of a process. What is known for certain is not given up for what is known less well.
    pub fn learn(&mut self, process: ProcessId, fate: Fate) {
        let known = self.fates.iter_mut().find(|(id, _)| *id == process);
        match known {
            Some((_, Fate::EndedBy(_))) => {}
            Some((_, Fate::Ended)) if fate == Fate::RunsOn => {}
            Some((_, known)) => *known = fate,
            None => {
                self.fates.push_back((process, fate));
                if self.fates.len() > FATES_KEPT {
                    self.fates.pop_front();
                }
            }
        }
    }

    pub fn fate(&self, process: ProcessId) -> Fate {
        let known = self.fates.iter().find(|(id, _)| *id == process);
        known.map_or(Fate::Unknown, |(_, fate)| *fate)
    }

    /// Who let go of the port last; of both protocols where none is meant.
    pub fn last(&self, port: u16, protocol: Option<Protocol>) -> Option<&Past> {
        [Protocol::Tcp, Protocol::Udp]
            .into_iter()
            .filter(|one| protocol.is_none_or(|meant| meant == *one))
            .filter_map(|one| self.ports.get(&(one, port))?.owners.back())
            .max_by_key(|past| past.closed)
    }

    /// Who had the port of this endpoint before it came: another owner that had let go by then.
    pub fn before(&self, endpoint: &Endpoint) -> Option<&Past> {
        let socket = &endpoint.socket;
        let Since::Opened(opened) = endpoint.since else {
            return None;
        };
        let is_another =
            |past: &&Past| past.closed <= opened && !is_same(&past.owners, &socket.owners);
        let kept = self.ports.get(&(socket.protocol, socket.port()))?;
        kept.owners.iter().rev().find(is_another)
    }
}

impl Kept {
    /// Twins of one owner, such as its sockets on 127.0.0.1 and ::1, are one past.
    fn add(&mut self, past: Past) {
        if let Some(last) = self.owners.back_mut()
            && is_same(&last.owners, &past.owners)
            && begin(past.since) <= last.closed
        {
            let since = [last.since, past.since]
                .into_iter()
                .min_by_key(|since| begin(*since));
            *last = Past {
                since: since.unwrap_or(past.since),
                ..past
            };
            return;
        }
        self.owners.push_back(past);
        if self.owners.len() > OWNERS_KEPT {
            self.owners.pop_front();
        }
    }
}

/// Whether both are held by one process, or by nobody who is known.
fn is_same(one: &Owners, other: &Owners) -> bool {
    match (one.first(), other.first()) {
        (Some(one), Some(other)) => one.id == other.id,
        (None, None) => one == other,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn begin(since: Since) -> Instant {
    match since {
        Since::Opened(at) | Since::Before(at) => at,
    }
}

impl Fate {
    /// Whether nothing more can be found out.
    pub fn is_final(self) -> bool {
        match self {
            Self::EndedBy(_) | Self::Ended => true,
            Self::Unknown | Self::RunsOn => false,
        }
    }
}

#[cfg(test)]
mod tests;
