//! State machine that frees one port: events of the executor in, commands out.

mod bind;
mod evaluate;
mod next_steps;
mod phase;
mod poll_verdict;
mod released;
mod request_log;
mod reuse;
mod target_state;

use super::exec_command::{ExecCommand, ExecEvent, ExecResult, PortSnapshot, SendOutcome};
use super::request::KillRequest;
use super::verdict::{Progress, TargetOutcome, Verdict, VerdictKind};
use crate::model::port::Port;
use crate::model::process::{Process, ProcessId, Signal};
use evaluate::{Evaluation, evaluate};
use phase::FreePhase;
use poll_verdict::taken_again;
use request_log::RequestLog;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use next_steps::{NextSteps, RestKind};
pub use phase::{BIND_RETRY, Timeouts};
pub use reuse::TableChange;

/// One request on its way to a verdict, and a freed port until it is taken again.
#[derive(Clone, Debug)]
pub struct FreeMachine {
    log: RequestLog,
    timeouts: Timeouts,
    phase: FreePhase,
    verdict: Option<Verdict>,
    /// True once a bind has refuted that part of the port is free; it is not tried again.
    has_part_bind_failed: bool,
    /// Time of the last bind that was tried because tables could not be read, and the number of survivors at that time.
    probed: Option<(Instant, usize)>,
}

impl FreeMachine {
    /// Waits for the signals that [`Batch::begin`](super::Batch::begin) asks for.
    pub(super) fn new(request: KillRequest, timeouts: Timeouts) -> Self {
        Self {
            log: RequestLog::new(request),
            timeouts,
            phase: FreePhase::Sending,
            verdict: None,
            has_part_bind_failed: false,
            probed: None,
        }
    }

    /// Takes an event and returns what to do next. An event of another request is dropped.
    pub fn on(&mut self, event: ExecEvent) -> Vec<ExecCommand> {
        if event.request != self.log.request.id {
            return Vec::new();
        }
        match event.result {
            ExecResult::SignalsSent(outcome) => self.on_sent(event.at, &outcome),
            ExecResult::Polled(snapshot) => self.on_polled(event.at, snapshot),
            ExecResult::BindProbed(probe) => self.on_bind_probed(&probe),
        }
    }

    /// Returns the request that sends the [offered](Self::offer) signal to the survivors, which are verified again.
    pub(super) fn escalate(&mut self, now: Instant) -> Option<KillRequest> {
        let signal = self.offer()?;
        Some(self.repeat_request(signal, now))
    }

    fn repeat_request(&mut self, signal: Signal, now: Instant) -> KillRequest {
        let signaled = (self.log.survivors()).filter(|state| state.may_get_another());
        let survivors = signaled.map(|state| state.target.clone());
        let request = self.log.request.again(survivors.collect(), signal, now);
        self.log.request = request.clone();
        self.log.at = now;
        self.verdict = None;
        self.phase = FreePhase::Sending;
        request
    }

    fn on_sent(&mut self, at: Instant, outcome: &SendOutcome) -> Vec<ExecCommand> {
        if self.phase != FreePhase::Sending {
            return Vec::new();
        }
        self.log.record_send(at, outcome);
        if let SendOutcome::NotSent(error) = outcome {
            self.verdict = Some(self.log.verdict(VerdictKind::NothingSent(error.clone())));
            // An earlier signal may still take effect, so the port stays watched.
            if self.log.last_sent().is_none() {
                return self.finish();
            }
        }
        self.phase = FreePhase::Watching;
        vec![ExecCommand::Watch(self.log.request.id)]
    }

    fn on_polled(&mut self, at: Instant, snapshot: PortSnapshot) -> Vec<ExecCommand> {
        if self.phase == FreePhase::Sending || self.is_settled() {
            return Vec::new();
        }
        self.log.record_poll(at, snapshot);
        if let Some(free_since) = self.phase.free_since()
            && let Some(by) = self.log.holding_sockets().first()
        {
            let free_for = self.log.at.saturating_duration_since(free_since);
            self.verdict = Some(taken_again(&self.log, by, Some(free_for)));
            return self.finish();
        }
        match self.phase {
            FreePhase::Settling(bind) => self.settle(bind),
            FreePhase::Unbindable(bind) => self.retry_bind(bind),
            FreePhase::Watching | FreePhase::PartlyFree => self.evaluate(),
            FreePhase::Sending
            | FreePhase::Probing { .. }
            | FreePhase::ProbingPart
            | FreePhase::ProbingUnread { .. }
            | FreePhase::WatchingReuse(_)
            | FreePhase::Done => Vec::new(),
        }
    }

    fn evaluate(&mut self) -> Vec<ExecCommand> {
        // An address that was bound stays free even if a table cannot be read for a while.
        if self.phase == FreePhase::PartlyFree && self.log.is_unread() {
            return Vec::new();
        }
        match evaluate(&self.log, &self.timeouts, self.has_part_bind_failed) {
            Evaluation::Wait => {
                // The tables can be read again and show what was unknown.
                self.verdict
                    .take_if(|verdict| matches!(verdict.kind, VerdictKind::Unknown { .. }));
                Vec::new()
            }
            Evaluation::Probe => self.probe_if_due(),
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
                let is_final = matches!(verdict.kind, VerdictKind::TakenAgain { .. });
                self.verdict = Some(*verdict);
                self.phase = FreePhase::Watching;
                if is_final { self.finish() } else { Vec::new() }
            }
        }
    }

    fn finish(&mut self) -> Vec<ExecCommand> {
        self.phase = FreePhase::Done;
        vec![ExecCommand::StopWatching(self.log.request.id)]
    }

    pub fn request(&self) -> &KillRequest {
        &self.log.request
    }

    pub fn port(&self) -> Port {
        self.log.request.port()
    }

    /// The verdict so far. It may change until [`is_settled`](Self::is_settled): a held port becomes free when its process
    /// ends after all, and a free one may be taken again.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// True once the executor no longer watches the port.
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, FreePhase::Done | FreePhase::WatchingReuse(_))
    }

    /// Returns what is awaited while there is no verdict, or until a free port counts as free.
    pub fn progress(&self, now: Instant) -> Progress {
        let port = self.port();
        let KillRequest { signal, .. } = self.log.request;
        let targets = self.log.request.targets.iter();
        let targets = targets.map(|target| Arc::clone(&target.process)).collect();
        match self.phase {
            FreePhase::Sending => Progress::Sending { signal, targets },
            FreePhase::Settling(bind)
            | FreePhase::ProbingUnread {
                previous: Some(bind),
            } => Progress::Settling {
                left: self
                    .settle_time()
                    .saturating_sub(now.saturating_duration_since(bind.free_since)),
            },
            FreePhase::Probing { .. } | FreePhase::ProbingPart => Progress::Binding {
                port,
                problems: Vec::new(),
            },
            FreePhase::ProbingUnread { previous: None } => Progress::Binding {
                port,
                problems: self.log.last_poll.problems.clone(),
            },
            FreePhase::Watching if !self.outcomes().is_empty() => Progress::SomeEnded {
                port,
                outcomes: self.outcomes(),
                owners: self.owners().into_iter().cloned().collect(),
                problems: self.log.last_poll.problems.clone(),
            },
            FreePhase::Watching
            | FreePhase::Unbindable(_)
            | FreePhase::PartlyFree
            | FreePhase::WatchingReuse(_)
            | FreePhase::Done => Progress::Waiting {
                port,
                signal,
                targets,
                waited: self.waited() + now.saturating_duration_since(self.log.at),
            },
        }
    }

    /// True if a caller that waits no longer than the timeouts has its answer. A signal that is known to end nothing is one.
    pub fn is_answered(&self) -> bool {
        match self.phase {
            FreePhase::WatchingReuse(_) | FreePhase::Done => true,
            FreePhase::Watching | FreePhase::Unbindable(_) | FreePhase::PartlyFree => {
                let kind = self.verdict.as_ref().map(|verdict| &verdict.kind);
                let is_over = self.waited() >= self.timeouts.wait_for_exit;
                matches!(kind, Some(VerdictKind::NotEnded { .. })) || kind.is_some() && is_over
            }
            FreePhase::Sending
            | FreePhase::Probing { .. }
            | FreePhase::ProbingPart
            | FreePhase::ProbingUnread { .. }
            | FreePhase::Settling(_) => false,
        }
    }

    /// Returns the signal to offer: another one was sent, and a target that got it still holds the port.
    pub fn offer(&self) -> Option<Signal> {
        match self.verdict.as_ref()?.kind {
            VerdictKind::NotEnded { offer, .. }
                if self.phase == FreePhase::Watching && self.log.has_signaled_survivor() =>
            {
                offer
            }
            _ => None,
        }
    }

    /// Returns every signal that was sent and its process, in that order.
    pub fn signaled(&self) -> &[(Arc<Process>, Signal)] {
        &self.log.signaled
    }

    /// True if a signal was sent to the process.
    pub fn has_signaled(&self, process: ProcessId) -> bool {
        let mut signaled = self.signaled().iter();
        let mut survivors = self.log.survivors();
        signaled.any(|(one, _)| one.id == process)
            && !survivors
                .any(|state| state.target.process.id == process && !state.may_get_another())
    }

    /// Returns the targets that have ended or closed the port.
    pub fn outcomes(&self) -> Vec<TargetOutcome> {
        self.log.outcomes()
    }

    /// Returns the visible processes that held the port at the last poll.
    pub fn owners(&self) -> Vec<&Arc<Process>> {
        self.log.owner_processes()
    }

    /// Time from the last signal to the last poll.
    pub fn waited(&self) -> Duration {
        self.log.waited()
    }
}

#[cfg(test)]
mod tests;
