//! How the machine is looked at: how often, whether what is shown is paused, and what a look could not see.

mod searches;

use crate::app::{App, Effect};
use crate::model::request::{Pace, Request};
use crate::model::snapshot::Problem;
use crate::model::tracker::{Change, Changes};
use crate::model::traffic::{Closeup, Focus};
use std::time::{Duration, Instant};

/// The steps of faster and slower.
const STEPS: [Duration; 9] = [
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
    waiting: Option<Changes>,
    /// When the last look was taken; `None` before the first.
    pub last: Option<Instant>,
    /// The tables that could not be read, and since when.
    pub problems: Vec<Problem>,
    pub stale_since: Option<Instant>,
    /// Set when nobody looks any more.
    pub is_lost: bool,
    /// Whether the terminal said that the keys go elsewhere. One that says nothing is taken for attended.
    is_unfocused: bool,
    wants_look: bool,
    /// The request that went out last.
    sent: Request,
    /// What the last look said of the time to the next one.
    kept: Duration,
    pub stretch: Option<Stretch>,
}

/// Looks take so long that they are taken less often than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub took: Duration,
    pub interval: Duration,
}

/// Why what is shown may not be what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// Tables could not be read, since then.
    Unread(Instant),
    /// No look came for much longer than it should take; the last one then.
    Late(Instant),
    /// Nobody looks any more.
    Lost,
}

/// How long a look may take beyond its time before what is shown counts as stale.
const GRACE: Duration = Duration::from_secs(5);

impl Sampling {
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            paused_at: None,
            waiting: None,
            last: None,
            problems: Vec::new(),
            stale_since: None,
            is_lost: false,
            is_unfocused: false,
            wants_look: false,
            sent: Request::every(interval),
            kept: Duration::ZERO,
            stretch: None,
        }
    }

    /// Takes note of a look and gives back the changes that are to be shown now.
    pub fn take(&mut self, changes: Changes) -> Option<Changes> {
        self.last = Some(changes.taken.instant);
        self.kept = changes.interval;
        self.stretch = Stretch::of(&changes, self.asked());
        self.stale_since = match (changes.problems.is_empty(), self.stale_since) {
            (true, _) => None,
            (false, None) => Some(changes.taken.instant),
            (false, since) => since,
        };
        self.problems.clone_from(&changes.problems);
        if self.paused_at.is_none() {
            return Some(changes);
        }
        match &mut self.waiting {
            Some(waiting) => waiting.merge(changes),
            None => self.waiting = Some(changes),
        }
        None
    }

    /// What a pause keeps from being shown.
    pub fn held_back(&self) -> &[Change] {
        let waiting = self.waiting.as_ref();
        waiting.map_or(&[], |changes| &changes.list)
    }

    /// The whole of what is to be asked of the sampler now, if that differs from what was asked last.
    ///
    /// Every request is made here, so that none forgets a part of what the others asked for.
    pub fn request(&mut self, focus: Option<Focus>) -> Option<Request> {
        let request = Request {
            interval: self.interval,
            pace: self.pace(),
            look_now: std::mem::take(&mut self.wants_look),
            focus,
        };
        let is_news = request.look_now || request != self.sent;
        if request.slowed_interval() != self.sent.slowed_interval() {
            // What was said of the interval was about another one.
            self.stretch = None;
        }
        self.sent = Request {
            look_now: false,
            ..request.clone()
        };
        is_news.then_some(request)
    }

    /// Whether something is looked at closely.
    pub fn has_focus(&self) -> bool {
        self.sent.focus.is_some()
    }

    /// Asks for a look with the next request, whatever is left of the interval.
    pub fn look_now(&mut self) {
        self.wants_look = true;
    }

    /// What the terminal says, or a key shows, of where the keys go. Whoever comes back sees at once what is.
    pub fn attend(&mut self, is_attended: bool) {
        self.wants_look |= self.is_unfocused && is_attended;
        self.is_unfocused = !is_attended;
    }

    fn pace(&self) -> Pace {
        match (self.paused_at, self.is_unfocused) {
            (Some(_), _) => Pace::Paused,
            (None, true) => Pace::Unfocused,
            (None, false) => Pace::Attended,
        }
    }

    /// The interval that was asked for, slowed to the pace.
    fn asked(&self) -> Duration {
        self.pace().slowed(self.interval)
    }

    /// From one look to the next, as far as it is known.
    pub fn shown_interval(&self) -> Duration {
        self.stretch
            .map_or_else(|| self.asked(), |stretch| stretch.interval)
    }

    /// Whether what is shown may not be what is.
    pub fn stale(&self, now: Instant) -> Option<Stale> {
        let late = self
            .last
            .filter(|last| now.saturating_duration_since(*last) > self.patience());
        self.is_lost
            .then_some(Stale::Lost)
            .or(self.stale_since.map(Stale::Unread))
            .or(late.map(Stale::Late))
    }

    /// When it becomes stale for want of a look.
    pub fn next_stale(&self, now: Instant) -> Option<Instant> {
        let late = self.last? + self.patience() + Duration::from_millis(1);
        (late > now).then_some(late)
    }

    /// How old the last look may grow: neither a slow pace nor one that was just given up makes it stale.
    fn patience(&self) -> Duration {
        self.kept.max(self.asked()).saturating_mul(3) + GRACE
    }

    /// Ends or begins a pause; at its end gives back what has waited.
    pub fn toggle_pause(&mut self, now: Instant) -> Option<Changes> {
        self.wants_look |= self.paused_at.is_some();
        self.paused_at = if self.paused_at.is_some() {
            None
        } else {
            Some(now)
        };
        self.waiting.take()
    }

    pub fn faster(&mut self) {
        self.interval = STEPS
            .into_iter()
            .rev()
            .find(|step| *step < self.interval)
            .unwrap_or(self.interval);
    }

    pub fn slower(&mut self) {
        self.interval = STEPS
            .into_iter()
            .find(|step| *step > self.interval)
            .unwrap_or(self.interval);
    }

    /// When ages are next worth showing anew, if the next look does not do it.
    pub fn next_second(&self, now: Instant) -> Option<Instant> {
        let last = self
            .last
            .filter(|_| self.shown_interval() > Duration::from_secs(1))?;
        let whole = now.saturating_duration_since(last).as_secs() + 1;
        Some(last + Duration::from_secs(whole))
    }
}

impl App {
    pub(super) fn on_sample(&mut self, mut changes: Changes) -> Vec<Effect> {
        self.clock = changes.taken;
        self.look_closely(changes.closeup.take(), changes.taken.instant);
        // Before the table forgets who held what closed, and in a pause too: it is over when it is over.
        self.remember(&changes);
        self.aftermath.look(&changes);
        self.end_searches(&changes);
        if let Some(changes) = self.sampling.take(changes) {
            self.apply(changes);
        }
        self.ask_again()
    }

    /// In a pause numbers stand still too, but for the first ones of a row that is turned to meanwhile.
    fn look_closely(&mut self, closeup: Option<Closeup>, at: Instant) {
        let is_paused = self.sampling.paused_at.is_some();
        let closeups = &mut self.details.closeups;
        match closeup {
            Some(closeup) if is_paused && closeups.are_of(closeup.endpoint) => {}
            Some(closeup) => closeups.add(closeup, at),
            None if self.sampling.has_focus() => closeups.miss(),
            None => {}
        }
    }

    /// What the state now wants of the sampler, if that is news.
    pub(super) fn ask_the_sampler(&mut self) -> Option<Effect> {
        let focus = self.details.focus(self.current());
        self.sampling.request(focus).map(Effect::Sample)
    }
}

impl Stretch {
    /// A tenth more than was asked for is not worth a word. One that has little to do with how long the look took is no
    /// stretch: that look did not know yet what is asked for now.
    fn of(changes: &Changes, asked: Duration) -> Option<Self> {
        let is_longer = changes.interval > asked + asked / 10;
        (is_longer && changes.took * 4 > asked).then_some(Self {
            took: changes.took,
            interval: changes.interval,
        })
    }
}

#[cfg(test)]
mod tests;
