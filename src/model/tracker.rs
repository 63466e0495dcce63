//! Follows the sockets from look to look and tells what changed.
//!
//! The sampler's thread owns the tracker; what leaves it are [`Changes`], not tables. A table that could not be read
//! keeps what it had, so that a failed look never reports that everything closed.

use crate::model::endpoint::{Endpoint, EndpointId, Owners, Protocol, Relation, Since, Socket};
use crate::model::ports::EphemeralRange;
use crate::model::process::ProcessId;
use crate::model::snapshot::Snapshot;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

mod changes;
mod relations;

pub use changes::{Change, Changes};
use relations::Relations;

/// How long a closed socket can still be replaced by one that takes its place; as long as its row stays on the screen.
pub const REPLACEMENT_TIME: Duration = Duration::from_secs(3);

/// The sockets as they were at the last look.
pub struct Tracker {
    endpoints: HashMap<EndpointId, Endpoint>,
    relations: Relations,
    recently_closed: Vec<Closed>,
    has_looked: bool,
}

/// A standing socket that closed a moment ago.
struct Closed {
    socket: Socket,
    at: Instant,
}

impl Tracker {
    pub fn new(ephemeral: EphemeralRange) -> Self {
        Self {
            endpoints: HashMap::new(),
            relations: Relations::new(ephemeral),
            recently_closed: Vec::new(),
            has_looked: false,
        }
    }

    pub fn endpoints(&self) -> &HashMap<EndpointId, Endpoint> {
        &self.endpoints
    }

    /// Takes in a look and tells what it changed.
    pub fn absorb(&mut self, snapshot: Snapshot) -> Changes {
        let now = snapshot.taken.instant;
        self.recently_closed
            .retain(|closed| now.duration_since(closed.at) < REPLACEMENT_TIME);
        let closed = self.close_unseen(&snapshot);
        let Snapshot {
            taken,
            took,
            sockets,
            problems,
        } = snapshot;
        let seen = self.take_in(sockets, now);
        let replaced = self.replacements(&seen.opened);
        let related = self
            .relations
            .refresh(&mut self.endpoints, &seen.touched, &closed);
        let first = !std::mem::replace(&mut self.has_looked, true);
        Changes {
            taken,
            took,
            interval: Duration::ZERO,
            problems,
            missed: false,
            closeup: None,
            list: self.tell(first, seen, &related, &replaced, &closed),
        }
    }

    /// Removes the sockets that a table which was read does not hold any more.
    fn close_unseen(&mut self, snapshot: &Snapshot) -> Vec<Socket> {
        let seen: HashSet<EndpointId> = snapshot.sockets.iter().map(|socket| socket.id).collect();
        let is_gone = |endpoint: &Endpoint| {
            let socket = &endpoint.socket;
            !seen.contains(&socket.id) && snapshot.has_read(socket.protocol, socket.table)
        };
        let gone: Vec<EndpointId> = self
            .endpoints
            .values()
            .filter(|endpoint| is_gone(endpoint))
            .map(Endpoint::id)
            .collect();
        let closed: Vec<Socket> = gone
            .iter()
            .filter_map(|id| self.endpoints.remove(id))
            .map(|endpoint| endpoint.socket)
            .collect();
        let at = snapshot.taken.instant;
        let standing = closed.iter().filter(|socket| socket.is_standing());
        self.recently_closed.extend(standing.map(|socket| Closed {
            socket: socket.clone(),
            at,
        }));
        closed
    }

    fn take_in(&mut self, sockets: Vec<Socket>, now: Instant) -> Seen {
        let mut seen = Seen::default();
        for socket in sockets {
            let id = socket.id;
            match self.endpoints.get_mut(&id) {
                Some(known) if known.socket == socket => {}
                Some(known) => {
                    if has_changed(&known.socket, &socket) {
                        seen.changed.insert(id);
                    }
                    if known.socket.state != socket.state {
                        known.state_since = now;
                    }
                    known.socket = socket;
                    seen.touched.insert(id);
                }
                None => {
                    let since = if self.has_looked {
                        Since::Opened(now)
                    } else {
                        Since::Before(now)
                    };
                    self.endpoints.insert(
                        id,
                        Endpoint {
                            since,
                            state_since: now,
                            relation: Relation::of(&socket),
                            socket,
                        },
                    );
                    seen.opened.push(id);
                    seen.touched.insert(id);
                }
            }
        }
        seen
    }

    /// Which opened sockets took the place of one that closed, as new -> old.
    ///
    /// Only where exactly one went and exactly one came on the same protocol, address and port: anything else would be
    /// a guess.
    fn replacements(&mut self, opened: &[EndpointId]) -> HashMap<EndpointId, EndpointId> {
        if self.recently_closed.is_empty() {
            return HashMap::new();
        }
        let opened = opened.iter().filter_map(|id| self.endpoints.get(id));
        let opened = opened.map(|endpoint| &endpoint.socket);
        let came = by_place(opened.filter(|socket| socket.is_standing()));
        let went = by_place(self.recently_closed.iter().map(|closed| &closed.socket));
        let pair = |(place, came): (_, &Vec<EndpointId>)| match (
            came.as_slice(),
            went.get(place)?.as_slice(),
        ) {
            ([new], [old]) => Some((*new, *old)),
            _ => None,
        };
        let replaced: HashMap<EndpointId, EndpointId> = came.iter().filter_map(pair).collect();
        let taken: HashSet<EndpointId> = replaced.values().copied().collect();
        self.recently_closed
            .retain(|closed| !taken.contains(&closed.socket.id));
        replaced
    }

    fn tell(
        &self,
        first: bool,
        seen: Seen,
        related: &HashSet<EndpointId>,
        replaced: &HashMap<EndpointId, EndpointId>,
        closed: &[Socket],
    ) -> Vec<Change> {
        let is_replaced: HashSet<EndpointId> = replaced.values().copied().collect();
        let mut list: Vec<Change> = closed
            .iter()
            .map(|socket| socket.id)
            .filter(|id| !is_replaced.contains(id))
            .map(Change::Closed)
            .collect();
        let touched = seen.touched.iter().chain(related.difference(&seen.touched));
        let opened: HashSet<EndpointId> = seen.opened.into_iter().collect();
        for endpoint in touched.filter_map(|id| self.endpoints.get(id)).cloned() {
            let id = endpoint.id();
            list.push(match replaced.get(&id) {
                _ if first => Change::Found(endpoint),
                Some(old) => Change::Replaced {
                    gone: *old,
                    endpoint,
                },
                None if opened.contains(&id) => Change::Opened(endpoint),
                None if seen.changed.contains(&id) => Change::Changed(endpoint),
                None => Change::Refreshed(endpoint),
            });
        }
        list
    }
}

/// The sockets on each protocol, address and port.
fn by_place<'a>(
    sockets: impl Iterator<Item = &'a Socket>,
) -> HashMap<(Protocol, SocketAddr), Vec<EndpointId>> {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for socket in sockets {
        let place = (socket.protocol, socket.local);
        found.entry(place).or_default().push(socket.id);
    }
    found
}

#[derive(Default)]
struct Seen {
    opened: Vec<EndpointId>,
    changed: HashSet<EndpointId>,
    /// Everything that differs in any way, opened and changed ones included.
    touched: HashSet<EndpointId>,
}

/// Whether people would call it a change: another state, or other holders than were known before.
fn has_changed(before: &Socket, after: &Socket) -> bool {
    before.state != after.state || holders_changed(&before.owners, &after.owners)
}

/// Learning an owner that was unknown is no change, and neither is a better description of the same process.
fn holders_changed(before: &Owners, after: &Owners) -> bool {
    let ids = |owners: &Owners| -> HashSet<ProcessId> {
        owners.known().iter().map(|process| process.id).collect()
    };
    let before = ids(before);
    !before.is_empty() && before != ids(after)
}

#[cfg(test)]
mod tests;
