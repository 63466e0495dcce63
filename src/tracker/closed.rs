//! Sockets that closed: which of them were replaced, and which opened and closed between two polls.

mod bind_probes;
mod waiting_connections;

use super::socket_table::SocketTable;
use super::tracked_socket::{PendingChange, SlotId, TrackedSocket};
use crate::model::socket::{EndpointId, Protocol, RawSocket};
use bind_probes::BindProbes;
use hashbrown::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use waiting_connections::WaitingConnections;

/// Time in which a closed socket can still be replaced: as long as its row stays on the screen.
pub const REPLACE_WINDOW: Duration = Duration::from_secs(3);

/// Time in which the destroy event of a closed socket comes: after a grace period of RCU (`SOCK_RCU_FREE` of the kernel's
/// `sock.h`), which on a busy machine is longer than several polls.
const EVENT_WINDOW: Duration = Duration::from_secs(3);

#[derive(Default)]
pub struct ClosedSockets {
    /// Closed since the last emit.
    new: Vec<TrackedSocket>,
    /// Sockets that held a port and closed within [`REPLACE_WINDOW`].
    recent: Vec<(TrackedSocket, Instant)>,
    /// Cookies of sockets that the last poll found closed, or another one within [`EVENT_WINDOW`]: their destroy events may
    /// come late.
    missed_cookies: HashMap<[u32; 2], Option<Instant>>,
    waiting: WaitingConnections,
    probes: BindProbes,
    /// When the poll began.
    now: Option<Instant>,
}

impl ClosedSockets {
    pub fn forget_before(&mut self, now: Instant) {
        self.recent
            .retain(|(_, closed)| now.saturating_duration_since(*closed) < REPLACE_WINDOW);
        self.probes.forget_before(now);
        self.now = Some(now);
    }

    pub fn push(&mut self, tracked: TrackedSocket) {
        self.waiting.forget(tracked.raw_socket.cookie);
        self.new.push(tracked);
    }

    /// Takes the sockets that closed since the last call.
    pub fn take(&mut self, now: Instant) -> Vec<EndpointId> {
        let new = std::mem::take(&mut self.new);
        let holding = new.iter().filter(|closed| closed.raw_socket.holds_port());
        self.recent.extend(holding.map(|closed| (*closed, now)));
        new.iter().map(TrackedSocket::id).collect()
    }

    /// Returns the opened sockets that replaced a closed one, as new -> old.
    ///
    /// Only if exactly one closed and exactly one opened on the same protocol, address and port: anything else would be
    /// a guess.
    pub fn take_replaced(
        &mut self,
        table: &SocketTable,
        pending: &[SlotId],
    ) -> HashMap<EndpointId, EndpointId> {
        if self.recent.is_empty() {
            return HashMap::new();
        }
        let is_opened = |tracked: &&TrackedSocket| {
            tracked.pending == PendingChange::Opened && tracked.raw_socket.holds_port()
        };
        let pending = pending.iter().filter_map(|slot| table.get(*slot));
        let opened = by_address(pending.filter(is_opened));
        let closed = by_address(self.recent.iter().map(|(closed, _)| closed));
        let mut replaced = HashMap::new();
        for (address, opened) in opened {
            if let ([new], Some([old])) = (&*opened, closed.get(&address).map(Vec::as_slice)) {
                replaced.insert(*new, *old);
            }
        }
        let taken: HashSet<EndpointId> = replaced.values().copied().collect();
        self.recent
            .retain(|(closed, _)| !taken.contains(&closed.id()));
        replaced
    }

    /// Returns the destroyed sockets that no poll ever saw, without bind probes and without connections that still have a
    /// row.
    ///
    /// Before the first emit none is short-lived: nothing is known of the time before.
    pub fn short_lived(
        &mut self,
        table: &SocketTable,
        destroyed: Vec<RawSocket>,
        has_emitted: bool,
    ) -> Vec<RawSocket> {
        let now = self.now;
        let missed_before = self.missed_cookies.clone();
        self.missed_cookies.retain(|_, closed| {
            let age = now
                .zip(*closed)
                .map(|(now, closed)| now.saturating_duration_since(closed));
            age.is_some_and(|age| age < EVENT_WINDOW)
        });
        let reported = destroyed.iter().map(|one| one.cookie);
        if !has_emitted {
            self.missed_cookies
                .extend(reported.map(|cookie| (cookie, now)));
            return Vec::new();
        }
        let closed = self.new.iter().map(|closed| closed.raw_socket.cookie);
        self.missed_cookies
            .extend(closed.map(|cookie| (cookie, now)));
        if destroyed.is_empty() {
            return destroyed;
        }
        let reported: HashSet<[u32; 2]> = reported.collect();
        let mut known: HashSet<[u32; 2]> = table
            .each()
            .map(|(_, tracked)| tracked.raw_socket.cookie)
            .chain(missed_before.into_keys())
            .chain(self.missed_cookies.keys().copied())
            .filter(|cookie| reported.contains(cookie))
            .collect();
        let is_unknown = |one: &RawSocket| one.has_cookie() && known.insert(one.cookie);
        let unknown = destroyed.into_iter().filter(is_unknown).collect();
        let destroyed = match self.now {
            Some(now) => self.probes.without_probes(unknown, now),
            None => unknown,
        };
        self.waiting.without_waiting(table, destroyed)
    }
}

fn by_address<'t>(
    sockets: impl Iterator<Item = &'t TrackedSocket>,
) -> HashMap<(Protocol, SocketAddr, u32), Vec<EndpointId>> {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for tracked in sockets {
        let socket = &tracked.raw_socket;
        let address = (socket.protocol, socket.local(), socket.interface);
        found.entry(address).or_default().push(tracked.id());
    }
    found
}
