//! What was seen since a request was confirmed: the facts behind the verdict.

use super::target_state::TargetState;
use crate::free::exec_command::{PortSnapshot, SendOutcome};
use crate::free::request::{KillRequest, Target};
use crate::free::verdict::{Leftovers, Survivor, TargetOutcome, Verdict, VerdictKind};
use crate::model::process::{Process, ProcessTree, Signal};
use crate::model::socket::{EndpointId, Owners, Socket, State, TimeWaitLeft};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Everything seen of one request and of the repeats that send another signal.
#[derive(Clone, Debug)]
pub(super) struct RequestLog {
    pub request: KillRequest,
    pub target_states: Vec<TargetState>,
    pub last_poll: PortSnapshot,
    /// Time of the last event.
    pub at: Instant,
    pub signaled: Vec<(Arc<Process>, Signal)>,
    /// Sockets of the port before a signal was sent.
    known: HashSet<EndpointId>,
    /// When each socket was first seen in TIME_WAIT.
    time_wait_since: HashMap<EndpointId, Instant>,
}

impl RequestLog {
    pub fn new(request: KillRequest) -> Self {
        let targets = request.targets.iter().cloned();
        Self {
            target_states: targets.map(TargetState::new).collect(),
            last_poll: PortSnapshot {
                sockets: request.sockets.clone(),
                ..PortSnapshot::default()
            },
            at: request.id.at,
            signaled: Vec::new(),
            known: request.sockets.iter().map(|socket| socket.id).collect(),
            time_wait_since: HashMap::new(),
            request,
        }
    }

    pub fn record_send(&mut self, at: Instant, outcome: &SendOutcome) {
        self.at = at;
        let (sockets, resumed, missed, before) = match outcome {
            SendOutcome::Sent {
                sockets,
                resumed,
                missed,
                states,
            } => (sockets, resumed, missed, states),
            SendOutcome::NotSent(error) => {
                let named = error.process().map(|process| process.id);
                for state in &mut self.target_states {
                    let is_own = named == Some(state.target.id());
                    state.error = is_own.then(|| error.clone());
                }
                return;
            }
        };
        self.known.extend(sockets.iter().map(|socket| socket.id));
        let (request, signal) = (&self.request, self.request.signal);
        let by_age = request.targets_by_age().into_iter().map(Target::id);
        for id in by_age {
            let mut states = self.target_states.iter_mut();
            let Some(state) = states.find(|state| state.target.id() == id) else {
                continue;
            };
            let is_resumed = resumed.contains(&id);
            let before = before.get(&id).copied();
            if state.record_signal((at, signal), before, is_resumed, missed.get(&id)) {
                let process = &state.target.process;
                let resuming = is_resumed.then_some(Signal::Continue);
                let signals = [signal].into_iter().chain(resuming);
                self.signaled
                    .extend(signals.map(|signal| (Arc::clone(process), signal)));
            }
        }
    }

    pub fn record_poll(&mut self, at: Instant, poll: PortSnapshot) {
        self.at = at;
        self.last_poll = poll;
        for socket in &self.last_poll.sockets {
            if socket.state == Some(State::TimeWait) {
                self.time_wait_since.entry(socket.id).or_insert(at);
            }
        }
        let holding = self.holding_sockets();
        for state in &mut self.target_states {
            state.record_poll(at, &self.last_poll, &holding);
        }
    }

    /// Adds the parent and the unit of the process that took the port.
    pub fn record_starter(&mut self, tree: &ProcessTree) {
        self.last_poll.parents = tree.ancestors.first().cloned().into_iter().collect();
        let unit = tree.supervisor.unit.iter().cloned();
        let unit = unit.map(|unit| (tree.process, unit));
        self.last_poll.units.extend(unit);
    }

    /// True if the last poll could not read every table.
    pub fn is_unread(&self) -> bool {
        !self.last_poll.problems.is_empty()
    }

    /// Returns the sockets that hold the port, and those of the request that a process still has open.
    pub fn holding_sockets(&self) -> Vec<Socket> {
        let sockets = self.last_poll.sockets.iter();
        let holding = sockets.filter(|socket| self.is_holding(socket));
        holding.cloned().collect()
    }

    fn is_holding(&self, socket: &Socket) -> bool {
        let mut requested = self.request.sockets.iter();
        socket.holds_port()
            || socket.owners != Owners::NoProcess && requested.any(|one| one.id == socket.id)
    }

    /// True if the last poll showed every survivor holding the port.
    pub fn are_survivors_seen(&self) -> bool {
        let holding = self.holding_sockets();
        self.survivors().all(|state| state.holds_any(&holding))
    }

    /// Returns a socket opened after the signal by a process that did not hold the port before.
    pub fn newcomer(&self) -> Option<Socket> {
        let mut holding = self.holding_sockets().into_iter();
        holding.find(|socket| !self.known.contains(&socket.id) && !self.has_previous_owners(socket))
    }

    /// True if only processes that held the port before hold it now.
    pub fn is_held_by_previous_owners(&self) -> bool {
        let holding = self.holding_sockets();
        holding
            .iter()
            .all(|socket| self.has_previous_owners(socket))
    }

    fn has_previous_owners(&self, socket: &Socket) -> bool {
        let mut owners = socket.owners.known().iter();
        owners.len() > 0 && owners.all(|process| self.request.has_owner(process.id))
    }

    /// Returns the visible processes that hold the port, each once.
    pub fn owner_processes(&self) -> Vec<&Arc<Process>> {
        let mut seen = BTreeSet::new();
        let sockets = self.last_poll.sockets.iter();
        sockets
            .filter(|socket| self.is_holding(socket))
            .flat_map(|socket| socket.owners.known())
            .filter(|process| seen.insert(process.id))
            .collect()
    }

    /// True for a socket that a target held when the question was asked.
    pub fn is_targeted(&self, socket: &Socket) -> bool {
        let mut states = self.target_states.iter();
        states.any(|state| state.target.sockets.contains(&socket.id))
    }

    /// Returns the targets that have neither ended nor closed the port.
    pub fn survivors(&self) -> impl Iterator<Item = &TargetState> {
        let states = self.target_states.iter();
        states.filter(|state| state.done().is_none())
    }

    /// True if a target is not known to have ended, whether or not it closed the port.
    pub fn has_running_target(&self) -> bool {
        !self.target_states.iter().all(TargetState::has_ended)
    }

    /// True if a survivor may get another signal.
    pub fn has_signaled_survivor(&self) -> bool {
        self.survivors().any(TargetState::may_get_another)
    }

    /// Time since the last target ended or closed the port; `None` while one has not.
    pub fn since_targets_done(&self) -> Option<Duration> {
        let done: Option<Vec<Instant>> = self.target_states.iter().map(TargetState::done).collect();
        let last = done?.into_iter().max();
        Some(last.map_or(Duration::ZERO, |at| self.since(at)))
    }

    fn since(&self, at: Instant) -> Duration {
        self.at.saturating_duration_since(at)
    }

    /// Time since the last signal was sent.
    pub fn waited(&self) -> Duration {
        self.last_sent()
            .map_or(Duration::ZERO, |(at, _)| self.since(at))
    }

    /// The last signal that was really sent; a failed request does not count.
    pub fn last_signal(&self) -> Signal {
        self.last_sent()
            .map_or(self.request.signal, |(_, signal)| signal)
    }

    /// The last signal that was sent, and when.
    pub fn last_sent(&self) -> Option<(Instant, Signal)> {
        let sent = self.target_states.iter().filter_map(|state| state.sent);
        sent.max_by_key(|(at, _)| *at)
    }

    pub fn survivor_facts(&self) -> Vec<Survivor> {
        let (signal, waited) = (self.last_signal(), self.waited());
        let survivors = self.survivors();
        survivors.map(|one| one.survivor(signal, waited)).collect()
    }

    pub fn outcomes(&self) -> Vec<TargetOutcome> {
        let states = self.target_states.iter();
        states.filter_map(|state| state.outcome(self.at)).collect()
    }

    pub fn verdict(&self, kind: VerdictKind) -> Verdict {
        Verdict {
            port: self.request.port(),
            outcomes: self.outcomes(),
            kind,
        }
    }

    /// Returns the sockets on the port that do not hold it.
    pub fn leftovers(&self) -> Leftovers {
        let sockets = self.last_poll.sockets.iter();
        let left = sockets.filter(|socket| !self.is_holding(socket));
        let states: Vec<Option<State>> = left.clone().map(|socket| socket.state).collect();
        let since = |socket: &Socket| self.time_wait_since.get(&socket.id).copied();
        let wait = TimeWaitLeft::of_last(left, self.at, since);
        let is_time_wait = |state: &Option<State>| *state == Some(State::TimeWait);
        Leftovers {
            wait: wait.filter(|_| states.iter().all(is_time_wait)),
            states,
        }
    }
}
