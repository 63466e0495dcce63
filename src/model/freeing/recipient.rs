//! What became of one target of an order.

use super::holders::holds;
use super::look::{Conduct, Hindrance, Reaction};
use super::order::Target;
use super::signal::Signal;
use super::verdict::{Ending, How, Survivor};
use crate::model::endpoint::{Owners, Socket};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A process that closed the port longer ago than this and still runs is not about to end.
const SLOW_END: Duration = Duration::from_secs(2);

/// What became of one target.
#[derive(Clone, Debug)]
pub(super) struct Recipient {
    pub target: Target,
    sent: Option<(Instant, Signal)>,
    ended: Option<Instant>,
    let_go: Option<Instant>,
    conduct: Option<Conduct>,
    was_stopped: bool,
    missed: Option<Hindrance>,
}

impl Recipient {
    pub fn new(target: Target) -> Self {
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

    /// Takes in that the signal went out, or why it did not; tells whether it did.
    pub fn take_signal(
        &mut self,
        sent: (Instant, Signal),
        was_stopped: bool,
        missed: &[Hindrance],
    ) -> bool {
        self.was_stopped |= was_stopped;
        self.miss(missed);
        let is_sent = self.missed.is_none();
        if is_sent {
            self.sent = Some(sent);
        }
        is_sent
    }

    /// Takes in what a look saw of the process itself.
    pub fn take_look(&mut self, at: Instant, has_ended: bool, conduct: Option<Conduct>) {
        if has_ended {
            self.ended.get_or_insert(at);
        }
        self.conduct = conduct;
    }

    /// Takes in what a look saw of the port: what holds nothing of it can let go of nothing, and a look that could not read
    /// every table shows of nobody that it let go.
    pub fn take_holding(&mut self, at: Instant, holding: &[Socket], is_whole: bool) {
        if self.holds_any(holding) {
            self.let_go = None;
        } else if is_whole && self.target.is_holder() {
            self.let_go.get_or_insert(at);
        }
    }

    /// When the last signal went out, and which.
    pub fn sent(&self) -> Option<(Instant, Signal)> {
        self.sent
    }

    /// What is said of it while it still holds the port; `signal` is the one it was to get.
    pub fn survivor(&self, signal: Signal, waited: Duration) -> Survivor {
        Survivor {
            process: Arc::clone(&self.target.process),
            conduct: self.conduct,
            signal: self.sent.map_or(signal, |(_, signal)| signal),
            waited,
            was_stopped: self.was_stopped,
            missed: self.missed.clone(),
        }
    }

    /// Whether it is known to do nothing about the signal.
    pub fn ignores(&self) -> bool {
        let reaction = self.conduct.map(|conduct| conduct.reaction);
        reaction == Some(Reaction::Ignores)
    }

    pub fn is_done(&self) -> bool {
        self.done().is_some()
    }

    pub fn done(&self) -> Option<Instant> {
        self.ended.into_iter().chain(self.let_go).min()
    }

    /// One whose holder cannot be seen for the moment counts as held: nothing says that it was let go.
    pub fn holds_any(&self, holding: &[Socket]) -> bool {
        let is_shown = |socket: &Socket| self.target.sockets.contains(&socket.id);
        holding.iter().any(|socket| {
            holds(self.target.id(), socket)
                || is_shown(socket) && matches!(socket.owners, Owners::Hidden | Owners::Sought)
        })
    }

    /// Remembers why it was not signalled, if it is among these.
    pub fn miss(&mut self, missed: &[Hindrance]) {
        let is_own = |hindrance: &&Hindrance| {
            let process = hindrance.process();
            process.is_some_and(|process| process.id == self.target.id())
        };
        self.missed = missed.iter().find(is_own).cloned();
    }

    /// A process closes its sockets a moment before its end can be seen, so that it runs on is not said at once.
    pub fn ending(&self, now: Instant) -> Option<Ending> {
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
