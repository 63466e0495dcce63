//! When to look next: pure, so that it can be tested without waiting.

use crate::model::request::Request;
use std::time::{Duration, Instant};

/// How long to wait before trying again to send: short enough for a screen, long enough to cost nothing.
const RETRY: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Look,
    /// Wait for a request, but no longer than this.
    Wait(Duration),
}

/// How many times its own length passes at least from the start of a look to the start of the next, so that looking at a
/// machine with very many sockets never becomes its main occupation.
pub const STRETCH: u32 = 3;

/// What was asked last, when the last look began and how long it took.
pub struct Schedule {
    request: Request,
    last: Option<Instant>,
    took: Duration,
}

impl Schedule {
    pub fn new(first: Request) -> Self {
        Self {
            request: first,
            last: None,
            took: Duration::ZERO,
        }
    }

    pub fn heed(&mut self, request: Request) {
        self.request.merge(request);
    }

    pub fn request(&self) -> &Request {
        &self.request
    }

    /// From the start of one look to the start of the next.
    pub fn interval(&self) -> Duration {
        self.request.slowed_interval().max(self.took * STRETCH)
    }

    /// A look began at `at` and took this long. Looks that were missed are not made up for.
    pub fn looked(&mut self, at: Instant, took: Duration) {
        self.last = Some(at);
        self.took = took;
        self.request.look_now = false;
    }

    /// Having something to send only shortens a wait, it never brings the next look forward.
    pub fn step(&self, now: Instant, has_unsent: bool) -> Step {
        let Some(last) = self.last.filter(|_| !self.request.look_now) else {
            return Step::Look;
        };
        let rest = self.interval().saturating_sub(now.duration_since(last));
        if rest.is_zero() {
            Step::Look
        } else if has_unsent {
            Step::Wait(rest.min(RETRY))
        } else {
            Step::Wait(rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::Pace;
    use crate::model::testing::instant;

    fn every(milliseconds: u64) -> Request {
        Request::every(Duration::from_millis(milliseconds))
    }

    fn wait(milliseconds: u64) -> Step {
        Step::Wait(Duration::from_millis(milliseconds))
    }

    #[test]
    fn the_first_look_is_at_once_and_the_next_an_interval_after_its_start() {
        let mut schedule = Schedule::new(every(1000));
        assert_eq!(schedule.step(instant(0.0), false), Step::Look);
        schedule.looked(instant(0.0), Duration::ZERO);
        assert_eq!(schedule.step(instant(0.25), false), wait(750));
        assert_eq!(schedule.step(instant(1.0), false), Step::Look);
        assert_eq!(schedule.step(instant(7.0), false), Step::Look);
        schedule.looked(instant(7.0), Duration::ZERO);
        assert_eq!(schedule.step(instant(7.0), false), wait(1000));
    }

    #[test]
    fn what_is_unsent_is_tried_again_soon_but_no_look_comes_early() {
        let mut schedule = Schedule::new(every(1000));
        schedule.looked(instant(0.0), Duration::ZERO);
        assert_eq!(schedule.step(instant(0.5), true), wait(20));
        assert_eq!(schedule.step(instant(0.995), true), wait(5));
        assert_eq!(schedule.step(instant(1.0), true), Step::Look);
    }

    #[test]
    fn a_slower_pace_waits_longer_from_the_look_that_was() {
        let mut schedule = Schedule::new(every(1000));
        schedule.looked(instant(0.0), Duration::ZERO);
        schedule.heed(Request {
            pace: Pace::Unfocused,
            ..every(1000)
        });
        assert_eq!(schedule.step(instant(0.5), false), wait(1500));
        schedule.heed(every(1000));
        assert_eq!(schedule.step(instant(1.5), false), Step::Look);
    }

    #[test]
    fn look_now_counts_once_and_survives_a_later_request() {
        let mut schedule = Schedule::new(every(1000));
        schedule.looked(instant(0.0), Duration::ZERO);
        schedule.heed(Request {
            look_now: true,
            ..every(1000)
        });
        schedule.heed(every(500));
        assert_eq!(schedule.step(instant(0.1), false), Step::Look);
        schedule.looked(instant(0.1), Duration::ZERO);
        assert_eq!(schedule.step(instant(0.1), false), wait(500));
    }

    #[test]
    fn a_look_that_takes_more_than_a_third_of_the_interval_stretches_it() {
        let mut schedule = Schedule::new(every(1000));
        let kept = [300, 400, 100].map(|took| {
            schedule.looked(instant(0.0), Duration::from_millis(took));
            schedule.interval()
        });
        assert_eq!(kept, [1000, 1200, 1000].map(Duration::from_millis));
        schedule.looked(instant(0.0), Duration::from_millis(400));
        assert_eq!(schedule.step(instant(1.0), false), wait(200));
    }
}
