//! Phases once nothing holds the port: binds, the watch until it counts as free, and the watch for reuse.

use super::evaluate::{all_addresses, bind_verdict, held_by_others, part_verdict, taken_again};
use super::{BIND_RETRY, FreeMachine, FreePhase, LastBind};
use crate::free::exec_command::{BindProbe, ExecCommand};
use crate::free::verdict::Verdict;
use crate::model::port::Port;
use crate::model::process::ProcessTree;
use crate::model::snapshot::Problem;
use crate::model::socket::{EndpointId, Owners, Socket};
use std::time::{Duration, Instant};

/// How long a freed port is watched for reuse.
const REUSE_WATCH: Duration = Duration::from_mins(10);

/// How long the owner of the socket that took the port may be searched for.
const OWNER_TIMEOUT: Duration = Duration::from_secs(2);

/// A change that an ordinary poll shows.
#[derive(Clone, Copy, Debug)]
pub enum TableChange<'a> {
    Closed(EndpointId),
    /// A socket as it is now, whether it opened or changed.
    Open(&'a Socket),
}

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

    /// Settles once the port was free for long enough. Where the tables cannot show that it was not taken, a bind does.
    pub(super) fn settle(&mut self, free_since: Instant, bound: Instant) -> Vec<ExecCommand> {
        self.refresh_outcomes();
        let is_early =
            |at: Instant| at.saturating_duration_since(free_since) < self.timeouts.settle;
        if is_early(self.log.at) {
            return Vec::new();
        }
        if self.log.is_unread() && is_early(bound) {
            let at = bound;
            return self.probe(Some(LastBind { free_since, at }));
        }
        let commands = self.finish();
        self.phase = FreePhase::WatchingIfTaken {
            free_since,
            until: self.log.at + REUSE_WATCH,
            taken: None,
            was_unread: false,
        };
        self.log.sockets.clear();
        commands
    }

    /// Updates the remaining TIME_WAIT, and binds again once nothing visible prevents it, or after a while where nothing
    /// visible ever did.
    pub(super) fn retry_bind(&mut self, free_since: Instant, tried: Instant) -> Vec<ExecCommand> {
        self.refresh_outcomes();
        let is_due = self.log.at.saturating_duration_since(tried) >= BIND_RETRY;
        if self.log.is_unread() {
            return if is_due {
                let at = tried;
                self.probe(Some(LastBind { free_since, at }))
            } else {
                Vec::new()
            };
        }
        let now = self.log.leftovers();
        if let Some(Verdict::CannotBind { leftovers, .. }) = &mut self.verdict {
            if now.states.is_empty() && (is_due || !leftovers.states.is_empty()) {
                return self.try_all(free_since);
            }
            *leftovers = now;
        }
        Vec::new()
    }

    /// Updates the outcomes: a process that closed the port may exit later.
    fn refresh_outcomes(&mut self) {
        if let Some(
            Verdict::Free { outcomes, .. }
            | Verdict::OnlyWithReuseAddr { outcomes, .. }
            | Verdict::CannotBind { outcomes, .. },
        ) = &mut self.verdict
        {
            *outcomes = self.log.outcomes();
        }
    }

    pub(super) fn on_bind_probed(&mut self, probe: &BindProbe) -> Vec<ExecCommand> {
        let at = self.log.at;
        match self.phase {
            // The tables can be read again, and the next poll shows more than a bind: its answer is discarded.
            FreePhase::ProbingUnread { previous } if !self.log.is_unread() => {
                self.phase = match previous {
                    None => FreePhase::Watching,
                    Some(previous) => self.phase_after_bind(previous),
                };
            }
            // Who holds the rest can no longer be seen.
            FreePhase::ProbingPart if self.log.is_unread() => self.phase = FreePhase::Watching,
            FreePhase::Probing { free_since } => {
                self.verdict = Some(bind_verdict(&self.log, probe));
                self.phase = self.phase_after_bind(LastBind { free_since, at });
            }
            FreePhase::ProbingUnread { previous } => {
                self.verdict = Some(bind_verdict(&self.log, probe));
                let free_since = previous.map_or(at, |bind| bind.free_since);
                self.phase = self.phase_after_bind(LastBind { free_since, at });
            }
            FreePhase::ProbingPart => {
                let verdict = part_verdict(&self.log, probe);
                (self.phase, self.has_part_bind_failed) = match verdict {
                    Some(_) => (FreePhase::PartlyFree, self.has_part_bind_failed),
                    None => (FreePhase::Watching, true),
                };
                self.verdict = Some(verdict.unwrap_or_else(|| held_by_others(&self.log)));
            }
            FreePhase::Sending
            | FreePhase::Watching
            | FreePhase::Settling { .. }
            | FreePhase::Unbindable { .. }
            | FreePhase::PartlyFree
            | FreePhase::WatchingIfTaken { .. }
            | FreePhase::Done => {}
        }
        Vec::new()
    }

    /// Returns the phase that follows from the verdict of this bind.
    fn phase_after_bind(&self, LastBind { free_since, at }: LastBind) -> FreePhase {
        match self.verdict {
            Some(Verdict::Free { .. } | Verdict::OnlyWithReuseAddr { .. }) => FreePhase::Settling {
                free_since,
                bound: at,
            },
            Some(Verdict::CannotBind { .. }) => FreePhase::Unbindable {
                free_since,
                tried: at,
            },
            Some(
                Verdict::PartlyFree { .. }
                | Verdict::HeldByOthers { .. }
                | Verdict::NotEnded { .. }
                | Verdict::TakenAgain { .. }
                | Verdict::Unknown { .. }
                | Verdict::NothingSent(_),
            )
            | None => FreePhase::Watching,
        }
    }

    /// True if the port is free for good and watched for reuse.
    pub fn is_watching_reuse(&self) -> bool {
        matches!(self.phase, FreePhase::WatchingIfTaken { .. })
    }

    /// Since when nothing holds the port, while it is watched for reuse.
    pub fn free_since(&self) -> Option<Instant> {
        match self.phase {
            FreePhase::WatchingIfTaken { free_since, .. } => Some(free_since),
            FreePhase::Sending
            | FreePhase::Watching
            | FreePhase::Probing { .. }
            | FreePhase::Settling { .. }
            | FreePhase::Unbindable { .. }
            | FreePhase::ProbingPart
            | FreePhase::ProbingUnread { .. }
            | FreePhase::PartlyFree
            | FreePhase::Done => None,
        }
    }

    /// Takes the changes of an ordinary poll while the port is watched for reuse. The watch ends after ten minutes, unless
    /// the port was taken by then and that is still to be told.
    pub fn on_table_changes<'a>(
        &mut self,
        at: Instant,
        changes: impl Iterator<Item = TableChange<'a>>,
        problems: &[Problem],
    ) {
        let FreePhase::WatchingIfTaken {
            mut free_since,
            until,
            mut taken,
            mut was_unread,
        } = self.phase
        else {
            return;
        };
        let port = self.port();
        let sockets = &mut self.log.sockets;
        for change in changes {
            match change {
                TableChange::Closed(id) => {
                    sockets.retain(|socket| socket.id != id);
                    if sockets.is_empty() && taken.take().is_some() {
                        free_since = at;
                    }
                }
                TableChange::Open(new) => {
                    if let Some(known) = sockets.iter_mut().find(|known| known.id == new.id) {
                        *known = new.clone();
                    } else if Port::of(new) == port && new.holds_port() && at <= until {
                        taken.get_or_insert(at);
                        sockets.push(new.clone());
                    }
                }
            }
        }
        // The first poll that reads a table again shows what came before it.
        if taken.is_none() {
            let mut problems = problems.iter();
            was_unread = problems.any(|problem| problem.protocol == port.protocol);
        }
        self.phase = if at <= until || taken.is_some() {
            FreePhase::WatchingIfTaken {
                free_since,
                until,
                taken,
                was_unread,
            }
        } else {
            FreePhase::Done
        };
    }

    /// Ends the watch for reuse with the verdict that the port was taken again, if it was and the owner is known or was
    /// searched for long enough.
    pub fn taken_again_verdict(&mut self, now: Instant) -> Option<&Verdict> {
        let FreePhase::WatchingIfTaken {
            free_since,
            taken: Some(taken),
            was_unread,
            ..
        } = self.phase
        else {
            return None;
        };
        let mut sockets = self.log.sockets.iter();
        let known = sockets.find(|socket| socket.owners != Owners::Pending);
        let is_late = now.saturating_duration_since(taken) >= OWNER_TIMEOUT;
        let by = known.or(self.log.sockets.first().filter(|_| is_late))?;
        let free_for = taken.saturating_duration_since(free_since);
        let verdict = taken_again(&self.log, by, (!was_unread).then_some(free_for));
        self.phase = FreePhase::Done;
        Some(self.verdict.insert(verdict))
    }

    /// Adds who started the process that took the port.
    pub fn add_starter(&mut self, tree: &ProcessTree) {
        if let Some(Verdict::TakenAgain { by, free_for, .. }) = &self.verdict {
            self.log.record_starter(tree);
            self.verdict = Some(taken_again(&self.log, by, *free_for));
        }
    }
}
