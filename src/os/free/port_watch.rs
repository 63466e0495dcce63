//! Watches the port of a request, often enough to see a restart and seldom enough to cost little.

use super::ProbeBackend;
use super::signal_state::signal_state;
use super::target_handle::{TargetHandle, TargetHandles};
use crate::free::{KillRequest, PortSnapshot, Target};
use crate::model::port::Port;
use crate::model::process::{Pid, Process, ProcessId, Unit};
use crate::model::snapshot::Snapshot;
use crate::model::socket::Socket;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Shortest time from poll to poll.
const FAST_INTERVAL: Duration = Duration::from_millis(50);

/// The same after the first seconds, when a quick verdict is no longer expected.
const SLOW_INTERVAL: Duration = Duration::from_millis(500);
const FAST_PERIOD: Duration = Duration::from_secs(10);

/// Interval at which an unchanged port is reported: the state machine also needs the passage of time.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);

/// A request that was performed, and the watch over its port, until another request for the port replaces it.
pub struct PortWatch {
    pub request: KillRequest,
    /// The units of the owners when the request was sent; they cannot be read once the owners have ended.
    pub units: Vec<(ProcessId, Unit)>,
    /// When the watch started; `None` while the port is not watched.
    started: Option<Instant>,
    /// The last report, and when it was made.
    reported: Option<(Instant, PortSnapshot)>,
    ended: Vec<ProcessId>,
}

impl PortWatch {
    /// Returns a watch that has not started.
    pub fn new(request: KillRequest, units: Vec<(ProcessId, Unit)>) -> Self {
        Self {
            request,
            units,
            started: None,
            reported: None,
            ended: Vec::new(),
        }
    }

    pub fn start(&mut self) {
        self.started = Some(Instant::now());
        self.reported = None;
        self.ended.clear();
    }

    pub fn stop(&mut self) {
        self.started = None;
    }

    pub fn is_active(&self) -> bool {
        self.started.is_some()
    }

    /// Records which targets have ended.
    pub fn record_ended(&mut self, handles: &TargetHandles) {
        let has_ended = |id: &ProcessId| {
            let handle = handles.get(id);
            self.ended.contains(id) || handle.is_none_or(TargetHandle::has_ended)
        };
        let targets = self.request.targets().iter();
        self.ended = targets.map(Target::id).filter(has_ended).collect();
    }

    /// Takes the port's part of a snapshot, and returns it if it changed or the last report is too long ago.
    pub fn observe(
        &mut self,
        snapshot: &Snapshot,
        backend: &mut ProbeBackend,
    ) -> Option<PortSnapshot> {
        let port = self.request.port();
        let sockets = sockets_of(port, snapshot);
        // The topmost owner of each socket, if it is no target.
        let owners = sockets.iter().filter_map(|socket| socket.owners.first());
        let new_owners = owners.filter(|owner| !self.request.has_target(owner.id));
        let parents = new_owners.clone().filter_map(|owner| owner.parent);
        let parents: BTreeSet<Pid> = parents.filter(|parent| parent.0 > 1).collect();
        let unit = |owner: &Arc<Process>| Some((owner.id, (backend.unit)(owner)?));
        let units = new_owners.filter_map(unit);
        let problems = snapshot.problems.iter();
        let problems = problems.filter(|problem| problem.protocol == port.protocol);
        let seen = PortSnapshot {
            // A service that is restarted was in its unit before.
            units: self.units.iter().cloned().chain(units).collect(),
            parents: parents
                .into_iter()
                .filter_map(&mut backend.describe)
                .collect(),
            problems: problems.cloned().collect(),
            ended: self.ended.clone(),
            signal_state: self
                .running_targets()
                .filter_map(|id| Some((id, signal_state(id.pid, self.request.signal())?)))
                .collect(),
            sockets,
        };
        let now = Instant::now();
        let is_reported = self.reported.as_ref().is_some_and(|(at, last)| {
            now.saturating_duration_since(*at) < REPORT_INTERVAL && *last == seen
        });
        if is_reported {
            return None;
        }
        self.reported = Some((now, seen.clone()));
        Some(seen)
    }

    /// Shortest time to the next poll; `None` while the port is not watched.
    pub fn interval(&self) -> Option<Duration> {
        let is_new = self.started?.elapsed() < FAST_PERIOD;
        Some(if is_new { FAST_INTERVAL } else { SLOW_INTERVAL })
    }

    /// Returns the targets that have not ended.
    pub fn running_targets(&self) -> impl Iterator<Item = ProcessId> {
        let targets = self.request.targets().iter().map(Target::id);
        targets.filter(|id| !self.ended.contains(id))
    }
}

/// Returns the sockets of a port, in a fixed order so that snapshots can be compared.
pub fn sockets_of(port: Port, snapshot: &Snapshot) -> Vec<Socket> {
    let sockets = snapshot.sockets.iter();
    let own = sockets.filter(|socket| Port::of(socket) == port);
    let mut own: Vec<Socket> = own.cloned().collect();
    own.sort_by_key(|socket| (socket.local, socket.id));
    own
}
