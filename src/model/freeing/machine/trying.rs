//! Binds: when one is tried, and what follows from it.

use super::{Freeing, Phase};
use crate::model::freeing::RETRY;
use crate::model::freeing::judging::{all_addresses, bound, held_by_others, partly_bound};
use crate::model::freeing::look::BindTrial;
use crate::model::freeing::step::Step;
use crate::model::freeing::verdict::Verdict;
use std::time::Instant;

impl Freeing {
    pub(super) fn try_all(&mut self, free_since: Instant) -> Vec<Step> {
        self.phase = Phase::Trying { free_since };
        vec![Step::TryBind(
            self.record.order.id,
            all_addresses(&self.record),
        )]
    }

    /// Lets a bind decide, as tables cannot be read.
    pub(super) fn probe(&mut self, free_since: Option<Instant>) -> Vec<Step> {
        self.probed = Some((self.record.at, self.record.survivors().count()));
        self.phase = Phase::Probing { free_since };
        let addresses = all_addresses(&self.record);
        vec![Step::TryBind(self.record.order.id, addresses)]
    }

    /// Ends where the port was free for long enough. Where tables cannot tell that it was not taken meanwhile, a bind does.
    pub(super) fn settle(&mut self, free_since: Instant, bound: Instant) -> Vec<Step> {
        self.refresh_endings();
        let is_before = |at: Instant| at.saturating_duration_since(free_since) < self.terms.settle;
        if is_before(self.record.at) {
            Vec::new()
        } else if self.record.is_unread() && is_before(bound) {
            self.probe(Some(free_since))
        } else {
            self.end()
        }
    }

    /// Brings the rest of the wait up to date, and tries again when what could be in the way has gone, or after a while
    /// where nothing of that kind was ever seen.
    pub(super) fn linger(&mut self, free_since: Instant, tried: Instant) -> Vec<Step> {
        self.refresh_endings();
        let is_due = self.record.at.saturating_duration_since(tried) >= RETRY;
        if self.record.is_unread() {
            return if is_due {
                self.probe(Some(free_since))
            } else {
                Vec::new()
            };
        }
        let left = self.record.left();
        if let Some(Verdict::CannotBind { left: said, .. }) = &mut self.verdict {
            let was_in_the_way = !said.states.is_empty();
            if left.states.is_empty() && (was_in_the_way || is_due) {
                return self.try_all(free_since);
            }
            *said = left;
        }
        Vec::new()
    }

    pub(super) fn tried(&mut self, trial: &BindTrial) -> Vec<Step> {
        match self.phase {
            // The tables can be read again, and the next look tells more than a bind.
            Phase::Probing { free_since } if !self.record.is_unread() => {
                let at = self.record.at;
                let is_refused = matches!(self.verdict, Some(Verdict::CannotBind { .. }));
                self.phase = match free_since {
                    None => Phase::Watching,
                    Some(free_since) if is_refused => Phase::Lingering {
                        free_since,
                        tried: at,
                    },
                    Some(free_since) => Phase::Settling {
                        free_since,
                        bound: at,
                    },
                };
            }
            // Who holds the rest can no longer be told.
            Phase::TryingPart if self.record.is_unread() => self.phase = Phase::Watching,
            Phase::Trying { .. } | Phase::Probing { .. } => {
                let verdict = bound(&self.record, trial);
                let at = self.record.at;
                let free_since = match self.phase {
                    Phase::Trying { free_since } => free_since,
                    Phase::Probing { free_since } => free_since.unwrap_or(at),
                    _ => at,
                };
                self.phase = match verdict {
                    Verdict::CannotBind { .. } => Phase::Lingering {
                        free_since,
                        tried: at,
                    },
                    Verdict::Unknown { .. } => Phase::Watching,
                    Verdict::Free { .. }
                    | Verdict::OnlyWithReuse { .. }
                    | Verdict::PartlyFree { .. }
                    | Verdict::HeldByOthers { .. }
                    | Verdict::NotEnded { .. }
                    | Verdict::TakenAgain { .. }
                    | Verdict::Nothing(_) => Phase::Settling {
                        free_since,
                        bound: at,
                    },
                };
                self.say(verdict);
            }
            Phase::TryingPart => {
                if let Some(verdict) = partly_bound(&self.record, trial) {
                    self.phase = Phase::InPart;
                    self.say(verdict);
                } else {
                    self.is_part_refuted = true;
                    self.phase = Phase::Watching;
                    self.say(held_by_others(&self.record));
                }
            }
            Phase::Sending
            | Phase::Watching
            | Phase::Settling { .. }
            | Phase::Lingering { .. }
            | Phase::InPart
            | Phase::Over => {}
        }
        Vec::new()
    }
}
