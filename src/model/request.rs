//! What the screen asks of the sampler.

use crate::model::traffic::Focus;
use std::time::Duration;

/// How to look from now on. A later request takes the place of an earlier one that was not yet seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// From the start of one look to the start of the next, while someone attends.
    pub interval: Duration,
    pub pace: Pace,
    /// Look at once, whatever is left of the interval.
    pub look_now: bool,
    /// What is looked at closely with every look.
    pub focus: Option<Focus>,
}

/// How much it matters that what is shown is the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Someone may be looking; also where the terminal does not tell.
    Attended,
    /// The keys go elsewhere.
    Unfocused,
    /// What is shown stands still.
    Paused,
}

impl Pace {
    /// The interval at this pace. Nobody waits for what is slowed, so that it costs little.
    pub fn slowed(self, interval: Duration) -> Duration {
        match self {
            Self::Attended => interval,
            Self::Unfocused => interval.max(Duration::from_secs(2)),
            Self::Paused => interval.max(Duration::from_secs(5)),
        }
    }
}

impl Request {
    /// Looks at this interval for someone who attends, with an eye on nothing in particular.
    pub const fn every(interval: Duration) -> Self {
        Self {
            interval,
            pace: Pace::Attended,
            look_now: false,
            focus: None,
        }
    }

    /// From the start of one look to the start of the next, at the pace that is asked for.
    pub fn slowed_interval(&self) -> Duration {
        self.pace.slowed(self.interval)
    }

    /// Adds what is asked later, which takes the place of this but for a look now that either wants.
    pub fn merge(&mut self, later: Self) {
        *self = Self {
            look_now: self.look_now || later.look_now,
            ..later
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_only_ever_slows_what_is_asked_for() {
        let slowed = |milliseconds| {
            [Pace::Attended, Pace::Unfocused, Pace::Paused].map(|pace| {
                let request = Request {
                    pace,
                    ..Request::every(Duration::from_millis(milliseconds))
                };
                request.slowed_interval().as_millis()
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
