//! What has been seen since an order was confirmed: the facts that verdicts are made of.

use super::holders::holds;
use super::look::{Conduct, Dispatch, Hindrance, Look, Sending};
use super::order::{Order, Target};
use super::signal::Signal;
use super::verdict::{Ending, How, Left, Port, Survivor};
use super::words;
use crate::model::endpoint::{EndpointId, Owners, Socket, State};
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::provenance::Unit;
use crate::model::time_wait::{Remainder, TIME_WAIT};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A process that closed the port longer ago than this and still runs is not about to end.
const SLOW_END: Duration = Duration::from_secs(2);

/// Everything seen of one order, and of the one after it that sends SIGKILL.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub order: Order,
    pub fates: Vec<Fate>,
    /// The sockets of the port at the last look.
    pub sockets: Vec<Socket>,
    pub parents: Vec<Arc<Process>>,
    units: Vec<(ProcessId, Unit)>,
    pub at: Instant,
    /// What the port had before anything was sent.
    known: HashSet<EndpointId>,
    signalled: Vec<(Arc<Process>, Signal)>,
    /// Since when a socket has been seen in TIME_WAIT.
    waiting: HashMap<EndpointId, Instant>,
}

/// What became of one target.
#[derive(Clone, Debug)]
pub(super) struct Fate {
    pub target: Target,
    sent: Option<(Instant, Signal)>,
    ended: Option<Instant>,
    let_go: Option<Instant>,
    pub conduct: Option<Conduct>,
    was_stopped: bool,
    missed: Option<Hindrance>,
}

impl Record {
    pub fn new(order: Order) -> Self {
        let fates = order.targets.iter().cloned().map(Fate::new).collect();
        Self {
            fates,
            sockets: order.sockets.clone(),
            parents: Vec::new(),
            units: Vec::new(),
            at: order.id.at,
            known: order.sockets.iter().map(|socket| socket.id).collect(),
            signalled: Vec::new(),
            waiting: HashMap::new(),
            order,
        }
    }

    pub fn port(&self) -> Port {
        Port {
            protocol: self.order.protocol,
            number: self.order.port,
        }
    }

    pub fn take_dispatch(&mut self, dispatch: &Dispatch) {
        self.at = dispatch.at;
        let Sending::Sent {
            sockets,
            woken,
            missed,
        } = &dispatch.sending
        else {
            return;
        };
        self.known.extend(sockets.iter().map(|socket| socket.id));
        let signal = self.order.signal;
        let ordered: Vec<ProcessId> = self.order.targets.iter().map(Target::id).collect();
        for fate in &mut self.fates {
            let id = fate.target.id();
            if !ordered.contains(&id) {
                continue;
            }
            fate.was_stopped |= woken.contains(&id);
            fate.miss(missed);
            if fate.missed.is_none() {
                fate.sent = Some((dispatch.at, signal));
                let process = Arc::clone(&fate.target.process);
                self.signalled.push((process, signal));
            }
        }
    }

    /// Remembers why the process of this hindrance was not signalled.
    pub fn take_hindrance(&mut self, hindrance: &Hindrance) {
        for fate in &mut self.fates {
            fate.miss(std::slice::from_ref(hindrance));
        }
    }

    pub fn take_look(&mut self, look: Look) {
        self.at = look.at;
        self.sockets = look.sockets;
        self.parents = look.parents;
        self.units = look.units;
        let waits = |socket: &&Socket| socket.state == Some(State::TimeWait);
        for socket in self.sockets.iter().filter(waits) {
            self.waiting.entry(socket.id).or_insert(look.at);
        }
        let holding: Vec<Socket> = self.holding().into_iter().cloned().collect();
        for fate in &mut self.fates {
            let id = fate.target.id();
            if look.ended.contains(&id) {
                fate.ended.get_or_insert(look.at);
            }
            fate.conduct = look
                .conduct
                .iter()
                .find_map(|(of, conduct)| (*of == id).then_some(*conduct));
            if fate.holds_any(&holding) {
                fate.let_go = None;
            } else if fate.target.is_holder() {
                fate.let_go.get_or_insert(look.at);
            }
        }
    }

    /// What holds the port: whatever stands on it, and what was asked about for as long as a process has it.
    pub fn holding(&self) -> Vec<&Socket> {
        let was_asked = |socket: &Socket| self.order.sockets.iter().any(|one| one.id == socket.id);
        let is_holding = |socket: &&Socket| {
            socket.is_standing() || was_asked(socket) && socket.owners != Owners::None
        };
        self.sockets.iter().filter(is_holding).collect()
    }

    /// Sockets that came after the signal, of others than those who held the port before.
    pub fn newcomers(&self) -> Vec<&Socket> {
        let mut holding = self.holding();
        holding.retain(|socket| !self.known.contains(&socket.id) && !self.has_old_owners(socket));
        holding
    }

    /// Whether everything that holds the port is held by processes that held it before.
    pub fn is_kept_by_old_holders(&self) -> bool {
        let holding = self.holding();
        holding.iter().all(|socket| self.has_old_owners(socket))
    }

    fn has_old_owners(&self, socket: &Socket) -> bool {
        let is_old = |process: &Arc<Process>| {
            let mut holders = self.order.holders.iter();
            holders.any(|holder| holder.id == process.id)
        };
        let owners = socket.owners.known();
        !owners.is_empty() && owners.iter().all(is_old)
    }

    /// The processes that hold the port, each once, as far as they may be seen.
    pub fn holding_processes(&self) -> Vec<&Arc<Process>> {
        let mut processes: Vec<&Arc<Process>> = Vec::new();
        for socket in self.holding() {
            for process in socket.owners.known() {
                if !processes.iter().any(|known| known.id == process.id) {
                    processes.push(process);
                }
            }
        }
        processes
    }

    /// The service of which a process is, if that is one that systemd starts again and it was systemd that started it.
    pub fn service_of(&self, process: &Process) -> Option<&Unit> {
        let by_systemd = |parent: Pid| {
            let mut known = self.parents.iter();
            let is_manager =
                |one: &Arc<Process>| one.pid() == parent && one.name.raw() == "systemd";
            parent.0 == 1 || known.any(is_manager)
        };
        process.parent.filter(|parent| by_systemd(*parent))?;
        let mut units = self.units.iter();
        let (_, unit) = units.find(|(of, unit)| *of == process.id && unit.brings_back())?;
        Some(unit)
    }

    pub fn signalled(&self) -> &[(Arc<Process>, Signal)] {
        &self.signalled
    }

    /// Whether a socket is one that a target was to close.
    pub fn is_targeted(&self, socket: EndpointId) -> bool {
        let mut targets = self.fates.iter().map(|fate| &fate.target);
        targets.any(|target| target.sockets.contains(&socket))
    }

    pub fn are_targets_done(&self) -> bool {
        self.fates.iter().all(Fate::is_done)
    }

    /// How long ago the last target ended or let go of the port.
    pub fn since_targets_done(&self) -> Duration {
        let done = self.fates.iter().filter_map(Fate::done).max();
        done.map_or(Duration::ZERO, |at| self.at.saturating_duration_since(at))
    }

    pub fn has_sent(&self) -> bool {
        self.fates.iter().any(|fate| fate.sent.is_some())
    }

    /// How long ago the last signal went out.
    pub fn waited(&self) -> Duration {
        let sent = self.fates.iter().filter_map(|fate| fate.sent);
        let last = sent.map(|(at, _)| at).max();
        last.map_or(Duration::ZERO, |at| self.at.saturating_duration_since(at))
    }

    pub fn survivors(&self) -> impl Iterator<Item = &Fate> {
        self.fates.iter().filter(|fate| !fate.is_done())
    }

    pub fn endings(&self) -> Vec<Ending> {
        self.fates
            .iter()
            .filter_map(|fate| fate.ending(self.at))
            .collect()
    }

    pub fn survivor(&self, fate: &Fate) -> Survivor {
        Survivor {
            process: Arc::clone(&fate.target.process),
            conduct: fate.conduct,
            signal: fate.sent.map_or(self.order.signal, |(_, signal)| signal),
            waited: self.waited(),
            was_stopped: fate.was_stopped,
            missed: fate.missed.clone(),
        }
    }

    /// What is left of the port beside what holds it.
    pub fn left(&self) -> Left {
        let sockets: Vec<&Socket> = self.left_over().collect();
        let only_waits = sockets
            .iter()
            .all(|socket| socket.state == Some(State::TimeWait));
        let since = |socket: &Socket| self.waiting.get(&socket.id).copied();
        let all = sockets.iter().copied();
        let last = Remainder::of_last(all, self.at, TIME_WAIT, since);
        Left {
            states: words::states(&sockets),
            wait: last.filter(|_| only_waits),
        }
    }

    pub fn left_over(&self) -> impl Iterator<Item = &Socket> {
        let holding: Vec<EndpointId> = self.holding().iter().map(|socket| socket.id).collect();
        let is_left = move |socket: &&Socket| !holding.contains(&socket.id);
        self.sockets.iter().filter(is_left)
    }
}

impl Fate {
    fn new(target: Target) -> Self {
        Self {
            target,
            sent: None,
            ended: None,
            let_go: None,
            conduct: None,
            was_stopped: false,
            missed: None,
        }
    }

    pub fn is_done(&self) -> bool {
        self.done().is_some()
    }

    fn done(&self) -> Option<Instant> {
        self.ended.into_iter().chain(self.let_go).min()
    }

    /// One whose holder cannot be seen for the moment counts as held: nothing says that it was let go.
    fn holds_any(&self, holding: &[Socket]) -> bool {
        let is_shown = |socket: &Socket| self.target.sockets.contains(&socket.id);
        holding.iter().any(|socket| {
            holds(self.target.id(), socket)
                || is_shown(socket) && matches!(socket.owners, Owners::Hidden | Owners::Sought)
        })
    }

    fn miss(&mut self, missed: &[Hindrance]) {
        let is_own = |hindrance: &&Hindrance| {
            let process = hindrance.process();
            process.is_some_and(|process| process.id == self.target.id())
        };
        self.missed = missed.iter().find(is_own).cloned();
    }

    /// A process closes its sockets a moment before its end can be seen, so that it runs on is not said at once.
    fn ending(&self, now: Instant) -> Option<Ending> {
        let (how, at) = match (self.ended, self.let_go) {
            (Some(at), _) => (How::Ended, at),
            (None, Some(at)) if now.saturating_duration_since(at) >= SLOW_END => (How::RunsOn, at),
            (None, Some(at)) => (How::LetGo, at),
            (None, None) => return None,
        };
        Some(Ending {
            process: Arc::clone(&self.target.process),
            how,
            after: self
                .sent
                .map(|(sent, signal)| (at.saturating_duration_since(sent), signal)),
            was_stopped: self.was_stopped,
        })
    }
}
