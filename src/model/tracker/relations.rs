//! What sockets are to one another: which side of a connection, whose peer, whose rival for a number.
//!
//! Worked out anew only for what changed and what that touches, so that a steady look costs nothing here.

use super::book::{Book, Slot};
use super::pool::{OwnersKey, Pool};
use super::record::Record;
use crate::model::address::is_loopback;
use crate::model::endpoint::{Owners, Protocol, Side};
use crate::model::ports::EphemeralRange;
use crate::model::process::ProcessId;
use crate::model::sighting::Sighting;
use hashbrown::HashSet;
use std::net::SocketAddr;

/// What changed since relations were last worked out.
#[derive(Default)]
pub struct Touched {
    /// What came, and what changed in more than its queue.
    pub slots: Vec<Slot>,
    /// What got other owners.
    pub owned: Vec<Slot>,
    pub closed: Vec<Sighting>,
}

/// Brings the relations in the book up to date and tells whose changed, the touched ones perhaps among them.
pub fn refresh(
    book: &mut Book,
    pool: &Pool,
    touched: &Touched,
    ephemeral: EphemeralRange,
) -> HashSet<Slot> {
    // The other end of what got an owner or closed has another peer now.
    let mut changed: HashSet<Slot> = touched
        .owned
        .iter()
        .filter_map(|slot| book.get(*slot))
        .map(|record| &record.sighting)
        .chain(&touched.closed)
        .filter_map(|socket| mirror(book, socket))
        .collect();
    let mut affected = affected(book, touched);
    affected.extend(&changed);
    for slot in affected {
        let Some(record) = book.get(slot).copied() else {
            continue;
        };
        let related = Related::now(book, pool, &record, ephemeral);
        if related != Related::of(&record)
            && let Some(record) = book.get_mut(slot)
        {
            related.write(record);
            changed.insert(slot);
        }
    }
    changed
}

/// The other end of a connection.
pub fn mirror(book: &Book, socket: &Sighting) -> Option<Slot> {
    // A socket that is connected to itself is no other's end.
    let has_other_end = !socket.stands() && socket.local != socket.remote;
    has_other_end
        .then(|| book.connection(socket.protocol, socket.remote, socket.local))
        .flatten()
}

/// The touched sockets, the other ends of connections, and whoever has to do with a port on which something changed.
fn affected(book: &Book, touched: &Touched) -> HashSet<Slot> {
    let mut affected: HashSet<Slot> = touched
        .slots
        .iter()
        .chain(&touched.owned)
        .copied()
        .collect();
    let mut ports: HashSet<(Protocol, u16)> = HashSet::new();
    let sockets = touched.slots.iter().filter_map(|slot| book.get(*slot));
    let sockets = sockets.map(|record| &record.sighting);
    for socket in sockets.chain(&touched.closed) {
        if socket.stands() {
            ports.insert((socket.protocol, socket.local.port()));
        } else {
            affected.extend(mirror(book, socket));
        }
    }
    // Other owners can only make or end a rivalry between what stands on one port.
    for record in touched.owned.iter().filter_map(|slot| book.get(*slot)) {
        let socket = &record.sighting;
        if socket.stands() {
            let rivals = book.standing_on(socket.protocol, socket.local.port());
            affected.extend(rivals.map(|(slot, _)| slot));
        }
    }
    if !ports.is_empty() {
        let meets = |(_, record): &(Slot, &Record)| {
            let socket = &record.sighting;
            ports.contains(&(socket.protocol, socket.local.port()))
                || ports.contains(&(socket.protocol, socket.remote.port()))
        };
        affected.extend(book.each().filter(meets).map(|(slot, _)| slot));
    }
    affected
}

/// A socket that is in no book, with its relations to those that are. Its holder is the one of the listener that
/// accepted it, if one did.
pub fn visitor(book: &Book, pool: &Pool, sighting: &Sighting, ephemeral: EphemeralRange) -> Record {
    let mut record = Record::new(sighting);
    record.owners = OwnersKey::NONE;
    Related::now(book, pool, &record, ephemeral).write(&mut record);
    if record.side == Side::Server
        && let Some(listener) = listener(book, sighting)
    {
        record.owners = listener.owners;
    }
    record
}

/// The socket that listens where this one was, or would have been, accepted.
pub fn listener<'b>(book: &'b Book, socket: &Sighting) -> Option<&'b Record> {
    let local = socket.local();
    let mut standing = book.standing_on(socket.protocol, socket.local.port());
    standing
        .find(|(_, record)| record.sighting.accepts_on(local))
        .map(|(_, record)| record)
}

/// What a record says of its relations.
#[derive(PartialEq, Eq)]
struct Related {
    side: Side,
    is_local: bool,
    shares_number: bool,
}

impl Related {
    fn of(record: &Record) -> Self {
        Self {
            side: record.side,
            is_local: record.is_local,
            shares_number: record.shares_number,
        }
    }

    fn write(self, record: &mut Record) {
        record.side = self.side;
        record.is_local = self.is_local;
        record.shares_number = self.shares_number;
    }

    fn now(book: &Book, pool: &Pool, record: &Record, ephemeral: EphemeralRange) -> Self {
        let socket = &record.sighting;
        if socket.stands() {
            return Self {
                side: Side::Standing,
                is_local: true,
                shares_number: has_rival(book, pool, record),
            };
        }
        let is_between_us = mirror(book, socket).is_some()
            || socket.remote().is_some_and(|remote| {
                is_loopback(remote.ip()) || remote.ip() == socket.local().ip()
            });
        let side = side(book, record, is_between_us, ephemeral);
        Self {
            side,
            is_local: is_between_us || side == Side::Server,
            shares_number: false,
        }
    }
}

/// A connection once seen to be accepted here stays the server's side when its listener closes.
fn side(book: &Book, record: &Record, is_between_us: bool, ephemeral: EphemeralRange) -> Side {
    let socket = &record.sighting;
    let Some(remote) = socket.remote() else {
        return Side::Unknown;
    };
    if record.side == Side::Server || is_accepted(book, socket.protocol, socket.local()) {
        return Side::Server;
    }
    // Sure where the other end listens here; towards another machine a port that was handed out tells as much.
    let is_client = record.side == Side::Client
        || is_accepted(book, socket.protocol, remote)
        || !is_between_us && ephemeral.makes_dynamic(socket.local.port());
    if is_client {
        Side::Client
    } else {
        Side::Unknown
    }
}

fn is_accepted(book: &Book, protocol: Protocol, at: SocketAddr) -> bool {
    book.standing_on(protocol, at.port())
        .any(|(_, other)| other.sighting.accepts_on(at))
}

/// Whether another process stands on the same number at another address.
fn has_rival(book: &Book, pool: &Pool, record: &Record) -> bool {
    let socket = &record.sighting;
    book.standing_on(socket.protocol, socket.local.port())
        .any(|(_, other)| {
            other.sighting.local().ip() != socket.local().ip()
                && are_different_holders(pool, record, other)
        })
}

/// Only what is certain counts: no holder in common, or different users where holders may not be seen.
fn are_different_holders(pool: &Pool, one: &Record, other: &Record) -> bool {
    match (pool.get(one.owners), pool.get(other.owners)) {
        (Owners::Known(ours), Owners::Known(theirs)) => {
            let ours: HashSet<ProcessId> = ours.iter().map(|process| process.id).collect();
            theirs.iter().all(|process| !ours.contains(&process.id))
        }
        (Owners::Known(_) | Owners::Hidden, Owners::Known(_) | Owners::Hidden) => {
            let users = [one, other].map(|record| record.sighting.uid);
            users[0] != users[1] && !users.contains(&Sighting::NO_USER)
        }
        (Owners::Sought | Owners::None, _) | (_, Owners::Sought | Owners::None) => false,
    }
}
