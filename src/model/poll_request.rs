//! Requests to the sampler.

use crate::model::socket::{EndpointId, Focus};
use std::time::Duration;

/// How to poll from now on. A later request replaces one that was not received yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollRequest {
    /// Time from the start of one poll to the start of the next, in a focused terminal.
    pub interval: Duration,
    pub rate: PollRate,
    /// Poll at once, whatever is left of the interval.
    pub poll_now: bool,
    /// The sockets on the screen, whose owners are kept true from poll to poll.
    pub in_view: Vec<EndpointId>,
    /// The socket whose stats are read with every poll.
    pub focus: Option<Focus>,
}

/// Poll rate by the attention of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollRate {
    /// The terminal has the focus, or does not report it.
    Focused,
    /// The terminal has lost the focus.
    Unfocused,
    /// The display is paused.
    Paused,
}

impl PollRate {
    /// Returns the interval at this rate.
    pub fn apply_to(self, interval: Duration) -> Duration {
        match self {
            Self::Focused => interval,
            Self::Unfocused => interval.max(Duration::from_secs(2)),
            Self::Paused => interval.max(Duration::from_secs(5)),
        }
    }
}

impl PollRequest {
    /// Polls at this interval, focused and without a focused socket.
    pub const fn every(interval: Duration) -> Self {
        Self {
            interval,
            rate: PollRate::Focused,
            poll_now: false,
            in_view: Vec::new(),
            focus: None,
        }
    }

    /// The interval at the requested rate.
    pub fn effective_interval(&self) -> Duration {
        self.rate.apply_to(self.interval)
    }

    /// Replaces this by a later request, but polls at once if either asks for it.
    pub fn merge(&mut self, later: Self) {
        *self = Self {
            poll_now: self.poll_now || later.poll_now,
            ..later
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_rate_only_ever_lengthens_the_interval() {
        let slowed = |milliseconds| {
            [PollRate::Focused, PollRate::Unfocused, PollRate::Paused].map(|rate| {
                let request = PollRequest {
                    rate,
                    ..PollRequest::every(Duration::from_millis(milliseconds))
                };
                request.effective_interval().as_millis()
            })
        };
        assert_eq!(
            [100, 3_000, 60_000].map(slowed),
            [
                [100, 2_000, 5_000],
                [3_000, 3_000, 5_000],
                [60_000, 60_000, 60_000]
            ]
        );
    }
}
