//! What is seen of one port, looked at often enough to see a restart and seldom enough to cost little.

use super::Senses;
use super::conduct::conduct;
use super::handle::Handle;
use crate::model::endpoint::{Protocol, Socket};
use crate::model::freeing::{Conduct, Look, Order, Target};
use crate::model::process::{Pid, Process, ProcessId, StartTime};
use crate::model::provenance::Unit;
use crate::model::snapshot::Snapshot;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// From look to look at best.
const BEST: Duration = Duration::from_millis(50);

/// The same once everything that happens soon has happened, and a dialog is only left open.
const LATER: Duration = Duration::from_millis(500);
const SOON: Duration = Duration::from_secs(10);

/// A look is reported at least this often, because time passes for whoever waits.
const REPORT: Duration = Duration::from_millis(250);

/// The watch over the port of one order.
pub struct Watch {
    order: Order,
    started: Instant,
    reported: Option<Look>,
    /// What the port had at the last look.
    sockets: Vec<Socket>,
    /// The units of the holders before the signal.
    units: Vec<(ProcessId, Unit)>,
    ended: Vec<ProcessId>,
}

impl Watch {
    /// `units` are what the holders belonged to when the order was sent.
    pub fn new(order: Order, units: Vec<(ProcessId, Unit)>) -> Self {
        Self {
            order,
            sockets: Vec::new(),
            units,
            started: Instant::now(),
            reported: None,
            ended: Vec::new(),
        }
    }

    /// Notes which targets have ended.
    pub fn see_who_ended(&mut self, handles: &[Handle], start_time: fn(Pid) -> Option<StartTime>) {
        let has_ended = |id: &ProcessId| {
            let handle = handles.iter().find(|handle| handle.id() == *id);
            self.ended.contains(id) || handle.is_none_or(|handle| handle.has_ended(start_time))
        };
        let targets = self.order.targets().iter();
        self.ended = targets.map(Target::id).filter(has_ended).collect();
    }

    /// Takes in what the tables show, and returns it if it differs from what was reported last or that is long ago.
    pub fn look(&mut self, snapshot: &Snapshot, senses: &mut Senses) -> Option<Look> {
        self.sockets = of_port(&self.order, snapshot);
        let problems = snapshot.problems.iter();
        let own = problems.filter(|problem| problem.protocol == self.order.protocol());
        let look = Look {
            order: self.order.id(),
            parents: self.parents(senses),
            units: self.units(senses),
            sockets: self.sockets.clone(),
            problems: own.cloned().collect(),
            conduct: self.conduct(),
            ended: self.ended.clone(),
            at: Instant::now(),
        };
        let is_news = self.reported.as_ref().is_none_or(|last| {
            let like = Look {
                at: look.at,
                ..last.clone()
            };
            look != like || look.at.saturating_duration_since(last.at) >= REPORT
        });
        if !is_news {
            return None;
        }
        self.reported = Some(look.clone());
        Some(look)
    }

    /// How long from one look to the next at best.
    pub fn interval(&self) -> Duration {
        if self.started.elapsed() < SOON {
            BEST
        } else {
            LATER
        }
    }

    /// The targets whose end is worth waking up for.
    pub fn still_running<'a>(&'a self, handles: &'a [Handle]) -> impl Iterator<Item = &'a Handle> {
        let is_waited_for = |handle: &&Handle| {
            let id = handle.id();
            !self.ended.contains(&id) && self.order.targets().iter().any(|one| one.id() == id)
        };
        handles.iter().filter(is_waited_for)
    }

    fn conduct(&self) -> Vec<(ProcessId, Conduct)> {
        let targets = self.order.targets().iter().map(Target::id);
        targets
            .filter(|id| !self.ended.contains(id))
            .filter_map(|id| Some((id, conduct(id.pid, self.order.signal())?)))
            .collect()
    }

    /// Who started the holders that the order does not know, as far as that may be seen.
    fn parents(&self, senses: &mut Senses) -> Vec<Arc<Process>> {
        let mut pids: Vec<_> = self
            .newcomers()
            .filter_map(|owner| owner.parent)
            .filter(|parent| parent.0 > 1)
            .collect();
        pids.sort_unstable();
        pids.dedup();
        pids.into_iter()
            .filter_map(|pid| (senses.describe)(pid))
            .collect()
    }

    /// The units of these holders, and of those before the signal: a service that comes back belonged there before.
    fn units(&self, senses: &Senses) -> Vec<(ProcessId, Unit)> {
        let unit = |owner: &Arc<Process>| Some((owner.id, (senses.unit)(owner)?));
        let before = self.units.iter().cloned();
        before.chain(self.newcomers().filter_map(unit)).collect()
    }

    /// The topmost holder of each socket, if it is none of the targets.
    fn newcomers(&self) -> impl Iterator<Item = &Arc<Process>> {
        let is_asked = |process: &Process| {
            let mut targets = self.order.targets().iter();
            targets.any(|target| target.id() == process.id)
        };
        let owners = self
            .sockets
            .iter()
            .filter_map(|socket| socket.owners.first());
        owners.filter(move |owner| !is_asked(owner))
    }
}

/// The sockets of the order's port among all, in a fixed order so that looks can be compared.
pub fn of_port(order: &Order, snapshot: &Snapshot) -> Vec<Socket> {
    let (protocol, port): (Protocol, u16) = (order.protocol(), order.port());
    let all = snapshot.sockets.iter();
    let mut own: Vec<Socket> = all
        .filter(|socket| socket.protocol == protocol && socket.port() == port)
        .cloned()
        .collect();
    own.sort_by_key(|socket| (socket.local, socket.id));
    own
}
