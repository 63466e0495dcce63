//! What the screen asks of the sampler.

use std::time::Duration;

/// How to look from now on. A later request takes the place of an earlier one that was not yet seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// From the start of one look to the start of the next.
    pub interval: Duration,
    /// Look at once, whatever is left of the interval.
    pub look_now: bool,
}

impl Request {
    /// What both ask together: the later interval, and a look now if either wanted one.
    pub fn merged(self, later: Self) -> Self {
        Self {
            look_now: self.look_now || later.look_now,
            ..later
        }
    }
}
