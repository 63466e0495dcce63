//! Watches one port, often enough to see a restart and seldom enough to cost little.

use super::ProbeBackend;
use super::signal_state::signal_state;
use super::target_handle::TargetHandle;
use crate::free::{KillRequest, PortSnapshot, SignalState, Target};
use crate::model::port::Port;
use crate::model::process::{Pid, Process, ProcessId, StartTime, Unit};
use crate::model::snapshot::Snapshot;
use crate::model::socket::Socket;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Shortest time from poll to poll.
const FAST_INTERVAL: Duration = Duration::from_millis(50);

/// The same after the first seconds, when a verdict only stays open.
const SLOW_INTERVAL: Duration = Duration::from_millis(500);
const FAST_PERIOD: Duration = Duration::from_secs(10);

/// An unchanged port is reported this often, as the time that has passed counts.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);

/// The watch over the port of one request.
pub struct PortWatch {
    request: KillRequest,
    started: Instant,
    reported: Option<PortSnapshot>,
    /// The sockets of the port at the last poll.
    sockets: Vec<Socket>,
    /// The units of the owners before the signal.
    units: Vec<(ProcessId, Unit)>,
    ended: Vec<ProcessId>,
}

impl PortWatch {
    /// `units` are those of the owners when the request was sent.
    pub fn new(request: KillRequest, units: Vec<(ProcessId, Unit)>) -> Self {
        Self {
            request,
            sockets: Vec::new(),
            units,
            started: Instant::now(),
            reported: None,
            ended: Vec::new(),
        }
    }

    /// Records which targets have ended.
    pub fn record_ended(
        &mut self,
        handles: &[TargetHandle],
        start_time: fn(Pid) -> Option<StartTime>,
    ) {
        let has_ended = |id: &ProcessId| {
            let handle = handles.iter().find(|handle| handle.id() == *id);
            self.ended.contains(id) || handle.is_none_or(|handle| handle.has_ended(start_time))
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
        self.sockets = sockets_of_port(&self.request, snapshot);
        let protocol = self.request.port().protocol;
        let problems = snapshot.problems.iter().cloned();
        let seen = PortSnapshot {
            request: self.request.id(),
            parents: self.parents(backend),
            units: self.units(backend),
            sockets: self.sockets.clone(),
            problems: problems.filter(|one| one.protocol == protocol).collect(),
            signal_state: self.signal_states(),
            ended: self.ended.clone(),
            at: Instant::now(),
        };
        let is_changed = self.reported.as_ref().is_none_or(|last| {
            let like = PortSnapshot {
                at: seen.at,
                ..last.clone()
            };
            seen != like || seen.at.saturating_duration_since(last.at) >= REPORT_INTERVAL
        });
        if !is_changed {
            return None;
        }
        self.reported = Some(seen.clone());
        Some(seen)
    }

    /// Shortest time to the next poll.
    pub fn interval(&self) -> Duration {
        if self.started.elapsed() < FAST_PERIOD {
            FAST_INTERVAL
        } else {
            SLOW_INTERVAL
        }
    }

    /// Returns the targets that run, whose end wakes the executor.
    pub fn still_running<'a>(
        &'a self,
        handles: &'a [TargetHandle],
    ) -> impl Iterator<Item = &'a TargetHandle> {
        let is_waited_for = |handle: &&TargetHandle| {
            let id = handle.id();
            !self.ended.contains(&id) && self.request.targets().iter().any(|one| one.id() == id)
        };
        handles.iter().filter(is_waited_for)
    }

    fn signal_states(&self) -> Vec<(ProcessId, SignalState)> {
        let targets = self.request.targets().iter().map(Target::id);
        targets
            .filter(|id| !self.ended.contains(id))
            .filter_map(|id| Some((id, signal_state(id.pid, self.request.signal())?)))
            .collect()
    }

    /// Returns the parents of new owners, as far as they may be seen.
    fn parents(&self, backend: &mut ProbeBackend) -> Vec<Arc<Process>> {
        let mut pids: Vec<_> = self
            .new_owners()
            .filter_map(|owner| owner.parent)
            .filter(|parent| parent.0 > 1)
            .collect();
        pids.sort_unstable();
        pids.dedup();
        pids.into_iter()
            .filter_map(|pid| (backend.describe)(pid))
            .collect()
    }

    /// Returns the units of new owners, and those before the signal: a service that is restarted was in its unit before.
    fn units(&self, backend: &ProbeBackend) -> Vec<(ProcessId, Unit)> {
        let unit = |owner: &Arc<Process>| Some((owner.id, (backend.unit)(owner)?));
        let before = self.units.iter().cloned();
        before.chain(self.new_owners().filter_map(unit)).collect()
    }

    /// Returns the topmost owner of each socket, if it is no target.
    fn new_owners(&self) -> impl Iterator<Item = &Arc<Process>> {
        let is_target = |process: &Process| {
            let mut targets = self.request.targets().iter();
            targets.any(|target| target.id() == process.id)
        };
        let owners = self
            .sockets
            .iter()
            .filter_map(|socket| socket.owners.first());
        owners.filter(move |owner| !is_target(owner))
    }
}

/// Returns the sockets of the request's port, in a fixed order so that snapshots can be compared.
pub fn sockets_of_port(request: &KillRequest, snapshot: &Snapshot) -> Vec<Socket> {
    let mut own: Vec<Socket> = snapshot
        .sockets
        .iter()
        .filter(|socket| Port::of(socket) == request.port())
        .cloned()
        .collect();
    own.sort_by_key(|socket| (socket.local, socket.id));
    own
}
