//! One line that tells what a key did, or what went wrong.

use std::time::{Duration, Instant};

const NOTICE_TIME: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    /// When it goes by itself; an important one stays until a key that is not movement.
    pub until: Option<Instant>,
}

impl Notice {
    pub fn temporary(text: String, now: Instant) -> Self {
        Self {
            text,
            until: Some(now + NOTICE_TIME),
        }
    }

    pub fn persistent(text: String) -> Self {
        Self { text, until: None }
    }
}
