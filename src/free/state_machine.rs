//! The machine that frees a port: happenings in, steps out.

mod accessors;
mod bind;

use super::evaluate::{Evaluation, evaluate, taken};
use super::exec_command::{ExecCommand, ExecEvent};
use super::kill_request::KillRequest;
use super::observations::{PortSnapshot, SendOutcome, SendReport};
use super::request_log::RequestLog;
use super::verdict::Verdict;
use super::{BIND_RETRY, Timeouts};
use crate::model::signal::Signal;
use std::time::Instant;

/// One order on its way to a verdict.
#[derive(Clone, Debug)]
pub struct FreeMachine {
    log: RequestLog,
    timeouts: Timeouts,
    phase: FreePhase,
    verdict: Option<Verdict>,
    /// Whether a bind refuted that part of the port is free; it is not tried again and again.
    is_part_refuted: bool,
    /// When a bind last had to decide because tables could not be read, and how many targets were left then.
    probed: Option<(Instant, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FreePhase {
    Sending,
    /// Something holds the port; a verdict may already say so.
    Watching,
    /// Nothing holds it, and a bind is being tried.
    Probing {
        free_since: Instant,
    },
    /// Said to be free, and watched a while longer.
    Settling {
        free_since: Instant,
        bound: Instant,
    },
    /// Nothing holds it, yet it cannot be bound.
    Unbindable {
        free_since: Instant,
        tried: Instant,
    },
    /// A part of it may be free, and a bind is being tried there.
    ProbingPart,
    /// Tables cannot be read, and a bind is being tried that may decide all the same.
    ProbingUnread {
        /// Since when it is free, if it was before.
        free_since: Option<Instant>,
    },
    /// A part of it is free.
    PartlyFree,
    Done,
}

impl FreeMachine {
    /// Awaits that what was confirmed is sent, which [`Batch::begin`](super::Batch::begin) asks for.
    pub(super) fn new(request: KillRequest, timeouts: Timeouts) -> Self {
        Self {
            log: RequestLog::new(request),
            timeouts,
            phase: FreePhase::Sending,
            verdict: None,
            is_part_refuted: false,
            probed: None,
        }
    }

    /// Takes in what happened. What was found for another order says nothing about this one, and is dropped.
    pub fn on(&mut self, event: ExecEvent) -> Vec<ExecCommand> {
        if event.request() != self.log.request.id {
            return Vec::new();
        }
        match event {
            ExecEvent::SignalsSent(dispatch) => self.on_sent(&dispatch),
            ExecEvent::Polled(look) => self.on_polled(look),
            ExecEvent::BindProbed(probe) => self.on_bind_probed(&probe),
        }
    }

    /// The order to send what is [offered](Self::offer) to the targets that still hold the port, with all checks made
    /// again.
    pub(super) fn escalate(&mut self, now: Instant) -> Option<KillRequest> {
        let signal = self.offer()?;
        Some(self.repeat_request(signal, now))
    }

    fn repeat_request(&mut self, signal: Signal, now: Instant) -> KillRequest {
        let survivors = self.log.survivors();
        let targets = survivors
            .map(|target_state| target_state.target.clone())
            .collect();
        let request = self.log.request.again(targets, signal, now);
        self.log.request = request.clone();
        self.log.at = now;
        self.verdict = None;
        self.phase = FreePhase::Sending;
        request
    }

    fn on_sent(&mut self, dispatch: &SendReport) -> Vec<ExecCommand> {
        if self.phase != FreePhase::Sending {
            return Vec::new();
        }
        self.log.record_send(dispatch);
        match &dispatch.sending {
            SendOutcome::Sent { .. } => {
                self.phase = FreePhase::Watching;
                vec![ExecCommand::Watch(self.log.request.id)]
            }
            SendOutcome::NotSent(error) => {
                self.log.record_error(error);
                self.verdict = Some(Verdict::NothingSent(error.clone()));
                // A signal that went out before may still do its work, so the port stays watched.
                if self.log.has_sent() {
                    self.phase = FreePhase::Watching;
                    vec![ExecCommand::Watch(self.log.request.id)]
                } else {
                    self.phase = FreePhase::Done;
                    vec![ExecCommand::StopWatching(self.log.request.id)]
                }
            }
        }
    }

    fn on_polled(&mut self, look: PortSnapshot) -> Vec<ExecCommand> {
        if matches!(self.phase, FreePhase::Sending | FreePhase::Done) {
            return Vec::new();
        }
        self.log.record_poll(look);
        let taker = self.log.holding_sockets().first().copied().cloned();
        match (self.phase, taker) {
            (
                FreePhase::Probing { free_since }
                | FreePhase::Settling { free_since, .. }
                | FreePhase::Unbindable { free_since, .. },
                Some(taker),
            ) => {
                self.set_verdict(taken(&self.log, &taker, Some(free_since)));
                self.finish()
            }
            (FreePhase::Settling { free_since, bound }, None) => self.settle(free_since, bound),
            (FreePhase::Unbindable { free_since, tried }, None) => {
                self.retry_bind(free_since, tried)
            }
            (FreePhase::Watching | FreePhase::PartlyFree, _) => self.evaluate(),
            (
                FreePhase::Sending
                | FreePhase::Probing { .. }
                | FreePhase::ProbingPart
                | FreePhase::ProbingUnread { .. }
                | FreePhase::Done,
                _,
            ) => Vec::new(),
        }
    }

    fn evaluate(&mut self) -> Vec<ExecCommand> {
        // What was bound in part is not taken back because a table cannot be read for a while.
        if self.phase == FreePhase::PartlyFree && self.log.is_unread() {
            return Vec::new();
        }
        match evaluate(&self.log, &self.timeouts, self.is_part_refuted) {
            Evaluation::Wait => {
                // The tables can be read again and show what was unknown.
                self.verdict
                    .take_if(|verdict| matches!(verdict, Verdict::Unknown { .. }));
                Vec::new()
            }
            Evaluation::Probe => {
                let leftovers = self.log.survivors().count();
                let is_due = self.probed.is_none_or(|(at, had)| {
                    had != leftovers || self.log.at.saturating_duration_since(at) >= BIND_RETRY
                });
                if is_due { self.probe(None) } else { Vec::new() }
            }
            Evaluation::Escalate => {
                let request = self.repeat_request(Signal::Kill, self.log.at);
                vec![ExecCommand::Send(vec![request])]
            }
            Evaluation::NoOwner => self.try_all(self.log.at),
            Evaluation::Part(_) if self.phase == FreePhase::PartlyFree => Vec::new(),
            Evaluation::Part(addresses) => {
                self.phase = FreePhase::ProbingPart;
                vec![ExecCommand::TryBind(self.log.request.id, addresses)]
            }
            Evaluation::Decided(verdict) => {
                let is_final = matches!(*verdict, Verdict::TakenAgain { .. });
                self.set_verdict(*verdict);
                self.phase = FreePhase::Watching;
                if is_final { self.finish() } else { Vec::new() }
            }
        }
    }

    /// A process that let go of the port may end later, which the verdict then says instead.
    fn refresh_outcomes(&mut self) {
        if let Some(
            Verdict::Free { outcomes, .. }
            | Verdict::OnlyWithReuse { outcomes, .. }
            | Verdict::CannotBind { outcomes, .. },
        ) = &mut self.verdict
        {
            *outcomes = self.log.outcomes();
        }
    }

    fn set_verdict(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }

    fn finish(&mut self) -> Vec<ExecCommand> {
        self.phase = FreePhase::Done;
        vec![ExecCommand::StopWatching(self.log.request.id)]
    }
}

#[cfg(test)]
mod tests;
