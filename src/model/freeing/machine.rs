//! The machine that frees a port: happenings in, steps out.

mod telling;
mod trying;

use super::judging::{Judgement, judge, taken};
use super::look::{Dispatch, Look, Sending};
use super::order::Order;
use super::record::Record;
use super::signal::Signal;
use super::step::{Happening, Step};
use super::verdict::Verdict;
use super::{RETRY, Terms};
use std::time::Instant;

/// One order on its way to a verdict.
#[derive(Clone, Debug)]
pub struct Freeing {
    record: Record,
    terms: Terms,
    phase: Phase,
    verdict: Option<Verdict>,
    /// Whether a bind refuted that part of the port is free; it is not tried again and again.
    is_part_refuted: bool,
    /// When a bind last had to decide because tables could not be read, and how many targets were left then.
    probed: Option<(Instant, usize)>,
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
        bound: Instant,
    },
    /// Nothing holds it, yet it cannot be bound.
    Lingering {
        free_since: Instant,
        tried: Instant,
    },
    /// A part of it may be free, and a bind is being tried there.
    TryingPart,
    /// Tables cannot be read, and a bind is being tried that may decide all the same.
    Probing {
        /// Since when it is free, if it was before.
        free_since: Option<Instant>,
    },
    /// A part of it is free.
    InPart,
    Over,
}

impl Freeing {
    /// Awaits that what was confirmed is sent, which [`Batch::begin`](super::Batch::begin) asks for.
    pub(super) fn new(order: Order, terms: Terms) -> Self {
        Self {
            record: Record::new(order),
            terms,
            phase: Phase::Sending,
            verdict: None,
            is_part_refuted: false,
            probed: None,
        }
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

    /// The order to send what is [offered](Self::offer) to the targets that still hold the port, with all checks made
    /// again.
    pub(super) fn insist(&mut self, now: Instant) -> Option<Order> {
        let signal = self.offer()?;
        Some(self.order_again(signal, now))
    }

    fn order_again(&mut self, signal: Signal, now: Instant) -> Order {
        let survivors = self.record.survivors();
        let targets = survivors
            .map(|recipient| recipient.target.clone())
            .collect();
        let order = self.record.order.again(targets, signal, now);
        self.record.order = order.clone();
        self.record.at = now;
        self.verdict = None;
        self.phase = Phase::Sending;
        order
    }

    fn sent(&mut self, dispatch: &Dispatch) -> Vec<Step> {
        if self.phase != Phase::Sending {
            return Vec::new();
        }
        self.record.take_dispatch(dispatch);
        match &dispatch.sending {
            Sending::Sent { .. } => {
                self.phase = Phase::Watching;
                vec![Step::Watch(self.record.order.id)]
            }
            Sending::NotSent(hindrance) => {
                self.record.take_hindrance(hindrance);
                self.verdict = Some(Verdict::Nothing(hindrance.clone()));
                // A signal that went out before may still do its work, so the port stays watched.
                if self.record.has_sent() {
                    self.phase = Phase::Watching;
                    vec![Step::Watch(self.record.order.id)]
                } else {
                    self.phase = Phase::Over;
                    vec![Step::StopWatching(self.record.order.id)]
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
                | Phase::Settling { free_since, .. }
                | Phase::Lingering { free_since, .. },
                Some(taker),
            ) => {
                self.say(taken(&self.record, &taker, Some(free_since)));
                self.end()
            }
            (Phase::Settling { free_since, bound }, None) => self.settle(free_since, bound),
            (Phase::Lingering { free_since, tried }, None) => self.linger(free_since, tried),
            (Phase::Watching | Phase::InPart, _) => self.judge(),
            (
                Phase::Sending
                | Phase::Trying { .. }
                | Phase::TryingPart
                | Phase::Probing { .. }
                | Phase::Over,
                _,
            ) => Vec::new(),
        }
    }

    fn judge(&mut self) -> Vec<Step> {
        // What was bound in part is not taken back because a table cannot be read for a while.
        if self.phase == Phase::InPart && self.record.is_unread() {
            return Vec::new();
        }
        match judge(&self.record, &self.terms, self.is_part_refuted) {
            Judgement::Wait => {
                // The tables can be read again and show what was unknown.
                self.verdict
                    .take_if(|verdict| matches!(verdict, Verdict::Unknown { .. }));
                Vec::new()
            }
            Judgement::Probe => {
                let left = self.record.survivors().count();
                let is_due = self.probed.is_none_or(|(at, had)| {
                    had != left || self.record.at.saturating_duration_since(at) >= RETRY
                });
                if is_due { self.probe(None) } else { Vec::new() }
            }
            Judgement::Force => {
                let order = self.order_again(Signal::Kill, self.record.at);
                vec![Step::Send(vec![order])]
            }
            Judgement::Unheld => self.try_all(self.record.at),
            Judgement::Part(_) if self.phase == Phase::InPart => Vec::new(),
            Judgement::Part(addresses) => {
                self.phase = Phase::TryingPart;
                vec![Step::TryBind(self.record.order.id, addresses)]
            }
            Judgement::Said(verdict) => {
                let is_final = matches!(*verdict, Verdict::TakenAgain { .. });
                self.say(*verdict);
                self.phase = Phase::Watching;
                if is_final { self.end() } else { Vec::new() }
            }
        }
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

    fn say(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }

    fn end(&mut self) -> Vec<Step> {
        self.phase = Phase::Over;
        vec![Step::StopWatching(self.record.order.id)]
    }
}

#[cfg(test)]
mod tests;
