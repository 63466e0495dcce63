//! What is known of a freeing on its way, for whoever waits.

use super::{FreeMachine, FreePhase};
use crate::free::kill_request::KillRequest;
use crate::free::verdict::{NextAction, TargetOutcome, Verdict};
use crate::free::verdict_text;
use crate::model::ports::Port;
use crate::model::process::Process;
use crate::model::signal::Signal;
use crate::wording;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl FreeMachine {
    pub fn request(&self) -> &KillRequest {
        &self.log.request
    }

    pub fn port(&self) -> Port {
        self.log.port()
    }

    /// The truth about the port as far as it is known. It may still change until [`is_settled`](Self::is_settled): what
    /// was still held becomes free when the process ends after all, and what was free may be taken again.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Whether the verdict stands for good and nothing is watched any more.
    pub fn is_settled(&self) -> bool {
        self.phase == FreePhase::Done
    }

    /// One line about what is going on, for as long as there is no verdict.
    pub fn progress(&self, now: Instant) -> String {
        let KillRequest { signal, .. } = self.log.request;
        let targets = self.log.request.targets.iter();
        let targets: Vec<_> = targets.map(|target| &target.process).collect();
        let targets = wording::list(&targets);
        let port = self.log.port();
        match self.phase {
            FreePhase::Sending => format!("sending {signal} to {targets}"),
            FreePhase::Probing { .. } | FreePhase::ProbingPart => {
                format!("nothing holds {port} any more; trying to bind it")
            }
            FreePhase::ProbingUnread { .. } => {
                let unread = self.log.unread().unwrap_or_default();
                format!("{unread}; trying to bind {port}")
            }
            FreePhase::Watching if !self.log.outcomes().is_empty() => {
                let owners = self.log.owner_processes();
                let unread = self.log.unread();
                verdict_text::half_done(port, &self.log.outcomes(), &owners, unread.as_deref())
            }
            FreePhase::Watching
            | FreePhase::Settling { .. }
            | FreePhase::Unbindable { .. }
            | FreePhase::PartlyFree
            | FreePhase::Done => {
                let waited = self.log.waited() + now.saturating_duration_since(self.log.at);
                format!(
                    "{signal} sent to {targets} {} ago; watching {port}",
                    wording::seconds(waited)
                )
            }
        }
    }

    /// Whether whoever waits no longer than was agreed on has an answer: the verdict stands for good, or it has been
    /// waited for the process to end as long as that.
    pub fn is_answered(&self) -> bool {
        let is_late = self.log.waited() >= self.timeouts.wait_for_exit;
        match self.phase {
            FreePhase::Done => true,
            FreePhase::Watching | FreePhase::Unbindable { .. } | FreePhase::PartlyFree => {
                self.verdict.is_some() && is_late
            }
            FreePhase::Sending
            | FreePhase::Probing { .. }
            | FreePhase::ProbingPart
            | FreePhase::ProbingUnread { .. }
            | FreePhase::Settling { .. } => false,
        }
    }

    /// The signal that may be offered: another one went out, and a process that got it still holds the port.
    pub fn offer(&self) -> Option<Signal> {
        match (&self.verdict, self.phase) {
            (
                Some(Verdict::NotEnded {
                    next: NextAction::Offer(signal),
                    ..
                }),
                FreePhase::Watching,
            ) => Some(*signal),
            _ => None,
        }
    }

    /// Every signal that went out, with whom it went to, in that order.
    pub fn signalled(&self) -> &[(Arc<Process>, Signal)] {
        self.log.signalled()
    }

    /// The targets that have ended, or hold the port no more.
    pub fn outcomes(&self) -> Vec<TargetOutcome> {
        self.log.outcomes()
    }

    /// The processes that hold the port by the last look, as far as they may be seen.
    pub fn owners(&self) -> Vec<&Arc<Process>> {
        self.log.owner_processes()
    }

    /// How long ago the last signal went out, by the last look.
    pub fn waited(&self) -> Duration {
        self.log.waited()
    }
}
