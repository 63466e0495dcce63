//! The machine that frees a port: happenings in, steps out.

use super::judging::{Judgement, all_addresses, bound, held_by_others, judge, partly_bound, taken};
use super::look::{BindTrial, Dispatch, Look, Sending};
use super::order::{Order, OrderId, Signal};
use super::record::Record;
use super::verdict::{Next, Verdict};
use super::{RETRY, SETTLE, sentence, words};
use std::net::SocketAddr;
use std::time::Instant;

/// What must be done next; `os::freeing::Freer` performs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Check that every target is what it was and holds what it held, then signal all of them; answered by
    /// [`Happening::Sent`].
    Send(Order),
    /// Look at the port of the order that was sent last, as often as is cheap; answered by [`Happening::Looked`] until
    /// `StopWatching`.
    Watch,
    /// Try once to bind the order's port on these addresses (v6 ones with IPV6_V6ONLY); answered by
    /// [`Happening::Bound`].
    TryBind(Vec<SocketAddr>),
    StopWatching,
}

/// What the executor found, each for one order: an answer may still be under way when another order is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    Sent(Dispatch),
    Looked(Look),
    Bound(BindTrial),
}

impl Happening {
    pub fn order(&self) -> OrderId {
        match self {
            Self::Sent(dispatch) => dispatch.order,
            Self::Looked(look) => look.order,
            Self::Bound(trial) => trial.order,
        }
    }
}

/// One order on its way to a verdict.
#[derive(Clone, Debug)]
pub struct Freeing {
    record: Record,
    phase: Phase,
    verdict: Option<Verdict>,
    /// Whether a bind refuted that part of the port is free; it is not tried again and again.
    is_part_refuted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Sending,
    /// Something holds the port; a verdict may already say so.
    Watching,
    /// Nothing holds it, and a bind is being tried.
    Trying {
        free_since: Instant,
    },
    /// Said to be free, and watched a while longer.
    Settling {
        free_since: Instant,
    },
    /// Nothing holds it, yet it cannot be bound.
    Lingering {
        free_since: Instant,
        tried: Instant,
    },
    /// A part of it may be free, and a bind is being tried there.
    TryingPart,
    /// A part of it is free.
    InPart,
    Over,
}

impl Freeing {
    /// Starts what was confirmed. The executor must have been told to hold on to the processes when the question opened.
    pub fn begin(order: Order) -> (Self, Vec<Step>) {
        let steps = vec![Step::Send(order.clone())];
        let freeing = Self {
            record: Record::new(order),
            phase: Phase::Sending,
            verdict: None,
            is_part_refuted: false,
        };
        (freeing, steps)
    }

    /// Takes in what happened. What was found for another order says nothing about this one, and is dropped.
    pub fn on(&mut self, happening: Happening) -> Vec<Step> {
        if happening.order() != self.record.order.id {
            return Vec::new();
        }
        match happening {
            Happening::Sent(dispatch) => self.sent(&dispatch),
            Happening::Looked(look) => self.looked(look),
            Happening::Bound(trial) => self.tried(&trial),
        }
    }

    pub fn order(&self) -> &Order {
        &self.record.order
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
            Phase::Watching if !self.record.endings().is_empty() => {
                let holders = self.record.holding_processes();
                sentence::half_done(port, &self.record.endings(), &holders)
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

    /// Whether SIGKILL may be offered: another signal went out and a process that got it still holds the port.
    pub fn can_kill(&self) -> bool {
        let is_offered = matches!(
            self.verdict,
            Some(Verdict::NotEnded {
                next: Next::OfferKill,
                ..
            })
        );
        is_offered && self.phase == Phase::Watching
    }

    /// Sends SIGKILL to the targets that still hold the port, with all checks made again. Nothing unless
    /// [`can_kill`](Self::can_kill).
    pub fn kill(&mut self, now: Instant) -> Vec<Step> {
        if !self.can_kill() {
            return Vec::new();
        }
        let survivors = self.record.survivors();
        let order = Order {
            id: OrderId(now),
            targets: survivors.map(|fate| fate.target.clone()).collect(),
            signal: Signal::Kill,
            ..self.record.order.clone()
        };
        self.record.order = order.clone();
        self.record.at = now;
        self.verdict = None;
        self.phase = Phase::Sending;
        vec![Step::Send(order)]
    }

    fn sent(&mut self, dispatch: &Dispatch) -> Vec<Step> {
        if self.phase != Phase::Sending {
            return Vec::new();
        }
        self.record.take_dispatch(dispatch);
        match &dispatch.sending {
            Sending::Sent { .. } => {
                self.phase = Phase::Watching;
                vec![Step::Watch]
            }
            Sending::NotSent(hindrance) => {
                self.record.take_hindrance(hindrance);
                self.verdict = Some(Verdict::Nothing(hindrance.clone()));
                // A signal that went out before may still do its work, so the port stays watched.
                if self.record.has_sent() {
                    self.phase = Phase::Watching;
                    vec![Step::Watch]
                } else {
                    self.phase = Phase::Over;
                    vec![Step::StopWatching]
                }
            }
        }
    }

    fn looked(&mut self, look: Look) -> Vec<Step> {
        if matches!(self.phase, Phase::Sending | Phase::Over) {
            return Vec::new();
        }
        self.record.take_look(look);
        let taker = self.record.holding().first().copied().cloned();
        match (self.phase, taker) {
            (
                Phase::Trying { free_since }
                | Phase::Settling { free_since }
                | Phase::Lingering { free_since, .. },
                Some(taker),
            ) => {
                self.say(taken(&self.record, &taker, Some(free_since)));
                self.end()
            }
            (Phase::Settling { free_since }, None) => {
                self.refresh_endings();
                let settled = self.record.at.saturating_duration_since(free_since) >= SETTLE;
                if settled { self.end() } else { Vec::new() }
            }
            (Phase::Lingering { free_since, tried }, None) => self.linger(free_since, tried),
            (Phase::Watching | Phase::InPart, _) => self.judge(),
            (Phase::Sending | Phase::Trying { .. } | Phase::TryingPart | Phase::Over, _) => {
                Vec::new()
            }
        }
    }

    fn judge(&mut self) -> Vec<Step> {
        match judge(&self.record, self.is_part_refuted) {
            Judgement::Wait => Vec::new(),
            Judgement::Unheld => self.try_all(self.record.at),
            Judgement::Part(_) if self.phase == Phase::InPart => Vec::new(),
            Judgement::Part(addresses) => {
                self.phase = Phase::TryingPart;
                vec![Step::TryBind(addresses)]
            }
            Judgement::Said(verdict) => {
                let is_final = matches!(*verdict, Verdict::TakenAgain { .. });
                self.say(*verdict);
                self.phase = Phase::Watching;
                if is_final { self.end() } else { Vec::new() }
            }
        }
    }

    fn try_all(&mut self, free_since: Instant) -> Vec<Step> {
        self.phase = Phase::Trying { free_since };
        vec![Step::TryBind(all_addresses(&self.record))]
    }

    /// Brings the rest of the wait up to date, and tries again when what could be in the way has gone, or after a while
    /// where nothing of that kind was ever seen.
    fn linger(&mut self, free_since: Instant, tried: Instant) -> Vec<Step> {
        self.refresh_endings();
        let left = self.record.left();
        if let Some(Verdict::CannotBind { left: said, .. }) = &mut self.verdict {
            let was_in_the_way = !said.states.is_empty();
            let is_due = self.record.at.saturating_duration_since(tried) >= RETRY;
            if left.states.is_empty() && (was_in_the_way || is_due) {
                return self.try_all(free_since);
            }
            *said = left;
        }
        Vec::new()
    }

    /// A process that let go of the port may end later, which the verdict then says instead.
    fn refresh_endings(&mut self) {
        if let Some(
            Verdict::Free { endings, .. }
            | Verdict::OnlyWithReuse { endings, .. }
            | Verdict::CannotBind { endings, .. },
        ) = &mut self.verdict
        {
            *endings = self.record.endings();
        }
    }

    fn tried(&mut self, trial: &BindTrial) -> Vec<Step> {
        match self.phase {
            Phase::Trying { free_since } => {
                let verdict = bound(&self.record, trial);
                self.phase = match verdict {
                    Verdict::CannotBind { .. } => Phase::Lingering {
                        free_since,
                        tried: self.record.at,
                    },
                    Verdict::Free { .. }
                    | Verdict::OnlyWithReuse { .. }
                    | Verdict::PartlyFree { .. }
                    | Verdict::HeldByOthers { .. }
                    | Verdict::NotEnded { .. }
                    | Verdict::TakenAgain { .. }
                    | Verdict::Nothing(_) => Phase::Settling { free_since },
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

    fn say(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }

    fn end(&mut self) -> Vec<Step> {
        self.phase = Phase::Over;
        vec![Step::StopWatching]
    }
}

#[cfg(test)]
mod tests;
