//! What has been seen since an order was confirmed: the facts that verdicts are made of.

use super::kill_request::{KillRequest, Target};
use super::observations::{PortSnapshot, SendOutcome, SendReport, SignalError};
use super::target_state::TargetState;
use super::verdict::{Leftovers, TargetOutcome};
use crate::model::endpoint::{EndpointId, Owners, Socket, State};
use crate::model::ports::Port;
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::signal::Signal;
use crate::model::snapshot::{Problem, unread};
use crate::model::supervisor::Unit;
use crate::model::time_wait::{TIME_WAIT, TimeWaitLeft};
use crate::wording;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Everything seen of one order, and of the one after it that sends SIGKILL.
#[derive(Clone, Debug)]
pub(super) struct RequestLog {
    pub request: KillRequest,
    pub target_states: Vec<TargetState>,
    /// The sockets of the port at the last look.
    pub sockets: Vec<Socket>,
    /// The tables that the last look could not read.
    problems: Vec<Problem>,
    pub parents: Vec<Arc<Process>>,
    units: Vec<(ProcessId, Unit)>,
    pub at: Instant,
    /// What the port had before anything was sent.
    known: HashSet<EndpointId>,
    signalled: Vec<(Arc<Process>, Signal)>,
    /// Since when a socket has been seen in TIME_WAIT.
    waiting: HashMap<EndpointId, Instant>,
}

impl RequestLog {
    pub fn new(request: KillRequest) -> Self {
        let target_states = request
            .targets
            .iter()
            .cloned()
            .map(TargetState::new)
            .collect();
        Self {
            target_states,
            sockets: request.sockets.clone(),
            problems: Vec::new(),
            parents: Vec::new(),
            units: Vec::new(),
            at: request.id.at,
            known: request.sockets.iter().map(|socket| socket.id).collect(),
            signalled: Vec::new(),
            waiting: HashMap::new(),
            request,
        }
    }

    pub fn port(&self) -> Port {
        Port {
            protocol: self.request.protocol,
            number: self.request.port,
        }
    }

    pub fn record_send(&mut self, dispatch: &SendReport) {
        self.at = dispatch.at;
        let SendOutcome::Sent {
            sockets,
            resumed,
            missed,
        } = &dispatch.sending
        else {
            return;
        };
        self.known.extend(sockets.iter().map(|socket| socket.id));
        let signal = self.request.signal;
        let ordered: Vec<ProcessId> = self.request.targets.iter().map(Target::id).collect();
        for target_state in &mut self.target_states {
            let id = target_state.target.id();
            if !ordered.contains(&id) {
                continue;
            }
            if target_state.record_signal((dispatch.at, signal), resumed.contains(&id), missed) {
                let process = Arc::clone(&target_state.target.process);
                self.signalled.push((Arc::clone(&process), signal));
                if resumed.contains(&id) {
                    self.signalled.push((process, Signal::Continue));
                }
            }
        }
    }

    /// Remembers why the process of this hindrance was not signalled.
    pub fn record_error(&mut self, error: &SignalError) {
        for target_state in &mut self.target_states {
            target_state.record_missed(std::slice::from_ref(error));
        }
    }

    pub fn record_poll(&mut self, look: PortSnapshot) {
        self.at = look.at;
        self.sockets = look.sockets;
        self.problems = look.problems;
        self.parents = look.parents;
        self.units = look.units;
        let waits = |socket: &&Socket| socket.state == Some(State::TimeWait);
        for socket in self.sockets.iter().filter(waits) {
            self.waiting.entry(socket.id).or_insert(look.at);
        }
        let holding: Vec<Socket> = self.holding_sockets().into_iter().cloned().collect();
        let is_whole = !self.is_unread();
        for target_state in &mut self.target_states {
            let id = target_state.target.id();
            let mut conducts = look.signal_state.iter();
            let signal_state =
                conducts.find_map(|(of, signal_state)| (*of == id).then_some(*signal_state));
            target_state.record_poll(look.at, look.ended.contains(&id), signal_state);
            target_state.take_holding(look.at, &holding, is_whole);
        }
    }

    /// Whether the last look could not read every table.
    pub fn is_unread(&self) -> bool {
        !self.problems.is_empty()
    }

    /// What the last look could not read, and why.
    pub fn unread(&self) -> Option<String> {
        unread(&self.problems)
    }

    /// Whether every target that has not ended was seen to hold the port at the last look.
    pub fn are_survivors_seen(&self) -> bool {
        let holding: Vec<Socket> = self.holding_sockets().into_iter().cloned().collect();
        self.survivors()
            .all(|target_state| target_state.holds_any(&holding))
    }

    /// What holds the port: whatever stands on it, and what was asked about for as long as a process has it.
    pub fn holding_sockets(&self) -> Vec<&Socket> {
        let was_asked =
            |socket: &Socket| self.request.sockets.iter().any(|one| one.id == socket.id);
        let is_holding = |socket: &&Socket| {
            socket.holds_port() || was_asked(socket) && socket.owners != Owners::NoProcess
        };
        self.sockets.iter().filter(is_holding).collect()
    }

    /// Sockets that came after the signal, of others than those who held the port before.
    pub fn new_sockets(&self) -> Vec<&Socket> {
        let mut holding = self.holding_sockets();
        holding
            .retain(|socket| !self.known.contains(&socket.id) && !self.has_previous_owners(socket));
        holding
    }

    /// Whether everything that holds the port is held by processes that held it before.
    pub fn is_held_by_previous_owners(&self) -> bool {
        let holding = self.holding_sockets();
        holding
            .iter()
            .all(|socket| self.has_previous_owners(socket))
    }

    fn has_previous_owners(&self, socket: &Socket) -> bool {
        let is_old = |process: &Arc<Process>| self.had_port(process.id);
        let owners = socket.owners.known();
        !owners.is_empty() && owners.iter().all(is_old)
    }

    /// The processes that hold the port, each once, as far as they may be seen.
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

    /// The service that has come back: systemd started the process, and a holder belonged to the same one before. An orphan
    /// is systemd's child too, whatever service it happens to be in, and was not started by it.
    pub fn service_of(&self, process: &Process) -> Option<&Unit> {
        let by_systemd = |parent: Pid| {
            let mut known = self.parents.iter();
            let is_manager =
                |one: &Arc<Process>| one.pid() == parent && one.name.raw() == "systemd";
            parent.0 == 1 || known.any(is_manager)
        };
        process.parent.filter(|parent| by_systemd(*parent))?;
        let mut units = self.units.iter();
        let (_, unit) = units.find(|(of, unit)| *of == process.id && unit.may_restart())?;
        let was_here = self.units.iter().any(|(of, before)| {
            (&before.name, before.manager) == (&unit.name, unit.manager) && self.had_port(*of)
        });
        was_here.then_some(unit)
    }

    fn had_port(&self, process: ProcessId) -> bool {
        let mut owners = self.request.owners.iter();
        owners.any(|holder| holder.id == process)
    }

    pub fn signalled(&self) -> &[(Arc<Process>, Signal)] {
        &self.signalled
    }

    /// Whether a socket is one that a target was to close.
    pub fn is_targeted(&self, socket: EndpointId) -> bool {
        let mut targets = self
            .target_states
            .iter()
            .map(|target_state| &target_state.target);
        targets.any(|target| target.sockets.contains(&socket))
    }

    pub fn are_targets_done(&self) -> bool {
        self.target_states.iter().all(TargetState::is_done)
    }

    /// How long ago the last target ended or let go of the port.
    pub fn since_targets_done(&self) -> Duration {
        let done = self
            .target_states
            .iter()
            .filter_map(TargetState::done)
            .max();
        done.map_or(Duration::ZERO, |at| self.at.saturating_duration_since(at))
    }

    pub fn has_sent(&self) -> bool {
        self.target_states
            .iter()
            .any(|target_state| target_state.sent().is_some())
    }

    /// The last signal that went out: not that of an order which could not be sent.
    pub fn last_signal(&self) -> Signal {
        let sent = self.target_states.iter().filter_map(TargetState::sent);
        let last = sent.max_by_key(|(at, _)| *at);
        last.map_or(self.request.signal, |(_, signal)| signal)
    }

    /// How long ago the last signal went out.
    pub fn waited(&self) -> Duration {
        let sent = self.target_states.iter().filter_map(TargetState::sent);
        let last = sent.map(|(at, _)| at).max();
        last.map_or(Duration::ZERO, |at| self.at.saturating_duration_since(at))
    }

    pub fn survivors(&self) -> impl Iterator<Item = &TargetState> {
        self.target_states
            .iter()
            .filter(|target_state| !target_state.is_done())
    }

    pub fn outcomes(&self) -> Vec<TargetOutcome> {
        self.target_states
            .iter()
            .filter_map(|target_state| target_state.outcome(self.at))
            .collect()
    }

    /// What is left of the port beside what holds it.
    pub fn leftovers(&self) -> Leftovers {
        let sockets: Vec<&Socket> = self.left_over().collect();
        let only_waits = sockets
            .iter()
            .all(|socket| socket.state == Some(State::TimeWait));
        let since = |socket: &Socket| self.waiting.get(&socket.id).copied();
        let all = sockets.iter().copied();
        let last = TimeWaitLeft::of_last(all, self.at, TIME_WAIT, since);
        Leftovers {
            states: wording::states(&sockets),
            wait: last.filter(|_| only_waits),
        }
    }

    pub fn left_over(&self) -> impl Iterator<Item = &Socket> {
        let holding: Vec<EndpointId> = self
            .holding_sockets()
            .iter()
            .map(|socket| socket.id)
            .collect();
        let is_left = move |socket: &&Socket| !holding.contains(&socket.id);
        self.sockets.iter().filter(is_left)
    }
}
