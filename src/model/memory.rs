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
mod tests {
    use super::*;
    use crate::model::process::Process;
    use crate::model::testing::{SocketBuilder, instant, process, socket};
    use std::sync::Arc;

    fn opened(socket: SocketBuilder, at: f64) -> Endpoint {
        let mut endpoint = socket.endpoint();
        endpoint.since = Since::Opened(instant(at));
        endpoint
    }

    fn held_by(holder: &Arc<Process>, from: f64) -> Endpoint {
        opened(socket("127.0.0.1:3000").owner(holder), from)
    }

    fn named(past: Option<&Past>) -> Option<(String, Instant)> {
        past.map(|past| {
            (
                past.owners.first().expect("an owner").to_string(),
                past.closed,
            )
        })
    }

    #[test]
    fn the_last_owner_of_a_port_is_who_let_go_of_it_last() {
        let mut memory = Memory::default();
        let (node, python) = (process(1, "node").build(), process(2, "python3").build());
        memory.close(&held_by(&node, 1.0), instant(5.0));
        memory.close(
            &opened(socket("127.0.0.1:3000").udp().owner(&python), 2.0),
            instant(9.0),
        );
        memory.close(
            &opened(
                socket("127.0.0.1:3000").to("127.0.0.1:9").owner(&python),
                2.0,
            ),
            instant(10.0),
        );
        let last = [None, Some(Protocol::Tcp), Some(Protocol::Udp)]
            .map(|meant| named(memory.last(3000, meant)));
        let (node, python) = (
            ("node 1".to_owned(), instant(5.0)),
            ("python3 2".to_owned(), instant(9.0)),
        );
        assert_eq!(last, [Some(python.clone()), Some(node), Some(python)]);
        assert_eq!(memory.last(3001, None), None);
    }

    #[test]
    fn twins_of_one_owner_are_one_past_and_coming_back_later_is_another() {
        let mut memory = Memory::default();
        let node = process(1, "node").build();
        memory.close(&held_by(&node, 3.0), instant(5.0));
        memory.close(
            &opened(socket("[::1]:3000").owner(&node), 2.0),
            instant(5.0),
        );
        let past = memory.last(3000, None).expect("a past");
        assert_eq!(
            (past.since, past.closed),
            (Since::Opened(instant(2.0)), instant(5.0))
        );
        memory.close(&held_by(&node, 7.0), instant(8.0));
        let past = memory.last(3000, None).expect("a past");
        assert_eq!(
            (past.since, past.closed),
            (Since::Opened(instant(7.0)), instant(8.0))
        );
    }

    #[test]
    fn before_a_listener_was_the_last_other_owner_that_had_let_go_when_it_came() {
        let mut memory = Memory::default();
        let [old, twin, now] =
            [(1, "old"), (2, "twin"), (3, "now")].map(|(pid, name)| process(pid, name).build());
        memory.close(&held_by(&old, 1.0), instant(4.0));
        memory.close(&held_by(&now, 4.5), instant(5.0));
        let again = held_by(&now, 6.0);
        memory.close(&held_by(&twin, 1.0), instant(7.0));
        assert_eq!(
            named(memory.before(&again)),
            Some(("old 1".to_owned(), instant(4.0)))
        );
        assert_eq!(memory.before(&held_by(&now, 2.0)), None);
        let stood = socket("127.0.0.1:3000").owner(&now).endpoint();
        assert_eq!(memory.before(&stood), None, "nobody watched before it");
    }

    #[test]
    fn few_owners_of_a_port_are_kept_and_of_many_ports_the_latest() {
        let mut memory = Memory::default();
        for pid in 1..=6 {
            memory.close(
                &held_by(&process(pid, "node").build(), 1.0),
                instant(f64::from(pid)),
            );
        }
        let kept = &memory.ports[&(Protocol::Tcp, 3000)].owners;
        assert_eq!((kept.len(), kept[0].closed), (4, instant(3.0)));
        let udp = |port: u16| socket(&format!("127.0.0.1:{port}")).udp().endpoint();
        for port in 1..=9_999 {
            memory.close(&udp(port), instant(9.0));
        }
        memory.close(&held_by(&process(7, "node").build(), 1.0), instant(10.0));
        memory.close(&udp(10_000), instant(11.0));
        let is_kept = [
            memory.last(1, None),
            memory.last(2, None),
            memory.last(3000, Some(Protocol::Tcp)),
        ]
        .map(|past| past.is_some());
        assert_eq!(is_kept, [false, true, true]);
        assert_eq!(
            (memory.ports.len(), memory.turns.len()),
            (PORTS_KEPT, PORTS_KEPT)
        );
    }

    #[test]
    fn an_ending_is_not_forgotten_for_a_later_answer_that_knows_less() {
        let mut memory = Memory::default();
        let id = |pid| process(pid, "node").build().id;
        memory.learn(id(1), Fate::EndedBy(Signal::Terminate));
        memory.learn(id(1), Fate::Ended);
        memory.learn(id(2), Fate::RunsOn);
        memory.learn(id(2), Fate::Ended);
        memory.learn(id(2), Fate::RunsOn);
        let fates = [1, 2, 3].map(|pid| memory.fate(id(pid)));
        assert_eq!(
            fates,
            [Fate::EndedBy(Signal::Terminate), Fate::Ended, Fate::Unknown]
        );
        for pid in 10..1_011 {
            memory.learn(id(pid), Fate::Ended);
        }
        assert_eq!(
            (memory.fate(id(2)), memory.fates.len()),
            (Fate::Unknown, FATES_KEPT)
        );
    }
}
