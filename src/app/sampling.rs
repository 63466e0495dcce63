//! How the machine is looked at: how often, whether what is shown is paused, and what a look could not see.

use crate::model::request::Request;
use crate::model::snapshot::Problem;
use crate::model::tracker::Changes;
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
        }
    }

    /// Takes note of a look and gives back the changes that are to be shown now.
    pub fn take(&mut self, changes: Changes) -> Option<Changes> {
        self.last = Some(changes.taken.instant);
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

    /// Whether what is shown may not be what is.
    pub fn stale(&self, now: Instant) -> Option<Stale> {
        let late = self
            .last
            .filter(|last| now.saturating_duration_since(*last) > self.interval * 3 + GRACE);
        self.is_lost
            .then_some(Stale::Lost)
            .or(self.stale_since.map(Stale::Unread))
            .or(late.map(Stale::Late))
    }

    /// When it becomes stale for want of a look.
    pub fn next_stale(&self, now: Instant) -> Option<Instant> {
        let late = self.last? + self.interval * 3 + GRACE + Duration::from_millis(1);
        (late > now).then_some(late)
    }

    /// Ends or begins a pause; at its end gives back what has waited.
    pub fn toggle_pause(&mut self, now: Instant) -> Option<Changes> {
        self.paused_at = if self.paused_at.is_some() {
            None
        } else {
            Some(now)
        };
        self.waiting.take()
    }

    pub fn look_now(&self) -> Request {
        Request {
            interval: self.interval,
            look_now: true,
            focus: None,
        }
    }

    pub fn faster(&mut self) -> Request {
        self.interval = STEPS
            .into_iter()
            .rev()
            .find(|step| *step < self.interval)
            .unwrap_or(self.interval);
        self.request()
    }

    pub fn slower(&mut self) -> Request {
        self.interval = STEPS
            .into_iter()
            .find(|step| *step > self.interval)
            .unwrap_or(self.interval);
        self.request()
    }

    /// When ages are next worth showing anew, if the next look does not do it.
    pub fn next_second(&self, now: Instant) -> Option<Instant> {
        let last = self
            .last
            .filter(|_| self.interval > Duration::from_secs(1))?;
        let whole = now.saturating_duration_since(last).as_secs() + 1;
        Some(last + Duration::from_secs(whole))
    }

    fn request(&self) -> Request {
        Request {
            interval: self.interval,
            look_now: false,
            focus: None,
        }
    }
}
