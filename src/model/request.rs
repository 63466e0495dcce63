//! What the screen asks of the sampler.

use crate::model::traffic::Focus;
use std::time::Duration;

/// How to look from now on. A later request takes the place of an earlier one that was not yet seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// From the start of one look to the start of the next.
    pub interval: Duration,
    /// Look at once, whatever is left of the interval.
    pub look_now: bool,
    /// What is looked at closely with every look.
    pub focus: Option<Focus>,
}

impl Request {
    /// Adds what is asked later, which takes the place of this but for a look now that either wants.
    pub fn merge(&mut self, later: Self) {
        *self = Self {
            look_now: self.look_now || later.look_now,
            ..later
        };
    }
}
