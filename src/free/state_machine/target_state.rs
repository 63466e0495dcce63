//! What became of one target of a request.

use crate::free::exec_command::{PortSnapshot, SignalError, SignalState};
use crate::free::kill_plan::holds;
use crate::free::request::Target;
use crate::free::verdict::{ReleaseKind, SurvivalReason, Survivor, TargetOutcome};
use crate::model::process::Signal;
use crate::model::socket::{Owners, Socket};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A process that closed the port longer ago than this is not about to exit.
const SLOW_END: Duration = Duration::from_secs(2);

/// What became of one target.
#[derive(Clone, Debug)]
pub(super) struct TargetState {
    pub target: Target,
    /// When its last signal was sent, and which.
    pub sent: Option<(Instant, Signal)>,
    ended: Option<Instant>,
    closed_port: Option<Instant>,
    /// How it handled its last signal just before that was sent, and at the last poll.
    state_before: Option<SignalState>,
    signal_state: Option<SignalState>,
    was_suspended: bool,
    /// Why it did not get the last signal.
    pub error: Option<SignalError>,
}

impl TargetState {
    pub fn new(target: Target) -> Self {
        Self {
            target,
            sent: None,
            ended: None,
            closed_port: None,
            state_before: None,
            signal_state: None,
            was_suspended: false,
            error: None,
        }
    }

    /// Records that the signal was sent, or why it was not; returns true if it was.
    pub fn record_signal(
        &mut self,
        sent: (Instant, Signal),
        state_before: Option<SignalState>,
        was_suspended: bool,
        error: Option<&SignalError>,
    ) -> bool {
        self.was_suspended |= was_suspended;
        self.error = error.cloned();
        if error.is_none() {
            self.sent = Some(sent);
            self.state_before = state_before;
            self.signal_state = None;
        }
        error.is_none()
    }

    /// Records what a poll saw of the process and of the sockets that hold the port. Only an owner can close it, and only
    /// a poll that read every table shows that.
    pub fn record_poll(&mut self, at: Instant, poll: &PortSnapshot, holding: &[Socket]) {
        let id = self.target.id();
        if poll.ended.contains(&id) {
            self.ended.get_or_insert(at);
        }
        let mut states = poll.signal_state.iter();
        let state = states.find(|(of, _)| *of == id);
        self.signal_state = state.map(|(_, state)| *state);
        if self.holds_any(holding) {
            self.closed_port = None;
        } else if poll.problems.is_empty() && self.target.is_owner() {
            self.closed_port.get_or_insert(at);
        }
    }

    /// True if it holds one of these sockets. One of its own whose owner cannot be seen at the moment counts as held.
    pub fn holds_any(&self, holding: &[Socket]) -> bool {
        holding.iter().any(|socket| {
            let is_unseen = matches!(socket.owners, Owners::NotFound(_) | Owners::Pending);
            holds(self.target.id(), socket) || is_unseen && self.target.sockets.contains(&socket.id)
        })
    }

    /// True if it got a signal and is still the program that the question named: only such a one gets another without a new
    /// question.
    pub fn may_get_another(&self) -> bool {
        let is_other = matches!(self.error, Some(SignalError::ProgramChanged(..)));
        self.sent.is_some() && !is_other
    }

    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Time at which it ended or closed the port.
    pub fn done(&self) -> Option<Instant> {
        self.ended.into_iter().chain(self.closed_port).min()
    }

    /// True if the kernel is known to have dropped its signal, so that waiting is of no use.
    pub fn is_signal_dropped(&self) -> bool {
        self.sent
            .is_some_and(|(_, signal)| self.reason(signal).is_dropped())
    }

    /// Returns why it has not ended after this signal.
    fn reason(&self, signal: Signal) -> SurvivalReason {
        let (before, now) = (self.state_before, self.signal_state);
        SurvivalReason::new(signal, before, now, self.was_suspended)
    }

    /// Returns what is known of it as a survivor; `signal` is the one that it should have received.
    pub fn survivor(&self, signal: Signal, waited: Duration) -> Survivor {
        let signal = self.sent.map_or(signal, |(_, signal)| signal);
        Survivor {
            process: Arc::clone(&self.target.process),
            reason: self.reason(signal),
            signal,
            waited,
            was_suspended: self.was_suspended,
            error: self.error.clone(),
        }
    }

    /// Returns how it released the port. A process closes its sockets a moment before its exit is visible, so "still
    /// running" is reported only after a while.
    pub fn outcome(&self, now: Instant) -> Option<TargetOutcome> {
        let (how, at) = match (self.ended, self.closed_port) {
            (Some(at), _) => (ReleaseKind::Ended, at),
            (None, Some(at)) if now.saturating_duration_since(at) >= SLOW_END => {
                (ReleaseKind::StillRunning, at)
            }
            (None, Some(at)) => (ReleaseKind::ClosedSocket, at),
            (None, None) => return None,
        };
        let after = |(sent, signal)| (at.saturating_duration_since(sent), signal);
        Some(TargetOutcome {
            process: Arc::clone(&self.target.process),
            how,
            after: self.sent.map(after),
            was_suspended: self.was_suspended,
        })
    }
}
