//! Decides when to poll next, without a clock of its own.

use crate::model::poll_request::PollRequest;
use std::time::{Duration, Instant};

/// Time until unsent changes are sent again: short enough for a screen, long enough to cost nothing.
const SEND_RETRY: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    Poll,
    /// Wait this long for a request.
    Wait(Duration),
}

/// Minimum interval as a multiple of the duration of the last poll, so that polling takes at most a third of one core however
/// many sockets there are.
pub const BACKOFF: u32 = 3;

/// The latest request, and start and duration of the last poll.
pub struct Schedule {
    request: PollRequest,
    last: Option<Instant>,
    took: Duration,
}

impl Schedule {
    pub fn new(first: PollRequest) -> Self {
        Self {
            request: first,
            last: None,
            took: Duration::ZERO,
        }
    }

    pub fn merge_request(&mut self, request: PollRequest) {
        self.request.merge(request);
    }

    pub fn request(&self) -> &PollRequest {
        &self.request
    }

    /// Time from the start of one poll to the start of the next.
    pub fn interval(&self) -> Duration {
        self.request.effective_interval().max(self.took * BACKOFF)
    }

    /// Records a poll. Missed polls are not made up for.
    pub fn record_poll(&mut self, at: Instant, took: Duration) {
        self.last = Some(at);
        self.took = took;
        self.request.poll_now = false;
    }

    /// Returns what to do now. Unsent changes only shorten a wait, they never cause an early poll.
    pub fn next_step(&self, now: Instant, has_unsent: bool) -> NextStep {
        let Some(last) = self.last.filter(|_| !self.request.poll_now) else {
            return NextStep::Poll;
        };
        let rest = self.interval().saturating_sub(now.duration_since(last));
        if rest.is_zero() {
            NextStep::Poll
        } else if has_unsent {
            NextStep::Wait(rest.min(SEND_RETRY))
        } else {
            NextStep::Wait(rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::poll_request::PollRate;
    use crate::model::testing::instant;

    fn every(milliseconds: u64) -> PollRequest {
        PollRequest::every(Duration::from_millis(milliseconds))
    }

    fn wait(milliseconds: u64) -> NextStep {
        NextStep::Wait(Duration::from_millis(milliseconds))
    }

    #[test]
    fn the_first_poll_is_immediate_and_the_next_an_interval_later() {
        let mut schedule = Schedule::new(every(1000));
        assert_eq!(schedule.next_step(instant(0.0), false), NextStep::Poll);
        schedule.record_poll(instant(0.0), Duration::ZERO);
        assert_eq!(schedule.next_step(instant(0.25), false), wait(750));
        assert_eq!(schedule.next_step(instant(1.0), false), NextStep::Poll);
        assert_eq!(schedule.next_step(instant(7.0), false), NextStep::Poll);
        schedule.record_poll(instant(7.0), Duration::ZERO);
        assert_eq!(schedule.next_step(instant(7.0), false), wait(1000));
    }

    #[test]
    fn unsent_changes_are_retried_without_polling_early() {
        let mut schedule = Schedule::new(every(1000));
        schedule.record_poll(instant(0.0), Duration::ZERO);
        assert_eq!(schedule.next_step(instant(0.5), true), wait(20));
        assert_eq!(schedule.next_step(instant(0.995), true), wait(5));
        assert_eq!(schedule.next_step(instant(1.0), true), NextStep::Poll);
    }

    #[test]
    fn a_slower_rate_counts_from_the_last_poll() {
        let mut schedule = Schedule::new(every(1000));
        schedule.record_poll(instant(0.0), Duration::ZERO);
        schedule.merge_request(PollRequest {
            rate: PollRate::Unfocused,
            ..every(1000)
        });
        assert_eq!(schedule.next_step(instant(0.5), false), wait(1500));
        schedule.merge_request(every(1000));
        assert_eq!(schedule.next_step(instant(1.5), false), NextStep::Poll);
    }

    #[test]
    fn a_refresh_happens_once_and_survives_a_later_request() {
        let mut schedule = Schedule::new(every(1000));
        schedule.record_poll(instant(0.0), Duration::ZERO);
        schedule.merge_request(PollRequest {
            poll_now: true,
            ..every(1000)
        });
        schedule.merge_request(every(500));
        assert_eq!(schedule.next_step(instant(0.1), false), NextStep::Poll);
        schedule.record_poll(instant(0.1), Duration::ZERO);
        assert_eq!(schedule.next_step(instant(0.1), false), wait(500));
    }

    #[test]
    fn a_slow_poll_lengthens_the_interval() {
        let mut schedule = Schedule::new(every(1000));
        let kept = [300, 400, 100].map(|took| {
            schedule.record_poll(instant(0.0), Duration::from_millis(took));
            schedule.interval()
        });
        assert_eq!(kept, [1000, 1200, 1000].map(Duration::from_millis));
        schedule.record_poll(instant(0.0), Duration::from_millis(400));
        assert_eq!(schedule.next_step(instant(1.0), false), wait(200));
    }
}
