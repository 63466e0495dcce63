//! What the tracker tells: its records made into endpoints and changes.

use super::socket_table::SlotId;
use super::tracked_socket::{Centiseconds, PendingChange, SlotStatus, TrackedSocket};
use super::{Change, Changes, Tracker, peers};
use crate::model::Moment;
use crate::model::endpoint::{
    Endpoint, EndpointId, Owners, Protocol, QueueOrTimer, Relation, Since, Socket,
};
use crate::model::process::Process;
use crate::model::raw_socket::RawSocket;
use crate::model::text::SystemText;
use hashbrown::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Tracker {
    /// Tells what changed since it was last told. `user` names users.
    pub fn emit(
        &mut self,
        taken: Moment,
        mut user: impl FnMut(u32) -> Option<SystemText>,
    ) -> Changes {
        let dirty = std::mem::take(&mut self.dirty);
        for slot in peers::refresh(&mut self.table, &self.owner_pool, &dirty, self.ephemeral) {
            self.add_pending(slot, PendingChange::Refreshed);
        }
        let closed = std::mem::take(&mut self.closed);
        let standing = closed
            .iter()
            .filter(|closed| closed.raw_socket.holds_port());
        self.recently_closed
            .extend(standing.map(|closed| (*closed, taken.instant)));
        let replaced = self.replacements();
        let is_replaced: HashSet<EndpointId> = replaced.values().copied().collect();
        let mut list: Vec<Change> = closed
            .iter()
            .map(|closed| closed.id)
            .filter(|id| !is_replaced.contains(id))
            .map(Change::Closed)
            .collect();
        for raw_socket in std::mem::take(&mut self.short_lived) {
            let mut tracked_socket =
                peers::transient(&self.table, &self.owner_pool, &raw_socket, self.ephemeral);
            (tracked_socket.since, tracked_socket.state_since) = (self.now, self.now);
            list.push(Change::ShortLived(
                self.endpoint(&tracked_socket, &mut user),
            ));
        }
        for slot in std::mem::take(&mut self.pending) {
            list.extend(self.change(slot, &replaced, &mut user));
        }
        self.has_emitted = true;
        if self.unresolved.is_empty() {
            self.table.compact();
        }
        Changes {
            taken,
            took: Duration::ZERO,
            interval: Duration::ZERO,
            problems: Vec::new(),
            missed: false,
            stats: None,
            list,
        }
    }

    /// What is to be told of a record, which is then told.
    fn change(
        &mut self,
        slot: SlotId,
        replaced: &HashMap<EndpointId, EndpointId>,
        user: &mut impl FnMut(u32) -> Option<SystemText>,
    ) -> Option<Change> {
        let tracked_socket = self.table.get_mut(slot)?;
        let pending = std::mem::replace(&mut tracked_socket.pending, PendingChange::None);
        let tracked_socket = *tracked_socket;
        if tracked_socket.status != SlotStatus::Listed {
            return None;
        }
        let endpoint = self.endpoint(&tracked_socket, user);
        Some(match pending {
            PendingChange::None => return None,
            PendingChange::Opened if !self.has_emitted => Change::Initial(endpoint),
            PendingChange::Opened => match replaced.get(&endpoint.id()) {
                Some(gone) => Change::Replaced {
                    gone: *gone,
                    endpoint,
                },
                None => Change::Opened(endpoint),
            },
            PendingChange::Changed => Change::Changed(endpoint),
            PendingChange::Refreshed => Change::Refreshed(endpoint),
        })
    }

    /// Every socket as it is now.
    pub fn endpoints(&self, mut user: impl FnMut(u32) -> Option<SystemText>) -> Vec<Endpoint> {
        let listed = |tracked_socket: &&TrackedSocket| tracked_socket.status == SlotStatus::Listed;
        let tracked = self
            .table
            .each()
            .map(|(_, tracked_socket)| tracked_socket)
            .filter(listed);
        tracked
            .map(|tracked_socket| self.endpoint(tracked_socket, &mut user))
            .collect()
    }

    fn endpoint(
        &self,
        tracked_socket: &TrackedSocket,
        user: &mut impl FnMut(u32) -> Option<SystemText>,
    ) -> Endpoint {
        let since = self.instant(tracked_socket.since);
        Endpoint {
            socket: self.socket(tracked_socket, user),
            since: if tracked_socket.is_initial {
                Since::Before(since)
            } else {
                Since::Opened(since)
            },
            state_since: self.instant(tracked_socket.state_since),
            relation: Relation {
                role: tracked_socket.role,
                is_local: tracked_socket.is_local,
                peer: self.peer(tracked_socket),
                shares_port: tracked_socket.shares_port,
            },
        }
    }

    fn socket(
        &self,
        tracked_socket: &TrackedSocket,
        user: &mut impl FnMut(u32) -> Option<SystemText>,
    ) -> Socket {
        let raw_socket = &tracked_socket.raw_socket;
        let owners = self.owner_pool.get(tracked_socket.owners).clone();
        let known = Some(raw_socket.uid).filter(|uid| *uid != RawSocket::NO_USER);
        // The kernel gives uid 0 where there is no owner, which does not mean root.
        let uid = match &owners {
            Owners::NoProcess => None,
            Owners::Pending | Owners::NoPermission => known,
            Owners::Known(processes) => known.or_else(|| processes.first()?.uid),
        };
        Socket {
            id: raw_socket.id(tracked_socket.ordinal.into()),
            protocol: raw_socket.protocol,
            table: raw_socket.table,
            local: raw_socket.local(),
            remote: raw_socket.remote(),
            state: raw_socket.state,
            only_v6: raw_socket.only_v6,
            uid,
            user: uid.and_then(user),
            owners,
            queue_or_timer: self.queue_or_timer(tracked_socket),
        }
    }

    /// How long TIME_WAIT lasts is kept from the look that first saw it, and so counts from there.
    fn queue_or_timer(&self, tracked_socket: &TrackedSocket) -> QueueOrTimer {
        let raw_socket = &tracked_socket.raw_socket;
        match (raw_socket.time_wait_left(), raw_socket.queue()) {
            (Some(lasts), _) => {
                QueueOrTimer::TimeWaitUntil(self.instant(tracked_socket.state_since) + lasts)
            }
            (None, Some(queue)) => QueueOrTimer::Queue(queue),
            (None, None) => QueueOrTimer::Unknown,
        }
    }

    /// The process at the other end, when it is on this machine and may be seen.
    fn peer(&self, tracked_socket: &TrackedSocket) -> Option<Arc<Process>> {
        let mirror = peers::other_end(&self.table, &tracked_socket.raw_socket)?;
        let owners = self.owner_pool.get(self.table.get(mirror)?.owners);
        owners.first().cloned()
    }

    fn instant(&self, time: Centiseconds) -> Instant {
        self.first + Duration::from_millis(u64::from(time.0) * 10)
    }

    /// Which opened sockets took the place of one that closed, as new -> old.
    ///
    /// Only where exactly one went and exactly one came on the same protocol, address and port: anything else would be
    /// a guess.
    fn replacements(&mut self) -> HashMap<EndpointId, EndpointId> {
        if self.recently_closed.is_empty() || !self.has_emitted {
            return HashMap::new();
        }
        let pending = self.pending.iter().filter_map(|slot| self.table.get(*slot));
        let opened = pending.filter(|tracked_socket| {
            tracked_socket.pending == PendingChange::Opened
                && tracked_socket.raw_socket.holds_port()
        });
        let came = by_address(opened.map(|tracked_socket| {
            (
                tracked_socket.raw_socket.id(tracked_socket.ordinal.into()),
                tracked_socket.raw_socket,
            )
        }));
        let closed = self.recently_closed.iter().map(|(closed, _)| closed);
        let went = by_address(closed.map(|closed| (closed.id, closed.raw_socket)));
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
            .retain(|(closed, _)| !taken.contains(&closed.id));
        replaced
    }
}

/// The sockets on each protocol, address and port.
fn by_address(
    sockets: impl Iterator<Item = (EndpointId, RawSocket)>,
) -> HashMap<(Protocol, SocketAddr), Vec<EndpointId>> {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for (id, raw_socket) in sockets {
        let place = (raw_socket.protocol, raw_socket.local());
        found.entry(place).or_default().push(id);
    }
    found
}
