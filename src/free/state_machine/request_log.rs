//! What was seen since a request was confirmed: the facts behind the verdict.

use super::target_state::TargetState;
use crate::free::exec_command::{PortSnapshot, SendOutcome, SendReport, SignalError};
use crate::free::request::{KillRequest, Target};
use crate::free::verdict::{Leftovers, Starter, Survivor, TargetOutcome};
use crate::model::port::Port;
use crate::model::process::{Process, ProcessId, ProcessTree, Signal, Unit};
use crate::model::snapshot::Problem;
use crate::model::socket::{EndpointId, Owners, Socket, State, TIME_WAIT, TimeWaitLeft};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Everything seen of one request and of the repeats that send another signal.
#[derive(Clone, Debug)]
pub(super) struct RequestLog {
    pub request: KillRequest,
    pub target_states: Vec<TargetState>,
    /// Sockets of the port at the last poll.
    pub sockets: Vec<Socket>,
    /// Tables that the last poll could not read.
    pub problems: Vec<Problem>,
    pub parents: Vec<Arc<Process>>,
    units: Vec<(ProcessId, Unit)>,
    pub at: Instant,
    /// Sockets of the port before a signal was sent.
    known: HashSet<EndpointId>,
    signalled: Vec<(Arc<Process>, Signal)>,
    /// When each socket was first seen in TIME_WAIT.
    time_wait_since: HashMap<EndpointId, Instant>,
}

impl RequestLog {
    pub fn new(request: KillRequest) -> Self {
        let targets = request.targets.iter().cloned();
        Self {
            target_states: targets.map(TargetState::new).collect(),
            sockets: request.sockets.clone(),
            problems: Vec::new(),
            parents: Vec::new(),
            units: Vec::new(),
            at: request.id.at,
            known: request.sockets.iter().map(|socket| socket.id).collect(),
            signalled: Vec::new(),
            time_wait_since: HashMap::new(),
            request,
        }
    }

    pub fn port(&self) -> Port {
        self.request.port()
    }

    pub fn record_send(&mut self, report: &SendReport) {
        self.at = report.at;
        let SendOutcome::Sent {
            sockets,
            resumed,
            missed,
        } = &report.sending
        else {
            return;
        };
        self.known.extend(sockets.iter().map(|socket| socket.id));
        let signal = self.request.signal;
        let requested: Vec<ProcessId> = self.request.targets.iter().map(Target::id).collect();
        for state in &mut self.target_states {
            let id = state.target.id();
            if !requested.contains(&id) {
                continue;
            }
            if state.record_signal((report.at, signal), resumed.contains(&id), missed) {
                let process = Arc::clone(&state.target.process);
                self.signalled.push((Arc::clone(&process), signal));
                if resumed.contains(&id) {
                    self.signalled.push((process, Signal::Continue));
                }
            }
        }
    }

    /// Records why no signal was sent.
    pub fn record_error(&mut self, error: &SignalError) {
        for state in &mut self.target_states {
            state.record_missed(std::slice::from_ref(error));
        }
    }

    pub fn record_poll(&mut self, poll: PortSnapshot) {
        self.at = poll.at;
        self.sockets = poll.sockets;
        self.problems = poll.problems;
        self.parents = poll.parents;
        self.units = poll.units;
        for socket in &self.sockets {
            if socket.state == Some(State::TimeWait) {
                self.time_wait_since.entry(socket.id).or_insert(poll.at);
            }
        }
        let holding: Vec<Socket> = self.holding_sockets().into_iter().cloned().collect();
        let is_complete = !self.is_unread();
        for state in &mut self.target_states {
            let id = state.target.id();
            let signal_state = poll.signal_state.iter().find(|(of, _)| *of == id);
            let signal_state = signal_state.map(|(_, signal_state)| *signal_state);
            state.record_poll(poll.at, poll.ended.contains(&id), signal_state);
            state.record_holding(poll.at, &holding, is_complete);
        }
    }

    /// Adds the parent and the unit of the process that took the port.
    pub fn record_starter(&mut self, tree: &ProcessTree) {
        self.parents = tree.ancestors.first().cloned().into_iter().collect();
        let unit = tree.supervisor.unit.iter().cloned();
        self.units.extend(unit.map(|unit| (tree.process, unit)));
    }

    /// True if the last poll could not read every table.
    pub fn is_unread(&self) -> bool {
        !self.problems.is_empty()
    }

    /// True if the last poll showed every survivor holding the port.
    pub fn are_survivors_seen(&self) -> bool {
        let holding: Vec<Socket> = self.holding_sockets().into_iter().cloned().collect();
        self.survivors().all(|state| state.holds_any(&holding))
    }

    /// Returns the sockets that hold the port, and those of the request that a process still has open.
    pub fn holding_sockets(&self) -> Vec<&Socket> {
        let is_holding = |socket: &&Socket| self.is_holding(socket);
        self.sockets.iter().filter(is_holding).collect()
    }

    fn is_holding(&self, socket: &Socket) -> bool {
        let mut requested = self.request.sockets.iter();
        socket.holds_port()
            || socket.owners != Owners::NoProcess && requested.any(|one| one.id == socket.id)
    }

    /// Returns the sockets opened after the signal by processes that did not hold the port before.
    pub fn new_sockets(&self) -> Vec<&Socket> {
        let mut holding = self.holding_sockets();
        holding
            .retain(|socket| !self.known.contains(&socket.id) && !self.has_previous_owners(socket));
        holding
    }

    /// True if only processes that held the port before hold it now.
    pub fn is_held_by_previous_owners(&self) -> bool {
        let holding = self.holding_sockets();
        holding
            .iter()
            .all(|socket| self.has_previous_owners(socket))
    }

    fn has_previous_owners(&self, socket: &Socket) -> bool {
        let owners = socket.owners.known();
        !owners.is_empty() && owners.iter().all(|process| self.had_port(process.id))
    }

    /// Returns the visible processes that hold the port, each once.
    pub fn owner_processes(&self) -> Vec<&Arc<Process>> {
        let mut processes: Vec<&Arc<Process>> = Vec::new();
        for socket in self.holding_sockets() {
            for process in socket.owners.known() {
                if !processes.iter().any(|known| known.id == process.id) {
                    processes.push(process);
                }
            }
        }
        processes
    }

    /// Returns the unit in which systemd started this process: systemd is its parent, and it is the main process of the
    /// unit or follows an owner of the same unit. Systemd is the parent of every orphan too.
    pub fn started_by_systemd(&self, process: &Process) -> Option<Starter> {
        let parent = process.parent?;
        let is_manager = |one: &Arc<Process>| one.pid() == parent && one.name.raw() == "systemd";
        if parent.0 != 1 && !self.parents.iter().any(is_manager) {
            return None;
        }
        let mut units = self.units.iter();
        let (_, unit) = units.find(|(of, unit)| *of == process.id && unit.may_restart())?;
        let is_restart = self.units.iter().any(|(of, before)| {
            (&before.name, before.manager) == (&unit.name, unit.manager) && self.had_port(*of)
        });
        (is_restart || unit.main == Some(process.pid())).then(|| Starter::Systemd {
            unit: Box::new(unit.clone()),
            is_restart,
        })
    }

    fn had_port(&self, process: ProcessId) -> bool {
        let mut owners = self.request.owners.iter();
        owners.any(|owner| owner.id == process)
    }

    pub fn signalled(&self) -> &[(Arc<Process>, Signal)] {
        &self.signalled
    }

    /// True for a socket that a target held when the question was asked.
    pub fn is_targeted(&self, socket: EndpointId) -> bool {
        let mut states = self.target_states.iter();
        states.any(|state| state.target.sockets.contains(&socket))
    }

    pub fn are_targets_done(&self) -> bool {
        self.target_states.iter().all(TargetState::is_done)
    }

    /// Time since the last target ended or closed the port.
    pub fn since_targets_done(&self) -> Duration {
        let done = self.target_states.iter().filter_map(TargetState::done);
        self.since(done.max())
    }

    /// Time since the last signal was sent.
    pub fn waited(&self) -> Duration {
        self.since(self.last_sent().map(|(at, _)| at))
    }

    fn since(&self, at: Option<Instant>) -> Duration {
        at.map_or(Duration::ZERO, |at| self.at.saturating_duration_since(at))
    }

    pub fn has_sent(&self) -> bool {
        self.last_sent().is_some()
    }

    /// The last signal that was sent; not that of a request that could not be sent.
    pub fn last_signal(&self) -> Signal {
        self.last_sent()
            .map_or(self.request.signal, |(_, signal)| signal)
    }

    fn last_sent(&self) -> Option<(Instant, Signal)> {
        let sent = self.target_states.iter().filter_map(TargetState::sent);
        sent.max_by_key(|(at, _)| *at)
    }

    /// Returns the targets that have neither ended nor closed the port.
    pub fn survivors(&self) -> impl Iterator<Item = &TargetState> {
        let states = self.target_states.iter();
        states.filter(|state| !state.is_done())
    }

    pub fn running_targets(&self) -> Vec<Survivor> {
        let (signal, waited) = (self.last_signal(), self.waited());
        let survivors = self.survivors();
        survivors.map(|one| one.survivor(signal, waited)).collect()
    }

    pub fn outcomes(&self) -> Vec<TargetOutcome> {
        let states = self.target_states.iter();
        states.filter_map(|state| state.outcome(self.at)).collect()
    }

    /// Returns the sockets on the port that do not hold it.
    pub fn leftovers(&self) -> Leftovers {
        let is_left = |socket: &&Socket| !self.is_holding(socket);
        let left = self.sockets.iter().filter(is_left);
        let states: Vec<Option<State>> = left.clone().map(|socket| socket.state).collect();
        let since = |socket: &Socket| self.time_wait_since.get(&socket.id).copied();
        let wait = TimeWaitLeft::of_last(left, self.at, TIME_WAIT, since);
        let is_time_wait = |state: &Option<State>| *state == Some(State::TimeWait);
        Leftovers {
            wait: wait.filter(|_| states.iter().all(is_time_wait)),
            states,
        }
    }
}
