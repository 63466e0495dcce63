//! Turns pending changes into the changes of a poll, and tracked sockets into endpoints.

use super::tracked_socket::{Centiseconds, PendingChange, SlotId, SlotStatus, TrackedSocket};
use super::{Change, Tracker, peers};
use crate::model::process::Process;
use crate::model::socket::{
    Endpoint, EndpointId, Owners, QueueOrTimer, RawSocket, Relation, Since, Socket,
};
use crate::model::text::SystemText;
use hashbrown::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Names users.
pub type UserNames<'a> = dyn FnMut(u32) -> Option<SystemText> + 'a;

pub fn emit(tracker: &mut Tracker, now: Instant, users: &mut UserNames) -> Vec<Change> {
    let dirty = std::mem::take(&mut tracker.dirty);
    for slot in peers::refresh(&mut tracker.table, &dirty, tracker.ephemeral) {
        tracker.add_pending(slot, PendingChange::Refreshed);
    }
    let closed = tracker.closed.take(now);
    let pending = std::mem::take(&mut tracker.pending);
    let replaced = if tracker.has_emitted {
        tracker.closed.take_replaced(&tracker.table, &pending)
    } else {
        HashMap::new()
    };
    let is_replaced: HashSet<EndpointId> = replaced.values().copied().collect();
    let mut list: Vec<Change> = closed
        .into_iter()
        .filter(|id| !is_replaced.contains(id))
        .map(Change::Closed)
        .collect();
    for raw_socket in std::mem::take(&mut tracker.short_lived) {
        let mut socket = peers::short_lived_socket(&tracker.table, &raw_socket, tracker.ephemeral);
        (socket.since, socket.state_since) = (tracker.now, tracker.now);
        list.push(Change::ShortLived(endpoint(tracker, &socket, users)));
    }
    for slot in pending {
        list.extend(change(tracker, slot, &replaced, users));
    }
    tracker.has_emitted = true;
    if tracker.unresolved.is_empty() {
        tracker.table.compact();
    }
    list
}

/// Takes the pending change of one socket.
fn change(
    tracker: &mut Tracker,
    slot: SlotId,
    replaced: &HashMap<EndpointId, EndpointId>,
    users: &mut UserNames,
) -> Option<Change> {
    let socket = tracker.table.get_mut(slot)?;
    let pending = std::mem::replace(&mut socket.pending, PendingChange::None);
    let socket = *socket;
    if socket.status != SlotStatus::InUse {
        return None;
    }
    let endpoint = endpoint(tracker, &socket, users);
    Some(match pending {
        PendingChange::None => return None,
        PendingChange::Opened if !tracker.has_emitted => Change::Initial(endpoint),
        PendingChange::Opened => match replaced.get(&endpoint.id()).copied() {
            Some(gone) => Change::Replaced { gone, endpoint },
            None => Change::Opened(endpoint),
        },
        PendingChange::Changed => Change::Changed(endpoint),
        PendingChange::Refreshed => Change::Refreshed(endpoint),
    })
}

pub fn endpoint(tracker: &Tracker, record: &TrackedSocket, users: &mut UserNames) -> Endpoint {
    let since = instant(tracker, record.since);
    Endpoint {
        socket: socket(tracker, record, users),
        since: if record.is_initial {
            Since::Initial(since)
        } else {
            Since::Opened(since)
        },
        state_since: instant(tracker, record.state_since),
        relation: Relation {
            role: record.relation.role,
            is_local: record.relation.is_local,
            peer: peer(tracker, record),
            shares_port: record.relation.shares_port,
        },
    }
}

fn socket(tracker: &Tracker, record: &TrackedSocket, users: &mut UserNames) -> Socket {
    let raw_socket = &record.raw_socket;
    let owners = tracker.table.owners(record).clone();
    let known = Some(raw_socket.uid).filter(|uid| *uid != RawSocket::NO_USER);
    // Without an owner the kernel reports uid 0, which does not mean root.
    let uid = match &owners {
        Owners::NoProcess => None,
        Owners::Pending | Owners::NotFound(_) => known,
        Owners::Known(processes) => known.or_else(|| processes.first()?.uid),
    };
    // The time left in TIME_WAIT is that of the poll that first saw the state.
    let time_wait_until =
        |left: Duration| QueueOrTimer::TimeWaitUntil(instant(tracker, record.state_since) + left);
    let timer = raw_socket.time_wait_left().map(time_wait_until);
    let queue = || raw_socket.queue().map(QueueOrTimer::Queue);
    Socket {
        id: record.id(),
        protocol: raw_socket.protocol,
        table: raw_socket.table,
        local: raw_socket.local(),
        remote: raw_socket.remote(),
        interface: tracker.table.interfaces.get(raw_socket.interface),
        state: raw_socket.state,
        v6only: raw_socket.v6only,
        uid,
        user: uid.and_then(users),
        owners,
        queue_or_timer: timer.or_else(queue).unwrap_or(QueueOrTimer::Unknown),
    }
}

/// The process at the other end, if it is on this machine and can be seen.
fn peer(tracker: &Tracker, record: &TrackedSocket) -> Option<Arc<Process>> {
    let raw_socket = &record.raw_socket;
    let other = if raw_socket.local == raw_socket.remote {
        record
    } else {
        let slot = peers::other_end(&tracker.table, raw_socket)?;
        tracker.table.get(slot)?
    };
    tracker.table.owners(other).first().cloned()
}

fn instant(tracker: &Tracker, time: Centiseconds) -> Instant {
    tracker.start + Duration::from_millis(u64::from(time.0) * 10)
}
