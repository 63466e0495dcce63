//! A line of text that reports what a key did or what went wrong.

use std::time::{Duration, Instant};

pub const NOTICE_TIME: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    /// When it disappears; `None` if only a key that is not movement removes it.
    pub until: Option<Instant>,
    /// True if it says that a freed port was taken again.
    pub is_reuse: bool,
}

impl Notice {
    pub fn persistent(text: String) -> Self {
        Self {
            text,
            until: None,
            is_reuse: false,
        }
    }
}
