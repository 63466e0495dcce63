//! What is known of a freeing on its way, for whoever waits.

use super::{Freeing, Phase};
use crate::model::freeing::order::Order;
use crate::model::freeing::signal::Signal;
use crate::model::freeing::verdict::{Ending, Next, Port, Verdict};
use crate::model::freeing::{sentence, words};
use crate::model::process::Process;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Freeing {
    pub fn order(&self) -> &Order {
        &self.record.order
    }

    pub fn port(&self) -> Port {
        self.record.port()
    }

    /// The truth about the port as far as it is known. It may still change until [`is_settled`](Self::is_settled): what
    /// was still held becomes free when the process ends after all, and what was free may be taken again.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Whether the verdict stands for good and nothing is watched any more.
    pub fn is_settled(&self) -> bool {
        self.phase == Phase::Over
    }

    /// One line about what is going on, for as long as there is no verdict.
    pub fn progress(&self, now: Instant) -> String {
        let Order { signal, .. } = self.record.order;
        let targets = self.record.order.targets.iter();
        let targets: Vec<_> = targets.map(|target| &target.process).collect();
        let targets = words::list(&targets);
        let port = self.record.port();
        match self.phase {
            Phase::Sending => format!("sending {signal} to {targets}"),
            Phase::Trying { .. } | Phase::TryingPart => {
                format!("nothing holds {port} any more; trying to bind it")
            }
            Phase::Probing { .. } => {
                let unread = self.record.unread().unwrap_or_default();
                format!("{unread}; trying to bind {port}")
            }
            Phase::Watching if !self.record.endings().is_empty() => {
                let holders = self.record.holding_processes();
                let unread = self.record.unread();
                sentence::half_done(port, &self.record.endings(), &holders, unread.as_deref())
            }
            Phase::Watching
            | Phase::Settling { .. }
            | Phase::Lingering { .. }
            | Phase::InPart
            | Phase::Over => {
                let waited = self.record.waited() + now.saturating_duration_since(self.record.at);
                format!(
                    "{signal} sent to {targets} {} ago; watching {port}",
                    words::seconds(waited)
                )
            }
        }
    }

    /// Whether whoever waits no longer than was agreed on has an answer: the verdict stands for good, or it has been
    /// waited for the process to end as long as that.
    pub fn is_told(&self) -> bool {
        let is_late = self.record.waited() >= self.terms.patience;
        match self.phase {
            Phase::Over => true,
            Phase::Watching | Phase::Lingering { .. } | Phase::InPart => {
                self.verdict.is_some() && is_late
            }
            Phase::Sending
            | Phase::Trying { .. }
            | Phase::TryingPart
            | Phase::Probing { .. }
            | Phase::Settling { .. } => false,
        }
    }

    /// The signal that may be offered: another one went out, and a process that got it still holds the port.
    pub fn offer(&self) -> Option<Signal> {
        match (&self.verdict, self.phase) {
            (
                Some(Verdict::NotEnded {
                    next: Next::Offer(signal),
                    ..
                }),
                Phase::Watching,
            ) => Some(*signal),
            _ => None,
        }
    }

    /// Every signal that went out, with whom it went to, in that order.
    pub fn signalled(&self) -> &[(Arc<Process>, Signal)] {
        self.record.signalled()
    }

    /// The targets that have ended, or hold the port no more.
    pub fn endings(&self) -> Vec<Ending> {
        self.record.endings()
    }

    /// The processes that hold the port by the last look, as far as they may be seen.
    pub fn holders(&self) -> Vec<&Arc<Process>> {
        self.record.holding_processes()
    }

    /// How long ago the last signal went out, by the last look.
    pub fn waited(&self) -> Duration {
        self.record.waited()
    }
}
