//! Phases once nothing holds the port: binds, and the watch until it counts as free.

use super::bind::{all_addresses, bind_verdict, part_verdict};
use super::phase::{BIND_RETRY, FreePhase, LastBind, ReuseState};
use super::poll_verdict::held_by_others;
use super::{FreeMachine, reuse};
use crate::free::exec_command::{BindProbe, ExecCommand};
use crate::free::verdict::{Verdict, VerdictKind};
use std::time::{Duration, Instant};

impl FreeMachine {
    pub(super) fn try_all(&mut self, free_since: Instant) -> Vec<ExecCommand> {
        self.bind_all(FreePhase::Probing { free_since })
    }

    /// Lets a bind decide, because tables cannot be read.
    fn probe(&mut self, previous: Option<LastBind>) -> Vec<ExecCommand> {
        self.probed = Some((self.log.at, self.log.survivors().count()));
        self.bind_all(FreePhase::ProbingUnread { previous })
    }

    fn bind_all(&mut self, phase: FreePhase) -> Vec<ExecCommand> {
        self.phase = phase;
        let addresses = all_addresses(&self.log);
        vec![ExecCommand::TryBind(self.log.request.id, addresses)]
    }

    pub(super) fn probe_if_due(&mut self) -> Vec<ExecCommand> {
        let survivors = self.log.survivors().count();
        let is_due = self.probed.is_none_or(|(at, had)| {
            had != survivors || self.log.at.saturating_duration_since(at) >= BIND_RETRY
        });
        if is_due { self.probe(None) } else { Vec::new() }
    }

    /// Settles once the port has been free for long enough. While tables cannot be read, a new bind must show that it
    /// was not taken again.
    pub(super) fn settle(&mut self, bind: LastBind) -> Vec<ExecCommand> {
        self.refresh_outcomes();
        let free_since = bind.free_since;
        let settle = self.settle_time();
        let is_early = |at: Instant| at.saturating_duration_since(free_since) < settle;
        if is_early(self.log.at) {
            return Vec::new();
        }
        if self.log.is_unread() && is_early(bind.at) {
            return self.probe(Some(bind));
        }
        let commands = self.finish();
        self.phase = FreePhase::WatchingReuse(ReuseState {
            free_since,
            until: self.log.at + reuse::REUSE_WATCH,
            taken: None,
            was_unread: false,
        });
        self.log.last_poll.sockets.clear();
        commands
    }

    /// How long the free port is watched before that counts.
    pub(super) fn settle_time(&self) -> Duration {
        if self.log.has_running_target() {
            self.timeouts.settle_beside_target
        } else {
            self.timeouts.settle
        }
    }

    /// Updates the remaining TIME_WAIT. Binds again once the visible cause of the failure is gone, or, without one,
    /// after a while.
    pub(super) fn retry_bind(&mut self, bind: LastBind) -> Vec<ExecCommand> {
        self.refresh_outcomes();
        let is_due = self.log.at.saturating_duration_since(bind.at) >= BIND_RETRY;
        if self.log.is_unread() {
            return if is_due {
                self.probe(Some(bind))
            } else {
                Vec::new()
            };
        }
        let now = self.log.leftovers();
        if let Some(Verdict { kind, .. }) = &mut self.verdict
            && let VerdictKind::CannotBind { leftovers, .. } = kind
        {
            if now.states.is_empty() && (is_due || !leftovers.states.is_empty()) {
                return self.try_all(bind.free_since);
            }
            *leftovers = now;
        }
        Vec::new()
    }

    /// Updates the outcomes: a process that closed the port may exit later.
    fn refresh_outcomes(&mut self) {
        if let Some(verdict) = &mut self.verdict {
            verdict.outcomes = self.log.outcomes();
        }
    }

    pub(super) fn on_bind_probed(&mut self, probe: &BindProbe) -> Vec<ExecCommand> {
        let at = self.log.at;
        self.phase = match self.phase {
            // The tables can be read again, so the next poll will show more than this bind: discard its result.
            FreePhase::ProbingUnread { previous } if !self.log.is_unread() => {
                previous.map_or(FreePhase::Watching, |bind| self.phase_after(bind))
            }
            // Who holds the rest can no longer be seen.
            FreePhase::ProbingPart if self.log.is_unread() => FreePhase::Watching,
            FreePhase::ProbingPart => {
                let verdict = part_verdict(&self.log, probe);
                let is_free = verdict.is_some();
                self.has_part_bind_failed |= !is_free;
                self.verdict = Some(verdict.unwrap_or_else(|| held_by_others(&self.log)));
                if is_free {
                    FreePhase::PartlyFree
                } else {
                    FreePhase::Watching
                }
            }
            FreePhase::Probing { .. } | FreePhase::ProbingUnread { .. } => {
                let free_since = self.phase.free_since().unwrap_or(at);
                self.verdict = Some(bind_verdict(&self.log, probe));
                self.phase_after(LastBind { free_since, at })
            }
            phase @ (FreePhase::Sending
            | FreePhase::Watching
            | FreePhase::Settling(_)
            | FreePhase::Unbindable(_)
            | FreePhase::PartlyFree
            | FreePhase::WatchingReuse(_)
            | FreePhase::Done) => phase,
        };
        Vec::new()
    }

    /// Returns the phase that follows from the verdict of this bind.
    fn phase_after(&self, bind: LastBind) -> FreePhase {
        use VerdictKind::{CannotBind, Free, HeldByOthers, NotEnded, NothingSent};
        use VerdictKind::{OnlyWithReuseAddr, PartlyFree, TakenAgain, Unknown};
        match self.verdict.as_ref().map(|verdict| &verdict.kind) {
            Some(CannotBind { .. }) => FreePhase::Unbindable(bind),
            Some(Free(_) | OnlyWithReuseAddr(_)) => FreePhase::Settling(bind),
            Some(
                PartlyFree { .. }
                | HeldByOthers(_)
                | NotEnded { .. }
                | TakenAgain { .. }
                | Unknown { .. }
                | NothingSent(_),
            )
            | None => FreePhase::Watching,
        }
    }
}
