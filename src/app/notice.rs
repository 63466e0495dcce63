//! One line that tells what a key did, or what went wrong.

use std::time::{Duration, Instant};

const PASSING_TIME: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub words: String,
    /// When it goes by itself; an important one stays until a key that is not movement.
    pub until: Option<Instant>,
}

impl Notice {
    pub fn passing(words: String, now: Instant) -> Self {
        Self {
            words,
            until: Some(now + PASSING_TIME),
        }
    }

    pub fn lasting(words: String) -> Self {
        Self { words, until: None }
    }
}
