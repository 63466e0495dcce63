//! What the screen asks of the sampler.

use crate::model::stats::Focus;
use std::time::Duration;

/// How to look from now on. A later request takes the place of an earlier one that was not yet seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollRequest {
    /// From the start of one look to the start of the next, while someone attends.
    pub interval: Duration,
    pub rate: PollRate,
    /// Look at once, whatever is left of the interval.
    pub poll_now: bool,
    /// What is looked at closely with every look.
    pub focus: Option<Focus>,
}

/// How much it matters that what is shown is the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollRate {
    /// Someone may be looking; also where the terminal does not tell.
    Focused,
    /// The keys go elsewhere.
    Unfocused,
    /// What is shown stands still.
    Paused,
}

impl PollRate {
    /// The interval at this pace. Nobody waits for what is slowed, so that it costs little.
    pub fn apply_to(self, interval: Duration) -> Duration {
        match self {
            Self::Focused => interval,
            Self::Unfocused => interval.max(Duration::from_secs(2)),
            Self::Paused => interval.max(Duration::from_secs(5)),
        }
    }
}

impl PollRequest {
    /// Looks at this interval for someone who attends, with an eye on nothing in particular.
    pub const fn every(interval: Duration) -> Self {
        Self {
            interval,
            rate: PollRate::Focused,
            poll_now: false,
            focus: None,
        }
    }

    /// From the start of one look to the start of the next, at the pace that is asked for.
    pub fn effective_interval(&self) -> Duration {
        self.rate.apply_to(self.interval)
    }

    /// Adds what is asked later, which takes the place of this but for a look now that either wants.
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
