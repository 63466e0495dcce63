//! The watch for reuse: whether a port that is free for good is taken again.

use super::FreeMachine;
use super::phase::{FreePhase, ReuseState};
use super::poll_verdict::taken_again;
use crate::free::verdict::{Verdict, VerdictKind};
use crate::model::port::Port;
use crate::model::process::ProcessTree;
use crate::model::snapshot::Problem;
use crate::model::socket::{EndpointId, Owners, Socket};
use std::time::{Duration, Instant};

/// How long a freed port is watched for reuse.
pub(super) const REUSE_WATCH: Duration = Duration::from_mins(10);

/// Timeout of the search for the owner of the socket that took the port.
const OWNER_TIMEOUT: Duration = Duration::from_secs(2);

/// A change that an ordinary poll shows.
#[derive(Clone, Copy, Debug)]
pub enum TableChange<'a> {
    Closed(EndpointId),
    /// A socket as it is now, whether it opened or changed.
    Open(&'a Socket),
}

impl FreeMachine {
    /// True if the port is free for good and watched for reuse.
    pub fn is_watching_reuse(&self) -> bool {
        matches!(self.phase, FreePhase::WatchingReuse(_))
    }

    /// Since when nothing holds the port, as far as is known.
    pub fn free_since(&self) -> Option<Instant> {
        self.phase.free_since()
    }

    /// Takes the changes of an ordinary poll while the port is watched for reuse. The watch ends after ten minutes, or
    /// later if the port was taken in that time and this was not reported yet.
    pub fn on_table_changes<'a>(
        &mut self,
        at: Instant,
        changes: impl Iterator<Item = TableChange<'a>>,
        problems: &[Problem],
    ) {
        let port = self.port();
        let FreePhase::WatchingReuse(reuse) = &mut self.phase else {
            return;
        };
        let sockets = &mut self.log.last_poll.sockets;
        for change in changes {
            match change {
                TableChange::Closed(id) => {
                    sockets.retain(|socket| socket.id != id);
                    if sockets.is_empty() && reuse.taken.take().is_some() {
                        reuse.free_since = at;
                    }
                }
                TableChange::Open(new) => {
                    if let Some(known) = sockets.iter_mut().find(|known| known.id == new.id) {
                        *known = new.clone();
                    } else if Port::of(new) == port && new.holds_port() && at <= reuse.until {
                        reuse.taken.get_or_insert(at);
                        sockets.push(new.clone());
                    }
                }
            }
        }
        if reuse.taken.is_some() {
            return;
        }
        // The first poll that reads a table again shows what came before it.
        let mut problems = problems.iter();
        reuse.was_unread = problems.any(|problem| problem.protocol == port.protocol);
        if at > reuse.until {
            self.phase = FreePhase::Done;
        }
    }

    /// If the port was taken again, ends the watch and returns the verdict, once the new owner is known or the search
    /// has timed out.
    pub fn taken_again_verdict(&mut self, now: Instant) -> Option<&Verdict> {
        let FreePhase::WatchingReuse(ReuseState {
            free_since,
            taken: Some(taken),
            was_unread,
            ..
        }) = self.phase
        else {
            return None;
        };
        let mut sockets = self.log.last_poll.sockets.iter();
        let first = sockets.clone().next();
        let known = sockets.find(|socket| socket.owners != Owners::Pending);
        let is_late = now.saturating_duration_since(taken) >= OWNER_TIMEOUT;
        let by = known.or(first.filter(|_| is_late))?;
        let free_for = taken.saturating_duration_since(free_since);
        let verdict = taken_again(&self.log, by, (!was_unread).then_some(free_for));
        self.phase = FreePhase::Done;
        Some(self.verdict.insert(verdict))
    }

    /// Adds who started the process that took the port.
    pub fn add_starter(&mut self, tree: &ProcessTree) {
        if let Some(Verdict { kind, .. }) = &self.verdict
            && let VerdictKind::TakenAgain { by, free_for, .. } = kind
        {
            self.log.record_starter(tree);
            self.verdict = Some(taken_again(&self.log, by, *free_for));
        }
    }
}
