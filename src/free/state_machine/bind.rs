//! Binds: when one is tried, and what follows from it.

use super::{FreeMachine, FreePhase};
use crate::free::BIND_RETRY;
use crate::free::evaluate::{all_addresses, bound, held_by_others, partly_bound};
use crate::free::exec_command::ExecCommand;
use crate::free::observations::BindProbe;
use crate::free::verdict::Verdict;
use std::time::Instant;

impl FreeMachine {
    pub(super) fn try_all(&mut self, free_since: Instant) -> Vec<ExecCommand> {
        self.phase = FreePhase::Probing { free_since };
        vec![ExecCommand::TryBind(
            self.log.request.id,
            all_addresses(&self.log),
        )]
    }

    /// Lets a bind decide, as tables cannot be read.
    pub(super) fn probe(&mut self, free_since: Option<Instant>) -> Vec<ExecCommand> {
        self.probed = Some((self.log.at, self.log.survivors().count()));
        self.phase = FreePhase::ProbingUnread { free_since };
        let addresses = all_addresses(&self.log);
        vec![ExecCommand::TryBind(self.log.request.id, addresses)]
    }

    /// Ends where the port was free for long enough. Where tables cannot tell that it was not taken meanwhile, a bind does.
    pub(super) fn settle(&mut self, free_since: Instant, bound: Instant) -> Vec<ExecCommand> {
        self.refresh_outcomes();
        let is_before =
            |at: Instant| at.saturating_duration_since(free_since) < self.timeouts.settle;
        if is_before(self.log.at) {
            Vec::new()
        } else if self.log.is_unread() && is_before(bound) {
            self.probe(Some(free_since))
        } else {
            self.finish()
        }
    }

    /// Brings the rest of the wait up to date, and tries again when what could be in the way has gone, or after a while
    /// where nothing of that kind was ever seen.
    pub(super) fn retry_bind(&mut self, free_since: Instant, tried: Instant) -> Vec<ExecCommand> {
        self.refresh_outcomes();
        let is_due = self.log.at.saturating_duration_since(tried) >= BIND_RETRY;
        if self.log.is_unread() {
            return if is_due {
                self.probe(Some(free_since))
            } else {
                Vec::new()
            };
        }
        let leftovers = self.log.leftovers();
        if let Some(Verdict::CannotBind {
            leftovers: previous,
            ..
        }) = &mut self.verdict
        {
            let was_in_the_way = !previous.states.is_empty();
            if leftovers.states.is_empty() && (was_in_the_way || is_due) {
                return self.try_all(free_since);
            }
            *previous = leftovers;
        }
        Vec::new()
    }

    pub(super) fn on_bind_probed(&mut self, probe: &BindProbe) -> Vec<ExecCommand> {
        match self.phase {
            // The tables can be read again, and the next look tells more than a bind.
            FreePhase::ProbingUnread { free_since } if !self.log.is_unread() => {
                let at = self.log.at;
                let is_refused = matches!(self.verdict, Some(Verdict::CannotBind { .. }));
                self.phase = match free_since {
                    None => FreePhase::Watching,
                    Some(free_since) if is_refused => FreePhase::Unbindable {
                        free_since,
                        tried: at,
                    },
                    Some(free_since) => FreePhase::Settling {
                        free_since,
                        bound: at,
                    },
                };
            }
            // Who holds the rest can no longer be told.
            FreePhase::ProbingPart if self.log.is_unread() => self.phase = FreePhase::Watching,
            FreePhase::Probing { .. } | FreePhase::ProbingUnread { .. } => {
                let verdict = bound(&self.log, probe);
                let at = self.log.at;
                let free_since = match self.phase {
                    FreePhase::Probing { free_since } => free_since,
                    FreePhase::ProbingUnread { free_since } => free_since.unwrap_or(at),
                    _ => at,
                };
                self.phase = match verdict {
                    Verdict::CannotBind { .. } => FreePhase::Unbindable {
                        free_since,
                        tried: at,
                    },
                    Verdict::Unknown { .. } => FreePhase::Watching,
                    Verdict::Free { .. }
                    | Verdict::OnlyWithReuse { .. }
                    | Verdict::PartlyFree { .. }
                    | Verdict::HeldByOthers { .. }
                    | Verdict::NotEnded { .. }
                    | Verdict::TakenAgain { .. }
                    | Verdict::NothingSent(_) => FreePhase::Settling {
                        free_since,
                        bound: at,
                    },
                };
                self.set_verdict(verdict);
            }
            FreePhase::ProbingPart => {
                if let Some(verdict) = partly_bound(&self.log, probe) {
                    self.phase = FreePhase::PartlyFree;
                    self.set_verdict(verdict);
                } else {
                    self.is_part_refuted = true;
                    self.phase = FreePhase::Watching;
                    self.set_verdict(held_by_others(&self.log));
                }
            }
            FreePhase::Sending
            | FreePhase::Watching
            | FreePhase::Settling { .. }
            | FreePhase::Unbindable { .. }
            | FreePhase::PartlyFree
            | FreePhase::Done => {}
        }
        Vec::new()
    }
}
