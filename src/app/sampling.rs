//! How the machine is looked at: how often, whether what is shown is paused, and what a look could not see.

mod owner_lookups;

use crate::app::{App, Effect};
use crate::model::poll_request::{PollRate, PollRequest};
use crate::model::snapshot::Problem;
use crate::model::stats::{Focus, SocketStats};
use crate::tracker::{Change, Changes};
use std::time::{Duration, Instant};

/// The steps of faster and slower.
const INTERVAL_STEPS: [Duration; 9] = [
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
];

#[derive(Debug)]
pub struct Sampling {
    /// What was asked for, by flag or key; see [`shown_interval`](Self::shown_interval) for what is kept.
    pub interval: Duration,
    /// Since when what is shown stands still.
    pub paused_at: Option<Instant>,
    /// What changed since the pause, waiting to be shown.
    pending: Option<Changes>,
    /// When the last look was taken; `None` before the first.
    pub last_poll: Option<Instant>,
    /// The tables that could not be read, and since when.
    pub problems: Vec<Problem>,
    pub stale_since: Option<Instant>,
    /// Set when nobody looks any more.
    pub is_lost: bool,
    /// Whether the terminal said that the keys go elsewhere. One that says nothing is taken for attended.
    is_unfocused: bool,
    wants_refresh: bool,
    /// The request that went out last.
    sent: PollRequest,
    /// What the last look said of the time to the next one.
    reported_interval: Duration,
    pub backoff: Option<Backoff>,
}

/// Looks take so long that they are taken less often than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub took: Duration,
    pub interval: Duration,
}

/// Why what is shown may not be what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// Tables could not be read, since then.
    Unread(Instant),
    /// No look came for much longer than it should take; the last one then.
    Late(Instant),
    /// Nobody looks any more.
    Lost,
}

/// How long a look may take beyond its time before what is shown counts as stale.
const STALE_GRACE: Duration = Duration::from_secs(5);

impl Sampling {
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            paused_at: None,
            pending: None,
            last_poll: None,
            problems: Vec::new(),
            stale_since: None,
            is_lost: false,
            is_unfocused: false,
            wants_refresh: false,
            sent: PollRequest::every(interval),
            reported_interval: Duration::ZERO,
            backoff: None,
        }
    }

    /// Takes note of a look and gives back the changes that are to be shown now.
    pub fn on_changes(&mut self, changes: Changes) -> Option<Changes> {
        self.last_poll = Some(changes.taken.instant);
        self.reported_interval = changes.interval;
        self.backoff = Backoff::of(&changes, self.requested_interval());
        self.stale_since = match (changes.problems.is_empty(), self.stale_since) {
            (true, _) => None,
            (false, None) => Some(changes.taken.instant),
            (false, since) => since,
        };
        self.problems.clone_from(&changes.problems);
        if self.paused_at.is_none() {
            return Some(changes);
        }
        match &mut self.pending {
            Some(pending) => pending.merge(changes),
            None => self.pending = Some(changes),
        }
        None
    }

    /// What a pause keeps from being shown.
    pub fn held_back(&self) -> &[Change] {
        let pending = self.pending.as_ref();
        pending.map_or(&[], |changes| &changes.list)
    }

    /// The whole of what is to be asked of the sampler now, if that differs from what was asked last.
    ///
    /// Every request is made here, so that none forgets a part of what the others asked for.
    pub fn next_request(&mut self, focus: Option<Focus>) -> Option<PollRequest> {
        let request = PollRequest {
            interval: self.interval,
            rate: self.rate(),
            poll_now: std::mem::take(&mut self.wants_refresh),
            focus,
        };
        let is_new = request.poll_now || request != self.sent;
        if request.effective_interval() != self.sent.effective_interval() {
            // What was said of the interval was about another one.
            self.backoff = None;
        }
        self.sent = PollRequest {
            poll_now: false,
            ..request.clone()
        };
        is_new.then_some(request)
    }

    /// Whether something is looked at closely.
    pub fn has_focus(&self) -> bool {
        self.sent.focus.is_some()
    }

    /// Asks for a look with the next request, whatever is left of the interval.
    pub fn poll_now(&mut self) {
        self.wants_refresh = true;
    }

    /// What the terminal says, or a key shows, of where the keys go. Whoever comes back sees at once what is.
    pub fn set_terminal_focus(&mut self, is_attended: bool) {
        self.wants_refresh |= self.is_unfocused && is_attended;
        self.is_unfocused = !is_attended;
    }

    fn rate(&self) -> PollRate {
        match (self.paused_at, self.is_unfocused) {
            (Some(_), _) => PollRate::Paused,
            (None, true) => PollRate::Unfocused,
            (None, false) => PollRate::Focused,
        }
    }

    /// The interval that was asked for, slowed to the pace.
    fn requested_interval(&self) -> Duration {
        self.rate().apply_to(self.interval)
    }

    /// From one look to the next, as far as it is known.
    pub fn shown_interval(&self) -> Duration {
        self.backoff
            .map_or_else(|| self.requested_interval(), |backoff| backoff.interval)
    }

    /// Whether what is shown may not be what is.
    pub fn staleness(&self, now: Instant) -> Option<Staleness> {
        let late = self
            .last_poll
            .filter(|last| now.saturating_duration_since(*last) > self.max_age());
        self.is_lost
            .then_some(Staleness::Lost)
            .or(self.stale_since.map(Staleness::Unread))
            .or(late.map(Staleness::Late))
    }

    /// When it becomes stale for want of a look.
    pub fn next_stale(&self, now: Instant) -> Option<Instant> {
        let late = self.last_poll? + self.max_age() + Duration::from_millis(1);
        (late > now).then_some(late)
    }

    /// How old the last look may grow: neither a slow pace nor one that was just given up makes it stale.
    fn max_age(&self) -> Duration {
        self.reported_interval
            .max(self.requested_interval())
            .saturating_mul(3)
            + STALE_GRACE
    }

    /// Ends or begins a pause; at its end gives back what has waited.
    pub fn toggle_pause(&mut self, now: Instant) -> Option<Changes> {
        self.wants_refresh |= self.paused_at.is_some();
        self.paused_at = if self.paused_at.is_some() {
            None
        } else {
            Some(now)
        };
        self.pending.take()
    }

    pub fn faster(&mut self) {
        self.interval = INTERVAL_STEPS
            .into_iter()
            .rev()
            .find(|step| *step < self.interval)
            .unwrap_or(self.interval);
    }

    pub fn slower(&mut self) {
        self.interval = INTERVAL_STEPS
            .into_iter()
            .find(|step| *step > self.interval)
            .unwrap_or(self.interval);
    }

    /// When ages are next worth showing anew, if the next look does not do it.
    pub fn next_second(&self, now: Instant) -> Option<Instant> {
        let last = self
            .last_poll
            .filter(|_| self.shown_interval() > Duration::from_secs(1))?;
        let whole = now.saturating_duration_since(last).as_secs() + 1;
        Some(last + Duration::from_secs(whole))
    }
}

impl App {
    pub(super) fn on_sample(&mut self, mut changes: Changes) -> Vec<Effect> {
        self.clock = changes.taken;
        self.record_stats(changes.stats.take(), changes.taken.instant);
        // Before the table forgets who held what closed, and in a pause too: it is over when it is over.
        self.record_closed(&changes);
        self.reuse_watch.apply_changes(&changes);
        self.finish_owner_lookups(&changes);
        if let Some(changes) = self.sampling.on_changes(changes) {
            self.apply(changes);
        }
        self.ask_again()
    }

    /// In a pause numbers stand still too, but for the first ones of a row that is turned to meanwhile.
    fn record_stats(&mut self, stats: Option<SocketStats>, at: Instant) {
        let is_paused = self.sampling.paused_at.is_some();
        let stats_history = &mut self.details.stats_history;
        match stats {
            Some(stats) if is_paused && stats_history.is_for(stats.endpoint) => {}
            Some(stats) => stats_history.add(stats, at),
            None if self.sampling.has_focus() => stats_history.miss(),
            None => {}
        }
    }

    /// What the state now wants of the sampler, if that is news.
    pub(super) fn request_poll(&mut self) -> Option<Effect> {
        let focus = self.details.focus(self.current_row());
        self.sampling.next_request(focus).map(Effect::Sample)
    }
}

impl Backoff {
    /// A tenth more than was asked for is not worth a word. One that has little to do with how long the look took is no
    /// stretch: that look did not know yet what is asked for now.
    fn of(changes: &Changes, requested: Duration) -> Option<Self> {
        let is_longer = changes.interval > requested + requested / 10;
        (is_longer && changes.took * 4 > requested).then_some(Self {
            took: changes.took,
            interval: changes.interval,
        })
    }
}

#[cfg(test)]
mod tests;
